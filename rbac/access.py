"""THE answer: who may do what, where. Pages, API, admin, templates and jobs all ask here.

    allow(user, permission, object) = some assignment a: user is a member of a, a's role holds the permission, the object
    is in a's scope, a is valid now; and if a is a partner's: its delegation is active, the room is among the delegated
    ones, and the permission is below the partner's ceiling. A union, no deny rules, no superuser.

Resolve first, then choose: one small query reads the user's live assignments (`rights`); with them known, the cheapest
query for the objects is written (rbac/plans.py), and a single question is one statement. Nothing is cached: `rights`
may be carried through one request for what is only shown, never into a change.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import Permission as PermissionRow
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Model, Q, QuerySet

from audit.context import through
from rbac.catalogue import ANY_SCOPE, CEILING, ROOM_PERMISSIONS, Permission, with_implied
from rbac.models import (
    Assignment,
    Delegation,
    DelegationState,
    Role,
    RoomGrant,
    Tenant,
    TenantDomain,
    User,
)
from rbac.plans import HasRow, Plan, Sizes, choose

_ASKED_OF_ROOMS = frozenset(ROOM_PERMISSIONS)
M = TypeVar("M", bound=Model)
Person = User | AnonymousUser


@dataclass(frozen=True)
class Held:
    """One live assignment of the user: what it permits, in whose tenant, over how many rooms."""

    assignment_id: int
    group_id: int
    tenant_id: UUID
    delegation_id: UUID | None
    all_rooms: bool
    room_count: int
    permissions: frozenset[Permission]
    # A partner's custom assignment is bounded by the delegated rooms: those of Invited admins.
    bound_group_id: int | None
    # How many rooms the tenant has; chooses query plans.
    tenant_rooms: int

    @property
    def covers_tenant(self) -> bool:
        """Every room of the tenant, later ones too, without looking at rows."""
        return self.all_rooms and self.bound_group_id is None


Rights = tuple[Held, ...]


@dataclass(frozen=True)
class Limits:
    """What a token narrows its holder to: one delegation, some permissions. Stands on the user as `limits`."""

    delegation_id: UUID
    permissions: frozenset[Permission]

    def narrow(self, held: Rights) -> Rights:
        """Those of `held` that are the delegation's, with no other permissions than these and what they imply."""
        allowed = with_implied(self.permissions)
        return tuple(
            replace(one, permissions=one.permissions & allowed)
            for one in held
            if one.delegation_id == self.delegation_id
        )


# The rule itself is the function `trm_rights` (migration 0005): the database keeps its plan.
_RIGHTS = "SELECT held.* FROM trm_rights(%(user)s, %(tenant)s) held"

# Those of them that reach one row: without looking at rows, or by one of theirs that lies inside the bound.
_REACHING = """
SELECT held.* FROM trm_rights(%(user)s, %(tenant)s) held
JOIN {objects} o ON o.id = %(object)s AND o.tenant_id = held.tenant_id
WHERE held.all_rooms AND held.bound = 0
    OR (SELECT true FROM {rows} g WHERE g.content_object_id = o.id AND g.group_id = held.group_id
        AND g.permission_id = %(permission)s)
    AND (held.bound = 0 OR (SELECT true FROM {rows} g WHERE g.content_object_id = o.id AND g.group_id = held.bound
        AND g.permission_id = %(view)s))
"""

# The live assignments of many people in one tenant, with whose they are.
_RIGHTS_OF_MANY = """
SELECT held.*, asked.id FROM unnest(%(users)s::bigint[]) asked(id), LATERAL trm_rights(asked.id, %(tenant)s) held
ORDER BY held.assignment_id
"""


def rights(user: Person, tenant: UUID | None = None) -> Rights:
    """The user's live assignments, in `tenant` only if one is given. One query; empty for anonymous and staff."""
    return _resolved(user, _RIGHTS, tenant=tenant)


def _resolved(user: Person, query: str, **parameters: Any) -> Rights:
    if not user.is_authenticated or user.pk is None:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(query, {"user": user.pk, **parameters})
        held = tuple(_held(row) for row in cursor.fetchall())
    limits: Limits | None = getattr(user, "limits", None)
    return held if limits is None else limits.narrow(held)


