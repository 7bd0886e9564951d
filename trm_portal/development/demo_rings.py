"""The demo's update rings: two releases, and at Tailwind rollouts in every state.

Through the services; the only thing here that none of them does is letting time pass.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import F

from audit.clock import now
from rbac.models import Tenant, User
from rooms.models import MONITORED, Release, Rollout, Room, RoomState, RoomUpdate, UpdateRing
from rooms.services import releases, rollout_clock, rollout_control, rollouts, update_rings
from rooms.services.rollouts import MOST_ATTEMPTS

OLD, CURRENT, NEW = "5.1.98.0", "5.2.115.0", "5.3.112.0"
NOTES = {
    CURRENT: "Faster start of meetings, fewer echoes in large rooms.",
    NEW: "New layout for hybrid meetings. Fixes the display that stayed dark after the night.",
}
FAILURES = ("There is not enough space on the device.", "The download was interrupted.", "")


def fill(tenant: Tenant, admin: User) -> None:
    """Rings with rooms in `tenant`, an old release that is through, and a newer one that is on its way."""
    _devices_run(tenant, OLD)
    rooms = list(Room.objects.filter(tenant=tenant).order_by("city", "display_name"))
    ring = {one.key: one for one in UpdateRing.objects.filter(tenant=tenant)}
    boards = update_rings.create(tenant, "Boardrooms", by=admin, test_days=0, rollout_days=3)
    update_rings.modify(boards, by=admin, changes={"order": 2, "description": "Never on the day of a board meeting."})
    update_rings.move_rooms(ring["staging"], by=admin, rooms=_ids(rooms[:3]))
    update_rings.move_rooms(ring["executive"], by=admin, rooms=_ids(rooms[3:7]))

    old = _publish(tenant, CURRENT, weeks=9)
    _begin(old, "staging", "general", "")  # Boardrooms is empty at that time: nothing to do there
    _report(old, "staging", lambda number: True)
    _report(old, "general", lambda number: number % 9 != 4)
    _fail(old, "general")
    _finish()

    update_rings.move_rooms(boards, by=admin, rooms=_ids(rooms[7:12]))
    _devices_run(tenant, CURRENT, _ids(rooms[7:12]))
    new = _publish(tenant, NEW, weeks=4)
    _begin(new, "staging", "", "general")
    _report(new, "staging", lambda number: True)
    _report(new, "", lambda number: number < 2)
    _report(new, "general", lambda number: number % 2 == 0)
    _fail(new, "general", most=2)
    _finish()
    rollout_control.pause(_rollout(new, ""), by=admin)


def _devices_run(tenant: Tenant, version: str, rooms: Iterable[int] | None = None) -> None:
    """As if the devices of the rooms had enrolled and reported `version`."""
    found = Room.objects.filter(tenant=tenant)
    found = found if rooms is None else found.filter(pk__in=rooms)
    found.filter(state=RoomState.ONBOARDING).update(state=RoomState.ENROLLED)
    found.update(app_version=version)


def _publish(tenant: Tenant, version: str, *, weeks: int) -> Release:
    """`version` was published `weeks` ago."""
    release = releases.publish(version, by=None, notes=NOTES[version])
    rollout_clock.schedule(tenant.pk)
    ago = timedelta(weeks=weeks)
    Release.objects.filter(pk=release.pk).update(published_at=F("published_at") - ago)
    Rollout.objects.filter(release=release).update(
        starts_on=F("starts_on") - ago, ends_on=F("ends_on") - ago, state_changed_at=F("state_changed_at") - ago
    )
    release.refresh_from_db()
    return release


def _rollout(release: Release, key: str) -> Rollout:
    return Rollout.objects.select_related("ring", "release", "tenant").get(release=release, ring__key=key)


def _begin(release: Release, *keys: str) -> None:
    for key in keys:
        rollout_clock.begin(_rollout(release, key).pk)


def _report(release: Release, key: str, has_it: Callable[[int], bool]) -> None:
    """The devices of some rooms report that they have the version."""
    for number, update in enumerate(_updates(release, key)):
        if has_it(number):
            rollouts.note_report(update.room, app_version=release.version)
            _devices_run(update.tenant, release.version, [update.room_id])


def _fail(release: Release, key: str, most: int = 100) -> None:
    """The devices that have not reported the version (at most so many) fail in every night they get."""
    some = [one for one in _updates(release, key) if one.state != "done"][:most]
    for _night in range(MOST_ATTEMPTS):
        RoomUpdate.objects.filter(pk__in=[one.pk for one in some]).update(
            starts_at=now() - timedelta(hours=1), ends_at=now() + timedelta(hours=4)
        )
        rollout_clock.offer_due()
        for number, update in enumerate(some):
            why = FAILURES[number % len(FAILURES)] or "The device went offline."
            rollouts.note_report(update.room, app_version=update.room.app_version, failure=why)


def _updates(release: Release, key: str) -> list[RoomUpdate]:
    found = RoomUpdate.objects.filter(rollout__release=release, rollout__ring__key=key, room__state__in=MONITORED)
    return list(found.select_related("room__tenant", "tenant").order_by("room__display_name"))


def _finish() -> None:
    for rollout_id in rollout_clock.settled():
        rollout_clock.finish(rollout_id)


def _ids(rooms: Iterable[Room]) -> list[int]:
    return [room.pk for room in rooms]
