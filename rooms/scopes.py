"""Which rooms an assignment covers: single rooms, room groups, or all of the tenant's; and the rows that index it.

A partner's custom assignment never reaches beyond what is delegated (the scope of its *Invited admins*); the rows of a
delegation that is not linked, or over, are none.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet

from audit.events import About, Event, EventType, tell
from audit.log import recording
from audit.models import Category, Operation
from rbac import grants
from rbac.access import Rights, holding, holds_all, require, rights, visible
from rbac.catalogue import TENANT_PERMISSIONS, BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, DelegationState, Tenant, User
from rbac.precondition import meet
from rbac.services import delegations
from rbac.services.assignments import hold, lock_holder, name_of, require_editable
from rooms.errors import EmptyScope, UnknownRooms
from rooms.models import AssignmentRoom, AssignmentRoomGroup, Room, RoomGroup
from rooms.services import approvals

_INDEXED = (DelegationState.ACTIVE, DelegationState.SUSPENDED)


@dataclass(frozen=True)
class Scope:
    """What is chosen: everything, or some rooms and groups (ids of one tenant)."""

    all_rooms: bool = False
    rooms: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.all_rooms or self.rooms or self.groups)

    def as_data(self) -> dict[str, Any]:
        """Plain values for the log and the wizard's draft."""
        return {"all_rooms": self.all_rooms, "rooms": sorted(self.rooms), "groups": sorted(self.groups)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Scope":
        return cls(bool(data.get("all_rooms")), frozenset(data.get("rooms", ())), frozenset(data.get("groups", ())))

    def of_tenant(self, tenant: Tenant) -> QuerySet[Room]:
        """The rooms of `tenant` that the scope covers today."""
        rooms = Room.objects.filter(tenant=tenant)
        if self.all_rooms:
            return rooms
        return rooms.filter(Q(pk__in=self.rooms) | Q(memberships__room_group__in=self.groups)).distinct()


def scope_of(assignment: Assignment) -> Scope:
    """What was chosen for `assignment`."""
    return Scope(
        assignment.all_rooms,
        frozenset(AssignmentRoom.objects.filter(assignment=assignment).values_list("room_id", flat=True)),
        frozenset(AssignmentRoomGroup.objects.filter(assignment=assignment).values_list("room_group_id", flat=True)),
    )


def rooms_of(assignment: Assignment) -> QuerySet[Room]:
    """The rooms `assignment` covers today, whatever the state of its delegation; bounded by what is delegated."""
    chosen = _chosen(assignment)
    base = _bound(assignment)
    return chosen if base is None else chosen.filter(pk__in=_chosen(base).values("pk"))


def _chosen(assignment: Assignment) -> QuerySet[Room]:
    rooms = Room.objects.filter(tenant=assignment.tenant_id)
    if assignment.all_rooms:
        return rooms
    return rooms.filter(
        Q(pk__in=AssignmentRoom.objects.filter(assignment=assignment).values("room_id"))
        | Q(memberships__room_group__in=AssignmentRoomGroup.objects.filter(assignment=assignment).values("room_group"))
    ).distinct()


def _bound(assignment: Assignment) -> Assignment | None:
    """The assignment that bounds this one: *Invited admins* of the same delegation, unless it is that itself."""
    role = assignment.role
    if role.delegation_id is None or assignment.key == AssignmentKey.INVITED_ADMINS:
        return None
    return Assignment.objects.get(
        role__delegation=role.delegation_id, role__key=BuiltIn.PARTNER_ADMIN, key=AssignmentKey.INVITED_ADMINS
    )


def indexed_rooms(assignment: Assignment) -> QuerySet[Room]:
    """The rooms that have index rows: none while the delegation is not linked, or where *all rooms* needs no rows."""
    delegation = assignment.role.delegation
    base = _bound(assignment)
    covers_tenant = assignment.all_rooms and (base is None or base.all_rooms)
    if covers_tenant or (delegation is not None and delegation.state not in _INDEXED):
        return Room.objects.none()
    return rooms_of(assignment)


def apply(assignment: Assignment) -> int:
    """The index rows of `assignment` are what its scope says; a step of a change that holds its lock."""
    return grants.project_rooms(assignment, indexed_rooms(assignment))


def apply_all(assignments: Iterable[Assignment]) -> None:
    """As `apply`, for each of `assignments`."""
    for assignment in assignments:
        apply(assignment)


def choose(assignment: Assignment, scope: Scope) -> None:
    """Write `scope` as the scope of `assignment`, without asking: a step of a larger, authorised change.

    Raises EmptyScope, or UnknownRooms if a room or group is not the tenant's.
    """
    if scope.is_empty:
        raise EmptyScope
    _check_known(assignment.tenant_id, scope)
    Assignment.objects.filter(pk=assignment.pk).update(all_rooms=scope.all_rooms)
    assignment.all_rooms = scope.all_rooms
    _replace(AssignmentRoom, assignment, "room_id", () if scope.all_rooms else scope.rooms)
    _replace(AssignmentRoomGroup, assignment, "room_group_id", () if scope.all_rooms else scope.groups)


def change(assignment: Assignment, scope: Scope, *, by: User) -> None:
    """`assignment` covers `scope`, and so do its index rows; those it bounds follow.

    Raises PermissionDenied if `by` may not modify roles here, holds his own right through it, or does not hold himself
    what he gives; EmptyScope; UnknownRooms; TermsWaiting if a partner would get more; Http404 if the assignment is gone.
    """
    with recording(
        Category.ASSIGNMENT,
        Operation.UPDATE,
        name_of(assignment),
        tenant=assignment.tenant_id,
        by=by,
        relationship_id=assignment.role.delegation_id,
    ) as line:
        assignment = hold(assignment)
        require(by, Permission.ROLES_MODIFY, assignment)
        meet(assignment)
        if assignment.key != AssignmentKey.INVITED_ADMINS:
            require_editable(assignment.role, by)
        require_within(assignment, by=by)
        require_grantable(assignment, scope, by=by)
        if by.tenant_id == assignment.tenant_id and _widens_partner(assignment, scope):
            delegations.require_conditions(assignment.tenant)
        before = scope_of(assignment)
        line.before = before.as_data()
        choose(assignment, scope)
        require_within(assignment, by=by)  # also as it is now
        apply(assignment)
        if before != scope_of(assignment):
            Assignment.objects.filter(pk=assignment.pk).update(version=F("version") + 1)
            _tell(assignment)
        if assignment.key == AssignmentKey.INVITED_ADMINS:
            bounded = Assignment.objects.filter(role__delegation=assignment.role.delegation_id)
            apply_all(bounded.exclude(pk=assignment.pk).select_related("role__delegation"))
        if assignment.role.delegation_id is not None:
            approvals.cancel_lost(assignment.role.delegation_id, by=by)
        line.after = scope.as_data()


def _widens_partner(assignment: Assignment, scope: Scope) -> bool:
    """Whether a partner would reach more by `scope` than it does: a room, or a group whose later rooms follow."""
    if assignment.role.delegation_id is None or assignment.all_rooms:
        return False
    more_rooms = scope.of_tenant(assignment.tenant).exclude(pk__in=rooms_of(assignment).values("pk"))
    return scope.all_rooms or bool(scope.groups - scope_of(assignment).groups) or more_rooms.exists()


def require_grantable(
    assignment: Assignment, scope: Scope, *, by: User, permissions: Collection[str] | None = None
) -> None:
    """Pass if `by` himself holds, on every room of `scope`, what the role gives (or `permissions`), and not through this
    assignment.

    Nobody grants what he does not hold, nobody widens what he holds his right through. Raises PermissionDenied, and
    UnknownRooms for what a partner does not see.
    """
    live = tuple(one for one in rights(by, assignment.tenant_id) if one.assignment_id != assignment.pk)
    if by.tenant_id != assignment.tenant_id and assignment.key != AssignmentKey.INVITED_ADMINS:
        _require_seen(assignment.tenant, scope, by)
    rooms = scope.of_tenant(assignment.tenant)
    for permission in map(Permission, assignment.role.permissions if permissions is None else permissions):
        if holds_all(live, permission, assignment.tenant_id):
            continue
        if permission in TENANT_PERMISSIONS:
            is_held = any(permission in one.permissions for one in live)
        elif scope.all_rooms:
            is_held = _covers_delegated(assignment, permission, live)
        else:
            mine = visible(by, permission, Room.objects.filter(tenant=assignment.tenant_id), live)
            is_held = not rooms.exclude(pk__in=mine.values("pk")).exists()
        if not is_held:
            raise PermissionDenied


def _covers_delegated(assignment: Assignment, permission: Permission, live: Rights) -> bool:
    """Whether `permission` is held on all that is delegated: *all rooms* of a partner's assignment is no more than that."""
    bound = _bound(assignment)
    return bound is not None and any(
        one.assignment_id == bound.pk and permission in one.permissions for one in holding(live, permission)
    )


def _require_seen(tenant: Tenant, scope: Scope, by: User) -> None:
    """Pass if `by` sees what `scope` names. Raises UnknownRooms: what he does not see does not exist for him."""
    rooms = visible(by, Permission.ROOMS_VIEW, Room.objects.filter(tenant=tenant, pk__in=scope.rooms))
    groups = visible(by, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=tenant, pk__in=scope.groups))
    if rooms.count() != len(scope.rooms) or groups.count() != len(scope.groups):
        raise UnknownRooms