def rights_of(users: Collection[int], tenant: UUID) -> dict[int, Rights]:
    """The live assignments in `tenant` of each of `users` (ids): as `rights`, in one query for all of them."""
    found: dict[int, Rights] = dict.fromkeys(users, ())
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS_OF_MANY, {"users": list(users), "tenant": tenant})
        for *row, user in cursor.fetchall():
            found[user] += (_held(tuple(row)),)
    return found


def _held(row: tuple[Any, ...]) -> Held:
    assignment, group, tenant, delegation, all_rooms, room_count, codes, bound, tenant_rooms = row
    permissions = _effective(tuple(codes), delegation is not None)
    return Held(assignment, group, tenant, delegation, all_rooms, room_count, permissions, bound or None, tenant_rooms)


@lru_cache(maxsize=1024)
def _effective(codes: tuple[str, ...], is_partner: bool) -> frozenset[Permission]:
    """What a role with these permissions grants; depends on nothing else, so keeping it caches no right."""
    # The ceiling first: what lies above it implies nothing either.
    return with_implied(CEILING.intersection(codes) if is_partner else codes)


def holding(held: Iterable[Held], permission: Permission) -> Rights:
    """Those of `held` that permit `permission` somewhere."""
    return tuple(one for one in held if permission in one.permissions)


def holds(held: Iterable[Held], permission: Permission, tenant_id: UUID) -> bool:
    """Whether `permission` is held in the tenant for at least some rooms: a list is worth showing."""
    return any(permission in one.permissions and one.tenant_id == tenant_id for one in held)


def holds_all(held: Iterable[Held], permission: Permission, tenant_id: UUID) -> bool:
    """Whether `permission` is held for the tenant as a whole by the tenant's own people (§4, scope *tenant*)."""
    return any(
        permission in one.permissions
        and one.tenant_id == tenant_id
        and one.delegation_id is None
        and (one.all_rooms or permission in ANY_SCOPE)
        for one in held
    )


class Rule(Protocol):
    """How a model's rows are restricted to what `held` (all holding the permission) lets one see."""

    def restrict(self, held: Rights, permission: Permission, queryset: QuerySet[Any]) -> QuerySet[Any]: ...


@dataclass(frozen=True)
class PerRoom:
    """Rooms themselves: covered by an assignment to all rooms, or by the assignment's rows."""

    grants: type[RoomGrant]

    def restrict(self, held: Rights, permission: Permission, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.reached(held, permission, "pk"))

    def reached(self, held: Rights, permission: Permission, room: str) -> Q:
        """Of rows that name a room in the column `room`, and its tenant: those whose room is reached."""
        if permission not in _ASKED_OF_ROOMS:
            return Q(pk__in=())
        whole = {one.tenant_id for one in held if one.covers_tenant}
        rest = [one for one in held if one.tenant_id not in whole]
        if not rest:
            return Q(tenant_id__in=whole)
        by_rows = self._by_rows(rest, permission, room)
        return Q(tenant_id__in=whole) | by_rows if whole else by_rows

    def _by_rows(self, held: Sequence[Held], permission: Permission, room: str) -> Q:
        found = Q()
        for bound in {one.bound_group_id for one in held}:
            part = [one for one in held if one.bound_group_id == bound]
            condition = self._rows([one.group_id for one in part], permission, _plan(part), room)
            if bound is not None:
                condition &= self._rows([bound], Permission.ROOMS_VIEW, "gather", room)
            found |= condition & Q(tenant_id__in={one.tenant_id for one in part})
        return found

    def _rows(self, groups: list[int], permission: Permission, plan: Plan, room: str) -> Q:
        return Q(HasRow(self.grants._meta.db_table, groups, row_id(permission), plan, room))

    def decide(self, user: Person, permission: Permission, room: Model) -> bool:
        """Whether `user` holds `permission` on `room`; says of one room, in one statement, what `restrict` says of many."""
        if permission not in _ASKED_OF_ROOMS:
            return False
        tables = {"objects": room._meta.db_table, "rows": self.grants._meta.db_table}
        reaching = _resolved(
            user,
            _REACHING.format_map(tables),
            tenant=_tenant_of(room),
            object=room.pk,
            permission=row_id(permission),
            view=row_id(Permission.ROOMS_VIEW),
        )
        return bool(holding(reaching, permission))


def _plan(held: Sequence[Held]) -> Plan:
    listed = sum({one.tenant_id: one.tenant_rooms for one in held}.values())
    return choose(Sizes([one.room_count for one in held], listed))


