"""Change-control policies: per partner and controlled event, auto or manual."""

from collections.abc import Collection, Mapping
from uuid import UUID

from audit.log import recording
from audit.models import Category, Operation
from rbac.access import require
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Delegation, User
from rbac.services import delegations
from rooms.models import ControlMode, ControlPolicy


def set_up(delegation: Delegation, modes: Mapping[Permission, ControlMode]) -> None:
    """One policy per controlled event of a new delegation, *auto* where `modes` says nothing; a step of inviting."""
    ControlPolicy.objects.bulk_create(
        [
            ControlPolicy(delegation=delegation, event=event, mode=modes.get(event, ControlMode.AUTO))
            for event in CONTROLLED_EVENTS
        ]
    )


def mode_of(delegation_id: UUID, event: Permission) -> ControlMode:
    """How the customer wants `event` of this partner handled. No row: manual, since nobody allowed it (fail closed)."""
    mode = ControlPolicy.objects.filter(delegation=delegation_id, event=event).values_list("mode", flat=True).first()
    return ControlMode(mode) if mode is not None else ControlMode.MANUAL


def manual(event: Permission, through: Collection[UUID]) -> set[UUID]:
    """Those of `through` (ids of delegations) whose customers want to approve `event` first: `mode_of` for many."""
    rows = ControlPolicy.objects.filter(delegation__in=through, event=event, mode=ControlMode.AUTO)
    return set(through) - set(rows.values_list("delegation", flat=True)) if through else set()


def modes_of(delegation_id: UUID) -> dict[Permission, ControlMode]:
    """The customer's choice for every controlled event."""
    rows = dict(ControlPolicy.objects.filter(delegation=delegation_id).values_list("event", "mode"))
    return {event: ControlMode(rows.get(event.value, ControlMode.MANUAL)) for event in CONTROLLED_EVENTS}


def change(delegation: Delegation, modes: Mapping[Permission, ControlMode], *, by: User, label: str) -> None:
    """Later changes of the partner are handled so; what was asked for before stays as it was asked.

    `label` is what the customer calls the partner. Raises PermissionDenied if `by` may not modify the customer's settings,
    DelegationOver.
    """
    with recording(
        Category.SETTINGS,
        Operation.UPDATE,
        label,
        tenant=delegation.tenant_id,
        by=by,
        relationship_id=delegation.pk,
    ) as line:
        current = delegations.lock(delegation.pk)
        require(by, Permission.SETTINGS_MODIFY, current.tenant)
        delegations.require_live(current)
        before = modes_of(current.pk)
        differing = {event: mode for event, mode in modes.items() if before.get(event) is not mode}
        for event, mode in differing.items():
            ControlPolicy.objects.update_or_create(delegation=current, event=event, defaults={"mode": mode})
        line.before = {str(event): str(before[event]) for event in differing}
        line.after = {str(event): str(mode) for event, mode in differing.items()}
