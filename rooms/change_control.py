"""The one door for controlled changes: pages, API, bulk actions and imports all call `submit`.

The customer's own people go straight through to the service. A partner's change meets the customer's policy for the
event: *auto* does it now; *manual* is refused by the policy service until approval requests exist, so a manual policy
found here stops the change.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model

from rbac import access
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Tenant, User
from rooms.errors import ManualNotOffered
from rooms.models import ControlMode
from rooms.services import attachments, monitoring, policies, roles, rollout_control, rooms, tickets, update_rings

# What a controlled event can be, and the service that carries it out: `service(target, by=…, **params)`. Parameters are
# plain JSON values, so that a change can wait for its approval.
_SERVICES: dict[tuple[Permission, str], Callable[..., Any]] = {
    (Permission.ROOMS_MODIFY, "modify"): rooms.modify,
    (Permission.ROOMS_MODIFY, "enroll"): monitoring.enroll,
    (Permission.ROOMS_MODIFY, "suppress"): monitoring.suppress,
    (Permission.ROOMS_MODIFY, "unsuppress"): monitoring.unsuppress,
    (Permission.RINGS_MODIFY, "modify"): update_rings.modify,
    (Permission.RINGS_MODIFY, "delete"): update_rings.delete,
    (Permission.RINGS_MODIFY, "move_rooms"): update_rings.move_rooms,
    (Permission.RINGS_MODIFY, "pause"): rollout_control.pause,
    (Permission.RINGS_MODIFY, "resume"): rollout_control.resume,
    (Permission.RINGS_MODIFY, "retry"): rollout_control.retry,
    (Permission.RINGS_MODIFY, "force"): rollout_control.force,
    (Permission.TICKETS_CREATE_INCIDENT, "report"): tickets.report,
    (Permission.TICKETS_UPDATE, "write"): tickets.write,
    (Permission.TICKETS_UPDATE, "attach"): attachments.attach,
    (Permission.TICKETS_UPDATE, "assign"): tickets.assign,
    (Permission.TICKETS_UPDATE, "change_state"): tickets.change_state,
    (Permission.TICKETS_UPDATE, "close"): tickets.close,
    (Permission.ROLES_MODIFY, "create"): roles.create,
    (Permission.ROLES_MODIFY, "modify"): roles.modify,
    (Permission.ROLES_MODIFY, "delete"): roles.delete,
    (Permission.ROLES_MODIFY, "assign"): roles.assign,
    (Permission.ROLES_MODIFY, "modify_assignment"): roles.modify_assignment,
    (Permission.ROLES_MODIFY, "delete_assignment"): roles.delete_assignment,
    (Permission.ROLES_MODIFY, "members"): roles.change_members,
    (Permission.ROLES_MODIFY, "scope"): roles.change_scope,
}


def submit(event: Permission, target: Model, *, by: User, action: str = "modify", **params: Any) -> Any:
    """`target` is changed by the service of `event` and `action` if the customer's policy lets it happen now; its answer.

    Raises what the service raises (it asks for the permission itself) and ManualNotOffered.
    """
    assert event in CONTROLLED_EVENTS
    service = _SERVICES[event, action]
    for delegation_id in _delegations(by, event, target):
        if policies.mode_of(delegation_id, event) is not ControlMode.AUTO:
            raise ManualNotOffered
    return service(target, by=by, **params)


def _delegations(by: User, event: Permission, target: Any) -> set[Any]:
    """The delegations through which `by` may do this; none for the customer's own people."""
    tenant_id = target.pk if isinstance(target, Tenant) else target.tenant_id
    if by.tenant_id == tenant_id:
        return set()
    held = access.holding(access.rights(by, tenant_id), event)
    return {one.delegation_id for one in held if one.delegation_id is not None}
