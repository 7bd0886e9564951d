"""Update rings: in which order a customer's rooms get a new version, and how long each ring tests it.

Every change holds the tenant: the 60 days of all rings, their order and their rooms are one thing.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, F, Value, When
from django.http import Http404
from django.utils.translation import gettext as _

from audit.clock import now
from audit.log import recording
from audit.models import Category, Operation
from rbac.access import require, visible
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rbac.precondition import meet
from rooms.errors import (
    DefaultRing,
    PreconfiguredRing,
    RingNameTaken,
    StaleRing,
    TooManyRings,
    UnknownRooms,
)
from rooms.models import MOST_DAYS, ActivityKind, Release, Rollout, RolloutState, Room, UpdateRing
from rooms.services import activity, rollout_clock, rollout_plan, rollouts

MOST_RINGS = 9
# What *modify* may set: how the ring is called, its days, its place (others make room), that new rooms come into it.
EDITABLE = ("name", "description", "test_days", "rollout_days", "order", "is_default")


def create(
    tenant: Tenant, name: str, *, by: User, description: str = "", test_days: int = 0, rollout_days: int = 7
) -> UpdateRing:
    """A new ring of `tenant`, the last in order, without rooms.

    Raises PermissionDenied if `by` may not create rings here, ValidationError for days that do not fit, TooManyRings,
    RingNameTaken, RingDaysExceeded.
    """
    with recording(Category.RING, Operation.CREATE, name, tenant=tenant, by=by) as line:
        require(by, Permission.RINGS_CREATE, tenant)
        rings = _hold_rings(tenant.pk)
        if len(rings) >= MOST_RINGS:
            raise TooManyRings
        _refuse_taken(name, rings)
        _refuse_days(test_days, rollout_days)
        ring = UpdateRing.objects.create(
            tenant=tenant,
            order=len(rings) + 1,
            name=name,
            description=description,
            test_days=test_days,
            rollout_days=rollout_days,
        )
        line.after = _shown(ring)
    return ring


def modify(ring: UpdateRing, *, by: User, changes: Mapping[str, Any], version: int | None = None) -> UpdateRing:
    """The ring has the values of `changes` (EDITABLE); rollouts that have not begun are planned anew.

    Its place and the default concern other rings too: they need the permission on each of those that change with it.
    Raises PermissionDenied unless `by` is responsible for all of its rooms, StaleRing, RingNameTaken, RingDaysExceeded,
    DefaultRing for the default ring that is to be none, ValidationError, Http404 if it is gone.
    """
    with recording(Category.RING, Operation.UPDATE, ring.label, tenant=ring.tenant_id, by=by) as line:
        _require_there(ring)
        require(by, Permission.RINGS_MODIFY, ring)
        rings = _hold_rings(ring.tenant_id)
        current = _current(ring, rings, version)
        if unknown := set(changes) - set(EDITABLE):
            raise ValidationError({name: ValidationError("cannot be set", code="read_only") for name in unknown})
        before = _shown(current)
        _set_values(current, changes, rings)
        if changes.get("is_default") and not current.is_default:
            _make_default(current, rings, by)
        if "order" in changes and changes["order"] != current.order:
            _move(current, changes["order"], rings, by)
        after = _shown(current)
        if before != after:
            current.version += 1
            current.save(update_fields=["name", "description", "test_days", "rollout_days", "version"])
            rollout_plan.replan(current.tenant)
        differing = [name for name in after if after[name] != before[name]]
        line.before = {name: before[name] for name in differing}
        line.after = {name: after[name] for name in differing}
    return current


def delete(ring: UpdateRing, *, by: User, version: int | None = None) -> None:
    """The ring is gone with its rollouts; its rooms are in the default ring. Later rings move up.

    Raises PermissionDenied unless `by` is responsible for all of its rooms, PreconfiguredRing, DefaultRing, StaleRing,
    Http404 if it is gone.
    """
    with recording(Category.RING, Operation.DELETE, ring.label, tenant=ring.tenant_id, by=by) as line:
        _require_there(ring)
        require(by, Permission.RINGS_MODIFY, ring)
        rings = _hold_rings(ring.tenant_id)
        current = _current(ring, rings, version)
        if current.key:
            raise PreconfiguredRing
        if current.is_default:
            raise DefaultRing
        rooms = list(Room.objects.filter(ring=current).order_by("pk").select_for_update(no_key=True))
        require(by, Permission.RINGS_MODIFY, current)  # also of the rooms that came while we waited
        default = next(one for one in rings if one.is_default)
        _put(rooms, default, by)
        line.before = _shown(current) | {"rooms": len(rooms)}
        current.delete()
        _number([one for one in rings if one != current])
        rollout_plan.replan(current.tenant)


def move_rooms(ring: UpdateRing, *, by: User, rooms: Collection[int], version: int | None = None) -> int:
    """`rooms` (ids) are in `ring`: what was open in their old ring ends, and they take part in what goes on in this one.
    How many were in another ring.

    Raises PermissionDenied unless `by` sees the ring and may change the ring of each room, UnknownRooms for a room that
    is not there for him, StaleRing, Http404 if the ring is gone.
    """
    with recording(Category.RING, Operation.UPDATE, ring.label, tenant=ring.tenant_id, by=by) as line:
        _require_there(ring)
        require(by, Permission.RINGS_VIEW, ring)
        current = _current(ring, _hold_rings(ring.tenant_id), version)
        locked = list(
            Room.objects.filter(tenant=current.tenant_id, pk__in=rooms).order_by("pk").select_for_update(no_key=True)
        )
        _require_rooms(current.tenant_id, rooms, by)
        moved = [room for room in locked if room.ring_id != current.pk]
        _put(moved, current, by)
        line.after = {"rooms": [room.pk for room in moved]}
    return len(moved)


# --- Steps --------------------------------------------------------------------------------------
def _hold_rings(tenant_id: UUID) -> list[UpdateRing]:
    """The rings of the tenant in their order, held with it until the transaction ends."""
    rollouts.hold(tenant_id)
    found = UpdateRing.objects.filter(tenant=tenant_id).select_related("tenant")
    return list(found.select_for_update(of=("self",)).order_by("order"))


def _require_there(ring: UpdateRing) -> None:
    """Pass if `ring` still exists: what is gone is not refused, it is not found. Raises Http404."""
    if not UpdateRing.objects.filter(pk=ring.pk).exists():
        raise Http404


def _current(ring: UpdateRing, rings: list[UpdateRing], version: int | None) -> UpdateRing:
    current = next((one for one in rings if one.pk == ring.pk), None)
    if current is None:
        raise Http404
    meet(current)
    if version is not None and current.version != version:
        raise StaleRing
    return current


def _set_values(ring: UpdateRing, changes: Mapping[str, Any], rings: list[UpdateRing]) -> None:
    if changes.get("name", ring.name) != ring.name:
        _refuse_taken(changes["name"], [one for one in rings if one != ring])
    for name in ("name", "description", "test_days", "rollout_days"):
        setattr(ring, name, changes.get(name, getattr(ring, name)))
    _refuse_days(ring.test_days, ring.rollout_days)
    if ring.is_default and changes.get("is_default") is False:
        raise DefaultRing
    ring.clean_fields(exclude=["tenant", "order", "key"])


def _make_default(ring: UpdateRing, rings: list[UpdateRing], by: User) -> None:
    before = next(one for one in rings if one.is_default)
    require(by, Permission.RINGS_MODIFY, before)
    UpdateRing.objects.filter(pk=before.pk).update(is_default=False, version=F("version") + 1)
    UpdateRing.objects.filter(pk=ring.pk).update(is_default=True)
    ring.is_default = True


def _move(ring: UpdateRing, order: Any, rings: list[UpdateRing], by: User) -> None:
    """The ring stands at place `order`, those between make room."""
    if not isinstance(order, int) or not 1 <= order <= len(rings):
        raise ValidationError(
            {"order": ValidationError(_("There is no such place."), code="out_of_range")}  # named like the field
        )
    others = [one for one in rings if one != ring]
    for other in rings[min(order, ring.order) - 1 : max(order, ring.order)]:
        require(by, Permission.RINGS_MODIFY, other)
    _number([*others[: order - 1], ring, *others[order - 1 :]])


def _number(rings: list[UpdateRing]) -> None:
    """`rings` are numbered as they stand, from 1 on; those whose number changes have another version."""
    orders = {ring.pk: order for order, ring in enumerate(rings, start=1) if ring.order != order}
    if orders:
        UpdateRing.objects.filter(pk__in=orders).update(
            order=Case(*(When(pk=pk, then=Value(order)) for pk, order in orders.items())), version=F("version") + 1
        )
    for ring in rings:
        ring.order = orders.get(ring.pk, ring.order)


def _put(rooms: list[Room], ring: UpdateRing, by: User) -> None:
    """`rooms`, which are held, are in `ring` and take part in its rollout."""
    if not rooms:
        return
    ids = [room.pk for room in rooms]
    Room.objects.filter(pk__in=ids).update(ring=ring, version=F("version") + 1, changed_at=now())
    rollouts.leave(ids)
    activity.note(rooms, ActivityKind.RING, by=by, ring=ring.name, key=ring.key)
    rollout = _under_way(ring)
    if rollout is not None:
        rollout_clock.take_in(rollout, ids)


def _under_way(ring: UpdateRing) -> Rollout | None:
    """The begun rollout of the newest release in `ring`; what is paused takes rooms in when it goes on."""
    newest = Release.objects.order_by("-order").values("pk")[:1]
    found = Rollout.objects.select_related("release", "tenant").filter(ring=ring, release=newest)
    still = (RolloutState.SCHEDULED, RolloutState.PAUSED, RolloutState.DEPRECATED)
    return found.exclude(state__in=still).select_for_update(of=("self",), no_key=True).first()


def _require_rooms(tenant_id: UUID, rooms: Collection[int], by: User) -> None:
    wanted = Room.objects.filter(tenant=tenant_id, pk__in=rooms)
    if visible(by, Permission.ROOMS_VIEW, wanted).union(visible(by, Permission.RINGS_VIEW, wanted)).count() != len(
        set(rooms)
    ):
        raise UnknownRooms
    if visible(by, Permission.RINGS_MODIFY, wanted).count() != len(set(rooms)):
        raise PermissionDenied


def _refuse_taken(name: str, rings: list[UpdateRing]) -> None:
    """Also what a preconfigured ring is shown as counts as its name."""
    if name.strip().casefold() in {shown.casefold() for one in rings for shown in (one.name, one.label)}:
        raise RingNameTaken


def _refuse_days(test_days: int, rollout_days: int) -> None:
    wrong = {}
    for name, days, least in (("test_days", test_days, 0), ("rollout_days", rollout_days, 1)):
        if not isinstance(days, int) or not least <= days <= MOST_DAYS:
            text = _("Enter a number between %(least)s and %(most)s.")
            params = {"least": least, "most": MOST_DAYS}
            wrong[name] = ValidationError(text % params, code="out_of_range")
    if wrong:
        raise ValidationError(wrong)


def _shown(ring: UpdateRing) -> dict[str, Any]:
    return {name: getattr(ring, name) for name in EDITABLE}