@dataclass(frozen=True)
class ThroughRooms:
    """Groups, rings, tickets: visible when one of their rooms is in scope; changed as a whole only when all are.

    `through` names the model that ties object and room: its field `link` leads to the object, `room` to the room (“pk”
    where the room itself carries the tie). `whole_for` are the permissions that always need all rooms; others need them
    where it is asked (`whole`). Objects without rooms are for those who cover the tenant.
    """

    through: str
    link: str
    room: str = "room"
    whole_for: Collection[Permission] = ()

    def restrict(
        self, held: Rights, permission: Permission, queryset: QuerySet[Any], *, whole: bool = False
    ) -> QuerySet[Any]:
        covered = {one.tenant_id for one in held if one.covers_tenant}
        model = queryset.model
        ties = model._meta.apps.get_model(model._meta.app_label, self.through)._default_manager
        rooms = ties.model if self.room == "pk" else ties.model._meta.get_field(self.room).related_model
        seen = rooms.ACCESS.restrict(held, permission, rooms._default_manager.all())
        # The tie names its room's tenant, too (the database sees to it): the rooms themselves need not be looked at.
        name = self.room if self.room == "pk" else f"{self.room}_id"
        reached = ties.filter(rooms.ACCESS.reached(held, permission, name))
        condition = Q(pk__in=reached.values(self.link))
        if whole or permission in self.whole_for:
            condition &= ~Q(pk__in=ties.exclude(**{f"{self.room}__in": seen}).values(self.link))
        return queryset.filter(Q(tenant_id__in=covered) | condition & Q(tenant_id__in={one.tenant_id for one in held}))


