"""Room groups: named sets of rooms. Whatever names a group in its scope follows its rooms at once.

A group in the scope of a partner is a container of what the partner may reach: only who may change the tenant's settings
(an MMR Admin) changes its rooms. The same holds for a group through which one holds rights oneself.
"""

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from audit.log import recording
from audit.models import Category, Operation
from rbac.access import Rights, can, require, rights, visible
from rbac.catalogue import Permission
from rbac.models import Assignment, DelegationState, Tenant, User
from rbac.precondition import digest, meet, tag_of
from rooms import scopes
from rooms.errors import DefaultGroup, GroupInUse, UnknownRooms
from rooms.models import AssignmentRoomGroup, Room, RoomGroup, RoomGroupMember


@tag_of.register
def _state_of(group: RoomGroup) -> str:
    members = RoomGroupMember.objects.filter(room_group=group).order_by("room").values_list("room", flat=True)
    return digest(group.name, group.description, group.is_default, list(members))


def create(
    tenant: Tenant, name: str, *, by: User, description: str = "", rooms: Collection[int] = frozenset()
) -> RoomGroup:
    """A new group of `tenant` with `rooms` (ids).

    Raises PermissionDenied if `by` may not create groups here or not modify one of the rooms, UnknownRooms for a room
    that is not there for him, GroupNameTaken.
    """
    with recording(Category.GROUP, Operation.CREATE, name, tenant=tenant, by=by) as line:
        require(by, Permission.GROUPS_CREATE, tenant)
        _require_rooms(tenant, rooms, by)
        group = RoomGroup.objects.create(tenant=tenant, name=name, description=description)
        _tie(group, rooms)
        line.after = {"description": description, "rooms": sorted(rooms)}
    return group


def modify(group: RoomGroup, *, by: User, name: str, description: str = "") -> RoomGroup:
    """The group is called `name` and described so. Raises PermissionDenied, GroupNameTaken, Http404 if it is gone."""
    with recording(Category.GROUP, Operation.UPDATE, group.name, tenant=group.tenant_id, by=by) as line:
        current = _hold(group)
        require(by, Permission.GROUPS_MODIFY, current)
        meet(current)
        line.before = {"name": current.name, "description": current.description}
        current.name, current.description = name, description
        current.save(update_fields=["name", "description"])
        line.after = {"name": name, "description": description}
    return current


def change_rooms(
    group: RoomGroup, *, by: User, add: Collection[int] = frozenset(), remove: Collection[int] = frozenset()
) -> None:
    """`add` are in the group, `remove` are not; scopes that name it follow in the same transaction.

    Raises PermissionDenied if `by` may not modify the group or one of the rooms, or if the group decides what a partner,
    or he himself, may reach and he is no MMR Admin; UnknownRooms for a room that is not there for him; Http404 if the
    group is gone.
    """
    with recording(Category.GROUP, Operation.UPDATE, group.name, tenant=group.tenant_id, by=by) as line:
        scopes.hold_scopes_of([group.pk])
        current = _hold(group)
        require(by, Permission.GROUPS_MODIFY, current)
        meet(current)
        if not may_change_rooms(current, by):
            raise PermissionDenied
        _require_rooms(current.tenant, {*add, *remove}, by)
        had = set(RoomGroupMember.objects.filter(room_group=current).values_list("room_id", flat=True))
        RoomGroupMember.objects.filter(room_group=current, room__in=set(remove) - set(add)).delete()
        _tie(current, set(add) - had)
        if add:
            require(by, Permission.GROUPS_MODIFY, current)  # also of the group as it is now
        scopes.follow_groups([current.pk], by=by)
        line.after = {"added": sorted(set(add) - had), "removed": sorted(set(remove) & had - set(add))}


def delete(group: RoomGroup, *, by: User) -> None:
    """The group is gone, its rooms stay. Raises PermissionDenied, DefaultGroup, GroupInUse while a scope names it."""
    with recording(Category.GROUP, Operation.DELETE, group.name, tenant=group.tenant_id, by=by) as line:
        current = _hold(group)
        require(by, Permission.GROUPS_MODIFY, current)
        meet(current)
        if current.is_default:
            raise DefaultGroup
        if AssignmentRoomGroup.objects.filter(room_group=current).exists():
            raise GroupInUse
        line.before = {"description": current.description, "rooms": current.memberships.count()}
        current.delete()


