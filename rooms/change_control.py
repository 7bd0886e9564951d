"""The one door for controlled changes: pages, API, bulk actions and imports all call `submit`.

The customer's own people go straight through to the service. A partner's change meets the customer's policy for the
event: *auto* does it now; *manual* rehearses it, undoes it, and leaves a request that the customer decides. Approving
calls the same service in the requester's name, so everything is checked again.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404

from audit import outbox
from audit.log import on_behalf, recording, rehearsal
from audit.models import Category, Operation
from rbac import access, step_up
from rbac.access import require
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import StaleVersion
from rbac.models import Tenant, User
from rbac.precondition import meet
from rbac.services import delegations
from rooms.approval_emails import decided_notice
from rooms.errors import AwaitsApproval, OwnRequest, StillWaiting
from rooms.justifications import because, justification
from rooms.models import ApprovalRequest, ApprovalState, ControlMode
from rooms.services import (
    approvals,
    attachments,
    monitoring,
    policies,
    roles,
    rollout_control,
    rooms,
    tickets,
    update_rings,
)

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


def offers(event: Permission, action: str, service: Callable[..., Any]) -> None:
    """Have `service(target, by=…, **params)` carry out `action` of `event`: the apps above know what this one does not."""
    assert event in CONTROLLED_EVENTS
    _SERVICES[event, action] = service


def submit(event: Permission, target: Model, *, by: User, action: str = "modify", **params: Any) -> Any:
    """`target` is changed by the service of `event` and `action` if the customer's policy lets it happen now; its answer.

    Raises AwaitsApproval once a request for it is on record; StepUpRequired, on record, where the customer asks for more
    first; in either case what the service raises, which asks for the permission itself.
    """
    assert event in CONTROLLED_EVENTS
    service = _SERVICES[event, action]
    held = _held(by, event, target)
    delegation_id = held.delegation_id if held is not None else None
    if held is not None and held.unmet.of(event):
        step_up.refuse(held, event, str(target), by=by)
    if delegation_id is None or policies.mode_of(delegation_id, event) is ControlMode.AUTO:
        return service(target, by=by, **params)
    raise AwaitsApproval(_ask(delegation_id, event, action, target, by, params))


def _held(by: User, event: Permission, target: Any) -> access.Held | None:
    """Through which of a partner's assignments `by` may do this; None for the customer's own, and for whoever may not."""
    tenant_id = _tenant_of(target)
    if by.tenant_id == tenant_id:
        return None
    held = access.holding(access.with_withheld(by, tenant_id), event)
    return next((one for one in held if one.delegation_id is not None), None)


def _tenant_of(target: Any) -> UUID:
    return target.pk if isinstance(target, Tenant) else target.tenant_id


def _ask(
    delegation_id: UUID,
    event: Permission,
    action: str,
    target: Any,
    by: User,
    params: dict[str, Any],
) -> ApprovalRequest:
    """The request, once a rehearsal has shown that the change would work today."""
    tenant_id = _tenant_of(target)
    with recording(
        Category.APPROVAL, Operation.CREATE, str(target), tenant=tenant_id, by=by, relationship_id=delegation_id
    ) as line:
        delegation = delegations.lock(delegation_id)
        with rehearsal() as lines:
            _SERVICES[event, action](target, by=by, **params)
        request = approvals.record(
            delegation, event, action, target, by=by, params=params, lines=lines, justification=justification.get()
        )
        line.after = {"event": event, "action": action, "request": str(request.pk), "changes": request.changes}
    return request


def approve(request: ApprovalRequest, *, by: User, comment: str = "") -> ApprovalRequest:
    """It is done, in the requester's name and with his rights of this moment; or it is on record as failed, and why.

    Exactly once, however many decide at once. Raises PermissionDenied if `by` does not decide for the customer,
    OwnRequest, RequestOver if it was decided before or its time is over.
    """
    with recording(
        Category.APPROVAL,
        Operation.UPDATE,
        request.target_name,
        tenant=request.tenant_id,
        by=by,
        relationship_id=request.delegation_id,
    ) as line:
        current = approvals.hold(request)
        require(by, Permission.SETTINGS_MODIFY, current.tenant)
        meet(current)
        if by.pk == current.requested_by_id:
            raise OwnRequest
        approvals.close(current, ApprovalState.APPROVED, by=by, comment=comment)
        failure = _carry_out(current, by)
        state = ApprovalState.FAILED if failure else ApprovalState.EXECUTED
        approvals.close(current, state, by=by, failure_code=failure)
        outbox.leave(decided_notice(current))
        line.after = {"state": state, "code": failure, "comment": current.comment, "request": str(current.pk)}
    return current


def _carry_out(request: ApprovalRequest, by: User) -> str:
    """The code of what stands against it, or nothing: then it is done. What failed has left nothing behind."""
    if approvals.digest_of(request) != request.digest:
        return "altered"
    person = request.requested_by
    target = approvals.target_of(request)
    if person is None or not person.is_active:
        return "permission_denied"
    if target is None:
        return "not_found"
    if getattr(target, "version", None) != request.target_version:
        return StaleVersion.code
    try:
        with on_behalf(by.upn):
            _SERVICES[Permission(request.event), request.action](target, by=person, **request.params)
    except PermissionDenied:
        return "permission_denied"
    except Http404:
        return "not_found"
    except ValidationError as error:
        return str(getattr(error, "code", None) or "invalid")
    return ""


def ask_again(request: ApprovalRequest, *, by: User) -> Any:
    """The same change is submitted once more, from how things are now; what `submit` answers or raises.

    Raises PermissionDenied unless `by` asked for it, StillWaiting, Http404 if the object is gone.
    """
    if request.requested_by_id != by.pk:
        raise PermissionDenied
    if ApprovalRequest.objects.waiting().filter(pk=request.pk).exists():
        raise StillWaiting
    model = approvals.model_of(request)
    target = model._default_manager.filter(pk=request.target_id).first()
    if target is None:
        raise Http404
    params = dict(request.params)
    if params.get("version") is not None:
        params["version"] = getattr(target, "version", None)
    with because(justification.get() or request.justification):
        return submit(Permission(request.event), target, by=by, action=request.action, **params)


def asks_first(person: User, event: Permission, tenant_id: UUID, held: access.Rights) -> bool:
    """Whether `person`, of a partner, has to wait for the customer's approval of such a change; for showing only."""
    if person.tenant_id == tenant_id:
        return False
    through = [one.delegation_id for one in access.holding(held, event) if one.delegation_id is not None]
    return bool(through) and policies.mode_of(through[0], event) is ControlMode.MANUAL


def asking_customers(event: Permission, held: access.Rights) -> set[UUID]:
    """The customers (ids) among those of `held` that want to approve such a change first; for showing only."""
    through = {one.delegation_id: one.tenant_id for one in access.holding(held, event) if one.delegation_id is not None}
    return {through[one] for one in policies.manual(event, through)}
