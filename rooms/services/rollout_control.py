"""What people do to a rollout: pause, resume, retry what has failed, force.

Who is responsible for all rooms of the ring acts on the rollout as a whole; who is responsible for some of them acts on
those alone, and the rollout goes on.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from audit.clock import Now, now
from audit.context import Line
from audit.log import recording
from audit.models import Category, Operation
from rbac.access import can, require, rights, visible
from rbac.catalogue import Permission
from rbac.models import User
from rbac.precondition import meet
from rooms.errors import NothingToUpdate, RingPaused, RolloutNotRunning, StaleRing
from rooms.models import (
    MONITORED,
    OPEN_UPDATES,
    ActivityKind,
    Rollout,
    RolloutState,
    Room,
    RoomUpdate,
    RoomUpdateState,
)
from rooms.services import activity, releases, rollout_plan, rollouts, room_updates

FORCED_FOR = timedelta(hours=5)  # as long as a night


@dataclass
class _Hand:
    """A person's hand on a rollout: all of it, or the rooms he is responsible for."""

    rollout: Rollout
    is_whole: bool
    updates: QuerySet[RoomUpdate]
    line: Line

    def in_states(self, *states: RoomUpdateState) -> QuerySet[RoomUpdate]:
        return self.updates.filter(state__in=states)


def pause(rollout: Rollout, *, by: User, version: int | None = None) -> Rollout:
    """Devices are told nothing until it is resumed: of the whole ring, or of the rooms `by` is responsible for.

    Raises PermissionDenied if he is responsible for none, RolloutNotRunning unless it is scheduled (the whole ring only)
    or in progress, NothingToUpdate if none of his rooms has anything ahead, StaleRing, Http404.
    """
    with _hand_on(rollout, by, version, "pause") as hand:
        current = hand.rollout
        running = (RolloutState.IN_PROGRESS, RolloutState.SCHEDULED) if hand.is_whole else (RolloutState.IN_PROGRESS,)
        _require_state(current, *running)
        number = hand.in_states(RoomUpdateState.WAITING, RoomUpdateState.OFFERED).update(
            state=RoomUpdateState.PAUSED, changed_at=Now()
        )
        if hand.is_whole:
            rollout_plan.move(current, RolloutState.PAUSED)
        else:
            _require_some(number)
        hand.line.after |= {"state": current.state, "rooms": number}
    return current


def resume(rollout: Rollout, *, by: User, version: int | None = None) -> Rollout:
    """What was paused goes on with the next night: the whole ring, or the rooms `by` is responsible for.

    A rollout that was paused before it began is scheduled again, on a day that lies ahead. Raises PermissionDenied,
    RingPaused if the whole ring is paused and he is responsible for some of its rooms only, RolloutNotRunning,
    NothingToUpdate, StaleRing, Http404.
    """
    with _hand_on(rollout, by, version, "resume") as hand:
        current = hand.rollout
        if current.state == RolloutState.PAUSED and not hand.is_whole:
            raise RingPaused
        _require_state(current, RolloutState.PAUSED, RolloutState.IN_PROGRESS)
        number = room_updates.wait_for_next_night(hand.in_states(RoomUpdateState.PAUSED))
        if current.state == RolloutState.IN_PROGRESS:
            _require_some(number)
        elif current.rooms.exists():
            rollout_plan.move(current, RolloutState.IN_PROGRESS)
        else:
            rollout_plan.move(current, RolloutState.SCHEDULED)
            rollout_plan.replan(current.tenant, anew=current)
        hand.line.after |= {"state": current.state, "rooms": number}
    return current


def retry(rollout: Rollout, *, by: User, version: int | None = None) -> Rollout:
    """Every failed room that `by` is responsible for tries again, from the next night on, as often as at first.

    Raises PermissionDenied, RolloutNotRunning (also if a newer release has taken its place), NothingToUpdate if none of
    his rooms has failed, StaleRing, Http404.
    """
    with _hand_on(rollout, by, version, "retry") as hand:
        _require_current(hand.rollout)
        failed = hand.in_states(RoomUpdateState.FAILED).filter(room__state__in=MONITORED)
        number = room_updates.wait_for_next_night(failed, attempts=0, failure="")
        _require_some(number)
        _go_on(hand.rollout)
        hand.line.after |= {"state": hand.rollout.state, "rooms": number}
    return hand.rollout


