"""An independent answer: who sees which rooms, worked out in plain Python from dumped rows and the published file.

Nothing of the portal's own decision is used here: no model, no query of `rbac.access`, no catalogue. It is slow, short
and meant to be read beside the product's contract (§4).
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

Row = dict[str, Any]

with (Path(__file__).parents[1] / "spec" / "table1.csv").open(newline="") as _file:
    _PUBLISHED = list(csv.DictReader(_file))
CEILING = {row["code"] for row in _PUBLISHED if row["partner_admin"] == "1"}
ASKED_OF_ROOMS = {row["code"] for row in _PUBLISHED if row["scope"] != "tenant"}
IMPLIED_BY = {
    "rooms.view": {"rooms.modify", "rooms.unenroll", "tickets.create_incident"},
    "groups.view": {"groups.modify"},
    "rings.view": {"rings.modify"},
    "tickets.view": {"tickets.update"},
    "settings.view": {"settings.modify"},
    "roles.view": {"roles.modify"},
}

TABLES = {
    "tenants": "rbac_tenant",
    "users": "rbac_user",
    "delegations": "rbac_delegation",
    "roles": "rbac_role",
    "assignments": "rbac_assignment",
    "members": "rbac_assignmentmember",
    "groups_in_assignments": "rbac_assignmentgroup",
    "people_in_groups": "rbac_securitygroupmember",
    "rooms": "rooms_room",
    "rooms_in_groups": "rooms_roomgroupmember",
    "scoped_rooms": "rooms_assignmentroom",
    "scoped_groups": "rooms_assignmentroomgroup",
    "grants": "rooms_roomgrantrow",
    "user_groups": "rbac_user_groups",
}


@dataclass
class Dump:
    """The rows of one moment, and the database's time then."""

    now: datetime
    rows: dict[str, list[Row]]
    permission_codes: dict[int, str]

    def of(self, name: str, **fields: Any) -> Iterable[Row]:
        return [row for row in self.rows[name] if all(row[key] == value for key, value in fields.items())]

    def one(self, name: str, pk: Any) -> Row:
        return next(row for row in self.rows[name] if row["id"] == pk)


def dump() -> Dump:
    with connection.cursor() as cursor:
        rows = {name: _read(cursor, f"SELECT * FROM {table}") for name, table in TABLES.items()}
        codes = _read(cursor, "SELECT id, name FROM auth_permission")
        cursor.execute("SELECT trm_now()")
        return Dump(cursor.fetchone()[0], rows, {row["id"]: row["name"] for row in codes})


def _read(cursor: Any, query: str) -> list[Row]:
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


# --- The decision -------------------------------------------------------------------------------


def rooms_seen(world: Dump, user_id: int, permission: str) -> set[int]:
    """The rooms on which the person holds `permission`: a union over assignments."""
    seen: set[int] = set()
    for assignment in world.rows["assignments"]:
        if counts_for(world, assignment, user_id) and permission in permissions_of(world, assignment):
            seen |= rooms_of(world, assignment)
    return seen


def permissions_of(world: Dump, assignment: Row) -> set[str]:
    """What the role gives: below the ceiling for a partner, and the views that it implies."""
    role = world.one("roles", assignment["role_id"])
    given = set(role["permissions"]) & CEILING if role["delegation_id"] else set(role["permissions"])
    return given | {view for view, by in IMPLIED_BY.items() if by & given}


def counts_for(world: Dump, assignment: Row, user_id: int) -> bool:
    """Whether the person is a member who can act, the assignment valid now, and the delegation behind it alive."""
    user = world.one("users", user_id)
    if not user["is_active"] or not user["is_home_member"] or user["tenant_id"] is None:
        return False
    if user_id not in members_of(world, assignment):
        return False
    start, end = assignment["valid_from"], assignment["valid_until"]
    if (start is not None and start > world.now) or (end is not None and end <= world.now):
        return False
    if "closed" in (_status(world, assignment["tenant_id"]), _status(world, user["tenant_id"])):
        return False
    delegation_id = world.one("roles", assignment["role_id"])["delegation_id"]
    if delegation_id is None:
        return user["tenant_id"] == assignment["tenant_id"]
    delegation = world.one("delegations", delegation_id)
    is_over = delegation["valid_until"] is not None and delegation["valid_until"] <= world.now
    return delegation["state"] == "active" and not is_over and delegation["held_by_id"] == user["tenant_id"]


