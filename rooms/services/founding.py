"""What every customer has from its first day: three update rings, and the group that new rooms come into."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from rbac.models import Tenant
from rooms.models import RingKey, RoomGroup, UpdateRing

# Order, test period and rollout duration in days; 42 of the 60 days that all rings may take together.
RINGS = (
    (RingKey.STAGING, 1, 7, 7),
    (RingKey.GENERAL, 2, 7, 14),
    (RingKey.EXECUTIVE, 3, 0, 7),
)
NEW_ROOMS = gettext_noop("New rooms")


def set_up(tenant: Tenant) -> None:
    """`tenant`, which is just being founded, has its rings and its default group; a second time changes nothing."""
    if not UpdateRing.objects.filter(tenant=tenant).exists():
        UpdateRing.objects.bulk_create(
            UpdateRing(
                tenant=tenant,
                key=key,
                order=order,
                name=key.value,
                is_default=key is RingKey.GENERAL,
                test_days=test_days,
                rollout_days=rollout_days,
            )
            for key, order, test_days, rollout_days in RINGS
        )
    with override(tenant.language):
        name = _(NEW_ROOMS)
    if not RoomGroup.objects.filter(tenant=tenant, is_default=True).exists():
        RoomGroup.objects.create(tenant=tenant, name=name, is_default=True)
