"""System tickets: one for each room and signal, opened, followed and closed as the device says; worked out in sets.

A signal that is not well has a ticket while its room is enrolled. A ticket that was closed is reopened, never repeated,
once its signal has turned bad again: one that was closed for silence stays closed until then. During a suppression
nothing is opened, but what becomes well is closed.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from audit import outbox
from audit.clock import now
from audit.context import Line
from audit.log import SYSTEM, add_lines
from audit.models import Category, Operation
from rooms.models import (
    ActivityKind,
    ClosingReason,
    EntryKind,
    Room,
    RoomActivity,
    Ticket,
    TicketEntry,
    TicketKind,
    TicketRoom,
    TicketState,
)
from rooms.parcels import CLOSED, OPENED, system_notice
from rooms.services.ticket_history import tell_of

# What has to be done: for each signal that is not well, and for each open ticket whose signal is.
_DUE = """
SELECT r.tenant_id, r.id AS room_id, s.category, s.name, s.severity, t.id AS ticket_id, t.state, t.severity AS had,
    CASE WHEN t.id IS NULL THEN 'open' WHEN t.state = 'closed' THEN 'reopen' ELSE 'severity' END AS step
FROM rooms_room r JOIN rooms_healthsignal s ON s.room_id = r.id AND NOT s.is_ok
LEFT JOIN rooms_ticket t ON t.kind = 'system' AND t.signal_room_id = r.id
    AND t.signal_category = s.category AND t.signal_name = s.name
WHERE r.id = ANY(%(rooms)s)
    AND (r.state = 'enrolled' OR r.state = 'suppressed' AND r.suppressed_until <= trm_now())
    AND (t.id IS NULL OR CASE WHEN t.state = 'closed' THEN s.since > t.closed_at ELSE t.severity <> s.severity END)
UNION ALL
SELECT t.tenant_id, t.signal_room_id, t.signal_category, t.signal_name, t.severity, t.id, t.state, t.severity, 'close'
FROM rooms_ticket t LEFT JOIN rooms_healthsignal s ON s.room_id = t.signal_room_id
    AND s.category = t.signal_category AND s.name = t.signal_name
WHERE t.kind = 'system' AND t.signal_room_id = ANY(%(rooms)s) AND t.state <> 'closed' AND s.is_ok IS NOT FALSE
ORDER BY room_id, ticket_id, category, name
"""


@dataclass(frozen=True)
class _Step:
    """What has to be done about one signal."""

    tenant_id: UUID
    room_id: int
    category: str
    name: str
    severity: str
    ticket_id: int | None
    state: str | None
    had: str | None
    step: str


def catch_up(rooms: Collection[int]) -> None:
    """The tickets of `rooms` (ids) are what the signals say; a step of a change that makes rooms watched again.

    Runs in the caller's recording and holds the rooms, in order of their ids; `health.settle` comes afterwards.
    """
    list(Room.objects.filter(pk__in=rooms).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    follow(rooms)


def follow(rooms: Collection[int]) -> None:
    """As `catch_up`, for rooms that are held already; one query if there is nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"rooms": sorted(rooms)})
        due: dict[str, list[_Step]] = defaultdict(list)
        for row in cursor.fetchall():
            due[row[-1]].append(_Step(*row))
    if not due:
        return
    reopened, graded, closed = (_held(due[step]) for step in ("reopen", "severity", "close"))
    at = now()
    _open(due["open"], at)
    _reopen(reopened, at)
    _grade(graded, at)
    _close(closed, at, ClosingReason.SIGNAL_WELL)


def close_for(rooms: Collection[int], reason: ClosingReason) -> int:
    """The open system tickets of `rooms` (ids) are closed for `reason`; how many. A step: the caller holds the rooms."""
    tickets = Ticket.objects.filter(kind=TicketKind.SYSTEM, signal_room__in=rooms).exclude(state=TicketState.CLOSED)
    steps = [
        _Step(one.tenant_id, one.signal_room_id or 0, "", one.title, one.severity, one.pk, one.state, one.severity, "")
        for one in tickets.order_by("pk")
    ]
    held = _held(steps)
    _close(held, now(), reason)
    return len(held)


def _held(steps: Sequence[_Step]) -> list[_Step]:
    """Those of `steps` whose tickets are still in the state that was found, held until the transaction ends."""
    if not steps:
        return []
    found = Ticket.objects.filter(pk__in=[pk for _, pk in _known(steps)]).order_by("pk")
    states = dict(found.select_for_update(no_key=True).values_list("pk", "state"))
    return [step for step in steps if states.get(step.ticket_id or 0) == step.state]


