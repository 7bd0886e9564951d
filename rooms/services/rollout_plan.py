"""Which rollouts a tenant has of the newest release, and on which days: scheduled once, planned anew with every change
of a ring. Steps of changes that hold the tenant (`rollouts.hold`)."""

from collections.abc import Sequence

from audit.clock import now
from rbac.models import Tenant
from rooms.models import (
    LIVE_ROLLOUTS,
    Release,
    Rollout,
    RolloutState,
    RoomUpdate,
    UpdateRing,
)
from rooms.nights import RingDays, Span, plan, zone_of
from rooms.services import releases, room_updates


def replan(tenant: Tenant, *, anew: Rollout | None = None) -> None:
    """The rollouts of the newest release that have not begun have the days that the rings of `tenant` give them now;
    so has `anew`, even if the day it had is over."""
    release = releases.newest()
    if release is None:
        return
    rollouts = list(Rollout.objects.filter(tenant=tenant, release=release))
    spans = _spans(tenant, release, [rollout for rollout in rollouts if rollout != anew])
    for rollout in rollouts:
        span = spans[rollout.ring_id]
        if (rollout.starts_on, rollout.ends_on) != (span.starts_on, span.ends_on):
            rollout.starts_on, rollout.ends_on = span.starts_on, span.ends_on
            rollout.save(update_fields=["starts_on", "ends_on"])


def schedule(tenant: Tenant, release: Release) -> list[Rollout]:
    """Every ring of `tenant` has its rollout of `release`; those that were made now."""
    existing = list(Rollout.objects.filter(tenant=tenant, release=release))
    spans = _spans(tenant, release, existing)
    lacking = set(spans) - {rollout.ring_id for rollout in existing}
    return Rollout.objects.bulk_create(
        [
            Rollout(
                tenant=tenant,
                ring_id=ring_id,
                release=release,
                starts_on=spans[ring_id].starts_on,
                ends_on=spans[ring_id].ends_on,
                state_changed_at=now(),
            )
            for ring_id in spans
            if ring_id in lacking
        ]
    )


def deprecate_older(tenant: Tenant, release: Release) -> list[Rollout]:
    """Rollouts of older releases that have not come to their end are deprecated; those that were made so now."""
    older = list(
        Rollout.objects.filter(tenant=tenant, release__order__lt=release.order, state__in=LIVE_ROLLOUTS)
        .select_related("release", "ring")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    for rollout in older:
        move(rollout, RolloutState.DEPRECATED)
    room_updates.end_open(RoomUpdate.objects.filter(rollout__in=older))
    return older


def move(rollout: Rollout, state: RolloutState) -> None:
    """`rollout` is in `state` from now on."""
    rollout.state = state
    rollout.version += 1
    rollout.state_changed_at = now()
    rollout.save(update_fields=["state", "version", "state_changed_at"])


def _spans(tenant: Tenant, release: Release, rollouts: Sequence[Rollout]) -> dict[int, Span]:
    zone = zone_of("", tenant.time_zone)
    today = now().astimezone(zone).date()
    rings = UpdateRing.objects.filter(tenant=tenant).order_by("order")
    return plan(
        release.published_at.astimezone(zone).date(),
        today,
        [RingDays(ring.pk, ring.rollout_days, ring.test_days) for ring in rings],
        {
            one.ring_id: Span(one.starts_on, one.ends_on)
            for one in rollouts
            if one.state != RolloutState.SCHEDULED or one.starts_on <= today
        },
    )
