"""After a restore: what the backup still believed must not open anything until somebody has looked at it.

Partners that were removed since, invitations that were withdrawn, tokens that were revoked, people who signed out: the
backup knows nothing of it. So access of partners waits for the customers, and nothing is told to anybody meanwhile.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import QuerySet

from audit.clock import Now
from audit.log import recording
from audit.models import Category, Operation, OutboxMessage, OutboxState
from partners.models import ApiToken, InvitationState, PartnerRelationship
from partners.services import invitations
from partners.webhooks import DeliveryState, OffReason, Webhook, WebhookDelivery
from rbac.models import DelegationState, PersonSession
from rbac.services import delegations

# Held messages wait for the end of days; nothing else is due so late.
HELD = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Measures:
    """What was done."""

    relationships: int
    invitations: int
    tokens: int
    sessions: int
    messages: int
    webhooks: int


def make_safe() -> Measures:
    """Active relationships are suspended, invitations withdrawn, tokens revoked, sessions ended, messages held,
    webhooks off: what waits for them goes on waiting until somebody of theirs turns them on.

    An MMR Admin resumes each relationship that is still meant. Run it before the portal is opened again; running it
    twice does no harm.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, "after a restore", tenant=None, by=None) as line:
        measures = Measures(
            relationships=sum(_suspend(one) for one in _live(DelegationState.ACTIVE)),
            invitations=sum(_withdraw(one) for one in _live(*_OPEN)),
            tokens=ApiToken.objects.filter(revoked_at=None).update(revoked_at=Now()),
            sessions=PersonSession.objects.all().delete()[0],
            messages=_waiting().exclude(due_at=HELD).update(due_at=HELD),
            webhooks=Webhook.objects.live()
            .filter(is_active=True)
            .update(is_active=False, off_reason=OffReason.RESTORE),
        )
        line.after = vars(measures)
    return measures


def release_messages() -> int:
    """Held messages leave now; how many."""
    with recording(Category.SETTINGS, Operation.UPDATE, "messages held after a restore", tenant=None, by=None) as line:
        number = _waiting().filter(due_at=HELD).update(due_at=Now())
        line.after = {"released": number}
    return number


def drop_messages() -> int:
    """Held messages never leave; how many."""
    with recording(Category.SETTINGS, Operation.DELETE, "messages held after a restore", tenant=None, by=None) as line:
        number = _waiting().filter(due_at=HELD).update(state=OutboxState.CANCELLED, settled_at=Now())
        events = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, webhook__off_reason=OffReason.RESTORE)
        number += events.update(state=DeliveryState.CANCELLED, settled_at=Now())
        line.after = {"cancelled": number}
    return number


_OPEN = tuple(state for state in DelegationState if state != DelegationState.ENDED)


def _live(*states: DelegationState) -> list[PartnerRelationship]:
    return list(
        PartnerRelationship.objects.filter(delegation__state__in=states).select_related("tenant").order_by("pk")
    )


def _suspend(relationship: PartnerRelationship) -> bool:
    """Whether the relationship was active until now."""
    delegation = delegations.lock(relationship.delegation_id)
    if delegation.state != DelegationState.ACTIVE or delegations.is_over(delegation):
        return False
    with recording(
        Category.PARTNER_INVITATION,
        Operation.UPDATE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=None,
        relationship_id=relationship.delegation_id,
    ) as line:
        line.before = {"state": delegation.state}
        delegations.suspend(delegation)
        line.after = {"state": DelegationState.SUSPENDED, "reason": "restore"}
    return True


def _withdraw(relationship: PartnerRelationship) -> int:
    """How many invitations were open until now."""
    if not relationship.invitations.filter(state=InvitationState.PENDING).exists():
        return 0
    delegation = delegations.lock(relationship.delegation_id)
    number = invitations.revoke_all(relationship, by=None)
    delegation.refresh_from_db(fields=["state"])  # marking due invitations may have let it lapse
    invitations.lapse_if_dead(relationship, delegation, by=None)
    return number


def _waiting() -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(state=OutboxState.WAITING)
