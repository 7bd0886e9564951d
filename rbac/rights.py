"""What somebody holds: his live assignments, resolved by one small query; what he may do with them, access.py says.

The rule itself is the function `trm_rights` (migration 0005): the database keeps its plan. Beside each assignment of a
partner stands what the customer asks of its partners; whoever has not shown it holds nothing there for the time being.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from rbac.catalogue import ANY_SCOPE, CEILING, Permission, with_implied
from rbac.models import User
from rbac.partner_access import NOTHING, Unmet, unmet_by

Person = User | AnonymousUser


@dataclass(frozen=True)
class Held:
    """One live assignment of the user: what it permits, in whose tenant, over how many rooms."""

    assignment_id: int
    group_id: int
    tenant_id: UUID
    delegation_id: UUID | None
    all_rooms: bool
    room_count: int
    permissions: frozenset[Permission]
    # A partner's custom assignment is bounded by the delegated rooms: those of Invited admins.
    bound_group_id: int | None
    # How many rooms the tenant has; chooses query plans.
    tenant_rooms: int
    # What the person of this request lacks of what the customer asks its partners for.
    unmet: Unmet = NOTHING

    @property
    def covers_tenant(self) -> bool:
        """Every room of the tenant, later ones too, without looking at rows."""
        return self.all_rooms and self.bound_group_id is None


Rights = tuple[Held, ...]


@dataclass(frozen=True)
class Limits:
    """What a token narrows its holder to: one delegation, some permissions. Stands on the user as `limits`."""

    delegation_id: UUID
    permissions: frozenset[Permission]

    def narrow(self, held: Rights) -> Rights:
        """Those of `held` that are the delegation's, with no other permissions than these and what they imply."""
        allowed = with_implied(self.permissions)
        return tuple(
            replace(one, permissions=one.permissions & allowed)
            for one in held
            if one.delegation_id == self.delegation_id
        )


_ASKED = (
    "LEFT JOIN rbac_partneraccesspolicy asked ON asked.tenant_id = held.tenant_id AND held.delegation_id IS NOT NULL"
)
_RIGHTS = f"""
SELECT held.*, to_jsonb(asked), trm_now() FROM trm_rights(%(user)s, %(tenant)s) held {_ASKED}
"""  # noqa: S608 - made of constants

# Those of them that reach one row of `objects`: without looking at rows, or by one of theirs in `rows` that lies inside
# the bound.
_REACHING = f"""
SELECT held.*, to_jsonb(asked), trm_now() FROM trm_rights(%(user)s, %(tenant)s) held {_ASKED}
JOIN {{objects}} o ON o.id = %(object)s AND o.tenant_id = held.tenant_id
WHERE held.all_rooms AND held.bound = 0
    OR (SELECT true FROM {{rows}} g WHERE g.content_object_id = o.id AND g.group_id = held.group_id
        AND g.permission_id = %(permission)s)
    AND (held.bound = 0 OR (SELECT true FROM {{rows}} g WHERE g.content_object_id = o.id AND g.group_id = held.bound
        AND g.permission_id = %(view)s))
"""  # noqa: S608 - made of constants

# The live assignments of many people in one tenant, with whose they are.
_RIGHTS_OF_MANY = """
SELECT held.*, asked.id FROM unnest(%(users)s::bigint[]) asked(id), LATERAL trm_rights(asked.id, %(tenant)s) held
ORDER BY held.assignment_id
"""


def rights(user: Person, tenant: UUID | None = None) -> Rights:
    """The user's live assignments, in `tenant` only if one is given. One query; empty for anonymous and staff."""
    return let_in(_resolved(user, _RIGHTS, tenant=tenant))


def with_withheld(user: Person, tenant: UUID | None = None) -> Rights:
    """As `rights`, and those that a customer withholds until the person has shown more (`unmet.always`)."""
    return _resolved(user, _RIGHTS, tenant=tenant)


def reaching_row(user: Person, tables: dict[str, str], **row: Any) -> Rights:
    """Those of `rights` that reach one row of the table `objects` by the rows of the table `rows`; one statement."""
    return let_in(_resolved(user, _REACHING.format_map(tables), **row))


def let_in(held: Rights) -> Rights:
    """Those of `held` that nothing is missing for."""
    return tuple(one for one in held if not one.unmet.always)


def _resolved(user: Person, query: str, **parameters: Any) -> Rights:
    if not user.is_authenticated or user.pk is None:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(query, {"user": user.pk, **parameters})
        rows = cursor.fetchall()
    held = tuple(replace(_held(tuple(row)), unmet=unmet_by(user.pk, asked, now)) for *row, asked, now in rows)
    limits: Limits | None = getattr(user, "limits", None)
    return held if limits is None else limits.narrow(held)


def rights_of(users: Collection[int], tenant: UUID) -> dict[int, Rights]:
    """The live assignments in `tenant` of each of `users` (ids): as `rights`, in one query for all of them."""
    found: dict[int, Rights] = dict.fromkeys(users, ())
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS_OF_MANY, {"users": list(users), "tenant": tenant})
        for *row, user in cursor.fetchall():
            found[user] += (_held(tuple(row)),)
    return found


def _held(row: tuple[Any, ...]) -> Held:
    assignment, group, tenant, delegation, all_rooms, room_count, codes, bound, tenant_rooms = row
    permissions = _effective(tuple(codes), delegation is not None)
    return Held(assignment, group, tenant, delegation, all_rooms, room_count, permissions, bound or None, tenant_rooms)


@lru_cache(maxsize=1024)
def _effective(codes: tuple[str, ...], is_partner: bool) -> frozenset[Permission]:
    """What a role with these permissions grants; depends on nothing else, so keeping it caches no right."""
    # The ceiling first: what lies above it implies nothing either.
    return with_implied(CEILING.intersection(codes) if is_partner else codes)


def holding(held: Iterable[Held], permission: Permission) -> Rights:
    """Those of `held` that permit `permission` somewhere."""
    return tuple(one for one in held if permission in one.permissions)


def holds(held: Iterable[Held], permission: Permission, tenant_id: UUID) -> bool:
    """Whether `permission` is held in the tenant for at least some rooms: a list is worth showing."""
    return any(permission in one.permissions and one.tenant_id == tenant_id for one in held)


def holds_all(held: Iterable[Held], permission: Permission, tenant_id: UUID) -> bool:
    """Whether `permission` is held for the tenant as a whole by the tenant's own people (§4, scope *tenant*)."""
    return any(
        permission in one.permissions
        and one.tenant_id == tenant_id
        and one.delegation_id is None
        and (one.all_rooms or permission in ANY_SCOPE)
        for one in held
    )
