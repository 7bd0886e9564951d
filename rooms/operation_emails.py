"""The mails about operations, to whom the customer chose: its enrolment key was reset, a rollout is over with failures."""

from collections.abc import Callable

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy, override

from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, Parcel, delivers
from rbac import letters
from rbac.models import Tenant
from rbac.services import notifications
from rbac.services.notifications import Event
from rooms.models import EnrollmentKey, Rollout, RolloutState, RoomUpdateState

KEY_RESET = "keys.reset"
ROLLOUT_FAILED = "rollouts.failed"
TEMPLATE = "rooms/mail/operation"


def key_notice(key: EnrollmentKey) -> Parcel:
    """Tells that the key is new, as long as it is the newest one."""
    return Parcel(KEY_RESET, str(key.pk), key.tenant_id)


def rollout_notice(rollout: Rollout) -> Parcel:
    """Tells that rooms of it have failed, as long as it stands so."""
    return Parcel(ROLLOUT_FAILED, str(rollout.pk), rollout.tenant_id)


@delivers(KEY_RESET)
def send_key_reset(message: OutboxMessage, postman: Postman) -> None:
    """Those whom the customer wants told know who reset the key. Raises Obsolete after a later reset."""
    key = EnrollmentKey.objects.select_related("tenant").filter(pk=message.subject_id).first()
    if key is None or EnrollmentKey.objects.filter(tenant=key.tenant_id, version__gt=key.version).exists():
        raise Obsolete
    facts = {"kind": KEY_RESET, "who": key.created_by, "version": str(key.version)}
    subject = gettext_lazy("The enrolment key of %(customer)s was reset")
    _tell(message, postman, key.tenant, Event.KEY_RESET, subject, reverse("keys", args=[key.tenant_id]), lambda: facts)


@delivers(ROLLOUT_FAILED)
def send_rollout_failed(message: OutboxMessage, postman: Postman) -> None:
    """Those whom the customer wants told know of it. Raises Obsolete once its failures were made good."""
    found = Rollout.objects.select_related("tenant", "ring", "release").filter(pk=message.subject_id)
    rollout = found.filter(state=RolloutState.COMPLETED_WITH_FAILURES).first()
    if rollout is None:
        raise Obsolete

    def facts() -> dict[str, str]:
        failed = rollout.rooms.filter(state=RoomUpdateState.FAILED).count()
        return {
            "kind": ROLLOUT_FAILED,
            "ring": rollout.ring.label,
            "release": rollout.release.version,
            "failed": str(failed),
        }

    subject = gettext_lazy("An update has failed in rooms of %(customer)s")
    path = reverse("rollout", args=[rollout.tenant_id, rollout.pk])
    _tell(message, postman, rollout.tenant, Event.ROLLOUT_FAILED, subject, path, facts)


def _tell(
    message: OutboxMessage,
    postman: Postman,
    tenant: Tenant,
    event: Event,
    subject: object,
    path: str,
    facts: Callable[[], dict[str, str]],
) -> None:
    """One message for each whom the customer chose, in his language; only somebody of the portal gets the address."""
    if "to" not in message.payload:
        notifications.share_out(message, tenant, event)
        return
    told = notifications.addressee(message, tenant, event)
    with override(notifications.supported(told.language)):
        known = facts() | {"button_url": settings.PUBLIC_URL + path if told.user is not None else ""}
    button = gettext_lazy("Show it in the portal")
    letter = letters.write(TEMPLATE, told.address, told.language, tenant, known, subject=subject, button=button)
    postman.send(letter, message.message_key)
