"""Who can do what on a room, and why; what a person can do, and why.

The decision is `rbac.access`: its live rights say which assignments of a person count now, `access.reaching` which of them
reach a room. This module only puts names to them: role, assignment, how one is a member, how the room is in the scope.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from rbac import access
from rbac.access import Rights
from rbac.catalogue import ROOM_PERMISSIONS, Permission
from rbac.models import (
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentQuerySet,
    DelegationState,
    Role,
    SecurityGroup,
    SecurityGroupMember,
    Tenant,
    User,
)
from rooms.models import AssignmentRoom, AssignmentRoomGroup, Room, RoomGrantRow, RoomGroupMember


@dataclass(frozen=True)
class Reason:
    """One assignment through which a person holds `permissions`: on a room, or anywhere in the tenant."""

    permissions: tuple[Permission, ...]
    assignment: Assignment
    role: Role
    # Member directly; member by these security groups.
    is_direct: bool
    groups: tuple[str, ...]
    # The room is in the scope: because all rooms are, by itself, by these room groups.
    all_rooms: bool
    is_single: bool
    room_groups: tuple[str, ...]

    @property
    def valid_from(self) -> datetime | None:
        return self.assignment.valid_from

    @property
    def valid_until(self) -> datetime | None:
        return self.assignment.valid_until

    @property
    def is_bounded(self) -> bool:
        """Whether it reaches no further than what is delegated to the partner."""
        return self.role.delegation_id is not None


def explain(user: User, room: Room, *, held: Rights | None = None) -> list[Reason]:
    """Why `user` may do on `room` what he may: the union of the reasons' permissions is `access.permissions_on`."""
    live = access.rights(user, room.tenant_id) if held is None else held
    through = {user.pk: access.reaching(live, [room])[room.pk]}
    return _reasons(through, room=room, asked=frozenset(ROOM_PERMISSIONS)).get(user.pk, [])


def explain_all(people: Collection[User], room: Room) -> dict[int, list[Reason]]:
    """As `explain`, for each of `people`; as many queries for many as for one."""
    rights = access.rights_of([one.pk for one in people], room.tenant_id)
    everything = {one.assignment_id: one for held in rights.values() for one in held}
    there = {one.assignment_id for one in access.reaching(everything.values(), [room])[room.pk]}
    through = {user: tuple(one for one in held if one.assignment_id in there) for user, held in rights.items()}
    return _reasons(through, room=room, asked=frozenset(ROOM_PERMISSIONS))


def explain_person(user: User, tenant: Tenant) -> list[Reason]:
    """What `user` may do anywhere in `tenant`, and why."""
    rights = access.rights_of([user.pk], tenant.pk)
    return _reasons(rights, room=None, asked=frozenset(Permission)).get(user.pk, [])


def people_of(room: Room, reader: User, held: Rights) -> QuerySet[User]:
    """Those who may hold something on `room` and whom `reader` may see there, as far as the index knows them.

    Of a partner's people the customer sees those who are named, not who is in the partner's own security groups.
    """
    seen = assignments_seen(room.tenant_id, reader, held).valid().filter(pk__in=reaching_assignments(room))
    seen = seen.filter(Q(role__delegation=None) | Q(role__delegation__state=DelegationState.ACTIVE))
    named = Q(memberships__assignment__in=seen.values("pk"))
    by_group = Q(groups__in=seen.values("group"), tenant=reader.tenant_id)
    return User.objects.filter(named | by_group, is_active=True, is_home_member=True).distinct()


def groups_of(room: Room, reader: User, held: Rights) -> list[tuple[SecurityGroup, Assignment]]:
    """Security groups of other organisations that are members of what reaches `room`: named, their people are not."""
    seen = assignments_seen(room.tenant_id, reader, held).valid().filter(pk__in=reaching_assignments(room))
    seen = seen.filter(role__delegation__state=DelegationState.ACTIVE)
    ties = AssignmentGroup.objects.filter(assignment__in=seen.values("pk")).exclude(group__tenant=reader.tenant_id)
    found = ties.select_related("group__tenant", "assignment__role__delegation").order_by("group__name", "pk")
    return [(one.group, one.assignment) for one in found]