def force(rollout: Rollout, *, by: User, rooms: Collection[int] | None = None, version: int | None = None) -> Rollout:
    """The devices of `rooms` (ids; all that `by` is responsible for, if none are given) are told to install at once,
    for FORCED_FOR; his name stands in the log and with each room.

    Only rooms that have not got the version, paused and failed ones too. Raises PermissionDenied, also for a room that
    is not his; RolloutNotRunning, NothingToUpdate, StaleRing, Http404.
    """
    with _hand_on(rollout, by, version, "force") as hand:
        _require_current(hand.rollout)
        wanted = hand.in_states(*OPEN_UPDATES, RoomUpdateState.FAILED).filter(room__state__in=MONITORED)
        if rooms is not None:
            wanted = wanted.filter(room__in=rooms)
            _require_rooms(hand.rollout, rooms, by)
        forced = list(Room.objects.filter(updates__in=wanted).order_by("pk"))
        _require_some(len(forced))
        at = now()
        wanted.update(
            state=RoomUpdateState.OFFERED,
            starts_at=at,
            ends_at=at + FORCED_FOR,
            attempts=0,
            failure="",
            forced_by=by.upn,
            changed_at=at,
        )
        activity.note(forced, ActivityKind.UPDATE_FORCED, by=by, version=hand.rollout.release.version)
        _go_on(hand.rollout)
        hand.line.after |= {"state": hand.rollout.state, "rooms": [room.pk for room in forced]}
    return hand.rollout


@contextmanager
def _hand_on(rollout: Rollout, by: User, version: int | None, action: str) -> Iterator[_Hand]:
    """The rollout as it is now, held with its tenant and the rooms of its ring, as far as `by` may change it.

    Raises PermissionDenied if he is responsible for none of its rooms, StaleRing, Http404 if it is gone.
    """
    name = f"{rollout.release} → {rollout.ring.label}"
    with recording(Category.RING, Operation.UPDATE, name, tenant=rollout.tenant_id, by=by) as line:
        if not Rollout.objects.filter(pk=rollout.pk).exists():
            raise Http404
        require(by, Permission.RINGS_VIEW, rollout.ring)
        rollouts.hold(rollout.tenant_id)
        found = Rollout.objects.select_related("ring", "release", "tenant").filter(pk=rollout.pk)
        current = found.select_for_update(of=("self",), no_key=True).first()
        if current is None:
            raise Http404
        held = rights(by, current.tenant_id)
        is_whole = can(by, Permission.RINGS_MODIFY, current.ring, held)
        own = visible(by, Permission.RINGS_MODIFY, Room.objects.filter(ring=current.ring_id), held)
        if not is_whole and not own.exists():
            raise PermissionDenied
        meet(current)
        if version is not None and current.version != version:
            raise StaleRing
        updates = RoomUpdate.objects.filter(rollout=current, room__ring=current.ring_id)
        updates = updates if is_whole else updates.filter(room__in=own)
        list(Room.objects.filter(updates__in=updates).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        line.before = {"state": current.state}
        line.after = {"action": action, "whole": is_whole}
        yield _Hand(current, is_whole, updates, line)


def _require_rooms(rollout: Rollout, rooms: Collection[int], by: User) -> None:
    """Pass if each of `rooms` is in the ring and for `by` to update. Raises PermissionDenied."""
    own = Room.objects.filter(ring=rollout.ring_id, pk__in=rooms)
    if visible(by, Permission.RINGS_MODIFY, own).count() != len(set(rooms)):
        raise PermissionDenied


def _require_state(rollout: Rollout, *states: RolloutState) -> None:
    if rollout.state not in states:
        raise RolloutNotRunning


def _require_current(rollout: Rollout) -> None:
    _require_state(rollout, RolloutState.IN_PROGRESS, RolloutState.COMPLETED_WITH_FAILURES)
    if rollout.release != releases.newest():
        raise RolloutNotRunning


def _require_some(number: int) -> None:
    if not number:
        raise NothingToUpdate


def _go_on(rollout: Rollout) -> None:
    if rollout.state == RolloutState.COMPLETED_WITH_FAILURES:
        rollout_plan.move(rollout, RolloutState.IN_PROGRESS)
