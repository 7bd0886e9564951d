"""The demo's change control: Tailwind reads what Fabrikam does to rooms and roles first, and has decided some of it."""

from typing import Any

from rbac.catalogue import Permission
from rbac.models import Delegation, Role, User
from rooms import change_control
from rooms.errors import AwaitsApproval
from rooms.justifications import because
from rooms.models import ApprovalRequest, ControlMode, Room
from rooms.services import approvals, policies, rooms

_LABEL = "Fabrikam AV Services"


def fill(admin: User, helper: User, delegation: Delegation) -> None:
    """`helper`, who works for `admin`'s tenant through `delegation`, has asked for changes; one is left in each state."""
    modes = {Permission.ROOMS_MODIFY: ControlMode.MANUAL, Permission.ROLES_MODIFY: ControlMode.MANUAL}
    policies.change(delegation, modes, by=admin, label=_LABEL)
    reached = Room.objects.filter(tenant=admin.tenant, city="Zurich").order_by("display_name", "pk")
    done, refused, withdrawn, stale, *waiting = list(reached[:6])

    asked = _room(helper, done, "The room seats more since the new table came.", capacity=14)
    change_control.approve(asked, by=admin, comment="Thank you, that is what we count, too.")
    asked = _room(helper, refused, "Easier to find in the list.", display_name="Boardroom")
    approvals.reject(asked, by=admin, comment="Names follow our floor plan: please keep building, floor and number.")
    approvals.withdraw(_room(helper, withdrawn, "", floor=7), by=helper)
    asked = _room(helper, stale, "Moved with the team.", floor=3)
    rooms.modify(stale, by=admin, changes={"campus": "North"})
    change_control.approve(asked, by=admin)

    for room, why in zip(waiting, ("The projector gave way to a screen.", ""), strict=False):
        _room(helper, room, why, tags=["screen", "projector removed"])
    role = Role.objects.filter(delegation=delegation, key="").order_by("pk").first()
    if role is not None:
        _ask(Permission.ROLES_MODIFY, helper, role, "Our own people call it that.", name="Vienna help desk")


def _room(helper: User, room: Room, why: str, **changes: Any) -> ApprovalRequest:
    return _ask(Permission.ROOMS_MODIFY, helper, room, why, changes=changes)


def _ask(event: Permission, helper: User, target: Room | Role, why: str, **params: Any) -> ApprovalRequest:
    current = Room.objects.get(pk=target.pk) if isinstance(target, Room) else Role.objects.get(pk=target.pk)
    try:
        with because(why):
            change_control.submit(event, current, by=helper, version=current.version, **params)
    except AwaitsApproval as waits:
        asked: ApprovalRequest = waits.request
        return asked
    raise AssertionError("the change was made at once")
