"""P2 and P3: the room list against the physical limit, over tables of different sizes, and deep inside."""

from django.db import connections

from benchmarks.data import Kind
from benchmarks.measure import Report, geometric_mean, medians
from benchmarks.reads import COLUMNS, ours, run
from rbac import access
from rbac.catalogue import Permission
from rbac.paging import page
from rooms.models import Room

# People who see ten rooms, however many there are.
SAME_AT_ANY_SIZE = ("site tech, 10 rooms", "partner admin, 10 rooms")

# Nobody's design: a row for each person and room, sorted by name already.
_FLAT = """
CREATE TABLE IF NOT EXISTS benchmark_flat (user_id bigint, tenant_id uuid, display_name text, room_id bigint);
TRUNCATE benchmark_flat;
"""
_FLAT_INDEX = """
CREATE INDEX IF NOT EXISTS benchmark_flat_by_name ON benchmark_flat (user_id, tenant_id, display_name, room_id);
"""
_LIMIT = f"""
SELECT {", ".join(f"r.{column}" for column in COLUMNS)} FROM (
    SELECT room_id, display_name FROM benchmark_flat WHERE user_id = %s AND tenant_id = %s
    ORDER BY display_name, room_id LIMIT 50
) f JOIN rooms_room r ON r.id = f.room_id ORDER BY r.display_name, r.id
"""


def limit(kinds: list[Kind], report: Report) -> None:
    """P2: the first page against the flat table."""
    _fill_flat(kinds)
    ratios = []
    for kind in kinds:
        flat = [kind.user.pk, kind.tenant.pk]
        assert run(_LIMIT, flat) == ours(kind), kind.name
        times = medians({"ours": lambda k=kind: ours(k), "flat": lambda f=flat: run(_LIMIT, f)}, 60)
        ratios.append(times["ours"] / times["flat"])
        print(f"     {kind.name:40} {times['ours'] * 1e3:.2f} ms, limit {times['flat'] * 1e3:.2f} ms")
    report.add("P2 room list, geometric mean of 7 people, against the limit", geometric_mean(ratios), 3.0, "2.5–2.7")


def _fill_flat(kinds: list[Kind]) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(_FLAT)
        for kind in kinds:
            rooms = access.visible(kind.user, Permission.ROOMS_VIEW, Room.objects.filter(tenant=kind.tenant))
            query, parameters = rooms.values("pk").query.sql_with_params()
            cursor.execute(
                "INSERT INTO benchmark_flat SELECT %s, tenant_id, display_name, id FROM rooms_room"
                f" WHERE id IN ({query})",
                [kind.user.pk, *parameters],
            )
        cursor.execute(_FLAT_INDEX)
        cursor.execute("VACUUM (ANALYZE) benchmark_flat")


def small_lists(kinds: list[Kind]) -> float:
    """Seconds for the list of people who see ten rooms; compared between sizes."""
    chosen = [kind for kind in kinds if kind.name in SAME_AT_ANY_SIZE]
    for kind in chosen:
        assert len(ours(kind)) == 10, kind.name
    times = medians({kind.name: lambda k=kind: ours(k) for kind in chosen}, 200)
    return geometric_mean(times.values())


def depth(kinds: list[Kind], report: Report) -> None:
    """P3: a page deep inside against the first one (keyset)."""
    kind = kinds[2]
    rooms = access.visible(kind.user, Permission.ROOMS_VIEW, Room.objects.filter(tenant=kind.tenant))
    order = ("display_name", "id")
    pages = min(1000, rooms.count() // 50 - 1)
    cursor = None
    for _ in range(pages - 1):
        cursor = page(rooms, order=order, cursor=cursor).next
    begin = (pages - 1) * 50
    assert page(rooms, order=order, cursor=cursor).items == list(rooms.order_by(*order)[begin : begin + 50])
    times = medians(
        {
            "first": lambda: page(rooms, order=order, cursor=None),
            "deep": lambda: page(rooms, order=order, cursor=cursor),
        },
        100,
    )
    report.add(f"P3 page {pages:,} against page 1", times["deep"] / times["first"], 2.5, "1.35–2.05")
