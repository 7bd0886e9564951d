"""Custom roles and assignments: made, changed, deleted, with the index rows that follow from them.

The customer's own keepers of roles change the customer's own; a partner's change theirs for this customer, through
change control (so parameters are plain JSON). The customer sees a partner's custom roles and may delete them, never edit
them. Nobody grants what he does not hold, and nobody changes permissions, scope or validity of what he holds his right
through. Built-in roles stay as they are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from audit.log import recording
from audit.models import Category, Operation
from rbac import grants, upn
from rbac.access import require
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import DatesNotInOrder, KeptAssignment, NoEndDate, NotOfThisTenant, StaleVersion
from rbac.models import Assignment, Role, SecurityGroup, Tenant, User
from rbac.precondition import meet
from rbac.services import assignments
from rbac.services import roles as rules
from rbac.services.assignments import Members, name_of
from rooms import access_emails, scopes
from rooms.models import Room
from rooms.scopes import Scope

Names = Collection[str]


@dataclass(frozen=True)
class Proposed:
    """An assignment to be made; members by UPN and by the id of their group."""

    name: str
    description: str = ""
    members: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    scope: Scope = field(default_factory=Scope)
    sends_email: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def as_data(self) -> dict[str, Any]:
        """Plain JSON, as change control keeps it."""
        return {
            "name": self.name,
            "description": self.description,
            "members": list(self.members),
            "groups": list(self.groups),
            "scope": self.scope.as_data(),
            "sends_email": self.sends_email,
            "valid_from": _text(self.valid_from),
            "valid_until": _text(self.valid_until),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Proposed":
        return cls(
            name=data["name"],
            description=data.get("description", ""),
            members=tuple(data.get("members", ())),
            groups=tuple(data.get("groups", ())),
            scope=Scope.from_data(data.get("scope", {})),
            sends_email=data.get("sends_email", True),
            valid_from=_moment(data.get("valid_from")),
            valid_until=_moment(data.get("valid_until")),
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_datetime(text)


# --- Roles --------------------------------------------------------------------------------------


def create(
    tenant: Tenant,
    *,
    by: User,
    name: str,
    permissions: Names,
    description: str = "",
    assignment: Mapping[str, Any] | None = None,
) -> Role:
    """A new custom role with its first `assignment` (if any): the customer's own, or, made by a partner, that partner's.

    Raises PermissionDenied if `by` may not modify roles here or does not hold himself what he gives, RoleNameTaken,
    NoPermissions, AboveCeiling, and what `assign` raises.
    """
    delegation = rules.delegation_of(tenant, by)
    delegation_id = delegation.pk if delegation is not None else None
    with recording(Category.ROLE, Operation.CREATE, name, tenant=tenant, by=by, relationship_id=delegation_id) as line:
        rules.hold_owner(tenant, delegation)
        require(by, Permission.ROLES_MODIFY, tenant if delegation is None else delegation)
        codes = rules.checked(permissions, delegation_id)
        rules.require_grantable(codes, by, tenant.pk)
        rules.require_free_name(name, tenant.pk, delegation_id)
        role = Role.objects.create(
            tenant=tenant, delegation=delegation, name=name, description=description, permissions=codes
        )
        if assignment is not None:
            assign(role, by=by, assignment=assignment)
        line.after = {"permissions": codes, "description": description}
    return role


def modify(
    role: Role,
    *,
    by: User,
    name: str | None = None,
    description: str | None = None,
    permissions: Names | None = None,
    version: int | None = None,
) -> Role:
    """The custom role is called, described and permits as asked; the index of its assignments follows.

    Raises PermissionDenied if `by` may not modify it, holds his own right through it, or does not hold himself what he
    adds on all rooms of its assignments; BuiltInRole, StaleVersion, RoleNameTaken, NoPermissions, AboveCeiling, Http404.
    """
    with _changing(role, Operation.UPDATE, by) as line:
        current = rules.hold(role)
        require(by, Permission.ROLES_MODIFY, current)
        meet(current)
        _require_own(current, by)
        if version is not None and current.version != version:
            raise StaleVersion
        line.before = {"name": current.name, "description": current.description, "permissions": current.permissions}
        if name is not None and name != current.name:
            rules.require_free_name(name, current.tenant_id, current.delegation_id, besides=current)
            current.name = name
        if description is not None:
            current.description = description
        if permissions is not None:
            _set_permissions(current, rules.checked(permissions, current.delegation_id), by)
        current.version += 1
        current.save(update_fields=["name", "description", "permissions", "version"])
        line.after = {"name": current.name, "description": current.description, "permissions": current.permissions}
    return current


def _set_permissions(role: Role, codes: list[str], by: User) -> None:
    """The role permits `codes`, and the rows of its assignments say so; saved by the caller."""
    if set(codes) == set(role.permissions):
        return
    rules.require_not_through(role, by)
    added = sorted(set(codes) - set(role.permissions))
    rules.require_grantable(added, by, role.tenant_id)
    role.permissions = codes
    for assignment in _assignments_of(role):
        scopes.require_grantable(assignment, scopes.scope_of(assignment), by=by, permissions=added)
        scopes.apply(assignment)


def delete(role: Role, *, by: User) -> None:
    """The custom role and its assignments are gone, and with them what their members held through them.

    Also the customer's keepers of roles delete a partner's. Raises PermissionDenied, BuiltInRole, Http404.
    """
    with _changing(role, Operation.DELETE, by) as line:
        current = rules.hold(role)
        require(by, Permission.ROLES_MODIFY, current)
        meet(current)
        rules.require_custom(current)
        for assignment in _assignments_of(current):
            scopes.require_within(assignment, by=by)
            access_emails.tell(assignment, assignment.people.all(), gained=False, by=by)
            grants.withdraw(Assignment.objects.filter(pk=assignment.pk), Room)
            assignments.delete(assignment, by=by)
        line.before = {"permissions": current.permissions}
        current.delete()


def _assignments_of(role: Role) -> list[Assignment]:
    found = list(Assignment.objects.filter(role=role).select_related("tenant").order_by("pk"))
    for one in found:
        one.role = role
    return found


def _require_own(role: Role, by: User) -> None:
    """Pass if `by` may edit the custom role and everything it reaches. Raises PermissionDenied, BuiltInRole."""
    assignments.require_editable(role, by)
    rules.require_custom(role)
    for assignment in _assignments_of(role):
        scopes.require_within(assignment, by=by)


def _changing(role: Role, operation: str, by: User) -> Any:
    return recording(
        Category.ROLE,
        operation,
        str(BuiltIn(role.key).value) if role.key else role.name,
        tenant=role.tenant_id,
        by=by,
        relationship_id=role.delegation_id,
    )


# --- Assignments --------------------------------------------------------------------------------


def assign(role: Role, *, by: User, assignment: Mapping[str, Any]) -> Assignment:
    """Another assignment of `role`, built-in ones included, as proposed (`Proposed.as_data`).

    Raises PermissionDenied if `by` may not modify roles here or does not hold himself, on each room, what he gives;
    NoEndDate for a primary admin's, DatesNotInOrder, EmptyScope, UnknownRooms, NotOfThisTenant for members from
    elsewhere, ValidationError for a UPN that is none, Http404 if the role is gone.
    """
    wanted = Proposed.from_data(assignment)
    made = Assignment(tenant=role.tenant, role=role, name=wanted.name, description=wanted.description)
    with recording(
        Category.ASSIGNMENT,
        Operation.CREATE,
        name_of(made),
        tenant=role.tenant_id,
        by=by,
        relationship_id=role.delegation_id,
    ) as line:
        made.role = rules.hold(role)
        require(by, Permission.ROLES_MODIFY, made.role)
        assignments.require_editable(made.role, by)
        scopes.require_grantable(made, wanted.scope, by=by)
        made.sends_email = wanted.sends_email
        _set_dates(made, wanted.valid_from, wanted.valid_until)
        made.group = grants.open_group()
        made.save()
        scopes.choose(made, wanted.scope)
        scopes.require_within(made, by=by)
        members = members_of(made, wanted.members, wanted.groups)
        assignments.enlist(made, members, by=by)
        grants.project_members(made)
        scopes.apply(made)
        access_emails.tell(made, members.people, gained=True, by=by)
        line.after = wanted.as_data() | {"members": members.names}
    return made


def modify_assignment(
    assignment: Assignment,
    *,
    by: User,
    name: str | None = None,
    description: str | None = None,
    sends_email: bool | None = None,
    dates: Mapping[str, str | None] | None = None,
    version: int | None = None,
) -> Assignment:
    """The assignment is called, described and valid as asked; `dates` names `valid_from`, `valid_until` or both.

    Raises PermissionDenied if `by` may not modify it, or changes the dates of what he holds his right through or does not
    hold himself; KeptAssignment for name and dates of the portal's own, NoEndDate, DatesNotInOrder, StaleVersion,
    LastMmrAdmin if nobody would be left for good, Http404.
    """
    with _recording(assignment, by) as line:
        current = assignments.hold(assignment)
        require(by, Permission.ROLES_MODIFY, current)
        meet(current)
        _require_editable(current, by)
        if version is not None and current.version != version:
            raise StaleVersion
        if current.key and (name not in (None, current.name) or dates):
            raise KeptAssignment
        line.before = _properties(current)
        current.name = current.name if name is None else name
        current.description = current.description if description is None else description
        current.sends_email = current.sends_email if sends_email is None else sends_email
        if dates:
            scopes.require_grantable(current, scopes.scope_of(current), by=by)
            start = _moment(dates["valid_from"]) if "valid_from" in dates else current.valid_from
            end = _moment(dates["valid_until"]) if "valid_until" in dates else current.valid_until
            _set_dates(current, start, end)
        current.version += 1
        current.save()
        line.after = _properties(current)
    return current


def change_members(
    assignment: Assignment,
    *,
    by: User,
    add: Names = (),
    remove: Names = (),
    add_groups: Collection[int] = (),
    remove_groups: Collection[int] = (),
) -> None:
    """Members come and go by UPN, groups by id; somebody who never signed in is kept a place for (a claim).

    Raises what `assignments.change_members` raises, and ValidationError for a UPN that is none.
    """
    coming = members_of(assignment, add, add_groups)
    going = members_of(assignment, remove, remove_groups, leaving=True)

    def reached_and_told(current: Assignment) -> None:
        scopes.require_within(current, by=by)
        had = set(current.people.values_list("pk", flat=True))
        access_emails.tell(current, [one for one in coming.people if one.pk not in had], gained=True, by=by)
        access_emails.tell(current, [one for one in going.people if one.pk in had], gained=False, by=by)

    assignments.change_members(
        assignment,
        by=by,
        add=coming.people,
        remove=going.people,
        add_groups=coming.groups,
        remove_groups=going.groups,
        add_claims=coming.claims,
        remove_claims=going.claims,
        also=reached_and_told,
    )


def change_scope(assignment: Assignment, *, by: User, scope: Mapping[str, Any]) -> None:
    """The assignment covers `scope` (plain values). Raises what `scopes.change` raises."""
    scopes.change(assignment, Scope.from_data(dict(scope)), by=by)


def delete_assignment(assignment: Assignment, *, by: User) -> None:
    """The assignment is gone, and what its members held through it.

    Raises PermissionDenied, KeptAssignment for the portal's own, LastPrimaryAdmin or LastMmrAdmin, Http404.
    """
    with _recording(assignment, by, Operation.DELETE) as line:
        current = assignments.hold(assignment)
        require(by, Permission.ROLES_MODIFY, current)
        meet(current)
        _require_editable(current, by)
        if current.key:
            raise KeptAssignment
        line.before = _properties(current) | {"rooms": current.room_count}
        access_emails.tell(current, current.people.all(), gained=False, by=by)
        grants.withdraw(Assignment.objects.filter(pk=current.pk), Room)
        assignments.drop(current)


def members_of(assignment: Assignment, upns: Names, groups: Collection[int], *, leaving: bool = False) -> Members:
    """Whom `upns` and `groups` name in the tenant that holds the role; who has no account there is a claim.

    Raises NotOfThisTenant for a group from elsewhere (`leaving`: passed over), ValidationError for a UPN that is none.
    """
    home = assignments.home_of(assignment)
    names = list(dict.fromkeys(upn.normalise(one) for one in upns))
    people = {one.upn: one for one in User.objects.filter(tenant=home, upn__in=names)} if home is not None else {}
    found = list(SecurityGroup.objects.filter(tenant=home, pk__in=groups).order_by("name", "pk"))
    if len(found) != len(set(groups)) and not leaving:
        raise NotOfThisTenant
    return Members(list(people.values()), found, [name for name in names if name not in people or leaving])


def _set_dates(assignment: Assignment, start: datetime | None, end: datetime | None) -> None:
    if end is not None and assignment.role.key == BuiltIn.PARTNER_ADMIN:
        raise NoEndDate
    if start is not None and end is not None and end <= start:
        raise DatesNotInOrder
    assignment.valid_from, assignment.valid_until = start, end


def _require_editable(assignment: Assignment, by: User) -> None:
    """Pass if `by` may edit the assignment. Raises PermissionDenied."""
    assignments.require_editable(assignment.role, by)
    scopes.require_within(assignment, by=by)


def _recording(assignment: Assignment, by: User, operation: str = Operation.UPDATE) -> Any:
    return recording(
        Category.ASSIGNMENT,
        operation,
        name_of(assignment),
        tenant=assignment.tenant_id,
        by=by,
        relationship_id=assignment.role.delegation_id,
    )


def _properties(assignment: Assignment) -> dict[str, Any]:
    return {
        "name": assignment.name,
        "description": assignment.description,
        "sends_email": assignment.sends_email,
        "valid_from": _text(assignment.valid_from),
        "valid_until": _text(assignment.valid_until),
    }
