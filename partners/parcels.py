"""What partners' changes leave in the outbox: each kind of mail and the plain values it needs (written by emails.py)."""

from audit.models import PLATFORM
from audit.outbox import Parcel
from partners.models import Invitation, PartnerRelationship, Terms
from partners.webhooks import Webhook
from rbac.models import Delegation, User
from rbac.upn import domain_of

INVITATION = "partners.invitation"
REMINDER = "partners.reminder"
LINKED = "partners.linked"
WRONG_TENANT = "partners.wrong_tenant"
REMOVED = "partners.removed"
ENDED = "partners.ended"
ENDING = "partners.ending"
CUSTOMER_ENDING = "partners.customer_ending"
NO_ADMIN = "partners.no_admin"
CUSTOMER_NO_ADMIN = "partners.customer_no_admin"
TERMS = "partners.terms"
WEBHOOK_OFF = "partners.webhook_off"
KINDS = (
    INVITATION,
    REMINDER,
    LINKED,
    WRONG_TENANT,
    REMOVED,
    ENDED,
    ENDING,
    CUSTOMER_ENDING,
    NO_ADMIN,
    CUSTOMER_NO_ADMIN,
    TERMS,
    WEBHOOK_OFF,
)


def invitation_mail(invitation: Invitation) -> Parcel:
    """Tells the invited person; written when it is sent, so that it carries the link of that moment.

    The rotation says which resend it belongs to: a later one makes this one needless.
    """
    return Parcel(INVITATION, str(invitation.pk), invitation.tenant_id, {"rotation": invitation.rotation})


def reminder_mail(invitation: Invitation) -> Parcel:
    """Reminds the invited person once, while there is time left."""
    return Parcel(REMINDER, str(invitation.pk), invitation.tenant_id)


def linked_notice(invitation: Invitation, by: User) -> Parcel:
    """Tells the customer's MMR admins which organisation has linked: name, domain, tenant id, and who."""
    return Parcel(LINKED, str(invitation.relationship_id), invitation.tenant_id, _who(by))


def wrong_tenant_notice(invitation: Invitation, by: User) -> Parcel:
    """Tells the customer that somebody of another organisation tried to accept."""
    return Parcel(WRONG_TENANT, str(invitation.pk), invitation.tenant_id, _who(by))


def removed_notice(relationship: PartnerRelationship, upns: list[str], by: User | None) -> Parcel:
    """Tells the people who lost access; their addresses are kept here because their memberships are gone."""
    payload = {"upns": upns, "by": by.upn if by is not None else "", "label": relationship.label}
    return Parcel(REMOVED, str(relationship.pk), relationship.tenant_id, payload)


def ended_notice(relationship: PartnerRelationship, by: User | None, *, has_lapsed: bool) -> Parcel:
    """Tells the customer that a linked partner was removed by somebody, or that no invitation is open any more."""
    payload = {"by": by.upn if by is not None else "", "label": relationship.label, "has_lapsed": has_lapsed}
    return Parcel(ENDED, str(relationship.pk), relationship.tenant_id, payload)


def ending_notice(relationship: PartnerRelationship, delegation: Delegation) -> Parcel:
    """Tells the customer that a partner's end comes near, as long as it is that end."""
    return Parcel(ENDING, str(relationship.pk), relationship.tenant_id, _until(delegation))


def customer_ending_notice(relationship: PartnerRelationship, delegation: Delegation) -> Parcel:
    """Tells the partner's primary admins the same."""
    return Parcel(CUSTOMER_ENDING, str(relationship.pk), relationship.tenant_id, _until(delegation))


def no_admin_notices(relationship: PartnerRelationship) -> tuple[Parcel, Parcel]:
    """Tell the customer, and whoever answers for the partner, that nobody is its primary admin, as long as that is so."""
    about = str(relationship.pk), relationship.tenant_id
    return Parcel(NO_ADMIN, *about), Parcel(CUSTOMER_NO_ADMIN, *about)


def terms_notice(terms: Terms) -> Parcel:
    """Tells every customer with a partner that there are new terms."""
    return Parcel(TERMS, str(terms.version), PLATFORM)


def webhook_off_notice(webhook: Webhook) -> Parcel:
    """Tells who keeps the webhook that it is off, as long as it is."""
    return Parcel(WEBHOOK_OFF, str(webhook.pk), webhook.tenant_id)


def _until(delegation: Delegation) -> dict[str, str]:
    assert delegation.valid_until is not None
    return {"until": delegation.valid_until.isoformat()}


def _who(user: User) -> dict[str, str]:
    tenant = user.tenant
    assert tenant is not None
    return {
        "upn": user.upn,
        "domain": domain_of(user.upn),
        "tenant": tenant.name,
        "tid": str(user.entra_tid or ""),
        "tenant_id": str(tenant.pk),
    }
