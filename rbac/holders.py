"""THE answer turned round: who holds a permission on some rooms? For choosing people and for telling them.

Only to offer and to tell: whoever changes something is asked by `access.require` himself.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Model

from rbac.access import holding, reaching, rights_of
from rbac.catalogue import Permission, granting

# Members of assignments whose role grants the permission; whether they hold it now, the decision itself says.
_MEMBERS = """
WITH granting AS MATERIALIZED (
    SELECT a.id FROM rbac_assignment a JOIN rbac_role r ON r.id = a.role_id
    WHERE a.tenant_id = %(tenant)s AND r.permissions && %(codes)s::varchar[]
)
SELECT m.user_id FROM rbac_assignmentmember m JOIN granting ON granting.id = m.assignment_id
UNION
SELECT s.user_id FROM rbac_securitygroupmember s
JOIN rbac_assignmentgroup g ON g.group_id = s.group_id JOIN granting ON granting.id = g.assignment_id
"""


def holders(permission: Permission, rooms: Sequence[Model]) -> dict[int, frozenset[int]]:
    """Who (ids) holds `permission` on at least one of `rooms`, all of one tenant, through which assignments (ids).

    Three queries. Raises LookupError for anything but rooms.
    """
    if not rooms:
        return {}
    tenant_id: UUID = rooms[0].tenant_id  # type: ignore[attr-defined]
    everybody = {
        person: holding(held, permission)
        for person, held in rights_of(_members(permission, tenant_id), tenant_id).items()
    }
    found = reaching({one for held in everybody.values() for one in held}, rooms)
    reached = {one.assignment_id for held in found.values() for one in held}
    answer = {
        person: frozenset(one.assignment_id for one in held if one.assignment_id in reached)
        for person, held in everybody.items()
    }
    return {person: through for person, through in answer.items() if through}


def _members(permission: Permission, tenant_id: UUID) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, {"tenant": tenant_id, "codes": sorted(granting(permission))})
        return [person for (person,) in cursor.fetchall()]
