"""The reports of one large customer: made in bulk, added up by the portal's own run, read by those who see all of it or
a part, and compared with working everything out from the health of the rooms at page load."""

import time
import uuid
from collections.abc import Callable

from django.db import connection, connections, transaction

from benchmarks.data import Kind, _assignment, _partner, _person, _ring_of, _role
from benchmarks.measure import Report, medians
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Tenant
from rooms import reports
from rooms.models import Room
from rooms.reports import Question
from rooms.services import report_sums

DAYS = 90
GOAL_MILLISECONDS = 300
# What one would write without any of it: overlap of each stretch with each day, for all rooms one sees.
NAIVE = """
SELECT day, count(*), count(*) FILTER (WHERE unhealthy > 1200) FROM (
    SELECT p.room_id, d.day, sum(extract(epoch FROM LEAST(COALESCE(p.ended_at, now()), d.day + interval '21 hours')
        - GREATEST(p.began_at, d.day + interval '5 hours'))) FILTER (WHERE p.health = 'unhealthy') AS unhealthy
    FROM rooms_healthperiod p JOIN generate_series(now()::date - 90, now()::date - 1, interval '1 day') d(day)
        ON p.began_at < d.day + interval '21 hours'
        AND COALESCE(p.ended_at, now()) > d.day + interval '5 hours'
    WHERE p.room_id = ANY(%s) GROUP BY p.room_id, d.day
) room_day GROUP BY day ORDER BY day
"""


