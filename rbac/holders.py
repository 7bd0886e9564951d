"""THE answer turned round: who holds a permission on some rooms? For choosing people and for telling them.

Only to offer and to tell: whoever changes something is asked by `access.require` himself.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Model

from rbac.access import Held, PerRoom, _held, holding, row_id, rule_of
from rbac.catalogue import Permission, granting

# All who are members of an assignment whose role grants the permission, and what they hold.
_MEMBERS = """
WITH granting AS MATERIALIZED (
    SELECT a.id FROM rbac_assignment a JOIN rbac_role r ON r.id = a.role_id
    WHERE a.tenant_id = %(tenant)s AND r.permissions && %(codes)s::varchar[]
), member AS MATERIALIZED (
    SELECT m.user_id FROM rbac_assignmentmember m JOIN granting ON granting.id = m.assignment_id
    UNION
    SELECT s.user_id FROM rbac_securitygroupmember s
    JOIN rbac_assignmentgroup g ON g.group_id = s.group_id JOIN granting ON granting.id = g.assignment_id
)
SELECT member.user_id, held.* FROM member, LATERAL trm_rights(member.user_id, %(tenant)s) held
"""


def holders(permission: Permission, rooms: Sequence[Model]) -> dict[int, frozenset[int]]:
    """Who (ids) holds `permission` on at least one of `rooms`, all of one tenant, through which assignments (ids).

    Two queries. Raises LookupError for anything but rooms.
    """
    if not rooms:
        return {}
    rule = rule_of(type(rooms[0]))
    if not isinstance(rule, PerRoom):
        raise LookupError("holders answers for rooms")
    everybody = _rights_of_all(permission, rooms[0].tenant_id)  # type: ignore[attr-defined]
    bounded = [one for held in everybody.values() for one in held if not one.covers_tenant]
    groups = {one.group_id for one in bounded} | {one.bound_group_id for one in bounded} - {None}
    by_room: dict[int, set[tuple[int, int]]] = {}
    if groups:
        # A partner's bound is what it may view; the permission itself stands in the assignment's own rows.
        rows = rule.grants._default_manager.filter(
            content_object__in=[room.pk for room in rooms],
            group_id__in=groups,
            permission_id__in=[row_id(permission), row_id(Permission.ROOMS_VIEW)],
        )
        for room_id, group_id, row in rows.values_list("content_object_id", "group_id", "permission_id"):
            by_room.setdefault(room_id, set()).add((group_id, row))
    answer: dict[int, frozenset[int]] = {}
    for person, held in everybody.items():
        through = frozenset(one.assignment_id for one in held if _reaches(one, permission, by_room))
        if through:
            answer[person] = through
    return answer


def _rights_of_all(permission: Permission, tenant_id: object) -> dict[int, list[Held]]:
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, {"tenant": tenant_id, "codes": sorted(granting(permission))})
        rows = cursor.fetchall()
    found: dict[int, list[Held]] = {}
    for person, *row in rows:
        held = holding((_held(tuple(row)),), permission)
        if held:
            found.setdefault(person, []).extend(held)
    return found


def _reaches(one: Held, permission: Permission, by_room: dict[int, set[tuple[int, int]]]) -> bool:
    if one.covers_tenant:
        return True
    own, view = row_id(permission), row_id(Permission.ROOMS_VIEW)
    return any(
        (one.group_id, own) in held and (one.bound_group_id is None or (one.bound_group_id, view) in held)
        for held in by_room.values()
    )
