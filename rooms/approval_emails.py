"""The mails about approvals: the customer's people who decide learn what waits, the requester what has become of it.

Written when they leave: what has been decided or is over by then is not asked for any more.
"""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy, override

from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, Parcel, delivers
from rbac import letters
from rbac.access import holds, rights
from rbac.catalogue import Permission
from rbac.models import User
from rbac.services import notifications
from rbac.services.notifications import Event, supported
from rooms.diff_words import object_of
from rooms.models import ApprovalRequest, ApprovalState

ASKED = "approvals.asked"
REMINDED = "approvals.reminded"
DECIDED = "approvals.decided"
KINDS = (ASKED, REMINDED, DECIDED)
TEMPLATE = "rooms/mail/approval"
BUTTON = gettext_lazy("Show the request")

SUBJECTS = {
    ASKED: gettext_lazy("A change waits for your approval: %(name)s"),
    REMINDED: gettext_lazy("Reminder: a change still waits for your approval: %(name)s"),
    ApprovalState.EXECUTED: gettext_lazy("Your change is approved and done: %(name)s"),
    ApprovalState.FAILED: gettext_lazy("Your change is approved, but could not be done: %(name)s"),
    ApprovalState.REJECTED: gettext_lazy("Your change is rejected: %(name)s"),
    ApprovalState.EXPIRED: gettext_lazy("Nobody decided about your change: %(name)s"),
}


def asked_notice(request: ApprovalRequest) -> Parcel:
    """Tells whom the customer wants told, as long as it waits."""
    return Parcel(ASKED, str(request.pk), request.tenant_id)


def reminder(request: ApprovalRequest) -> Parcel:
    """Tells them once more, as long as it waits."""
    return Parcel(REMINDED, str(request.pk), request.tenant_id)


def decided_notice(request: ApprovalRequest) -> Parcel:
    """Tells whoever asked; nobody whose rights are gone."""
    return Parcel(DECIDED, str(request.pk), request.tenant_id)


@delivers(ASKED)
def send_asked(message: OutboxMessage, postman: Postman) -> None:
    """Those who decide know of the request. Raises Obsolete once it does not wait any more."""
    _ask(message, postman)


@delivers(REMINDED)
def send_reminder(message: OutboxMessage, postman: Postman) -> None:
    """As `send_asked`, once more."""
    _ask(message, postman)


def _ask(message: OutboxMessage, postman: Postman) -> None:
    request = _found(message)
    if not ApprovalRequest.objects.waiting().filter(pk=request.pk).exists():
        raise Obsolete
    if "to" not in message.payload:
        notifications.share_out(message, request.tenant, Event.APPROVAL_REQUESTED)
        return
    told = notifications.addressee(message, request.tenant, Event.APPROVAL_REQUESTED)
    _send(
        message, postman, request, told.address, told.language, SUBJECTS[message.kind], is_reader=told.user is not None
    )


@delivers(DECIDED)
def send_decided(message: OutboxMessage, postman: Postman) -> None:
    """Whoever asked knows what has become of it. Raises Obsolete for somebody who may not ask such a thing any more."""
    request = _found(message)
    person, subject = request.requested_by, SUBJECTS.get(ApprovalState(request.state))
    if person is None or subject is None or not _is_concerned(person, request):
        raise Obsolete
    language = person.language or (person.tenant.language if person.tenant is not None else "")
    _send(message, postman, request, person.upn, language, subject, is_reader=True)


def _is_concerned(person: User, request: ApprovalRequest) -> bool:
    """A mail names a room: only for one who still works for this customer."""
    return person.is_active and holds(rights(person, request.tenant_id), Permission(request.event), request.tenant_id)


def _found(message: OutboxMessage) -> ApprovalRequest:
    found = (
        ApprovalRequest.objects.select_related("tenant", "requested_by__tenant").filter(pk=message.subject_id).first()
    )
    if found is None:
        raise Obsolete
    return found


def _send(
    message: OutboxMessage,
    postman: Postman,
    request: ApprovalRequest,
    address: str,
    language: str,
    subject: object,
    *,
    is_reader: bool,
) -> None:
    with override(supported(language)):
        event, name = Permission(request.event).full_label, object_of(request)
    path = reverse("approval", args=[request.tenant_id, request.pk])
    facts: Mapping[str, str | datetime | None] = {
        "kind": message.kind.rpartition(".")[2],
        "name": name,
        "event": event,
        "who": request.requested_upn,
        "why": request.justification,
        "comment": request.comment,
        "expires_at": request.expires_at,
        "button_url": settings.PUBLIC_URL + path if is_reader else "",
    }
    letter = letters.write(TEMPLATE, address, language, request.tenant, facts, subject=subject, button=BUTTON)
    postman.send(letter, message.message_key)