def require_within(assignment: Assignment, *, by: User) -> None:
    """Pass if `assignment` reaches no room beyond those over which `by` may modify roles.

    The customer's own keepers of roles have all rooms, a partner's primary admins all that is delegated; a custom role
    that grants *roles.modify* grants it within its own scope only. Raises PermissionDenied.
    """
    delegation_id = assignment.role.delegation_id
    if delegation_id is None or by.tenant_id == assignment.tenant_id:
        return
    own = [one.assignment_id for one in holding(rights(by, assignment.tenant_id), Permission.ROLES_MODIFY)]
    keeping = Assignment.objects.filter(pk__in=own).select_related("role__delegation")
    reach = Q(pk__in=[])
    for one in keeping:
        if one.key == AssignmentKey.INVITED_ADMINS:
            return
        reach |= Q(pk__in=rooms_of(one).values("pk"))
    if assignment.all_rooms or rooms_of(assignment).exclude(reach).exists():
        raise PermissionDenied


def hold_scopes_of(groups: Collection[int]) -> None:
    """Hold the delegations (tenants) of the scopes that name `groups`, then the groups, until the transaction ends.

    No scope, link or removal comes between. Holders are locked first, as everywhere.
    """
    for assignment in _naming(groups):
        lock_holder(assignment)
    _hold_groups(RoomGroup.objects.filter(pk__in=groups))
    for assignment in _naming(groups):  # a scope may have been chosen while we waited for the groups
        lock_holder(assignment)