@dataclass(frozen=True)
class OfTenant:
    """Things of the tenant as a whole (partners, terms, …): needs the permission for all rooms."""

    path: str = "tenant_id"

    def restrict(self, held: Rights, permission: Permission, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tenants = {one.tenant_id for one in held if holds_all((one,), permission, one.tenant_id)}
        return queryset.filter(**{f"{self.path}__in": tenants})


@dataclass(frozen=True)
class OfRole:
    """Roles and what hangs on them. The customer sees all of its tenant's; a partner only those of its delegation."""

    tenant: str
    delegation: str

    def restrict(self, held: Rights, permission: Permission, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tenants = {one.tenant_id for one in held if holds_all((one,), permission, one.tenant_id)}
        delegations = {one.delegation_id for one in held if one.delegation_id is not None}
        return queryset.filter(Q(**{f"{self.tenant}__in": tenants}) | Q(**{f"{self.delegation}__in": delegations}))


_OWN_RULES: dict[type[Model], Rule] = {
    Tenant: OfTenant("pk"),
    TenantDomain: OfTenant(),
    Role: OfRole("tenant_id", "delegation_id"),
    Assignment: OfRole("tenant_id", "role__delegation_id"),
    Delegation: OfRole("tenant_id", "pk"),
}


def rule_of(model: type[Model]) -> Rule:
    """The rule for rows of `model`. Raises LookupError for a model nobody governs: fail closed, and loudly."""
    rule = _OWN_RULES.get(model) or getattr(model, "ACCESS", None)
    if rule is None:
        raise LookupError(f"{model.__name__} says nothing about access")
    return rule


def visible(
    user: Person, permission: Permission, queryset: QuerySet[M], held: Rights | None = None, *, whole: bool = False
) -> QuerySet[M]:
    """The rows of `queryset` on which `user` holds `permission`; lists, details, selects and exports start here.

    `held` saves resolving again within a request that only shows; changes leave it out. `whole` asks of things with
    several rooms (tickets) for the permission on all of them.
    """
    live = holding(rights(user) if held is None else held, permission)
    if not live:
        return queryset.none()
    rule = rule_of(queryset.model)
    if isinstance(rule, ThroughRooms):
        return rule.restrict(live, permission, queryset, whole=whole)
    return rule.restrict(live, permission, queryset)


def can(
    user: Person, permission: Permission, target: Model, held: Rights | None = None, *, whole: bool = False
) -> bool:
    """Whether `user` holds `permission` on `target`: membership in `visible`, so list and detail cannot disagree.

    One statement for a room and for a tenant, two for anything else; one less if `held` is given.
    """
    rule = rule_of(type(target))
    if held is None and isinstance(rule, PerRoom):
        return rule.decide(user, permission, target)
    if held is None:
        held = rights(user, _tenant_of(target))
    if isinstance(target, Tenant):  # that it exists is known from what is held there
        return holds_all(held, permission, target.pk)
    rows = type(target)._default_manager.filter(pk=target.pk)
    return visible(user, permission, rows, held, whole=whole).exists()


def _tenant_of(target: Model) -> UUID | None:
    return target.pk if isinstance(target, Tenant) else getattr(target, "tenant_id", None)


def require(user: Person, permission: Permission, target: Model, *, whole: bool = False) -> None:
    """Pass if `user` holds `permission` on `target` (on all of its rooms, if `whole`), as of now. Raises PermissionDenied
    otherwise.

    Inside a transaction the delegations the answer rests on are held until it ends, so that a removal comes either
    before (and is seen) or after the change; and the lines of the open recording name the one.
    """
    if connection.in_atomic_block:
        _hold_delegation(user, target)
    if not can(user, permission, target, whole=whole):
        raise PermissionDenied


def _hold_delegation(user: Person, target: Model) -> None:
    """Share-lock the delegation through which `user` may hold something on `target`; home rights rest on none."""
    tenant_id = _tenant_of(target)
    if isinstance(user, User) and user.tenant_id is not None and tenant_id not in (None, user.tenant_id):
        held = Delegation.objects.filter(tenant_id=tenant_id, held_by_id=user.tenant_id, state=DelegationState.ACTIVE)
        with connection.cursor() as cursor:
            query, parameters = held.values("pk").query.sql_with_params()
            cursor.execute(f"{query} FOR SHARE", parameters)
            for (delegation,) in cursor.fetchall():  # one at most: a partner has one live delegation of a customer
                through(delegation, tenant=tenant_id, user=user.upn)


def permissions_on(
    user: Person, rooms: Sequence[Model], held: Rights | None = None
) -> dict[Any, frozenset[Permission]]:
    """For each of `rooms` (rows of the governed room model) the permissions held on it; one query for all of them."""
    return {
        room_id: _ASKED_OF_ROOMS.intersection(*[frozenset().union(*(one.permissions for one in through))])
        for room_id, through in reaching(rights(user) if held is None else held, rooms).items()
    }


def reaching(held: Iterable[Held], rooms: Sequence[Model]) -> dict[Any, Rights]:
    """For each of `rooms` (rows of the governed room model) those of `held` that reach it: why a permission is held there.

    `permissions_on` is their union, so whoever explains with this explains the very decision. One query at most.
    """
    if not rooms:
        return {}
    rule = rule_of(type(rooms[0]))
    if not isinstance(rule, PerRoom):
        raise LookupError("permissions_on answers for rooms")
    live = tuple(held)
    answer: dict[Any, Rights] = {
        room.pk: tuple(one for one in live if one.covers_tenant and one.tenant_id == room.tenant_id)  # type: ignore[attr-defined]
        for room in rooms
    }
    by_rows = [one for one in live if not one.covers_tenant]
    asked = {one.group_id for one in by_rows} | {one.bound_group_id for one in by_rows} - {None}
    if by_rows:
        found = (
            rule.grants._default_manager.filter(content_object__in=[room.pk for room in rooms], group_id__in=asked)
            .values_list("content_object_id")
            .annotate(groups=ArrayAgg("group_id", distinct=True))
        )
        for room_id, groups in found:
            bounds = {None, *groups}
            answer[room_id] += tuple(one for one in by_rows if one.group_id in groups and one.bound_group_id in bounds)
    return answer


def row_id(permission: Permission) -> int:
    """The id of Django's row for `permission`; the same for the life of a database, so it is kept."""
    if permission not in _row_ids:
        _row_ids.update({code: pk for pk, code in _permission_rows() if code in Permission._value2member_map_})
    return _row_ids[permission]


def _permission_rows() -> list[tuple[int, str]]:
    rows = PermissionRow.objects.filter(content_type__app_label__in=("rooms", "rbac")).values_list("pk", "name")
    return list(rows)


_row_ids: dict[str, int] = {}


def effective(user: Person, tenant_id: UUID) -> frozenset[Permission]:
    """The permissions `user` holds anywhere in the tenant; for navigation and for the API's permission table."""
    return frozenset().union(*(one.permissions for one in rights(user, tenant_id)))
