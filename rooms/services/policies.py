"""Change-control policies: per partner and controlled event, auto or manual."""

from collections.abc import Mapping
from uuid import UUID

from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Delegation
from rooms.errors import ManualNotOffered
from rooms.models import ControlMode, ControlPolicy

# Manual approval becomes available with approval requests; until then a policy that nobody could carry out is refused.
OFFERED = (ControlMode.AUTO,)


def set_up(delegation: Delegation, modes: Mapping[Permission, ControlMode]) -> None:
    """One policy per controlled event of a new delegation, *auto* where `modes` says nothing; a step of inviting.

    Raises ManualNotOffered for a mode that is not available.
    """
    if any(mode not in OFFERED for mode in modes.values()):
        raise ManualNotOffered
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
