"""Approval requests: asked for by a partner, decided by the customer, over by themselves.

What is asked for is frozen: the service's parameters, the object's version, and what the log would say of the change,
found out by a rehearsal. Carrying it out is change_control's, which knows the services.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404

from audit import outbox
from audit.clock import Now, now
from audit.context import Line
from audit.events import About, Event, EventType, tell
from audit.log import SYSTEM, recording
from audit.models import Category, Operation
from rbac import access
from rbac.access import Rights, require
from rbac.catalogue import Permission
from rbac.models import Delegation, Tenant, User
from rbac.precondition import digest, meet, tag_of
from rbac.services import delegations
from rooms.approval_emails import asked_notice, decided_notice, reminder
from rooms.errors import CommentRequired, RequestOver
from rooms.models import ApprovalRequest, ApprovalState, Room
from rooms.states import APPROVAL

LIFETIME = timedelta(days=7)  # product contract §6
REMINDED_BEFORE = timedelta(days=2)
_TOLD = {
    ApprovalState.PENDING: EventType.APPROVAL_REQUESTED,
    ApprovalState.EXECUTED: EventType.APPROVAL_EXECUTED,
    ApprovalState.FAILED: EventType.APPROVAL_FAILED,
    ApprovalState.REJECTED: EventType.APPROVAL_REJECTED,
    ApprovalState.WITHDRAWN: EventType.APPROVAL_WITHDRAWN,
    ApprovalState.EXPIRED: EventType.APPROVAL_EXPIRED,
    ApprovalState.CANCELLED: EventType.APPROVAL_CANCELLED,
}


def record(
    delegation: Delegation,
    event: Permission,
    action: str,
    target: Model,
    *,
    by: User,
    params: dict[str, Any],
    lines: Sequence[Line],
    justification: str,
) -> ApprovalRequest:
    """The request is there, waiting; a step of `change_control.submit`, which has asked and rehearsed (`lines`)."""
    at = now()
    request = ApprovalRequest(
        tenant_id=delegation.tenant_id,
        delegation=delegation,
        event=event,
        action=action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_name=str(target)[:300],
        target_version=getattr(target, "version", None),
        rooms=rooms_of(target, params),
        params=params,
        changes=[
            {"category": line.category, "object": line.object_name, "before": line.before, "after": line.after}
            for line in lines
        ],
        justification=justification.strip()[:500],
        requested_by=by,
        requested_upn=by.upn,
        requested_at=at,
        expires_at=at + LIFETIME,
    )
    request.digest = digest_of(request)
    request.save(force_insert=True)
    outbox.leave(asked_notice(request))
    _tell(request)
    return request


def digest_of(request: ApprovalRequest) -> str:
    """SHA-256 of what is asked for, in hexadecimal."""
    text = json.dumps(request.asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def rooms_of(target: Model, params: dict[str, Any]) -> list[int]:
    """Ids of the rooms that a change is about, as far as it names rooms."""
    if isinstance(target, Room):
        return [target.pk]
    named = params.get("rooms") or ()
    tied = target.tied_rooms.values_list("room", flat=True) if hasattr(target, "tied_rooms") else ()
    return sorted({*tied, *(one for one in named if isinstance(one, int))})


def model_of(request: ApprovalRequest) -> type[Model]:
    """What kind of object it is about."""
    return apps.get_model(request.target_type)


def target_of(request: ApprovalRequest) -> Model | None:
    """The object as it is now, held until the transaction ends; None if it is gone."""
    model = model_of(request)
    found: QuerySet[Any] = model._default_manager.filter(pk=request.target_id)
    if model is not Tenant:
        found = found.select_for_update(of=("self",), no_key=True)
    return found.first()


def seen_by(person: User, tenant: Tenant, held: Rights) -> QuerySet[ApprovalRequest]:
    """The requests of `tenant` that `person` sees: the customer's people who see its settings all; a partner's people
    their own, and all of their delegation's if they see its roles."""
    own = ApprovalRequest.objects.filter(tenant=tenant)
    if access.holds_all(held, Permission.SETTINGS_VIEW, tenant.pk):
        return own
    return own & seen_by_partner(person, held)


def seen_by_partner(person: User, held: Rights) -> QuerySet[ApprovalRequest]:
    """The requests that `person`, of a partner, sees through `held`, of one customer or of many."""
    through = {one.delegation_id for one in held if one.delegation_id is not None}
    leading = {one.delegation_id for one in access.holding(held, Permission.ROLES_VIEW)} - {None}
    own = Q(delegation__in=through, requested_by=person)
    return ApprovalRequest.objects.filter(own | Q(delegation__in=leading))


def may_decide(person: User, tenant: Tenant, held: Rights) -> bool:
    """Whether `person` is one of the customer's who decide: an MMR Admin, in the words of the contract."""
    return access.holds_all(held, Permission.SETTINGS_MODIFY, tenant.pk)


def reject(request: ApprovalRequest, *, by: User, comment: str) -> ApprovalRequest:
    """It is not done, and the partner reads why.

    Raises PermissionDenied if `by` does not decide for the customer, CommentRequired, RequestOver.
    """
    with _deciding(request, by) as line:
        current = hold(request)
        require(by, Permission.SETTINGS_MODIFY, current.tenant)
        meet(current)
        if not comment.strip():
            raise CommentRequired
        close(current, ApprovalState.REJECTED, by=by, comment=comment)
        outbox.leave(decided_notice(current))
        line.after = {"state": ApprovalState.REJECTED, "comment": current.comment}
    return current


