"""What a customer asks for before chosen changes, asked where no service asks for the permission itself: at the door of
change control, where work is confirmed that a worker carries out without the person, where a tool gets its rights."""

from collections.abc import Iterator
from typing import NoReturn

from audit.log import recording
from audit.models import Category, Operation
from rbac import access
from rbac.access import Held, Person
from rbac.catalogue import Permission
from rbac.errors import StepUpRequired
from rbac.models import Tenant, User

# Where a refusal is filed: by the feature of the permission.
_CATEGORIES = {
    "rooms": Category.ROOM,
    "groups": Category.GROUP,
    "rings": Category.RING,
    "reports": Category.ROOM,
    "tickets": Category.TICKET,
    "settings": Category.SETTINGS,
    "roles": Category.ROLE,
}


def category_of(permission: Permission) -> Category:
    """Where the log files what needs `permission`: by its feature."""
    return _CATEGORIES[permission.value.partition(".")[0]]


def require(user: Person, tenant: Tenant, *events: Permission) -> None:
    """Pass if `user` shows what `tenant` asks its partners for before they do any of `events`, now or later on.

    Raises StepUpRequired; within a recording that is on record.
    """
    for held, event in _lacking(user, tenant, *events):
        raise StepUpRequired(tenant.pk, held.unmet.of(event), event=event)


def require_on_record(user: User, tenant: Tenant, event: Permission, name: str) -> None:
    """As `require`, for what is no recorded change itself: a refusal is on record, under `name`. Raises StepUpRequired."""
    for held, _event in _lacking(user, tenant, event):
        refuse(held, event, name, by=user)


def _lacking(user: Person, tenant: Tenant, *events: Permission) -> Iterator[tuple[Held, Permission]]:
    """Through what `user` would do which of `events`, though he has not shown what is asked for them."""
    for held in access.with_withheld(user, tenant.pk):
        for event in events:
            if held.unmet.of(event):
                yield held, event


def refuse(held: Held, event: Permission, name: str, *, by: User) -> NoReturn:
    """Raise StepUpRequired for what `held` lacks before `event`, on record under `name`."""
    with recording(
        category_of(event), Operation.UPDATE, name, tenant=held.tenant_id, by=by, relationship_id=held.delegation_id
    ):
        raise StepUpRequired(held.tenant_id, held.unmet.of(event), event=event)