def make_default(group: RoomGroup, *, by: User) -> RoomGroup:
    """New rooms of the tenant come into `group` from now on, and into no other; rooms that are there stay where they are.

    Raises PermissionDenied if `by` may not modify both the group and the one that was the default, or if the group
    decides what a partner, or he himself, may reach and he is no MMR Admin; Http404 if the group is gone.
    """
    with recording(Category.GROUP, Operation.UPDATE, group.name, tenant=group.tenant_id, by=by) as line:
        before = _default_of(group.tenant_id)
        scopes.hold_scopes_of([group.pk, before.pk])
        current, before = _hold(group), _default_of(group.tenant_id)
        require(by, Permission.GROUPS_MODIFY, current)
        require(by, Permission.GROUPS_MODIFY, before)
        if not may_change_rooms(current, by):
            raise PermissionDenied
        meet(current)
        if current.is_default:
            line.is_void = True  # a second click
            return current
        RoomGroup.objects.filter(pk=before.pk).update(is_default=False)
        RoomGroup.objects.filter(pk=current.pk).update(is_default=True)
        line.before, line.after = {"default_group": before.name}, {"default_group": current.name}
    current.refresh_from_db()
    return current


def may_replace_default(tenant: Tenant, by: User, held: Rights) -> bool:
    """Whether `by` may modify the default group of `tenant`: else he makes no other group the default."""
    default = RoomGroup.objects.filter(tenant=tenant, is_default=True)
    return visible(by, Permission.GROUPS_MODIFY, default, held).exists()


def hold_default(tenant: Tenant) -> RoomGroup:
    """The group that new rooms of `tenant` come into, with the scopes that name it, held until the transaction ends."""
    while True:
        default = _default_of(tenant.pk)
        scopes.hold_scopes_of([default.pk])
        if _default_of(tenant.pk).pk == default.pk:  # else it was changed while we waited
            return default


def _default_of(tenant_id: UUID) -> RoomGroup:
    return RoomGroup.objects.get(tenant=tenant_id, is_default=True)


def welcome(default: RoomGroup, rooms: Collection[int], *, by: User | None) -> None:
    """New `rooms` are in the group that `hold_default` answered; a step of adding them, which has asked."""
    _tie(default, rooms)
    scopes.follow_groups([default.pk], by=by)


def may_change_rooms(group: RoomGroup, by: User) -> bool:
    """Whether the rooms of `group` are for `by` to change, as far as scopes are concerned."""
    if can(by, Permission.SETTINGS_MODIFY, group.tenant):
        return True
    naming = using(group)
    own = [one.assignment_id for one in rights(by, group.tenant_id)]
    return not naming.filter(role__delegation__isnull=False).exists() and not naming.filter(pk__in=own).exists()


def using(group: RoomGroup) -> QuerySet[Assignment]:
    """The assignments whose scope names `group`, but for those of partners that are gone."""
    named = AssignmentRoomGroup.objects.filter(room_group=group).values("assignment")
    over = {"role__delegation__state": DelegationState.ENDED}
    return Assignment.objects.filter(pk__in=named).exclude(**over).select_related("role__delegation")


def _hold(group: RoomGroup) -> RoomGroup:
    """The group as it is now, held until the transaction ends. Raises Http404 if it is gone."""
    found = RoomGroup.objects.select_for_update(of=("self",), no_key=True).select_related("tenant")
    current = found.filter(pk=group.pk).first()
    if current is None:
        raise Http404
    return current


def _require_rooms(tenant: Tenant, rooms: Collection[int], by: User) -> None:
    """Pass if `by` may modify each of `rooms`. Raises UnknownRooms for one he cannot see, PermissionDenied otherwise."""
    if not rooms:
        return
    wanted = Room.objects.filter(tenant=tenant, pk__in=rooms)
    if visible(by, Permission.ROOMS_VIEW, wanted).count() != len(set(rooms)):
        raise UnknownRooms
    if visible(by, Permission.ROOMS_MODIFY, wanted).count() != len(set(rooms)):
        raise PermissionDenied


def _tie(group: RoomGroup, rooms: Collection[int]) -> None:
    RoomGroupMember.objects.bulk_create(
        [RoomGroupMember(tenant_id=group.tenant_id, room_group=group, room_id=room) for room in sorted(rooms)],
        ignore_conflicts=True,
        batch_size=5000,
    )
