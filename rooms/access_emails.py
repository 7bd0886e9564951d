"""The mail about access: somebody got a role, or holds it no longer, through an assignment that tells its members.

Left with the change, one message for each person; written when it is sent, in the person's language.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy, override

from audit.mail import Letter, Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, Parcel, delivers, leave
from rbac import letters
from rbac.catalogue import BuiltIn
from rbac.models import Assignment, AssignmentKey, Tenant, User
from rbac.services.notifications import supported

ACCESS = "rooms.access"
GAINED = gettext_lazy("You have access to meeting rooms of %(customer)s")
LOST = gettext_lazy("Your access to meeting rooms of %(customer)s has changed")
BUTTON = gettext_lazy("Show what you can do")


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
    person = User.objects.filter(pk=message.payload["to"], is_active=True).select_related("tenant").first()
    customer = Tenant.objects.filter(pk=message.tenant_id).first()
    if person is None or customer is None:
        raise Obsolete
    postman.send(write(message.payload, person, customer), message.message_key)


def write(told: dict[str, Any], person: User, customer: Tenant) -> Letter:
    """The mail in the person's language and the customer's look."""
    language = supported(person.language or (person.tenant.language if person.tenant is not None else ""))
    gained = bool(told["gained"])
    with override(language):
        facts = {
            "gained": "yes" if gained else "",
            "name": person.get_full_name(),
            "upn": person.upn,
            "role": _label(BuiltIn, told["role"]),
            "assignment": _label(AssignmentKey, told["assignment"]),
            "button_url": settings.PUBLIC_URL + reverse("permission_table", args=[customer.pk]) if gained else "",
        }
    return letters.write(
        "rooms/mail/access", person.upn, language, customer, facts, subject=GAINED if gained else LOST, button=BUTTON
    )


def _label(kind: Any, named: dict[str, str]) -> str:
    return str(kind(named["key"]).label) if named["key"] else named["name"]
