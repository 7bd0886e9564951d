"""Importing an inventory: rooms are added and changed until they are what the file says; none is ever removed.

Who holds *Rooms: Modify* for the tenant as a whole imports as one set, in one transaction. Who holds it for some rooms
updates just those, each by the door for controlled changes and in a transaction of its own: a partner's long import
must not hold up the customer who is removing him.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, BinaryIO, Protocol

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import Count
from django.http import Http404

from audit.context import Line
from audit.log import add_lines, recording
from audit.models import Category, Operation
from rbac.access import can, holds, require, rights, visible
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms import inventories
from rooms.cells import Problem, Row, excerpt
from rooms.errors import AwaitsApproval
from rooms.inventory_reports import Entry, Outcome, Report
from rooms.models import Room, UpdateRing
from rooms.places import zone_of
from rooms.services import groups

BATCH = 500  # rows written by one statement, and between two signs of life
_LOCK_SPACE = 0x696E76  # "inv"; keeps our advisory locks apart from anybody else's

# What an inventory may say of a room; together with the time zone, which follows from the country.
_WRITTEN = (
    "display_name",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "latitude",
    "longitude",
    "phone",
    "building",
    "label",
    "floor",
    "floor_label",
    "capacity",
    "audio_device",
    "video_device",
    "display_device",
    "is_wheelchair_accessible",
    "tags",
    "time_zone",
)


class Submit(Protocol):
    """The door for controlled changes. It stands above the services, so it is handed in."""

    def __call__(self, event: Permission, target: Any, *, by: User, **params: Any) -> Any: ...


class Watch:
    """Somebody who wants to know how far an import is. This one does not."""

    def told(self, done: int) -> None:
        """So many rows are done."""

    def finished(self, report: Report) -> None:
        """All is written; in the transaction of an import as one set."""


@dataclass
class _Plan:
    """What a file asks for: an entry for every row, the new rooms, and the changes of those there are."""

    entries: list[Entry] = field(default_factory=list)
    created: list[Room] = field(default_factory=list)
    changed: list[tuple[Room, dict[str, Any]]] = field(default_factory=list)


def check(tenant: Tenant, stream: BinaryIO, *, by: User) -> Report:
    """What importing `stream` would do today, row by row; nothing is written.

    Raises PermissionDenied if `by` may modify no room of `tenant`, UnreadableInventory if the file is no inventory.
    """
    if not holds(rights(by, tenant.pk), Permission.ROOMS_MODIFY, tenant.pk):
        raise PermissionDenied
    inventory = inventories.read(stream)
    rows = list(inventory.rows)
    plan = _plan(tenant, rows, _known(tenant, rows, by), may_create=is_for_all(tenant, by))
    return Report(inventory.format, plan.entries, inventory.has_more)


def load(
    tenant: Tenant,
    stream: BinaryIO,
    file_name: str,
    *,
    by: User,
    submit: Submit | None = None,
    watch: Watch | None = None,
) -> Report:
    """The rooms of `tenant` are what the inventory says; the report of it, row by row. A second time changes nothing.

    Unless `by` holds the permission for the tenant as a whole, only rooms in his scope are updated, through `submit`;
    a room outside it and a room that does not exist are refused alike. Raises PermissionDenied if `by` may modify no
    room, or not all and no `submit` is given; UnreadableInventory, before anything is written.
    """
    inventory = inventories.read(stream)
    rows = list(inventory.rows)
    report = Report(inventory.format, has_more=inventory.has_more)
    watch = watch or Watch()
    is_for_some = submit is not None and holds(rights(by, tenant.pk), Permission.ROOMS_MODIFY, tenant.pk)
    if submit is not None and is_for_some and not is_for_all(tenant, by):
        report.entries = _update_each(tenant, rows, by, submit, watch)
        watch.finished(report)
        return report
    with recording(Category.ROOM, Operation.UPDATE, excerpt(file_name, 200), tenant=tenant, by=by) as line:
        require(by, Permission.ROOMS_MODIFY, tenant)
        report.entries = _write(tenant, rows, by, line, watch)
        line.after = {"rows": len(rows)} | {outcome.value: count for outcome, count in report.counts.items()}
        watch.finished(report)
    return report


def is_for_all(tenant: Tenant, by: User) -> bool:
    """Whether `by` imports as one set, new rooms included."""
    return can(by, Permission.ROOMS_MODIFY, tenant)


def _known(tenant: Tenant, rows: Sequence[Row], by: User) -> dict[str, Room]:
    """By account, the rooms the file names, as far as `by` may modify them."""
    accounts = [row.values["resource_account"] for row in rows if row.values]
    rooms = visible(by, Permission.ROOMS_MODIFY, Room.objects.filter(tenant=tenant))
    return {room.resource_account: room for room in rooms.filter(resource_account__in=accounts)}


# --- What is to be done -------------------------------------------------------------------------
def _plan(tenant: Tenant, rows: Sequence[Row], known: Mapping[str, Room], *, may_create: bool) -> _Plan:
    plan = _Plan()
    ring = UpdateRing.objects.get(tenant=tenant, is_default=True) if may_create else None
    for row in rows:
        room = known.get(row.values.get("resource_account", ""))
        if row.problems:
            plan.entries.append(Entry(row.number, row.account, row.name, Outcome.REFUSED, problems=row.problems))
        elif room is None and not may_create:
            plan.entries.append(_refused(row, Problem("not_yours")))
        elif room is None:
            plan.created.append(Room(tenant=tenant, ring=ring, **_with_zone(Room(), row.values)))
            plan.entries.append(_entry(row, Outcome.CREATED))
        elif changes := _differing(room, row.values):
            plan.changed.append((room, changes))
            plan.entries.append(_entry(row, Outcome.CHANGED, tuple(changes)))
        else:
            plan.entries.append(_entry(row, Outcome.UNCHANGED))
    return plan


def _differing(room: Room, values: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _with_zone(room, values)
    return {name: value for name, value in wanted.items() if getattr(room, name) != value}


def _with_zone(room: Room, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values`, and the time zone of their country where the room had just that of its old one: nobody chose it."""
    country = values.get("country", room.country)
    if country != room.country and room.time_zone == zone_of(room.country):
        return {**values, "time_zone": zone_of(country)}
    return dict(values)