def _open(steps: Sequence[_Step], at: datetime) -> None:
    if not steps:
        return
    tickets = Ticket.objects.bulk_create(
        Ticket(
            tenant_id=step.tenant_id,
            kind=TicketKind.SYSTEM,
            severity=step.severity,
            title=step.name,
            signal_room_id=step.room_id,
            signal_category=step.category,
            signal_name=step.name,
            opened_by=SYSTEM,
            opened_at=at,
            touched_at=at,
        )
        for step in steps
    )
    TicketRoom.objects.bulk_create(
        TicketRoom(tenant_id=step.tenant_id, ticket=one, room_id=step.room_id)
        for step, one in zip(steps, tickets, strict=True)
    )
    pairs = [(step, one.pk) for step, one in zip(steps, tickets, strict=True)]
    _tell(pairs, EntryKind.OPENED, at, lambda step: {"severity": step.severity, "high_impact": False})
    _note(pairs, at, "opened")
    outbox.leave_all(system_notice(OPENED, pk, step.tenant_id) for step, pk in pairs)
    add_lines(_line(step, pk, Operation.CREATE, after={"severity": step.severity}) for step, pk in pairs)


def _reopen(steps: Sequence[_Step], at: datetime) -> None:
    for severity, same in _by_severity(steps).items():
        _set(
            same,
            at,
            state=TicketState.NEEDS_ACTION,
            severity=severity,
            closed_at=None,
            closing_reason="",
            closing_note="",
        )
    pairs = _known(steps)
    if pairs:
        outbox.leave_all(system_notice(OPENED, pk, step.tenant_id) for step, pk in pairs)
    _tell(pairs, EntryKind.REOPENED, at, lambda step: {"from": step.state, "to": TicketState.NEEDS_ACTION.value})
    _note(pairs, at, "reopened")
    after = {"state": TicketState.NEEDS_ACTION.value}
    add_lines(_line(step, pk, Operation.UPDATE, {"state": step.state}, after) for step, pk in pairs)


def _grade(steps: Sequence[_Step], at: datetime) -> None:
    """The severity of an open ticket is its signal's."""
    for severity, same in _by_severity(steps).items():
        _set(same, at, severity=severity)
    pairs = _known(steps)
    _tell(pairs, EntryKind.STATE, at, lambda step: {"severity_from": step.had, "severity_to": step.severity})
    add_lines(
        _line(step, pk, Operation.UPDATE, {"severity": step.had}, {"severity": step.severity}) for step, pk in pairs
    )


def _close(steps: Sequence[_Step], at: datetime, reason: ClosingReason) -> None:
    if not steps:
        return
    _set(steps, at, state=TicketState.CLOSED, closed_at=at, closing_reason=reason)
    pairs = _known(steps)
    _tell(pairs, EntryKind.CLOSED, at, lambda step: {"reason": reason.value})
    _note(pairs, at, "closed")
    outbox.leave_all(system_notice(CLOSED, pk, step.tenant_id) for step, pk in pairs)
    after = {"state": TicketState.CLOSED.value, "reason": reason.value}
    add_lines(_line(step, pk, Operation.UPDATE, {"state": step.state}, after) for step, pk in pairs)


def _by_severity(steps: Sequence[_Step]) -> dict[str, list[_Step]]:
    found: dict[str, list[_Step]] = defaultdict(list)
    for step in steps:
        found[step.severity].append(step)
    return found


def _known(steps: Sequence[_Step]) -> list[tuple[_Step, int]]:
    return [(step, step.ticket_id) for step in steps if step.ticket_id is not None]


def _set(steps: Sequence[_Step], at: datetime, **fields: Any) -> None:
    pks = [pk for _, pk in _known(steps)]
    Ticket.objects.filter(pk__in=pks).update(touched_at=at, version=F("version") + 1, **fields)


def _tell(pairs: Sequence[tuple[_Step, int]], kind: EntryKind, at: datetime, detail: Any) -> None:
    """A line in the history of each ticket, which tools hear of."""
    if pairs:
        tell_of(kind, [(step.tenant_id, pk) for step, pk in pairs])
        TicketEntry.objects.bulk_create(
            TicketEntry(tenant_id=step.tenant_id, ticket_id=pk, kind=kind, at=at, by=SYSTEM, detail=detail(step))
            for step, pk in pairs
        )


def _note(pairs: Sequence[tuple[_Step, int]], at: datetime, event: str) -> None:
    """A line in the history of each room."""
    if pairs:
        RoomActivity.objects.bulk_create(
            RoomActivity(
                tenant_id=step.tenant_id,
                room_id=step.room_id,
                at=at,
                kind=ActivityKind.INCIDENT,
                detail={"ticket": pk, "event": event, "title": step.name},
            )
            for step, pk in pairs
        )


def _line(step: _Step, pk: int, operation: Operation, before: Any = None, after: Any = None) -> Line:
    return Line(
        Category.TICKET,
        operation,
        f"#{pk} {step.name}"[:300],
        step.tenant_id,
        user_id=SYSTEM,
        user_tenant_id=None,
        before=before,
        after=after,
    )
