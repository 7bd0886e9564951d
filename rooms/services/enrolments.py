"""A device brings the enrolment key and gets a token of its own: one live device in each room."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import F

from audit.clock import Now, now
from audit.context import Line
from audit.log import recording
from audit.models import Category, Operation
from rbac.models import Tenant
from rooms.errors import DeviceRefused
from rooms.models import (
    ActivityKind,
    Device,
    EnrollmentKey,
    HealthSignal,
    Room,
    RoomGroup,
    RoomState,
    UpdateRing,
)
from rooms.services import activity, groups, keys

PREFIX = "trmd_"


@dataclass(frozen=True)
class Introduction:
    """What a device says of itself and of its room when it enrols."""

    resource_account: str
    host_name: str
    serial_number: str
    app_version: str
    os_version: str
    display_name: str = ""
    time_zone: str = ""


def enroll(secret: str, device: Introduction) -> tuple[Device, str]:
    """The device of the room `resource_account` is this one; the device and its token, which nobody can read again.

    A room that nobody knows yet is there afterwards, in the state onboarding; so is one that was unenrolled. Any other
    keeps its state. The token of the device before opens nothing any more, and what it said of the room is forgotten.
    Raises DeviceRefused if `secret` is no key that enrols at this second.
    """
    key = keys.opened_by(secret).select_related("tenant").first()
    if key is None:
        raise DeviceRefused
    account = device.resource_account
    with recording(Category.ROOM, Operation.UPDATE, account, tenant=key.tenant_id, by=None) as line:
        is_known = Room.objects.filter(tenant=key.tenant_id, resource_account=account).exists()
        newcomers = None if is_known else groups.hold_default(key.tenant)
        keys.hold(key.tenant)
        if not keys.opened_by(secret).exists():  # it was reset while we waited
            raise DeviceRefused
        room = (
            Room.objects.filter(tenant=key.tenant_id, resource_account=account).select_for_update(no_key=True).first()
        )
        room = _add(key.tenant, device, newcomers, line) if room is None else _take_over(room, device, line)
        return _admit(room, key, line)


def revoke(rooms: Collection[int]) -> int:
    """The devices in `rooms` (ids) open nothing any more, from their next request on; how many there were.

    A step of a change that has asked and holds the rooms.
    """
    return Device.objects.filter(room__in=rooms, revoked_at__isnull=True).update(revoked_at=Now())


def _add(tenant: Tenant, device: Introduction, newcomers: RoomGroup | None, line: Line) -> Room:
    """A room that nobody knew."""
    room = Room.objects.create(
        tenant=tenant,
        resource_account=device.resource_account,
        display_name=device.display_name or device.resource_account.partition("@")[0],
        time_zone=device.time_zone,
        ring=UpdateRing.objects.get(tenant=tenant, is_default=True),
        **_said(device),
    )
    groups.welcome(newcomers or groups.hold_default(tenant), [room.pk], by=None)
    Tenant.objects.filter(pk=tenant.pk).update(room_count=F("room_count") + 1)
    activity.note([room], ActivityKind.ADDED, by=None)
    line.operation = Operation.CREATE
    return room


def _take_over(room: Room, device: Introduction, line: Line) -> Room:
    """A room that is known: what the device says of itself is true now, what the inventory says stays."""
    line.before = {"state": room.state}
    for field, value in _said(device).items():
        setattr(room, field, value)
    room.time_zone = room.time_zone or device.time_zone
    if room.state == RoomState.UNENROLLED:
        room.state = RoomState.ONBOARDING
        room.version += 1
    room.save(update_fields=[*_said(device), "time_zone", "state", "version", "changed_at"])
    HealthSignal.objects.filter(room=room).delete()
    if revoke([room.pk]):
        activity.note([room], ActivityKind.DEVICE_REVOKED, by=None)
        line.before["has_device"] = True
    return room


def _admit(room: Room, key: EnrollmentKey, line: Line) -> tuple[Device, str]:
    token = PREFIX + secrets.token_urlsafe(32)
    device = Device.objects.create(
        tenant_id=room.tenant_id,
        room=room,
        token_digest=keys.digest_of(token),
        token_prefix=token[:12],
        key_version=key.version,
        enrolled_at=now(),
    )
    activity.note([room], ActivityKind.DEVICE_ENROLLED, by=None, host_name=room.host_name)
    line.object_name = room.display_name
    line.after = {
        "account": room.resource_account,
        "state": room.state,
        "device": device.token_prefix,
        "host_name": room.host_name,
        "key_version": key.version,
    }
    return device, token


def _said(device: Introduction) -> dict[str, str]:
    return {
        "host_name": device.host_name,
        "serial_number": device.serial_number,
        "app_version": device.app_version,
        "os_version": device.os_version,
    }
