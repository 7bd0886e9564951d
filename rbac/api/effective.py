"""What a person effectively holds in a customer, in words a tool can read. Made from the live rights, for showing only."""

from collections.abc import Iterable
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from rbac import access
from rbac.access import Held
from rbac.catalogue import ROOM_PERMISSIONS, TABLE, Permission


class Reach(models.TextChoices):
    """How far a permission is held."""

    EVERYWHERE = "everywhere", _("In the whole organisation")
    IN_SCOPE = "in_scope", _("In one’s own scope")
    NOWHERE = "nowhere", _("Not at all")


def reach_of(held: Iterable[Held], permission: Permission, tenant_id: UUID) -> Reach:
    """How far `permission` is held in the tenant: everywhere (rooms to come, too), somewhere, or not at all.

    What is asked of the tenant as a whole is *in scope* where a partner holds it over its own roles.
    """
    there = [one for one in access.holding(held, permission) if one.tenant_id == tenant_id]
    if access.holds_all(there, permission, tenant_id) or any(_is_whole(one, permission) for one in there):
        return Reach.EVERYWHERE
    return Reach.IN_SCOPE if any(_is_partial(one, permission) for one in there) else Reach.NOWHERE


def _is_whole(one: Held, permission: Permission) -> bool:
    return permission in ROOM_PERMISSIONS and one.covers_tenant


def _is_partial(one: Held, permission: Permission) -> bool:
    """A partner's roles.* reaches its own roles; the customer's people need all rooms for what concerns the tenant."""
    return permission in ROOM_PERMISSIONS or one.delegation_id is not None


def effective(held: Iterable[Held], tenant_id: UUID) -> dict[str, str]:
    """For each of the 19 permissions how far it is held in the tenant."""
    kept = tuple(held)
    return {code.value: reach_of(kept, code, tenant_id).value for code in TABLE}
