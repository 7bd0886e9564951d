"""Assignments that end by themselves: whom it concerns is told before, once for each end and threshold."""

from django.db.models import Q, QuerySet

from audit import outbox
from audit.clock import Now
from audit.log import recording
from audit.models import Category, Operation
from rbac.models import Assignment, DelegationState, TenantStatus
from rbac.services import end_notices
from rbac.services.assignments import name_of
from rooms.ending_emails import ending_notice


def ending() -> QuerySet[Assignment]:
    """The assignments of whose end somebody is to be told now (rbac/services/end_notices.py), the nearest end first.

    Those of partners only while the partner works here at all.
    """
    endless = Q(role__delegation__valid_until=None) | Q(role__delegation__valid_until__gt=Now())
    live = Q(role__delegation=None) | Q(role__delegation__state=DelegationState.ACTIVE) & endless
    found = Assignment.objects.filter(live).exclude(tenant__status=TenantStatus.CLOSED)
    return end_notices.due(found).select_related("role").order_by("valid_until", "pk")


def tell(assignment: Assignment) -> bool:
    """Mails about the coming end are on their way, once for this end and threshold; False if none is due (any more).

    Marker, mails and audit line are one transaction. A row that somebody else holds is left to the next ring.
    """
    with recording(
        Category.ASSIGNMENT,
        Operation.UPDATE,
        name_of(assignment),
        tenant=assignment.tenant_id,
        by=None,
        relationship_id=assignment.role.delegation_id,
    ) as line:
        current = ending().filter(pk=assignment.pk).select_for_update(of=("self",), skip_locked=True).first()
        days = end_notices.note(current) if current is not None else 0
        if current is None or current.valid_until is None or not days:
            line.is_void = True
            return False
        outbox.leave(ending_notice(current))
        line.after = {"told_of_end": current.valid_until.isoformat(), "days": days}
    return True
