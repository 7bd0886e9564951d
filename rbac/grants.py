"""The only writer of index rows: guardian's (group, permission, room) and `user.groups`.

An assignment's members and scope are the truth; these rows repeat it in the form that Django and guardian read fast.
They are written as sets, only the difference changes, and `manage.py check_grants` compares them with the truth.
Callers hold the lock of the delegation (or tenant) the assignment belongs to.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from guardian.utils import get_group_obj_perms_model

from rbac.access import row_id
from rbac.catalogue import CEILING, ROOM_PERMISSIONS, with_implied
from rbac.models import Assignment, AssignmentMember, SecurityGroupMember, User


def open_group() -> Group:
    """A new `auth.Group` to index one assignment; nobody reads its name."""
    return Group.objects.create(name=f"assignment {uuid4()}")


def permission_rows(assignment: Assignment) -> list[int]:
    """Ids of the room permissions the assignment's role grants, implied ones included, below the partner's ceiling."""
    codes = assignment.role.permissions
    held = with_implied(codes if assignment.role.delegation_id is None else CEILING.intersection(codes))
    return sorted(row_id(code) for code in ROOM_PERMISSIONS if code in held)


def project_rooms(assignment: Assignment, rooms: QuerySet[Any]) -> int:
    """Make the rows of `assignment` exactly its role's room permissions on `rooms`; answer how many rooms.

    Sets `assignment.room_count`. Rows that are right already are not touched.
    """
    table = _table(rooms.model)
    try:
        query, parameters = rooms.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        query, parameters = "SELECT NULL::bigint WHERE false", ()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH room AS MATERIALIZED (SELECT * FROM ({query}) scope(id)),
            gone AS (
                DELETE FROM {table} held WHERE held.group_id = %s AND NOT (
                    held.permission_id = ANY(%s) AND held.content_object_id IN (SELECT id FROM room))
            ),
            come AS (
                INSERT INTO {table} (group_id, permission_id, content_object_id)
                SELECT %s, permission.id, room.id FROM room CROSS JOIN unnest(%s::int[]) permission(id)
                ON CONFLICT DO NOTHING
            )
            UPDATE rbac_assignment SET room_count = (SELECT count(*) FROM room) WHERE id = %s RETURNING room_count
            """,  # noqa: S608 - our own table and Django's own query
            [
                *parameters,
                assignment.group_id,
                permission_rows(assignment),
                assignment.group_id,
                permission_rows(assignment),
                assignment.pk,
            ],
        )
        assignment.room_count = cursor.fetchone()[0]
    return assignment.room_count


def project_members(assignment: Assignment) -> None:
    """Make `user.groups` say who is a member of `assignment`, directly or by a security group."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH member AS MATERIALIZED (
                SELECT user_id FROM rbac_assignmentmember WHERE assignment_id = %(assignment)s
                UNION
                SELECT s.user_id FROM rbac_assignmentgroup g JOIN rbac_securitygroupmember s ON s.group_id = g.group_id
                WHERE g.assignment_id = %(assignment)s
            ),
            gone AS (
                DELETE FROM rbac_user_groups WHERE group_id = %(group)s AND user_id NOT IN (SELECT user_id FROM member)
            )
            INSERT INTO rbac_user_groups (user_id, group_id) SELECT user_id, %(group)s FROM member
            ON CONFLICT DO NOTHING
            """,
            {"assignment": assignment.pk, "group": assignment.group_id},
        )


def withdraw(assignments: QuerySet[Assignment], model: type[Model]) -> int:
    """Delete all index rows of `assignments` over rooms of `model`; answer how many guardian rows went."""
    groups = list(assignments.values_list("group_id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_table(model)} WHERE group_id = ANY(%s)", [groups])  # noqa: S608 - our own table
        gone: int = cursor.rowcount
        cursor.execute("DELETE FROM rbac_user_groups WHERE group_id = ANY(%s)", [groups])
    return gone


def differences(assignment: Assignment, rooms: QuerySet[Any]) -> Iterator[str]:
    """What the index says otherwise than the truth: `rooms` and the members of `assignment`. Nothing if they agree."""
    manager = get_group_obj_perms_model(rooms.model)._default_manager  # type: ignore[arg-type]  # classes do as well
    rows = set(manager.filter(group_id=assignment.group_id).values_list("content_object_id", "permission_id"))
    wanted_permissions = permission_rows(assignment)
    wanted = {(room, permission) for room in rooms.values_list("pk", flat=True) for permission in wanted_permissions}
    if rows != wanted:
        yield f"assignment {assignment.pk}: {len(rows - wanted)} rows too many, {len(wanted - rows)} missing"
    members = set(AssignmentMember.objects.filter(assignment=assignment).values_list("user_id", flat=True))
    groups = assignment.security_groups.values("pk")
    members |= set(SecurityGroupMember.objects.filter(group__in=groups).values_list("user_id", flat=True))
    indexed = set(User.objects.filter(groups=assignment.group_id).values_list("pk", flat=True))
    if indexed != members:
        yield f"assignment {assignment.pk}: members {sorted(members)}, indexed {sorted(indexed)}"


def strays(model: type[Model]) -> Iterator[str]:
    """Rows that no assignment accounts for, and permissions given outside of assignments: there are to be none."""
    unheld = "NOT EXISTS (SELECT 1 FROM rbac_assignment a WHERE a.group_id = stray.group_id)"
    wrong = {
        f"index rows on rooms without an assignment: {_table(model)}": f"{_table(model)} stray WHERE {unheld}",
        "memberships without an assignment: rbac_user_groups": f"rbac_user_groups stray WHERE {unheld}",
        "permissions of people: rbac_user_user_permissions": "rbac_user_user_permissions",
        "permissions of groups: auth_group_permissions": "auth_group_permissions",
        "generic rows of people: guardian_userobjectpermission": "guardian_userobjectpermission",
        "generic rows of groups: guardian_groupobjectpermission": "guardian_groupobjectpermission",
    }
    with connection.cursor() as cursor:
        for what, rows in wrong.items():
            cursor.execute(f"SELECT count(*) FROM {rows}")  # noqa: S608 - our own tables
            if number := cursor.fetchone()[0]:
                yield f"{number} {what}"


def _table(model: type[Model]) -> str:
    rows = get_group_obj_perms_model(model)  # type: ignore[arg-type]  # classes do as well
    return connection.ops.quote_name(rows._meta.db_table)
