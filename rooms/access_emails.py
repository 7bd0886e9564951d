"""The mail about access: somebody got a role, or holds it no longer, through an assignment that tells its members.

Left with the change, one message for each person; written when it is sent, in the person's language.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_supported_language_variant, gettext, override

from audit.mail import Letter, Postman, one_line
from audit.models import OutboxMessage
from audit.outbox import Obsolete, Parcel, delivers, leave
from rbac.catalogue import BuiltIn
from rbac.models import Assignment, AssignmentKey, Tenant, User

ACCESS = "rooms.access"


def tell(assignment: Assignment, people: Iterable[User], *, gained: bool, by: User) -> None:
    """Each of `people` but `by` is told, if the assignment tells its members; a step of the change."""
    if not assignment.sends_email:
        return
    role = assignment.role
    names = {
        "role": {"key": role.key, "name": role.name},
        "assignment": {"key": assignment.key, "name": assignment.name},
        "gained": gained,
    }
    for person in people:
        if person.pk != by.pk:
            leave(Parcel(ACCESS, str(assignment.pk), assignment.tenant_id, names | {"to": person.pk}))


@delivers(ACCESS)
def send_access(message: OutboxMessage, postman: Postman) -> None:
    """The person knows what changed. Raises Obsolete for somebody who is not active any more."""
    told = message.payload
    person = User.objects.filter(pk=told["to"], is_active=True).select_related("tenant").first()
    customer = Tenant.objects.filter(pk=message.tenant_id).first()
    if person is None or customer is None:
        raise Obsolete
    with override(_language_of(person)):
        letter = write(told, person, customer)
    postman.send(letter, message.message_key)


def write(told: dict[str, Any], person: User, customer: Tenant) -> Letter:
    """The mail in the active language; what people have entered is one line without control characters."""
    subject = gettext("You have access to meeting rooms of %(customer)s")
    if not told["gained"]:
        subject = gettext("Your access to meeting rooms of %(customer)s has changed")
    context = {
        "heading": subject % {"customer": one_line(customer.name)},
        "gained": told["gained"],
        "name": one_line(person.get_full_name()),
        "upn": person.upn,
        "customer": one_line(customer.name),
        "role": one_line(_label(BuiltIn, told["role"])),
        "assignment": one_line(_label(AssignmentKey, told["assignment"])),
    }
    if told["gained"]:
        url = settings.PUBLIC_URL + reverse("permission_table", args=[customer.pk])
        context |= {"button_url": url, "button_label": gettext("Show what you can do")}
    text, html = (render_to_string(f"rooms/mail/access.{form}", context) for form in ("txt", "html"))
    return Letter(person.upn, context["heading"], text.strip() + "\n", html, _language_of(person))


def _label(kind: Any, named: dict[str, str]) -> str:
    return str(kind(named["key"]).label) if named["key"] else named["name"]


def _language_of(person: User) -> str:
    wanted = person.language or (person.tenant.language if person.tenant is not None else "")
    try:
        return get_supported_language_variant(wanted)
    except LookupError:
        return settings.LANGUAGE_CODE