def _entry(row: Row, outcome: Outcome, fields: tuple[str, ...] = ()) -> Entry:
    return Entry(row.number, row.values["resource_account"], row.values["display_name"], outcome, fields)


def _refused(row: Row, problem: Problem) -> Entry:
    return replace(_entry(row, Outcome.REFUSED), problems=(problem,))


# --- All rooms: one set -------------------------------------------------------------------------
def _write(tenant: Tenant, rows: Sequence[Row], by: User, line: Line, watch: Watch) -> list[Entry]:
    """The whole file in the open transaction; the entries of the report."""
    _wait_for_other_imports(tenant)
    newcomers = groups.hold_default(tenant)
    known = _known(tenant, rows, by)
    plan = _plan(tenant, rows, known, may_create=True)
    if plan.changed:  # what is to change is locked, and looked at again: somebody may have been faster
        pks = [room.pk for room, _ in plan.changed]
        locked = Room.objects.select_for_update().filter(pk__in=pks).order_by("pk")
        plan = _plan(tenant, rows, known | {room.resource_account: room for room in locked}, may_create=True)
    done = len(rows) - len(plan.created) - len(plan.changed)
    watch.told(done)
    add_lines(_lines_of(plan, line))
    done = _in_batches(plan.created, lambda some: Room.objects.bulk_create(some), done, watch)
    _in_batches([_changed(room, changes) for room, changes in plan.changed], _overwrite, done, watch)
    if plan.created:
        groups.welcome(newcomers, [room.pk for room in plan.created], by=by)
        counted = Room.objects.filter(tenant=tenant).aggregate(count=Count("pk"))
        Tenant.objects.filter(pk=tenant.pk).update(room_count=counted["count"])
    return plan.entries


def _wait_for_other_imports(tenant: Tenant) -> None:
    """One import into a tenant at a time: two would add the same rooms. Held until commit, and in nobody else's way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK_SPACE, str(tenant.pk)])


def _lines_of(plan: _Plan, line: Line) -> list[Line]:
    """For the log: one line with all that was added, and one for each changed room with before and after.

    So a room's history reads the same whether it was edited on its page or by a file, and values never vanish inside
    the line of a whole import; rooms that were only added have no history yet, their accounts are enough.
    """
    lines = []
    if plan.created:
        accounts = [room.resource_account for room in plan.created]
        lines.append(replace(line, operation=Operation.CREATE, after={"rooms": accounts}))
    for room, changes in plan.changed:
        before = {name: getattr(room, name) for name in changes}
        lines.append(replace(line, object_name=room.display_name, before=before, after=changes))
    return lines


def _in_batches(rooms: list[Room], write: Callable[[list[Room]], Any], done: int, watch: Watch) -> int:
    for start in range(0, len(rooms), BATCH):
        some = rooms[start : start + BATCH]
        write(some)
        done += len(some)
        watch.told(done)
    return done


def _changed(room: Room, changes: Mapping[str, Any]) -> Room:
    for name, value in changes.items():
        setattr(room, name, value)
    room.version += 1
    return room


def _overwrite(rooms: list[Room]) -> None:
    """Write existing rooms by upsert: ten times as fast as `bulk_update`, which makes a CASE for every row and column."""
    Room.objects.bulk_create(
        rooms, update_conflicts=True, unique_fields=["id"], update_fields=[*_WRITTEN, "version", "changed_at"]
    )


# --- Some rooms: one by one ---------------------------------------------------------------------
def _update_each(tenant: Tenant, rows: Sequence[Row], by: User, submit: Submit, watch: Watch) -> list[Entry]:
    """Each changed room through the door; the entries of the report. What fails takes nothing else with it."""
    plan = _plan(tenant, rows, _known(tenant, rows, by), may_create=False)
    changes_of = {room.resource_account: (room, changes) for room, changes in plan.changed}
    entries = []
    for done, entry in enumerate(plan.entries, start=1):
        problem = None
        if entry.outcome == Outcome.CHANGED:
            room, changes = changes_of[entry.account]
            problem = _submit(submit, room, changes, by)
        entries.append(
            entry if problem is None else replace(entry, outcome=Outcome.REFUSED, fields=(), problems=(problem,))
        )
        if done % (BATCH // 10) == 0:
            watch.told(done)
    return entries


def _submit(submit: Submit, room: Room, changes: Mapping[str, Any], by: User) -> Problem | None:
    """Why the change was refused, if it was."""
    plain = {name: str(value) if isinstance(value, Decimal) else value for name, value in changes.items()}
    try:
        submit(Permission.ROOMS_MODIFY, room, by=by, changes=plain, version=room.version)
    except AwaitsApproval:
        return Problem("awaits_approval")
    except (PermissionDenied, Http404):
        return Problem("not_yours")
    except ValidationError:
        return Problem("changed_meanwhile")
    return None
