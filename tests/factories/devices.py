"""Devices as the services make them: a customer's key, a device enrolled with it, what it reports."""

from typing import Any

from django.test import Client

from rooms.models import Device, Room, RoomState
from rooms.services import enrolments, keys, telemetry
from rooms.services.enrolments import Introduction
from rooms.services.telemetry import Report, Signal
from tests.factories.world import Customer


def key_of(customer: Customer) -> str:
    """The secret of the customer's current key; a first one is issued if there is none."""
    if not customer.tenant.enrollment_keys.exists():
        keys.reset(customer.tenant, by=customer.admin)
    current = customer.tenant.enrollment_keys.get(stops_at=None)
    return keys._read(current)


def introduction(account: str, **said: str) -> Introduction:
    """What the device of `account` says of itself."""
    fields = {"host_name": "MTR-1", "serial_number": "S-1", "app_version": "5.0.0", "os_version": "11"}
    return Introduction(resource_account=account, **fields | said)


def enroll(customer: Customer, room: Room, *, is_monitored: bool = True) -> tuple[Device, str]:
    """The device of `room` and its token; the room is enrolled afterwards, unless it is to stay as it is."""
    made = enrolments.enroll(key_of(customer), introduction(room.resource_account))
    if is_monitored:
        Room.objects.filter(pk=room.pk).update(state=RoomState.ENROLLED)
    return made


def bad(name: str = "Camera", severity: str = "critical", category: str = "peripherals") -> Signal:
    """A signal that is not well."""
    return Signal(category, name, severity, is_ok=False)


def well(name: str = "Camera", severity: str = "critical", category: str = "peripherals") -> Signal:
    """The same signal when it is."""
    return Signal(category, name, severity, is_ok=True)


def report(device: Device, *signals: Signal, version: str = "5.0.0", **said: Any) -> None:
    """The device reports `signals`."""
    telemetry.record(device, Report(signals, app_version=version, os_version="11", **said))


class Agent:
    """A device that speaks HTTP."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else None)

    def enroll(self, key: str, account: str, **said: Any) -> Any:
        body = {
            "key": key,
            "resource_account": account,
            "host_name": "MTR-1",
            "serial_number": "S-1",
            "app_version": "5.0.0",
            "os_version": "11",
        }
        return self.client.post("/api/agent/v1/enroll", body | said, content_type="application/json")

    def report(self, *signals: Signal, **said: Any) -> Any:
        body = {
            "signals": [
                {"category": one.category, "name": one.name, "severity": one.severity, "ok": one.is_ok}
                for one in signals
            ],
            "app_version": "5.0.0",
            "os_version": "11",
        }
        return self.client.post("/api/agent/v1/telemetry", body | said, content_type="application/json")

    def desired(self) -> Any:
        return self.client.get("/api/agent/v1/desired")