def withdraw(request: ApprovalRequest, *, by: User) -> ApprovalRequest:
    """Whoever asked does not ask any more. Raises PermissionDenied for anybody else, RequestOver."""
    with _deciding(request, by) as line:
        current = hold(request)
        if current.requested_by_id != by.pk:
            raise PermissionDenied
        meet(current)
        close(current, ApprovalState.WITHDRAWN, by=by)
        line.after = {"state": ApprovalState.WITHDRAWN}
    return current


def cancel_all(delegation: Delegation, *, by: User | None) -> int:
    """Nothing that was asked through `delegation` waits any more; a step of ending it. How many did."""
    return _cancel(ApprovalRequest.objects.filter(delegation=delegation, state=ApprovalState.PENDING), by)


def cancel_lost(delegation_id: UUID, *, by: User | None) -> int:
    """What the partner's people may not do any more, they do not ask for any more; a step of taking rights away."""
    pending = ApprovalRequest.objects.filter(delegation=delegation_id, state=ApprovalState.PENDING)
    lost = [one.pk for one in pending.select_related("requested_by", "tenant") if not _may_still_ask(one)]
    return _cancel(pending.filter(pk__in=lost), by)


def _may_still_ask(request: ApprovalRequest) -> bool:
    """Whether the requester holds the event, somewhere in the customer and on all rooms that the change is about."""
    person = request.requested_by
    if person is None:
        return False
    event, held = Permission(request.event), access.rights(person, request.tenant_id)
    if not access.holds(held, event, request.tenant_id):
        return False
    if event is Permission.ROLES_MODIFY or not request.rooms:
        return True
    mine = access.visible(person, event, Room.objects.filter(pk__in=request.rooms), held)
    return mine.count() == len(request.rooms)


def expire_due() -> int:
    """Requests whose time is over are marked, an audit line each; how many were. Safe twice at once."""
    return _close_each(ApprovalRequest.objects.due(), ApprovalState.EXPIRED, None)


def remind_due() -> int:
    """Whoever decides is reminded of each request that ends within REMINDED_BEFORE, once; how many there were."""
    due = ApprovalRequest.objects.waiting().filter(reminded_at=None, expires_at__lte=Now() + REMINDED_BEFORE)
    reminded = 0
    for request in list(due.order_by("expires_at", "pk")):
        with _deciding(request, None) as line:
            if not ApprovalRequest.objects.waiting().filter(pk=request.pk, reminded_at=None).update(reminded_at=Now()):
                line.is_void = True
                continue
            outbox.leave(reminder(request))
            line.after = {"reminded": True}
            reminded += 1
    return reminded


def _cancel(pending: QuerySet[ApprovalRequest], by: User | None) -> int:
    return _close_each(pending, ApprovalState.CANCELLED, by)


def _close_each(found: Iterable[ApprovalRequest], state: ApprovalState, by: User | None) -> int:
    closed = 0
    for request in list(found):
        with _deciding(request, by) as line:
            current = hold(request)
            if current.state != ApprovalState.PENDING:
                line.is_void = True
                continue
            close(current, state, by=by)
            if state is ApprovalState.EXPIRED:
                outbox.leave(decided_notice(current))
            line.after = {"state": state}
            closed += 1
    return closed


@tag_of.register
def _state_of(request: ApprovalRequest) -> str:
    return digest(request.state, request.decided_at)


def hold(request: ApprovalRequest) -> ApprovalRequest:
    """The request as it is now, held with its delegation until the transaction ends. Raises Http404 if it is gone."""
    delegations.lock(request.delegation_id)
    found = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("tenant", "requested_by")
    current = found.filter(pk=request.pk).first()
    if current is None:
        raise Http404
    return current


def close(
    request: ApprovalRequest, state: ApprovalState, *, by: User | None, comment: str = "", failure_code: str = ""
) -> None:
    """Compare and set. Raises RequestOver if it was decided before, or its time is over."""
    if state not in APPROVAL[ApprovalState(request.state)]:
        raise RequestOver
    open_ones = ApprovalRequest.objects.filter(pk=request.pk, state=request.state)
    if state in (ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.WITHDRAWN):
        open_ones = open_ones.waiting()
    fields: dict[str, Any] = {"state": state, "failure_code": failure_code}
    if request.state == ApprovalState.PENDING:
        fields |= {
            "decided_by": by,
            "decided_upn": by.upn if by is not None else SYSTEM,
            "decided_at": Now(),
            "comment": comment.strip()[:500],
        }
    if not open_ones.update(**fields):
        raise RequestOver
    request.refresh_from_db()
    _tell(request)


def _tell(request: ApprovalRequest) -> None:
    """Of what has become of it; *approved* lasts no longer than this transaction and is told by what it comes to."""
    if (told := _TOLD.get(ApprovalState(request.state))) is not None:
        tell(Event(told, request.tenant_id, About.APPROVAL, request.pk, request.delegation_id))


def _deciding(request: ApprovalRequest, by: User | None) -> Any:
    return recording(
        Category.APPROVAL,
        Operation.UPDATE,
        request.target_name,
        tenant=request.tenant_id,
        by=by,
        relationship_id=request.delegation_id,
    )
