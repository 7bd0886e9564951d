"""How far assignments reach, for lists: how many rooms and how many people, in one query each."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import Count

from rbac.models import Assignment, User

# Distinct rooms per assignment, single ones and those of whole groups; the sort of thing SQL says in one breath.
_ROOM_COUNTS = """
SELECT a.id, CASE WHEN a.all_rooms THEN (SELECT count(*) FROM rooms_room r WHERE r.tenant_id = a.tenant_id)
    ELSE (SELECT count(*) FROM (
        SELECT s.room_id FROM rooms_assignmentroom s WHERE s.assignment_id = a.id
        UNION
        SELECT m.room_id FROM rooms_assignmentroomgroup g
        JOIN rooms_roomgroupmember m ON m.room_group_id = g.room_group_id WHERE g.assignment_id = a.id
    ) covered) END
FROM rbac_assignment a WHERE a.id = ANY(%s)
"""


def room_counts(assignments: Collection[Assignment]) -> dict[int, int]:
    """How many rooms each of `assignments` covers today, by its id; of a partner's own ones, within what is delegated."""
    bounded = {
        one.pk: one.room_count for one in assignments if one.role.delegation_id and not one.key and one.room_count
    }
    rest = [one.pk for one in assignments if one.pk not in bounded]
    if not rest:
        return bounded
    with connection.cursor() as cursor:
        cursor.execute(_ROOM_COUNTS, [rest])
        return bounded | dict(cursor.fetchall())


def people_counts(assignments: Collection[Assignment]) -> dict[int, int]:
    """How many active people are members of each of `assignments`, directly or by a group, by its id."""
    if not assignments:
        return {}
    by_group = {one.group_id: one.pk for one in assignments}
    found = User.objects.filter(groups__in=by_group, is_active=True).values_list("groups")
    return {by_group[group]: number for group, number in found.annotate(number=Count("pk")) if group in by_group}


# Tickets with a room that is chosen for one of these assignments: as all rooms, singly, or by a group.
_TICKETS_WITHIN = """
SELECT r.delegation_id, t.id FROM rbac_role r
JOIN rbac_assignment a ON a.role_id = r.id AND a.key = %(key)s
JOIN rooms_ticket t ON t.id = ANY(%(tickets)s) AND t.tenant_id = a.tenant_id
WHERE r.delegation_id = ANY(%(delegations)s) AND (a.all_rooms OR EXISTS (
    SELECT 1 FROM rooms_ticketroom tied WHERE tied.ticket_id = t.id AND (
        EXISTS (SELECT 1 FROM rooms_assignmentroom s WHERE s.assignment_id = a.id AND s.room_id = tied.room_id)
        OR EXISTS (
            SELECT 1 FROM rooms_assignmentroomgroup g
            JOIN rooms_roomgroupmember m ON m.room_group_id = g.room_group_id
            WHERE g.assignment_id = a.id AND m.room_id = tied.room_id))))
"""


def tickets_within(key: str, delegations: Collection[UUID], tickets: Collection[int]) -> set[tuple[UUID, int]]:
    """Delegation and ticket, for each of `tickets` (ids) with a room that the assignments `key` of a delegation cover."""
    with connection.cursor() as cursor:
        cursor.execute(_TICKETS_WITHIN, {"key": key, "delegations": sorted(delegations), "tickets": sorted(tickets)})
        return set(cursor.fetchall())
