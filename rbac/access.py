"""THE answer: who may do what, where. Pages, API, admin, templates and jobs all ask here.

    allow(user, permission, object) = some assignment a: user is a member of a, a's role holds the permission, the object
    is in a's scope, a is valid now; and if a is a partner's: its delegation is active, the room is among the delegated
    ones, and the permission is below the partner's ceiling. A union, no deny rules, no superuser. On top of that a
    customer may ask its partners' people for more than they have shown (partner_access.py): until then, nothing.

Resolve first, then choose: one small query reads the user's live assignments (rights.py); with them known, the cheapest
query for the objects is written (plans.py), and a single question is one statement. Nothing is cached: `rights` may be
carried through one request for what is only shown, never into a change.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.contrib.auth.models import Permission as PermissionRow
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Model, Q, QuerySet

from audit.context import through
from rbac.catalogue import ROOM_PERMISSIONS, Permission
from rbac.errors import StepUpRequired
from rbac.models import Assignment, Delegation, Role, RoomGrant, Tenant, TenantDomain, User
from rbac.partner_access import NOTHING, Condition, Unmet, unmet_by
from rbac.plans import HasRow, Plan, Sizes, choose
from rbac.rights import Held as Held
from rbac.rights import Limits as Limits
from rbac.rights import Person as Person
from rbac.rights import Rights as Rights
from rbac.rights import holding as holding
from rbac.rights import holds as holds
from rbac.rights import holds_all as holds_all
from rbac.rights import let_in as let_in
from rbac.rights import reaching_row
from rbac.rights import rights as rights
from rbac.rights import rights_of as rights_of
from rbac.rights import with_withheld as with_withheld

_ASKED_OF_ROOMS = frozenset(ROOM_PERMISSIONS)
M = TypeVar("M", bound=Model)


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
        reaching = reaching_row(
            user,
            tables,
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
    """Pass if `user` holds `permission` on `target` (on all of its rooms, if `whole`), as of now, and shows what the
    customer asks its partners for. Raises PermissionDenied otherwise, StepUpRequired.

    Inside a transaction the delegations the answer rests on are held until it ends, so that a removal comes either
    before (and is seen) or after the change; and the lines of the open recording name the one.
    """
    unmet = _hold_delegation(user, target) if connection.in_atomic_block else NOTHING
    _demand(target, unmet.always)
    if not can(user, permission, target, whole=whole):
        raise PermissionDenied
    _demand(target, unmet.of(permission), event=permission)


def _demand(target: Model, missing: Collection[Condition], event: Permission | None = None) -> None:
    tenant_id = _tenant_of(target)
    if missing and tenant_id is not None:
        raise StepUpRequired(tenant_id, missing, event=event)


# The delegation through which a partner's person works for a customer, held; and what the customer asks of him.
_HELD_DELEGATION = """
SELECT d.id, to_jsonb(asked), trm_now() FROM rbac_delegation d
LEFT JOIN rbac_partneraccesspolicy asked ON asked.tenant_id = d.tenant_id
WHERE d.tenant_id = %s AND d.held_by_id = %s AND d.state = 'active' FOR SHARE OF d
"""


def _hold_delegation(user: Person, target: Model) -> Unmet:
    """Share-lock the delegation through which `user` may hold something on `target`; home rights rest on none."""
    tenant_id = _tenant_of(target)
    if isinstance(user, User) and user.tenant_id is not None and tenant_id not in (None, user.tenant_id):
        with connection.cursor() as cursor:
            cursor.execute(_HELD_DELEGATION, [tenant_id, user.tenant_id])
            for delegation, asked, now in cursor.fetchall():  # one at most: a partner has one live one of a customer
                through(delegation, tenant=tenant_id, user=user.upn)
                return unmet_by(user.pk, asked, now)
    return NOTHING


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
