"""The end of a relationship: set, moved and taken away by the customer; true the second it comes, told of before,
marked by the clock."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from audit import outbox
from audit.clock import Now, now
from audit.log import recording
from audit.models import Category, Operation
from partners.errors import EndInPast, EndTooFar
from partners.models import PartnerRelationship
from partners.parcels import customer_ending_notice, ending_notice
from rbac.access import require
from rbac.catalogue import Permission
from rbac.models import Delegation, DelegationState, TenantStatus, User
from rbac.precondition import meet
from rbac.services import delegations, end_notices

FARTHEST = timedelta(days=3653)  # ten years: what lasts longer has no end that anybody plans with


def limit(relationship: PartnerRelationship, until: datetime | None, *, by: User) -> None:
    """The relationship ends by itself at `until`; never, if that is None. Nothing else changes until then.

    What is past its end gets no more time: access ended that second, and ended is terminal, whether or not the clock has
    marked it. Raises PermissionDenied if `by` may not modify the customer's settings, DelegationOver, WrongState for one
    that has lapsed, EndInPast, EndTooFar; TermsWaiting if the partner is given more time than it had.
    """
    with recording(
        Category.PARTNER_INVITATION,
        Operation.UPDATE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        meet(relationship)
        before = delegation.valid_until
        delegations.limit(delegation, until)
        if until is not None:
            check(until)
        if before is not None and (until is None or until > before):
            delegations.require_conditions(delegation.tenant)
        line.is_void = until == before  # saved without a change
        line.before, line.after = {"valid_until": _text(before)}, {"valid_until": _text(until)}


def due() -> QuerySet[PartnerRelationship]:
    """What is past its end and not marked as ended yet, the oldest first."""
    found = PartnerRelationship.objects.filter(delegation__valid_until__lte=Now())
    return found.exclude(delegation__state=DelegationState.ENDED).order_by("delegation__valid_until", "pk")


def ending() -> QuerySet[Delegation]:
    """The delegations of whose end both sides are to be told now (rbac/services/end_notices.py), the nearest end first."""
    open_ones = Delegation.objects.exclude(state__in=(DelegationState.ENDED, DelegationState.LAPSED))
    found = end_notices.due(open_ones.exclude(tenant__status=TenantStatus.CLOSED))
    return found.order_by("valid_until", "pk")


def tell(delegation: Delegation) -> bool:
    """Mails about the coming end are on their way to both sides, once for this end and threshold; False if none is due.

    Marker, mails and audit line are one transaction. A row that somebody else holds is left to the next ring.
    """
    relationship = delegation.relationship
    with recording(
        Category.PARTNER_INVITATION,
        Operation.UPDATE,
        relationship.label,
        tenant=delegation.tenant_id,
        by=None,
        relationship_id=delegation.pk,
    ) as line:
        current = ending().filter(pk=delegation.pk).select_for_update(of=("self",), skip_locked=True).first()
        days = end_notices.note(current) if current is not None else 0
        if current is None or not days:
            line.is_void = True
            return False
        outbox.leave(ending_notice(relationship, current))
        if current.held_by_id is not None:
            outbox.leave(customer_ending_notice(relationship, current))
        line.after = {"told_of_end": _text(current.valid_until), "days": days}
    return True


def check(until: datetime) -> None:
    """Pass if something may end at `until`. Raises EndInPast, EndTooFar."""
    at = now()
    if until <= at:
        raise EndInPast
    if until > at + FARTHEST:
        raise EndTooFar


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
