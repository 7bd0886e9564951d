"""The demo's room operations: rooms in maintenance and taken out, filters one keeps, a bulk change."""

from datetime import timedelta

from audit.clock import now
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms import change_control
from rooms.models import BulkAction, Room, RoomState
from rooms.services import bulk, monitoring, saved_filters


def fill(tenant: Tenant, admin: User, helper: User) -> None:
    """`helper` (of a partner) has a room of `tenant` in maintenance; the admin takes one out, and changes some together."""
    rooms = list(Room.objects.filter(tenant=tenant, state=RoomState.ENROLLED).order_by("display_name", "pk"))
    vienna = [room for room in rooms if room.city == "Vienna"]
    if vienna:
        until = now() + timedelta(days=2)
        change_control.submit(
            Permission.ROOMS_MODIFY,
            vienna[0],
            by=helper,
            action="suppress",
            until=until.isoformat(),
            reason="New cameras are being installed",
        )
    berlin = [room for room in rooms if room.city == "Berlin"]
    if berlin:
        monitoring.unenroll(berlin[-1], by=admin)
        picked = [room.pk for room in berlin[:4]]
        said = {"campus": "Spree", "add_tags": ["video"]}
        list(bulk.each(tenant, picked, BulkAction.EDIT, said, by=admin, submit=change_control.submit))
    saved_filters.save(tenant, "Berlin", "city=Berlin", by=admin)
    saved_filters.save(tenant, "In maintenance", "state=suppressed", by=admin)