def _status(world: Dump, tenant_id: Any) -> str:
    return world.one("tenants", tenant_id)["status"]


def members_of(world: Dump, assignment: Row) -> set[int]:
    direct = {row["user_id"] for row in world.of("members", assignment_id=assignment["id"])}
    groups = {row["group_id"] for row in world.of("groups_in_assignments", assignment_id=assignment["id"])}
    return direct | {row["user_id"] for row in world.rows["people_in_groups"] if row["group_id"] in groups}


def rooms_of(world: Dump, assignment: Row) -> set[int]:
    """The rooms in its scope; a partner's are at most those of its *Invited admins*."""
    chosen = _chosen(world, assignment)
    base = base_of(world, assignment)
    return chosen if base is None else chosen & _chosen(world, base)


def base_of(world: Dump, assignment: Row) -> Row | None:
    delegation_id = world.one("roles", assignment["role_id"])["delegation_id"]
    if delegation_id is None or assignment["key"] == "invited_admins":
        return None
    roles = {row["id"] for row in world.of("roles", delegation_id=delegation_id, key="partner_admin")}
    return next(row for row in world.of("assignments", key="invited_admins") if row["role_id"] in roles)


def _chosen(world: Dump, assignment: Row) -> set[int]:
    of_tenant = {row["id"] for row in world.of("rooms", tenant_id=assignment["tenant_id"])}
    if assignment["all_rooms"]:
        return of_tenant
    single = {row["room_id"] for row in world.of("scoped_rooms", assignment_id=assignment["id"])}
    groups = {row["room_group_id"] for row in world.of("scoped_groups", assignment_id=assignment["id"])}
    return single | {row["room_id"] for row in world.rows["rooms_in_groups"] if row["room_group_id"] in groups}


# --- The index ----------------------------------------------------------------------------------


def expected_grants(world: Dump) -> set[tuple[int, str, int]]:
    """(group, permission, room) as guardian's rows have to be."""
    found = set()
    for assignment in world.rows["assignments"]:
        if not has_rows(world, assignment):
            continue
        rooms = rooms_of(world, assignment)
        for code in permissions_of(world, assignment) & ASKED_OF_ROOMS:
            found |= {(assignment["group_id"], code, room) for room in rooms}
    return found


def has_rows(world: Dump, assignment: Row) -> bool:
    """Whether it is indexed at all: not where *all rooms* says enough, not before a link and not after the end."""
    delegation_id = world.one("roles", assignment["role_id"])["delegation_id"]
    if delegation_id is not None and world.one("delegations", delegation_id)["state"] not in ("active", "suspended"):
        return False
    base = base_of(world, assignment)
    return not (assignment["all_rooms"] and (base is None or base["all_rooms"]))


def actual_grants(world: Dump) -> set[tuple[int, str, int]]:
    codes = world.permission_codes
    return {(row["group_id"], codes[row["permission_id"]], row["content_object_id"]) for row in world.rows["grants"]}


def expected_memberships(world: Dump) -> set[tuple[int, int]]:
    """(group, user) as `user.groups` has to be."""
    return {
        (assignment["group_id"], user_id)
        for assignment in world.rows["assignments"]
        for user_id in members_of(world, assignment)
    }


def actual_memberships(world: Dump) -> set[tuple[int, int]]:
    return {(row["group_id"], row["user_id"]) for row in world.rows["user_groups"]}


def expected_counts(world: Dump) -> dict[int, int]:
    """How many rooms each assignment's rows cover."""
    counts: dict[int, set[int]] = defaultdict(set)
    for assignment in world.rows["assignments"]:
        counts[assignment["id"]] = rooms_of(world, assignment) if has_rows(world, assignment) else set()
    return {assignment_id: len(rooms) for assignment_id, rooms in counts.items()}