def follow_groups(groups: Collection[int], *, by: User | None = None) -> None:
    """The rooms of `groups` have changed in this transaction: every scope that names one of them follows at once.

    Each such assignment gets its audit line: what its members may reach is another thing now.
    """
    hold_scopes_of(groups)
    touched = list(_naming(groups))
    for assignment in touched:
        with recording(
            Category.ASSIGNMENT,
            Operation.UPDATE,
            name_of(assignment),
            tenant=assignment.tenant_id,
            by=by,
            relationship_id=assignment.role.delegation_id,
        ) as line:
            line.before = {"indexed_rooms": assignment.room_count}
            line.after = {"indexed_rooms": apply(assignment), "groups": sorted(groups)}
            _tell(assignment)
    bases = [one.role.delegation_id for one in touched if one.key == AssignmentKey.INVITED_ADMINS]
    apply_all(Assignment.objects.filter(role__delegation__in=bases, key="").select_related("role__delegation"))
    for delegation_id in {one.role.delegation_id for one in touched} - {None}:
        approvals.cancel_lost(delegation_id, by=by)


def _tell(assignment: Assignment) -> None:
    """Tools hear that other rooms are delegated; a partner's own assignments are its own business."""
    if assignment.key == AssignmentKey.INVITED_ADMINS:
        told = EventType.SCOPE_CHANGED
        tell(Event(told, assignment.tenant_id, About.ASSIGNMENT, assignment.pk, assignment.role.delegation_id))


def _naming(groups: Collection[int]) -> QuerySet[Assignment]:
    """The assignments whose scope names one of `groups`, in the order in which their holders are locked."""
    named = AssignmentRoomGroup.objects.filter(room_group__in=groups).values("assignment")
    found = Assignment.objects.filter(pk__in=named).select_related("role__delegation")
    return found.order_by("role__delegation", "tenant", "pk")


def _replace(model: type[Any], assignment: Assignment, column: str, wanted: Iterable[int]) -> None:
    """Rows of `model` under `assignment` are exactly `wanted`; only the difference is written."""
    own = model.objects.filter(assignment=assignment)
    wanted = set(wanted)
    have = set(own.values_list(column, flat=True))
    own.filter(**{f"{column}__in": have - wanted}).delete()
    model.objects.bulk_create(
        [
            model(assignment=assignment, tenant_id=assignment.tenant_id, **{column: one})
            for one in sorted(wanted - have)
        ],
        batch_size=5000,
    )


def _check_known(tenant_id: Any, scope: Scope) -> None:
    """Pass if all that is chosen is the tenant's. Groups keep their rooms until the scope that names them is written."""
    if Room.objects.filter(tenant=tenant_id, pk__in=scope.rooms).count() != len(scope.rooms):
        raise UnknownRooms
    if _hold_groups(RoomGroup.objects.filter(tenant=tenant_id, pk__in=scope.groups)) != len(scope.groups):
        raise UnknownRooms


def _hold_groups(groups: QuerySet[RoomGroup]) -> int:
    """Hold the rows of `groups`, in order of their ids, until the transaction ends; how many there are."""
    return len(groups.order_by("pk").select_for_update(no_key=True).values_list("pk"))