def make(rooms: int) -> list[Kind]:
    """One customer with `rooms` rooms, 180 days of health, use and tickets; an admin, a partner with 6 %, a tech with 10."""
    tenant = Tenant.objects.create(name="Large", entra_tid=uuid.uuid4(), time_zone="Europe/Berlin", room_count=rooms)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO rooms_room (tenant_id, resource_account, display_name, state, health, country, region, city,
                street, postal_code, campus, building, floor, floor_label, label, capacity, time_zone, phone,
                is_wheelchair_accessible, tags, audio_device, video_device, display_device, host_name,
                serial_number, app_version, os_version, version, ring_id, created_at, changed_at)
            SELECT %s, 'large' || n || '@t.example', 'Room ' || n, 'enrolled',
                (ARRAY['healthy', 'healthy', 'unhealthy', 'unmonitored'])[1 + n %% 4], 'DE', '', 'City ' || n %% 50, '',
                '', '', '', 1, '', '', 8,
                (ARRAY['Europe/Berlin', 'Asia/Tokyo', 'America/New_York', ''])[1 + n %% 4], '', false, '{}',
                '', '', '', '', '', '', '', 1, %s, now(), now()
            FROM generate_series(1, %s) n
            """,
            [tenant.pk, _ring_of(tenant).pk, rooms],
        )
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        _periods(cursor, tenant)
        # 18 million checks of a key that is right would be most of the time.
        cursor.execute("ALTER TABLE rooms_roomday DROP CONSTRAINT roomday_room_of_tenant")
        _days(cursor, tenant)
        cursor.execute(
            "ALTER TABLE rooms_roomday ADD CONSTRAINT roomday_room_of_tenant FOREIGN KEY (room_id, tenant_id)"
            " REFERENCES rooms_room (id, tenant_id) DEFERRABLE INITIALLY DEFERRED NOT VALID"
        )
        _tickets(cursor, tenant)
        cursor.execute("VACUUM (ANALYZE)")
    with transaction.atomic():
        admin, tech = _person(tenant, "report-admin"), _person(tenant, "report-tech")
        _assignment(_role(tenant, BuiltIn.MMR_ADMIN), [admin], None)
        _assignment(_role(tenant, BuiltIn.SITE_LEAD), [tech], 10)
        partner = Tenant.objects.create(name="Report partner", entra_tid=uuid.uuid4())
        ann = _person(partner, "report-partner")
        _partner(tenant, partner, [ann], share=0.06)
    return [Kind("all rooms", admin, tenant), Kind("6 % of the rooms", ann, tenant), Kind("10 rooms", tech, tenant)]


def _periods(cursor: object, tenant: Tenant) -> None:
    """A stretch of trouble every nine days or so, of an hour or two; the rest is well."""
    cursor.execute(  # type: ignore[attr-defined]
        """
        INSERT INTO rooms_healthperiod (tenant_id, room_id, health, began_at, ended_at)
        SELECT r.tenant_id, r.id, k.health, k.began, k.ended
        FROM rooms_room r CROSS JOIN generate_series(0, 9) n
        CROSS JOIN LATERAL (
            SELECT now() - interval '90 days' + n * interval '9 days' + r.id %% 97 * interval '1 hour' AS t
        ) o
        CROSS JOIN LATERAL (VALUES
            (CASE WHEN r.id %% 5 = 0 THEN 'unmonitored' ELSE 'unhealthy' END, o.t, o.t + interval '90 minutes'),
            ('healthy', o.t + interval '90 minutes', CASE WHEN n < 9 THEN o.t + interval '9 days' END)
        ) k(health, began, ended)
        WHERE r.tenant_id = %s AND k.began < now()
        """,
        [tenant.pk],
    )


def _days(cursor: object, tenant: Tenant) -> None:
    """Use of 180 days, health of the 90 before those that the run works out."""
    cursor.execute(  # type: ignore[attr-defined]
        """
        INSERT INTO rooms_roomday (tenant_id, room_id, day, healthy, unhealthy, unmonitored, booked_minutes, calls,
            poor_calls)
        SELECT r.tenant_id, r.id, now()::date - n, CASE WHEN n > 90 THEN 57600 ELSE 0 END, 0, 0, (r.id * n) %% 480,
            (r.id + n) %% 9, (r.id + n) %% 9 / 4
        FROM rooms_room r CROSS JOIN generate_series(1, 180) n WHERE r.tenant_id = %s
        """,
        [tenant.pk],
    )


def _tickets(cursor: object, tenant: Tenant) -> None:
    """A ticket for each room, most of them closed after two days."""
    cursor.execute(  # type: ignore[attr-defined]
        """
        WITH made AS (
            INSERT INTO rooms_ticket (tenant_id, kind, state, severity, title, description, is_high_impact, justification,
                signal_room_id, signal_category, signal_name, opened_by, opened_by_organisation, assigned_upn,
                closing_reason, closing_note, opened_at, touched_at, closed_at, version)
            SELECT r.tenant_id, 'system', CASE WHEN n %% 9 = 0 THEN 'needs_action' ELSE 'closed' END, 'important', 'T', '',
                false, '', r.id, (ARRAY['audio', 'display', 'peripherals', 'connectivity'])[1 + n %% 4], 'signal', 'system',
                '', '', CASE WHEN n %% 9 = 0 THEN '' ELSE 'signal_well' END, '', o.t, o.t,
                CASE WHEN n %% 9 > 0 THEN o.t + interval '2 days' END, 1
            FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM rooms_room WHERE tenant_id = %s) r
            CROSS JOIN LATERAL (SELECT now() - interval '1 hour' * (r.n * 7919 %% 4320) AS t) o
            RETURNING id, tenant_id, signal_room_id, opened_at, closed_at
        ), tied AS (
            INSERT INTO rooms_ticketroom (tenant_id, ticket_id, room_id) SELECT tenant_id, id, signal_room_id FROM made
        )
        INSERT INTO rooms_ticketentry (tenant_id, ticket_id, kind, at, by, organisation, text, detail)
        SELECT tenant_id, id, 'opened', opened_at, 'system', '', '', '{}'::jsonb FROM made
        UNION ALL
        SELECT tenant_id, id, 'closed', closed_at, 'system', '', '', '{}'::jsonb FROM made WHERE closed_at IS NOT NULL
        """,
        [tenant.pk],
    )


def pages(kinds: list[Kind], report: Report) -> None:
    """What a page of reports asks, by each of `kinds`: at most 300 ms, and at most so much of the naive way."""
    for kind in kinds:
        rooms = _rooms_of(kind)
        ours: Callable[[], object] = lambda kind=kind: reports.read(_question(kind))  # noqa: E731
        took = medians({"ours": ours}, rounds=15)["ours"]
        report.add(
            f"reports: {kind.name}, {took * 1000:.0f} ms of {GOAL_MILLISECONDS}", took * 1000 / GOAL_MILLISECONDS, 1
        )
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(NAIVE, [rooms])
            cursor.fetchall()
        naive = time.perf_counter() - began
        report.add(
            f"reports: {kind.name}, against {naive:.2f} s from the stretches",
            took / naive,
            1 if len(rooms) < 50 else 0.5,
        )


def _question(kind: Kind) -> Question:
    held = access.holding(access.rights(kind.user, kind.tenant.pk), Permission.REPORTS_VIEW)
    whole = any(one.covers_tenant for one in held)
    return Question(kind.tenant.pk, DAYS, None if whole else _rooms_of(kind))


def _rooms_of(kind: Kind) -> list[int]:
    own = Room.objects.filter(tenant=kind.tenant)
    return list(access.visible(kind.user, Permission.REPORTS_VIEW, own).values_list("pk", flat=True))


def add_up(kinds: list[Kind], report: Report) -> None:
    """How long the run takes: once with everything to do, then once more for a day that went by."""
    rooms = Room.objects.filter(tenant=kinds[0].tenant).count()
    for name in ("everything", "one hour later"):
        began = time.perf_counter()
        while not report_sums.run():
            pass
        took = time.perf_counter() - began
        report.add(f"reports: {name}, added up in {took:.0f} s; seconds for 1,000 rooms", took * 1000 / rooms, 5)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE rooms_reportroom SET reckoned_at = NULL")
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
