"""Assignments: who holds a role. Scopes live in rooms/scopes.py, because only rooms knows rooms."""

from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import override

from audit.log import recording
from audit.models import Category, Operation
from rbac import grants
from rbac.access import require, rights
from rbac.catalogue import Permission
from rbac.errors import NotOfThisTenant
from rbac.models import (
    Assignment,
    AssignmentGroup,
    AssignmentKey,
    AssignmentMember,
    Delegation,
    Role,
    SecurityGroup,
    Tenant,
    User,
)

# What the apps above do in the same transaction when people of a delegation may have lost rights.
_after_loss: list[Callable[[UUID, User | None], object]] = []


def after_loss(step: Callable[[UUID, User | None], object]) -> None:
    """Have `step(delegation id, by)` run whenever an assignment of a partner loses members."""
    if step not in _after_loss:
        _after_loss.append(step)


def name_of(assignment: Assignment) -> str:
    """How the log names it: role and assignment, in English whatever the reader's language."""
    with override("en"):
        return f"{assignment.role.label} / {assignment.label}"


def open_for(
    role: Role, name: str, *, by: User | None, key: AssignmentKey | str = "", all_rooms: bool = False
) -> Assignment:
    """A new assignment of `role` without members or scope; a step of a change that has asked for its permission."""
    assignment = Assignment(
        tenant=role.tenant, role=role, key=key, name=name, all_rooms=all_rooms, group=grants.open_group()
    )
    with recording(
        Category.ASSIGNMENT,
        Operation.CREATE,
        name_of(assignment),
        tenant=role.tenant,
        by=by,
        relationship_id=role.delegation_id,
    ) as line:
        assignment.save()
        line.after = {"all_rooms": all_rooms}
    return assignment


def lock_holder(assignment: Assignment) -> None:
    """Hold what the assignment's members are counted under: the delegation's row, or the tenant's for its own roles."""
    if assignment.role.delegation_id is not None:
        Delegation.objects.select_for_update().get(pk=assignment.role.delegation_id)
    else:
        Tenant.objects.select_for_update().get(pk=assignment.tenant_id)


def hold(assignment: Assignment) -> Assignment:
    """`assignment` as it is now, with its holder's row held until the transaction ends. Raises Http404 if it is gone."""
    lock_holder(assignment)
    current = Assignment.objects.select_related("role__delegation", "tenant").filter(pk=assignment.pk).first()
    if current is None:
        raise Http404
    return current


def admit(assignment: Assignment, user: User, *, by: User | None) -> bool:
    """`user` is a member; False if he was already. Authorised by its cause: an accepted invitation, a consumed claim.

    Raises NotOfThisTenant if he is not at home in the tenant that holds the role.
    """
    with _changing(assignment, by) as line:
        assignment = hold(assignment)
        _check_home(assignment, [user])
        _, is_new = AssignmentMember.objects.get_or_create(assignment=assignment, user=user)
        grants.project_members(assignment)
        line.after = {"members_added": [user.upn]}
    return is_new


def change_members(
    assignment: Assignment,
    *,
    by: User,
    add: Collection[User] = (),
    remove: Collection[User] = (),
    add_groups: Collection[SecurityGroup] = (),
    remove_groups: Collection[SecurityGroup] = (),
) -> None:
    """The assignment's members are changed as asked, all or nothing.

    Raises PermissionDenied if `by` may not modify roles here or does not hold himself what new members would get,
    NotOfThisTenant for members from elsewhere, LastPrimaryAdmin or LastMmrAdmin if nobody would be left, Http404 if the
    assignment is gone.
    """
    with _changing(assignment, by) as line:
        assignment = hold(assignment)
        require(by, Permission.ROLES_MODIFY, assignment)
        if add or add_groups:
            _require_held(assignment, by)
        _check_home(assignment, [*add, *add_groups])
        AssignmentMember.objects.bulk_create(
            [AssignmentMember(assignment=assignment, user=user) for user in add], ignore_conflicts=True
        )
        AssignmentGroup.objects.bulk_create(
            [AssignmentGroup(assignment=assignment, group=group) for group in add_groups], ignore_conflicts=True
        )
        AssignmentMember.objects.filter(assignment=assignment, user__in=remove).delete()
        AssignmentGroup.objects.filter(assignment=assignment, group__in=remove_groups).delete()
        grants.project_members(assignment)
        if (remove or remove_groups) and assignment.role.delegation_id is not None:
            for step in _after_loss:
                step(assignment.role.delegation_id, by)
        line.after = {
            "members_added": [*(user.upn for user in add), *(group.name for group in add_groups)],
            "members_removed": [*(user.upn for user in remove), *(group.name for group in remove_groups)],
        }


def delete(assignment: Assignment, *, by: User | None) -> int:
    """The assignment and its group are gone; how many direct members it had. A step of a larger, authorised change."""
    members = list(assignment.people.order_by("upn").values_list("upn", flat=True))
    with recording(
        Category.ASSIGNMENT,
        Operation.DELETE,
        name_of(assignment),
        tenant=assignment.tenant_id,
        by=by,
        relationship_id=assignment.role.delegation_id,
    ) as line:
        line.before = {"members": members, "rooms": assignment.room_count, "all_rooms": assignment.all_rooms}
        group = assignment.group
        assignment.delete()
        group.delete()
    return len(members)


def _changing(assignment: Assignment, by: User | None):  # type: ignore[no-untyped-def]
    return recording(
        Category.ASSIGNMENT,
        Operation.UPDATE,
        name_of(assignment),
        tenant=assignment.tenant_id,
        by=by,
        relationship_id=assignment.role.delegation_id,
    )


def _require_held(assignment: Assignment, by: User) -> None:
    """Pass if `by` holds what the assignment gives: through itself, or through one that reaches at least as far.

    For a partner's role that is *Invited admins*, which bounds the others; so the customer names no people of the
    partner, he invites them. For the customer's own it is an assignment to all rooms. Raises PermissionDenied.
    """
    wide = {assignment.pk}
    delegation_id = assignment.role.delegation_id
    if delegation_id is not None:
        base = Assignment.objects.filter(role__delegation=delegation_id, key=AssignmentKey.INVITED_ADMINS)
        wide |= set(base.values_list("pk", flat=True))
    held: set[str] = set()
    for one in rights(by, assignment.tenant_id):
        if one.assignment_id in wide or (delegation_id is None and one.delegation_id is None and one.covers_tenant):
            held |= one.permissions
    if not set(assignment.role.permissions) <= held:
        raise PermissionDenied


def _check_home(assignment: Assignment, members: Iterable[User | SecurityGroup]) -> None:
    """Members come from the tenant that holds the role: the partner's for a partner role, else the customer's."""
    delegation = assignment.role.delegation
    home = assignment.tenant_id if delegation is None else delegation.held_by_id
    if any(one.tenant_id != home or not getattr(one, "is_home_member", True) for one in members):
        raise NotOfThisTenant
