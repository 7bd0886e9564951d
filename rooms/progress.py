"""How far rollouts are, over the rooms that the reader sees: counted in one query for any number of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from rooms.models import OPEN_UPDATES, Rollout, Room, RoomUpdate, RoomUpdateState


@dataclass(frozen=True)
class Progress:
    """The rooms of one rollout by their state; those that left it are not counted."""

    counts: dict[str, int] = field(default_factory=dict)
    # When the next of them has its night.
    next_night: datetime | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        return self.counts.get(RoomUpdateState.DONE, 0)

    @property
    def failed(self) -> int:
        return self.counts.get(RoomUpdateState.FAILED, 0)

    @property
    def paused(self) -> int:
        return self.counts.get(RoomUpdateState.PAUSED, 0)

    @property
    def open(self) -> int:
        return sum(self.counts.get(state, 0) for state in OPEN_UPDATES)

    @property
    def running(self) -> int:
        """Rooms that are waiting for their night, or in it."""
        return self.open - self.paused


def of_rollouts(rollouts: Collection[Rollout], rooms: QuerySet[Room]) -> dict[int, Progress]:
    """The progress of each of `rollouts` over `rooms` (those the reader sees), by its id."""
    if not rollouts:
        return {}
    rows: QuerySet[Any, dict[str, Any]] = (
        RoomUpdate.objects.filter(rollout__in=[one.pk for one in rollouts], room__in=rooms)
        .exclude(state=RoomUpdateState.ENDED)
        .values("rollout", "state")
        .annotate(number=Count("pk"), night=Min("starts_at", filter=Q(state=RoomUpdateState.WAITING)))
        .order_by()
    )
    counts: dict[int, dict[str, int]] = {one.pk: {} for one in rollouts}
    nights: dict[int, datetime] = {}
    for row in rows:
        counts[row["rollout"]][row["state"]] = row["number"]
        if row["night"] is not None:
            nights[row["rollout"]] = row["night"]
    return {pk: Progress(found, nights.get(pk)) for pk, found in counts.items()}