def reaching_assignments(room: Room) -> QuerySet[Assignment]:
    """Those whose index has a row for `room`, or that need none."""
    rows = RoomGrantRow.objects.filter(content_object=room).values("group")
    return Assignment.objects.filter(Q(all_rooms=True) | Q(group__in=rows), tenant=room.tenant_id)


def assignments_seen(tenant_id: UUID, reader: User, held: Rights) -> AssignmentQuerySet:
    """The assignments that `reader` may see: all of the tenant's, or a partner's own."""
    own = Assignment.objects.filter(tenant=tenant_id)
    return access.visible(reader, Permission.ROLES_VIEW, own, held)  # type: ignore[return-value]


def seen_ids(tenant_id: UUID, reader: User, held: Rights) -> set[int]:
    """The ids of the assignments that `reader` may see."""
    return set(assignments_seen(tenant_id, reader, held).values_list("pk", flat=True))


def person_seen(tenant: Tenant, user_id: int, reader: User, held: Rights) -> User:
    """Somebody whom `reader` may read about: of his own organisation, or named in an assignment he sees. Raises Http404."""
    seen = assignments_seen(tenant.pk, reader, held)
    known = Q(memberships__assignment__in=seen.values("pk")) | Q(
        groups__in=seen.values("group"), tenant=reader.tenant_id
    )
    if access.holds_all(held, Permission.ROLES_VIEW, tenant.pk):
        known |= Q(tenant=tenant)
    person = User.objects.filter(known, pk=user_id).select_related("tenant").first()
    if person is None:
        raise Http404
    return person


def told_to(reasons: Iterable[Reason], person: User, reader: User, seen: Collection[int]) -> list[Reason]:
    """Those of `reasons` that `reader` may read: through assignments he sees (`seen`), and not by a foreign group."""
    return [
        one for one in reasons if one.assignment.pk in seen and (one.is_direct or person.tenant_id == reader.tenant_id)
    ]


def _reasons(
    through: Mapping[int, Rights], *, room: Room | None, asked: frozenset[Permission]
) -> dict[int, list[Reason]]:
    ids = {one.assignment_id for held in through.values() for one in held}
    found = Assignment.objects.filter(pk__in=ids).select_related("role__delegation__relationship", "role__tenant")
    rows = {one.pk: one for one in found}
    direct = set(
        AssignmentMember.objects.filter(assignment__in=ids, user__in=through).values_list("assignment", "user")
    )
    by_group = _groups_of_members(ids, through)
    singles, room_groups = _scope_of(ids, room)
    answer: dict[int, list[Reason]] = {}
    for user, held in through.items():
        answer[user] = [
            Reason(
                tuple(code for code in Permission if code in one.permissions & asked),
                rows[one.assignment_id],
                rows[one.assignment_id].role,
                (one.assignment_id, user) in direct,
                tuple(by_group[one.assignment_id, user]),
                one.all_rooms,
                one.assignment_id in singles,
                tuple(room_groups[one.assignment_id]),
            )
            for one in sorted(held, key=lambda one: one.assignment_id)
            if one.permissions & asked
        ]
    return answer


def _groups_of_members(ids: Collection[int], users: Collection[int]) -> dict[tuple[int, int], list[str]]:
    """The security groups by which each of `users` is a member of each of the assignments `ids`."""
    named: dict[tuple[int, int], list[str]] = defaultdict(list)
    ties = SecurityGroupMember.objects.filter(user__in=users, group__memberships_in_assignments__assignment__in=ids)
    for assignment, user, name in ties.order_by("group__name").values_list(
        "group__memberships_in_assignments__assignment", "user", "group__name"
    ):
        if assignment in ids:
            named[assignment, user].append(name)
    return named


def _scope_of(ids: Collection[int], room: Room | None) -> tuple[set[int], dict[int, list[str]]]:
    """Which of the assignments `ids` name `room` itself, and by which room groups; without a room, what they name."""
    single = AssignmentRoom.objects.filter(assignment__in=ids)
    named = AssignmentRoomGroup.objects.filter(assignment__in=ids)
    if room is not None:
        single = single.filter(room=room)
        named = named.filter(room_group__in=RoomGroupMember.objects.filter(room=room).values("room_group"))
    groups: dict[int, list[str]] = defaultdict(list)
    for assignment, name in named.order_by("room_group__name").values_list("assignment", "room_group__name"):
        groups[assignment].append(name)
    return set(single.values_list("assignment", flat=True).distinct()), groups
