"""Rollouts go on by the database's clock: scheduled, begun, a night at a time, finished.

Each step may run twice at once and at any time: it looks at the row again under the tenant's lock, or takes only rows
that nobody else holds. What happens to a rollout leaves its line in the log; what happens to a single room is
measurement and stands in the room's own history.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit import outbox
from audit.clock import Now, now
from audit.context import Line
from audit.log import recording
from audit.models import Category, Operation
from rbac.models import TenantStatus
from rooms.models import (
    MONITORED,
    OPEN_UPDATES,
    ActivityKind,
    Rollout,
    RolloutState,
    Room,
    RoomUpdate,
    RoomUpdateState,
    UpdateRing,
)
from rooms.operation_emails import rollout_notice
from rooms.services import activity, releases, rollout_plan, rollouts, room_updates
from rooms.services.rollouts import MOST_ATTEMPTS

BATCH = 5000  # rows in one transaction
# Nowhere does a day begin earlier than this before it begins in UTC.
_EAST = timedelta(hours=14)
_ENDED_WELL = (RolloutState.COMPLETED, RolloutState.COMPLETED_WITH_FAILURES, RolloutState.NOT_REQUIRED)


def unscheduled() -> list[UUID]:
    """The tenants with a ring that has no rollout of the newest release."""
    release = releases.newest()
    if release is None:
        return []
    has_one = Exists(Rollout.objects.filter(ring=OuterRef("pk"), release=release))
    rings = UpdateRing.objects.exclude(has_one).exclude(tenant__status=TenantStatus.CLOSED)
    return list(rings.order_by("tenant").values_list("tenant", flat=True).distinct())


def schedule(tenant_id: UUID) -> None:
    """Every ring of the tenant has its rollout of the newest release, and older ones that have not ended are deprecated."""
    release = releases.newest()
    if release is None:
        return
    name = f"release {release.version}"
    with recording(Category.RING, Operation.CREATE, name, tenant=tenant_id, by=None) as line:
        tenant = rollouts.hold(tenant_id)
        older = rollout_plan.deprecate_older(tenant, release)
        made = rollout_plan.schedule(tenant, release)
        line.is_void = not (older or made)
        line.after = {
            "scheduled": {str(one.ring_id): one.starts_on.isoformat() for one in made},
            "deprecated": [str(one) for one in older],
        }


def due() -> list[int]:
    """The rollouts (ids) whose day has begun for at least one of their rooms."""
    waiting = Rollout.objects.filter(state=RolloutState.SCHEDULED, starts_on__lte=(now() + _EAST).date())
    found = list(waiting.select_related("tenant").order_by("starts_on", "pk"))
    nights, at = room_updates.first_nights(found) if found else {}, now()
    return [rollout.pk for rollout in found if nights[rollout.pk] <= at]


def begin(rollout_id: int) -> None:
    """The rollout is in progress and its rooms have their nights; or it is not required, since none lacks the version."""
    with _at(rollout_id, RolloutState.SCHEDULED) as (rollout, line):
        if rollout is not None:
            number = room_updates.begin(rollout)
            rollout_plan.move(rollout, RolloutState.IN_PROGRESS if number else RolloutState.NOT_REQUIRED)
            line.after = {"state": rollout.state, "rooms": number}


def offer_due() -> int:
    """Every room whose night has begun is marked so; how many were."""
    waiting = RoomUpdate.objects.filter(
        state=RoomUpdateState.WAITING, starts_at__lte=Now(), rollout__state=RolloutState.IN_PROGRESS
    )
    return sum(
        RoomUpdate.objects.filter(pk__in=some).update(state=RoomUpdateState.OFFERED, changed_at=Now())
        for some in _claimed(waiting)
    )


def end_nights() -> int:
    """Every night that passed without success has cost its room an attempt; how many there were.

    The next night is another, until MOST_ATTEMPTS: then the update has failed.
    """
    count = 0
    missed = RoomUpdate.objects.filter(
        state=RoomUpdateState.OFFERED, ends_at__lte=Now(), rollout__state=RolloutState.IN_PROGRESS
    )
    for some in _claimed(missed):
        claimed = RoomUpdate.objects.filter(pk__in=some)
        _fail(claimed.filter(attempts__gte=MOST_ATTEMPTS - 1))
        for attempts in range(MOST_ATTEMPTS - 1):
            again = claimed.filter(state=RoomUpdateState.OFFERED, attempts=attempts)
            room_updates.wait_for_next_night(again, attempts=attempts + 1)
        count += len(some)
    return count


def _fail(updates: QuerySet[RoomUpdate]) -> None:
    rooms: dict[str, list[Room]] = {}
    for update in updates.select_related("rollout__release"):
        room = Room(pk=update.room_id, tenant_id=update.tenant_id)
        rooms.setdefault(update.rollout.release.version, []).append(room)
    updates.update(state=RoomUpdateState.FAILED, attempts=MOST_ATTEMPTS, changed_at=Now())
    for version, some in rooms.items():
        activity.note(some, ActivityKind.UPDATE_FAILED, by=None, version=version, failure="")


def let_go() -> int:
    """Rooms that are not monitored any more have no open update; how many had one."""
    gone = RoomUpdate.objects.filter(state__in=OPEN_UPDATES).exclude(room__state__in=MONITORED)
    return sum(room_updates.end_open(RoomUpdate.objects.filter(pk__in=some)) for some in _claimed(gone))


def settled() -> list[int]:
    """The rollouts (ids) in which nothing is open any more, or in which every failure was made good."""
    open_ones = RoomUpdate.objects.filter(rollout=OuterRef("pk"), state__in=OPEN_UPDATES)
    failed = RoomUpdate.objects.filter(rollout=OuterRef("pk"), state=RoomUpdateState.FAILED)
    made_good = Q(state=RolloutState.COMPLETED_WITH_FAILURES, release=releases.newest()) & ~Exists(failed)
    found = Rollout.objects.filter(Q(state=RolloutState.IN_PROGRESS) & ~Exists(open_ones) | made_good)
    return list(found.order_by("pk").values_list("pk", flat=True))


def finish(rollout_id: int) -> None:
    """The rollout is completed, with failures if there are any."""
    with _at(rollout_id, RolloutState.IN_PROGRESS, RolloutState.COMPLETED_WITH_FAILURES) as (rollout, line):
        if rollout is None:
            return
        states = set(rollout.rooms.values_list("state", flat=True).distinct())
        has_failed = RoomUpdateState.FAILED in states
        state = RolloutState.COMPLETED_WITH_FAILURES if has_failed else RolloutState.COMPLETED
        line.is_void = state == rollout.state or bool(states & set(OPEN_UPDATES))
        if not line.is_void:
            rollout_plan.move(rollout, state)
            line.after = {"state": state.value}
            if has_failed:
                outbox.leave(rollout_notice(rollout))


def late_rings() -> list[int]:
    """The begun rollouts (ids) of the newest release whose ring has a room that lacks the version and has no part yet."""
    release = releases.newest()
    if release is None:
        return []
    here = RoomUpdate.objects.filter(room=OuterRef("pk"), rollout__ring=OuterRef("ring"), rollout__release=release)
    takes_part = here.exclude(state=RoomUpdateState.ENDED)
    late = room_updates.behind(release).filter(ring=OuterRef("ring")).exclude(Exists(takes_part))
    begun = Rollout.objects.filter(release=release, state__in=(RolloutState.IN_PROGRESS, *_ENDED_WELL))
    return list(begun.filter(Exists(late)).order_by("pk").values_list("pk", flat=True))


def take_in_late(rollout_id: int) -> None:
    """Rooms that came into the ring, or into the service, after the rollout began take part in it."""
    with _at(rollout_id, RolloutState.IN_PROGRESS, *_ENDED_WELL) as (rollout, line):
        if rollout is not None:
            number = take_in(rollout)
            line.is_void = number == 0
            line.after = {"state": rollout.state, "rooms": number}


def take_in(rollout: Rollout, rooms: list[int] | None = None) -> int:
    """As room_updates.take_in; a rollout that was at its end is in progress again."""
    number = room_updates.take_in(rollout, rooms)
    if number and rollout.state in _ENDED_WELL:
        rollout_plan.move(rollout, RolloutState.IN_PROGRESS)
    return number


@contextmanager
def _at(rollout_id: int, *states: RolloutState) -> Iterator[tuple[Rollout | None, Line]]:
    """The rollout, held with its tenant, if it still is in one of `states`; with the line that its change leaves."""
    found = Rollout.objects.select_related("ring", "release", "tenant").get(pk=rollout_id)
    with recording(Category.RING, Operation.UPDATE, str(found), tenant=found.tenant_id, by=None) as line:
        rollouts.hold(found.tenant_id)
        current = Rollout.objects.select_related("ring", "release", "tenant").filter(pk=rollout_id, state__in=states)
        rollout = current.select_for_update(of=("self",), no_key=True).first()
        line.is_void = rollout is None
        yield rollout, line


def _claimed(updates: QuerySet[RoomUpdate]) -> Iterator[list[int]]:
    """The ids of `updates`, some at a time, each in a transaction that lasts while it is used. What somebody else
    holds, the room itself included (its device is just reporting), is left for the next time."""
    last = 0
    while True:
        with transaction.atomic():
            rows = updates.filter(pk__gt=last).order_by("pk").select_related("room").only("pk", "room__id")
            rows = rows.select_for_update(of=("self", "room"), no_key=True, skip_locked=True)
            some = [row.pk for row in rows[:BATCH]]
            if not some:
                return
            yield some
        last = some[-1]
