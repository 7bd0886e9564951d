"""Granting, off-boarding and an audited change, against the same in plain SQL."""

import io
import uuid

from django.contrib.auth.models import Group
from django.db import connection

from benchmarks.data import Kind
from benchmarks.measure import Report, medians, undone
from rbac import access, grants
from rbac.catalogue import Permission
from rbac.models import Assignment, AssignmentKey
from rooms.models import Room
from rooms.services import rooms as room_service

MANY = 10_000


def granting(kinds: list[Kind], report: Report) -> None:
    """P6: index rows for 10,000 rooms against COPY of the same rows."""
    assignment = Assignment.objects.select_related("role__delegation").get(
        people=kinds[4].user, tenant=kinds[4].tenant, key=AssignmentKey.INVITED_ADMINS
    )
    rooms = Room.objects.filter(tenant=kinds[4].tenant).order_by("pk")
    ids = list(rooms.values_list("pk", flat=True)[:MANY])
    permissions = grants.permission_rows(assignment)

    def ours() -> None:
        assignment.group_id = Group.objects.create(name=str(uuid.uuid4())).pk
        grants.project_rooms(assignment, Room.objects.filter(pk__in=rooms.values("pk")[:MANY]))

    def copied() -> None:
        group = Group.objects.create(name=str(uuid.uuid4()))
        rows = io.StringIO("".join(f"{group.pk}\t{one}\t{room}\n" for room in ids for one in permissions))
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY rooms_roomgrantrow (group_id, permission_id, content_object_id) FROM STDIN", rows)

    before = assignment.group_id
    ratio = undone(ours) / undone(copied)
    assignment.group_id = before
    report.add(f"P6 grant {len(ids):,} rooms × {len(permissions)} permissions against COPY", ratio, 1.3, "1.14–1.21")


def off_boarding(kinds: list[Kind], report: Report) -> None:
    """P7: withdrawing the rows of a large partner against one DELETE."""
    held = Assignment.objects.filter(people=kinds[4].user, tenant=kinds[4].tenant)
    group = held.get().group_id

    def plain() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM rooms_roomgrantrow WHERE group_id = %s", [group])

    ratio = undone(lambda: grants.withdraw(held, Room)) / undone(plain)
    report.add("P7 withdraw a large partner's rows against DELETE", ratio, 1.3, "1.01–1.10")


def change(kinds: list[Kind], report: Report) -> None:
    """P13: an audited, permission-checked change against the bare UPDATE with commit."""
    user, tenant = kinds[2].user, kinds[2].tenant
    room = access.visible(user, Permission.ROOMS_MODIFY, Room.objects.filter(tenant=tenant))[0]
    turn = iter(range(10**9))

    def audited() -> None:
        room_service.modify(room, by=user, changes={"label": f"label {next(turn)}"})

    def bare() -> None:
        Room.objects.filter(pk=room.pk).update(label=f"label {next(turn)}")

    times = medians({"audited": audited, "bare": bare}, 200)
    report.add(
        "P13 audited, checked change against the bare UPDATE", times["audited"] / times["bare"], 4.0, "not measured"
    )
