"""Whether a room is monitored: enrol, suppress for maintenance, lift that again, unenrol.

A suppression that has an end is over at that second: whoever asks for the state of a room asks for `state_now`, and the
periodic job only writes down what has been true since.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from audit.clock import now
from audit.context import Line
from audit.log import add_lines, recording
from audit.models import Category, Operation
from rbac.access import require
from rbac.catalogue import Permission
from rbac.models import User
from rbac.precondition import meet
from rooms.errors import StateForbids, SuppressionOutOfRange
from rooms.models import ActivityKind, Room, RoomState
from rooms.services import activity, health, system_tickets, unenrolment
from rooms.states import ROOM
from rooms.values import is_readable

LONGEST_SUPPRESSION = timedelta(days=90)
LONGEST_REASON = 200  # characters
BATCH = 1_000


def enroll(room: Room, *, by: User) -> Room:
    """The room is enrolled: it is watched and reported on, and unmonitored until its device reports.

    A room that is enrolled or suppressed already stays as it is. Raises PermissionDenied if `by` may not modify it,
    Http404 if it is gone.
    """
    with _recording(room, by) as line:
        require(by, Permission.ROOMS_MODIFY, room)
        current = _hold(room, line)
        if current.state in (RoomState.ENROLLED, RoomState.SUPPRESSED):
            line.is_void = True
            return current
        current.last_seen_at = None  # what an earlier enrolment was told says nothing of this one
        _set(current, RoomState.ENROLLED, line)
        system_tickets.catch_up([current.pk])
        _tell([current], ActivityKind.ENROLLED, by)
    return current


def suppress(room: Room, *, by: User, until: datetime | str | None = None, reason: str = "") -> Room:
    """The room is in maintenance: no alerts, no history, until `until` (None: until somebody lifts it).

    Suppressed already, it has the new end. `until` may be ISO 8601 text with a time zone. Raises PermissionDenied if
    `by` may not modify the room, StateForbids if it is not monitored, SuppressionOutOfRange if `until` is not within the
    next 90 days by the database's clock, ValidationError for a reason of more than 200 characters, Http404 if the room is
    gone.
    """
    with _recording(room, by) as line:
        require(by, Permission.ROOMS_MODIFY, room)
        current = _hold(room, line)
        if RoomState.SUPPRESSED not in ROOM[RoomState(current.state)]:
            raise StateForbids
        end, reason = _end_of(until), _fit(reason)
        current.suppressed_until = end
        _set(current, RoomState.SUPPRESSED, line, reason=reason)
        told = end.isoformat() if end is not None else None
        _tell([current], ActivityKind.SUPPRESSED, by, until=told, reason=reason)
    return current


def unsuppress(room: Room, *, by: User) -> Room:
    """The room is watched again; one that is enrolled stays as it is.

    Raises PermissionDenied if `by` may not modify it, StateForbids if it is not monitored, Http404 if it is gone.
    """
    with _recording(room, by) as line:
        require(by, Permission.ROOMS_MODIFY, room)
        current = _hold(room, line)
        if current.state == RoomState.ENROLLED:
            line.is_void = True
            return current
        if current.state != RoomState.SUPPRESSED:
            raise StateForbids
        _set(current, RoomState.ENROLLED, line)
        system_tickets.catch_up([current.pk])
        _tell([current], ActivityKind.UNSUPPRESSED, by)
    return current


def unenroll(room: Room, *, by: User) -> Room:
    """The room is not monitored any more: its system tickets are closed, its device's token opens nothing, its updates
    are over. It stays in the inventory and can be enrolled again; unenrolled already, it stays as it is.

    Never a partner's: the permission is above their ceiling. Raises PermissionDenied if `by` may not unenrol it,
    StateForbids if it never was enrolled, Http404 if it is gone.
    """
    with _recording(room, by) as line:
        require(by, Permission.ROOMS_UNENROLL, room)
        current = _hold(room, line)
        if current.state == RoomState.UNENROLLED:
            line.is_void = True
            return current
        if RoomState.UNENROLLED not in ROOM[RoomState(current.state)]:
            raise StateForbids
        current.last_seen_at = None
        _set(current, RoomState.UNENROLLED, line)
        gone = unenrolment.leave(current)
        line.after |= {name: number for name, number in gone.items() if number}
        if gone["devices"]:
            activity.note([current], ActivityKind.DEVICE_REVOKED, by=by)
        _tell([current], ActivityKind.UNENROLLED, by)
    return current


def end_due() -> int:
    """Suppressions that are over are lifted, in sets, a line each in log and activity; how many rooms."""
    return sum(_end_of_tenant(tenant) for tenant in set(Room.objects.due().values_list("tenant", flat=True)))


def _end_of_tenant(tenant: UUID) -> int:
    ended = 0
    while rooms := list(Room.objects.due().filter(tenant=tenant).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with recording(Category.ROOM, Operation.UPDATE, "", tenant=tenant, by=None) as line:
            ended += _end_some(rooms, line)
    return ended


def _end_some(pks: Collection[int], line: Line) -> int:
    """A step of `end_due`: those of the rooms that are still due, held, enrolled again."""
    line.is_void = True  # each room has its own
    due = list(Room.objects.due().filter(pk__in=pks).order_by("pk").select_for_update(no_key=True))
    add_lines(
        replace(
            line,
            object_name=room.display_name,
            before={"state": RoomState.SUPPRESSED.value, "suppressed_until": room.suppressed_until},
            after={"state": RoomState.ENROLLED.value, "suppressed_until": None},
            is_void=False,
        )
        for room in due
    )
    Room.objects.filter(pk__in=[room.pk for room in due]).update(
        state=RoomState.ENROLLED, suppressed_until=None, version=F("version") + 1, changed_at=now()
    )
    system_tickets.catch_up([room.pk for room in due])
    _tell(due, ActivityKind.UNSUPPRESSED, None)
    return len(due)


def _recording(room: Room, by: User) -> AbstractContextManager[Line]:
    return recording(Category.ROOM, Operation.UPDATE, room.display_name, tenant=room.tenant_id, by=by)


def _hold(room: Room, line: Line) -> Room:
    """The room, held until the transaction ends, in the state that is true now. Raises Http404 if it is gone."""
    current = Room.objects.select_for_update().filter(pk=room.pk).first()
    if current is None:
        raise Http404
    meet(current)
    line.before = {"state": current.state, "suppressed_until": current.suppressed_until}
    if current.is_over(now()):
        current.state, current.suppressed_until = RoomState.ENROLLED, None
    return current


def _set(room: Room, state: RoomState, line: Line, **also: Any) -> None:
    room.state = state
    if state != RoomState.SUPPRESSED:
        room.suppressed_until = None
    room.version += 1
    room.save(update_fields=["state", "suppressed_until", "last_seen_at", "version", "changed_at"])
    line.after = {"state": room.state, "suppressed_until": room.suppressed_until} | {
        name: value for name, value in also.items() if value
    }


def _tell(rooms: Collection[Room], kind: ActivityKind, by: User | None, **detail: Any) -> None:
    activity.note(rooms, kind, by=by, **detail)
    changed = health.settle([room.pk for room in rooms])
    for room in rooms:
        if room.pk in changed:
            room.refresh_from_db(fields=["health"])


def _fit(reason: str) -> str:
    """The reason without blanks around it. Raises ValidationError if it is too long or cannot be read."""
    fit = reason.strip()
    if len(fit) > LONGEST_REASON or not is_readable(fit):
        text = _("Enter at most %(limit)s characters that can be read.")
        raise ValidationError({"reason": ValidationError(text, code="invalid", params={"limit": LONGEST_REASON})})
    return fit


def _end_of(until: datetime | str | None) -> datetime | None:
    """The end as a moment. Raises SuppressionOutOfRange."""
    if until is None or until == "":
        return None
    try:
        end = parse_datetime(until) if isinstance(until, str) else until
    except ValueError:
        end = None
    if end is None or end.tzinfo is None:
        raise SuppressionOutOfRange
    present = now()
    if not present < end <= present + LONGEST_SUPPRESSION:
        raise SuppressionOutOfRange
    return end
