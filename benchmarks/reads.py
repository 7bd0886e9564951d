"""Lists, decisions and the matrix of a page, against the same questions in plain SQL and in guardian's own way."""

from itertools import cycle
from typing import Any

from django.db import connection
from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import get_objects_for_user

from benchmarks.data import Kind
from benchmarks.measure import Report, geometric_mean, medians
from rbac import access
from rbac.catalogue import Permission
from rooms.models import Room

COLUMNS = ("id", "display_name", "city", "building", "state", "health", "tenant_id")
_SELECT = ", ".join(f"r.{column}" for column in COLUMNS)

# The plain way: join everything that a decision has to look at, leave the plan to PostgreSQL.
RAW_JOIN = f"""
SELECT {_SELECT} FROM rooms_room r WHERE r.tenant_id = %(tenant)s AND (r.id IN (
    SELECT g.content_object_id FROM rbac_assignmentmember m JOIN rbac_assignment a ON a.id = m.assignment_id
    JOIN rbac_role ro ON ro.id = a.role_id AND 'rooms.view' = ANY(ro.permissions)
    LEFT JOIN rbac_delegation d ON d.id = ro.delegation_id
    JOIN rooms_roomgrantrow g ON g.group_id = a.group_id AND g.permission_id = %(permission)s
    WHERE m.user_id = %(user)s AND (d.id IS NULL OR d.state = 'active')
) OR EXISTS (SELECT 1 FROM rbac_assignmentmember m JOIN rbac_assignment a ON a.id = m.assignment_id AND a.all_rooms
    JOIN rbac_role ro ON ro.id = a.role_id AND 'rooms.view' = ANY(ro.permissions)
    WHERE m.user_id = %(user)s AND a.tenant_id = r.tenant_id))
ORDER BY r.display_name, r.id LIMIT 50
"""

RAW_DECISION = """
SELECT EXISTS (SELECT 1 FROM rbac_assignmentmember m JOIN rbac_assignment a ON a.id = m.assignment_id
    JOIN rbac_role ro ON ro.id = a.role_id AND 'rooms.modify' = ANY(ro.permissions)
    LEFT JOIN rbac_delegation d ON d.id = ro.delegation_id
    JOIN rooms_roomgrantrow g ON g.group_id = a.group_id AND g.permission_id = %s AND g.content_object_id = %s
    WHERE m.user_id = %s AND (d.id IS NULL OR d.state = 'active'))
"""


def run(query: str, parameters: Any) -> list[tuple[Any, ...]]:
    """All rows of a plain statement."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def ours(kind: Kind) -> list[tuple[Any, ...]]:
    """The first page of the room list, as the page asks for it."""
    held = access.rights(kind.user, kind.tenant.pk)
    rooms = access.visible(kind.user, Permission.ROOMS_VIEW, Room.objects.filter(tenant=kind.tenant), held)
    return list(rooms.order_by("display_name", "id").values_list(*COLUMNS)[:50])


def raw(kind: Kind) -> list[tuple[Any, ...]]:
    """The same page by the plain join."""
    permission = access.row_id(Permission.ROOMS_VIEW)
    return run(RAW_JOIN, {"user": kind.user.pk, "tenant": kind.tenant.pk, "permission": permission})


def guardians(kind: Kind) -> list[tuple[Any, ...]]:
    """The same page by guardian's list function, as documented (blind to all_rooms, so measured where rows exist)."""
    rooms = get_objects_for_user(kind.user, "rooms.rooms_view", Room, accept_global_perms=False)
    return list(rooms.filter(tenant=kind.tenant).order_by("display_name", "id").values_list(*COLUMNS)[:50])


def lists(kinds: list[Kind], report: Report) -> None:
    """P1: the room list of seven kinds of people against the plain join."""
    ratios, stock = [], []
    for kind in kinds:
        assert ours(kind) == raw(kind), kind.name
        variants = {"ours": lambda k=kind: ours(k), "raw": lambda k=kind: raw(k)}
        has_rows = "all rooms" not in kind.name
        if has_rows:
            assert guardians(kind) == raw(kind), kind.name
            variants["guardian"] = lambda k=kind: guardians(k)
        times = medians(variants, 60)
        ratios.append(times["ours"] / times["raw"])
        if has_rows:
            stock.append(times["guardian"] / times["raw"])
        print(f"     {kind.name:40} " + "  ".join(f"{name} {value * 1e3:.2f} ms" for name, value in times.items()))
    report.add("P1 room list, geometric mean of 7 people, against the plain join", geometric_mean(ratios), 0.5, "0.33")
    print(f"     guardian's list function: {geometric_mean(stock):.2f} x")


def decisions(kinds: list[Kind], report: Report) -> None:
    """P4: may he modify this room? Against one EXISTS in plain SQL."""
    rooms = {kind.name: Room.objects.filter(tenant=kind.tenant)[:20] for kind in kinds}
    cases = [(kind.user, room) for kind in kinds if kind.name != kinds[2].name for room in rooms[kind.name]]
    permission = access.row_id(Permission.ROOMS_MODIFY)
    for user, room in cases:
        plain = run(RAW_DECISION, [permission, room.pk, user.pk])[0][0]
        assert access.can(user, Permission.ROOMS_MODIFY, room) == plain
    turns = {name: cycle(cases) for name in ("ours", "raw", "guardian")}

    def ask_us() -> bool:
        return access.can(*_asked(next(turns["ours"])))

    def ask_raw() -> bool:
        user, room = next(turns["raw"])
        return bool(run(RAW_DECISION, [permission, room.pk, user.pk])[0][0])

    def ask_guardian() -> bool:
        user, room = next(turns["guardian"])
        return ObjectPermissionChecker(user).has_perm("rooms_modify", room)

    times = medians({"ours": ask_us, "raw": ask_raw, "guardian": ask_guardian}, 240)
    report.add("P4 single decision against EXISTS", times["ours"] / times["raw"], 2.2, "2.0")
    print(f"     guardian's checker: {times['guardian'] / times['raw']:.2f} x")


def _asked(case: tuple[Any, Room]) -> tuple[Any, Permission, Room]:
    return case[0], Permission.ROOMS_MODIFY, case[1]


def matrix(kinds: list[Kind], report: Report) -> None:
    """P5: which permissions on each of the 50 rooms of a page, against the page itself in plain SQL."""
    kind = kinds[4]
    rooms = list(
        access.visible(kind.user, Permission.ROOMS_VIEW, Room.objects.filter(tenant=kind.tenant)).order_by(
            "display_name", "id"
        )[:50]
    )
    held = access.rights(kind.user, kind.tenant.pk)
    ids = [room.pk for room in rooms]
    groups = [one.group_id for one in held]
    query = (
        "SELECT content_object_id, array_agg(DISTINCT permission_id) FROM rooms_roomgrantrow"
        " WHERE content_object_id = ANY(%s) AND group_id = ANY(%s) GROUP BY 1"
    )

    def by_guardian() -> list[bool]:
        checker = ObjectPermissionChecker(kind.user)
        checker.prefetch_perms(rooms)
        return [checker.has_perm("rooms_modify", room) for room in rooms]

    times = medians(
        {
            "ours": lambda: access.permissions_on(kind.user, rooms, held),
            "raw": lambda: run(query, [ids, groups]),
            "guardian": by_guardian,
        },
        100,
    )
    report.add("P5 row actions of a 50-room page against array_agg", times["ours"] / times["raw"], 2.0, "1.0–1.8")
    print(f"     guardian's prefetch: {times['guardian'] / times['raw']:.2f} x")
