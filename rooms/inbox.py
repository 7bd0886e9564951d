"""Approval requests as a reader finds them, in pages and API alike: which there are, and what he may read of them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.http import Http404

from audit.clock import Now
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, refuse
from rooms.models import ApprovalRequest, ApprovalState, Room
from rooms.services import approvals

_STATE_NOW = Case(
    When(state=ApprovalState.PENDING, expires_at__lte=Now(), then=Value(ApprovalState.EXPIRED.value)),
    default=F("state"),
    output_field=CharField(),
)


def require_place(request: TenantRequest) -> None:
    """Pass for the customer's people who see its settings, and for everybody of a partner. Raises PermissionDenied."""
    is_partner = any(one.delegation_id is not None for one in request.held)
    if not is_partner and not access.holds_all(request.held, Permission.SETTINGS_VIEW, request.customer.pk):
        refuse(request, Permission.SETTINGS_VIEW)


def seen(request: TenantRequest) -> QuerySet[ApprovalRequest]:
    """The requests of the customer that the person sees, with what their pages name."""
    found = approvals.seen_by(request.person, request.customer, request.held)
    return found.annotate(state_now=_STATE_NOW).select_related("delegation__relationship")


def find_request(request: TenantRequest, approval_id: UUID) -> ApprovalRequest:
    """The one with this id, if the person sees it. Raises Http404 otherwise, PermissionDenied as `require_place`."""
    require_place(request)
    found = seen(request).filter(pk=approval_id).first()
    if found is None:
        raise Http404
    return found


def state_of(found: ApprovalRequest) -> ApprovalState:
    """The state in which `seen` found it: over when its time is, whether or not the clock has marked it."""
    return ApprovalState(getattr(found, "state_now", found.state))


def readable(request: TenantRequest, found: Collection[ApprovalRequest]) -> set[UUID]:
    """Which of `found` the person may read: a partner only while all rooms that they are about are in his scope."""
    if request.person.tenant_id == request.customer.pk:
        return {one.pk for one in found}
    named = {room for one in found for room in one.rooms}
    rooms = access.visible(request.person, Permission.ROOMS_VIEW, Room.objects.filter(pk__in=named), request.held)
    seen_rooms = set(rooms.filter(tenant=request.customer).values_list("pk", flat=True)) if named else set()
    return {one.pk for one in found if seen_rooms.issuperset(one.rooms)}
