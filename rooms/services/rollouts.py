"""What a rollout means for a room: what its device is told, what becomes of what it reports, when it leaves.

Steps of larger changes: they run in the caller's transaction, which has asked and locked the rooms. What devices report
is measurement and leaves no line in the audit log; the room's own history tells of it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet

from audit.clock import Now, now
from rbac.models import Tenant
from rooms.models import (
    MONITORED,
    OPEN_UPDATES,
    ActivityKind,
    RolloutState,
    Room,
    RoomUpdate,
    RoomUpdateState,
    UpdateRing,
)
from rooms.nights import next_night, zone_of
from rooms.services import activity
from rooms.versions import order_of

# A night without success counts as one attempt; after this many the update has failed, until somebody retries it.
MOST_ATTEMPTS = 3
# What may still happen to a room: also a failed one can report the version after all.
_UNSETTLED = (*OPEN_UPDATES, RoomUpdateState.FAILED)
_BEGUN = (RolloutState.IN_PROGRESS, RolloutState.PAUSED, RolloutState.COMPLETED_WITH_FAILURES)


@dataclass(frozen=True)
class Target:
    """What a room's device is told. Without a version there is nothing to install, at most a night that lies ahead."""

    ring: UpdateRing
    target_version: str | None = None
    # The night in which it installs; from its start on the version is named.
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    # Whether this is the time: install at once.
    now: bool = False


def target_of(room: Room) -> Target:
    """What the device of `room` is told at this moment, by the database's clock.

    While its rollout, or its part in it, is paused, or after it has failed, the device is told to do nothing. Rooms that
    are not monitored take no part.
    """
    open_to_device = (RoomUpdateState.WAITING, RoomUpdateState.OFFERED)
    found = (
        RoomUpdate.objects.filter(
            room=room, state__in=open_to_device, rollout__state=RolloutState.IN_PROGRESS, room__state__in=MONITORED
        )
        .annotate(version_told=F("rollout__release__version"), asked_at=Now())
        .order_by("-rollout__release__order")
        .first()
    )
    if found is None:
        return Target(room.ring)
    has_begun = found.starts_at <= found.asked_at
    return Target(
        room.ring,
        found.version_told if has_begun else None,
        found.starts_at,
        found.ends_at,
        has_begun and found.asked_at < found.ends_at,
    )


def note_report(room: Room, *, app_version: str, failure: str = "") -> None:
    """The device of `room` runs `app_version`, and its open updates know; `failure` says why it could not install.

    An update whose version is reached is done. A failure in its night costs one attempt: the next night is another,
    until MOST_ATTEMPTS; outside its night it changes nothing. One query if nothing is open.
    """
    found = (
        RoomUpdate.objects.filter(room=room, state__in=_UNSETTLED, rollout__state__in=_BEGUN)
        .select_for_update(of=("self",), no_key=True)
        .select_related("rollout__release")
        .order_by("pk")
    )
    for update in found:
        release = update.rollout.release
        if order_of(app_version) >= release.order:
            update.state, update.failure = RoomUpdateState.DONE, ""
            activity.note([room], ActivityKind.UPDATED, by=None, version=release.version)
        elif failure and update.state == RoomUpdateState.OFFERED:
            _miss(update, room, failure)
        else:
            continue
        update.changed_at = now()
        update.save(update_fields=["state", "failure", "attempts", "starts_at", "ends_at", "changed_at"])


def _miss(update: RoomUpdate, room: Room, failure: str) -> None:
    """One attempt less: the next night, or none."""
    update.attempts += 1
    update.failure = failure[:200]
    if update.attempts < MOST_ATTEMPTS:
        night = next_night(now(), zone_of(room.time_zone, room.tenant.time_zone))
        update.state, update.starts_at, update.ends_at = RoomUpdateState.WAITING, night.starts_at, night.ends_at
    else:
        update.state = RoomUpdateState.FAILED
        version = update.rollout.release.version
        activity.note([room], ActivityKind.UPDATE_FAILED, by=None, version=version, failure=update.failure)


def leave(rooms: Collection[int]) -> int:
    """`rooms` (ids) have nothing open any more: they go to another ring, or out of the service. How many had something.

    What has failed is no longer theirs to retry either, unless the rollout is over for good.
    """
    return open_in(rooms).update(state=RoomUpdateState.ENDED, changed_at=Now())


def open_in(rooms: Collection[int]) -> QuerySet[RoomUpdate]:
    """What `leave` would end."""
    return RoomUpdate.objects.filter(room__in=rooms, state__in=_UNSETTLED, rollout__state__in=_BEGUN)


def hold(tenant_id: UUID) -> Tenant:
    """The tenant, held until the transaction ends: its rings and rollouts change one change at a time."""
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
