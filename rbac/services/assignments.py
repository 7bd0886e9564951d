"""Assignments: who holds a role. Scopes live in rooms/scopes.py, because only rooms knows rooms."""

from collections.abc import Collection, Iterable

from django.utils.translation import override

from audit.log import recording
from audit.models import Category, Operation
from rbac import grants
from rbac.access import require
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


def admit(assignment: Assignment, user: User, *, by: User | None) -> bool:
    """`user` is a member; False if he was already. Authorised by its cause: an accepted invitation, a consumed claim.

    Raises NotOfThisTenant if he is not at home in the tenant that holds the role.
    """
    with _changing(assignment, by) as line:
        lock_holder(assignment)
        _check_home(assignment, [user.tenant_id])
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

    Raises PermissionDenied if `by` may not modify roles here, NotOfThisTenant for members from elsewhere,
    LastPrimaryAdmin or LastMmrAdmin if nobody would be left.
    """
    with _changing(assignment, by) as line:
        lock_holder(assignment)
        require(by, Permission.ROLES_MODIFY, assignment)
        _check_home(assignment, [*(user.tenant_id for user in add), *(group.tenant_id for group in add_groups)])
        AssignmentMember.objects.bulk_create(
            [AssignmentMember(assignment=assignment, user=user) for user in add], ignore_conflicts=True
        )
        AssignmentGroup.objects.bulk_create(
            [AssignmentGroup(assignment=assignment, group=group) for group in add_groups], ignore_conflicts=True
        )
        AssignmentMember.objects.filter(assignment=assignment, user__in=remove).delete()
        AssignmentGroup.objects.filter(assignment=assignment, group__in=remove_groups).delete()
        grants.project_members(assignment)
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


def _check_home(assignment: Assignment, tenants: Iterable[object]) -> None:
    """Members come from the tenant that holds the role: the partner's for a partner role, else the customer's."""
    delegation = assignment.role.delegation
    home = assignment.tenant_id if delegation is None else delegation.held_by_id
    if any(tenant_id != home for tenant_id in tenants):
        raise NotOfThisTenant
