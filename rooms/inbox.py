"""Approval requests as a reader finds them, in pages and API alike: which there are, and what he may read of them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.http import Http404

from audit.clock import Now
from rbac import access
from rbac.access import Rights
from rbac.catalogue import Permission
from rbac.gates import PersonRequest, TenantRequest, refuse
from rbac.models import User
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
    return _named(approvals.seen_by(request.person, request.customer, request.held))


def seen_everywhere(request: PersonRequest) -> QuerySet[ApprovalRequest]:
    """The requests of all customers that the person sees: those that `seen` finds for each of them."""
    return _named(approvals.seen_by_partner(request.person, request.held)).select_related("tenant")


def in_state(found: QuerySet[ApprovalRequest], state: ApprovalState) -> QuerySet[ApprovalRequest]:
    """Those of `found` (of `seen`) that are in `state` at this second, whether or not the clock has marked them."""
    return found.filter(state_now=state)


def _named(found: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
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


def readable(person: User, held: Rights, found: Collection[ApprovalRequest]) -> set[UUID]:
    """Which of `found` the person may read: a partner only while all rooms that they are about are in his scope."""
    of_others = [one for one in found if one.tenant_id != person.tenant_id]
    named = {room for one in of_others for room in one.rooms}
    rooms = access.visible(person, Permission.ROOMS_VIEW, Room.objects.filter(pk__in=named), held)
    seen_rooms = set(rooms.values_list("tenant", "pk")) if named else set()
    hidden = {one.pk for one in of_others if not seen_rooms.issuperset((one.tenant_id, room) for room in one.rooms)}
    return {one.pk for one in found} - hidden
