"""How a room is and why, for its page and the API: four small queries, one of them for who may see incidents."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rbac import access
from rbac.access import Rights
from rbac.catalogue import Permission
from rbac.models import User
from rooms.models import (
    IMPAIRING,
    OPEN_UPDATES,
    Device,
    HealthPeriod,
    HealthSignal,
    Room,
    RoomUpdate,
    Severity,
    SignalCategory,
    Ticket,
    TicketState,
)


@dataclass(frozen=True)
class Status:
    """What a reader may know of how a room is. `incident` is an open high-impact one, if he may see it."""

    since: datetime | None
    signals: list[HealthSignal]
    has_incident: bool
    incident: Ticket | None
    device: Device | None
    update: RoomUpdate | None

    @property
    def by_category(self) -> list[tuple[str, list[HealthSignal]]]:
        """The signals, those that are not well first within each category."""
        return [
            (str(SignalCategory(category).label), list(some))
            for category, some in groupby(self.signals, key=lambda one: one.category)
        ]

    @property
    def impairing(self) -> list[HealthSignal]:
        """The signals that make the room unhealthy."""
        return [one for one in self.signals if not one.is_ok and one.severity in IMPAIRING]


def status_of(room: Room, reader: User, on_room: Collection[Permission], held: Rights) -> Status:
    """How `room` is, as far as `reader`, who holds `on_room` on it, may know."""
    period = HealthPeriod.objects.filter(room=room, ended_at=None).first()
    order = [category.value for category in SignalCategory]
    worst = [severity.value for severity in Severity]
    signals = sorted(
        HealthSignal.objects.filter(room=room),
        key=lambda one: (order.index(one.category), one.is_ok, worst.index(one.severity), one.name),
    )
    incidents = Ticket.objects.filter(tied_rooms__room=room, is_high_impact=True).exclude(state=TicketState.CLOSED)
    incident = incidents.order_by("pk").first()
    sees = incident is not None and access.can(reader, Permission.TICKETS_VIEW, incident, held)
    update = None
    if Permission.RINGS_VIEW in on_room:
        coming = RoomUpdate.objects.filter(room=room, state__in=OPEN_UPDATES).select_related("rollout__release")
        update = coming.order_by("starts_at", "pk").first()
    return Status(
        since=period.began_at if period is not None else None,
        signals=signals,
        has_incident=incident is not None,
        incident=incident if sees else None,
        device=Device.objects.filter(room=room, revoked_at=None).first(),
        update=update,
    )
