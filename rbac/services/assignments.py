"""Assignments: who holds a role. Scopes live in rooms/scopes.py, because only rooms knows rooms."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404
from django.utils.translation import override

from audit.log import recording
from audit.models import Category, Operation
from rbac import grants
from rbac.access import require, rights
from rbac.catalogue import Permission
from rbac.errors import NotInvited, NotOfThisTenant
from rbac.models import (
    Assignment,
    AssignmentGroup,
    AssignmentKey,
    AssignmentMember,
    Delegation,
    PendingClaim,
    Role,
    SecurityGroup,
    Tenant,
    User,
)
from rbac.precondition import meet
from rbac.services import primary_admins

# What the apps above do in the same transaction when people of a delegation may have lost rights.
_after_loss: list[Callable[[UUID, User | None], object]] = []


def after_loss(step: Callable[[UUID, User | None], object]) -> None:
    """Have `step(delegation id, by)` run whenever an assignment of a partner loses members."""
    if step not in _after_loss:
        _after_loss.append(step)


def tell_of_loss(delegation_id: UUID | None, by: User | None) -> None:
    """What has to be done where people of the delegation may have lost rights is done (nothing for None: no partner's)."""
    if delegation_id is not None:
        for step in _after_loss:
            step(delegation_id, by)


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


def admit(assignment: Assignment, user: User, *, by: User | None, claim: PendingClaim | None = None) -> bool:
    """`user` is a member; False if he was already. Authorised by its cause: an accepted invitation, a consumed `claim`.

    Raises NotOfThisTenant if he is not at home in the tenant that holds the role, Http404 if the assignment is gone, or
    the claim withdrawn.
    """
    with _changing(assignment, by) as line:
        assignment = hold(assignment)
        _check_home(assignment, [user])
        if claim is not None and not PendingClaim.objects.filter(pk=claim.pk).delete()[0]:
            raise Http404
        _, is_new = AssignmentMember.objects.get_or_create(assignment=assignment, user=user)
        primary_admins.settle_for(assignment, user, by=by)
        grants.project_members(assignment)
        line.after = {"members_added": [user.upn]}
    return is_new


def is_editable(role: Role, by: User) -> bool:
    """Whether `by` is on the side that edits `role`: the customer sees a partner's roles, and edits none of them."""
    return role.delegation_id is None or by.tenant_id != role.tenant_id


def require_editable(role: Role, by: User) -> None:
    """Pass if `by` is on the side that edits `role`. Raises PermissionDenied otherwise."""
    if not is_editable(role, by):
        raise PermissionDenied


@dataclass(frozen=True)
class Members:
    """People, security groups, and UPNs of people who never signed in (claims)."""

    people: Collection[User] = ()
    groups: Collection[SecurityGroup] = ()
    claims: Collection[str] = ()

    def __bool__(self) -> bool:
        return bool(self.people or self.groups or self.claims)

    @property
    def names(self) -> list[str]:
        """For the log."""
        return [*(user.upn for user in self.people), *(group.name for group in self.groups), *self.claims]


def change_members(
    assignment: Assignment,
    *,
    by: User,
    add: Collection[User] = (),
    remove: Collection[User] = (),
    add_groups: Collection[SecurityGroup] = (),
    remove_groups: Collection[SecurityGroup] = (),
    add_claims: Collection[str] = (),
    remove_claims: Collection[str] = (),
    also: Callable[[Assignment], None] | None = None,
) -> None:
    """The assignment's members are changed as asked, all or nothing. `also` is a further rule, asked once it is held.

    Raises PermissionDenied if `by` may not modify roles here or does not hold himself what new members would get,
    NotOfThisTenant for members from elsewhere, NotInvited for claims of primary admins, LastPrimaryAdmin or LastMmrAdmin
    if nobody would be left, Http404 if the assignment is gone.
    """
    added, removed = Members(add, add_groups, add_claims), Members(remove, remove_groups, remove_claims)
    with _changing(assignment, by) as line:
        assignment = hold(assignment)
        require(by, Permission.ROLES_MODIFY, assignment)
        meet(assignment)
        if assignment.key != AssignmentKey.INVITED_ADMINS:
            require_editable(assignment.role, by)
        if also is not None:
            also(assignment)
        if added:
            require_held(assignment, by)
        is_changed = enlist(assignment, added, by=by) | dismiss(assignment, removed)
        grants.project_members(assignment)
        if is_changed:
            _count_version(assignment)
        if removed:
            tell_of_loss(assignment.role.delegation_id, by)
        line.after = {"members_added": added.names, "members_removed": removed.names}


def enlist(assignment: Assignment, members: Members, *, by: User) -> bool:
    """`members` are the assignment's; whether any is new. A step of a change that has asked; the caller projects.

    Raises NotOfThisTenant for members from elsewhere, NotInvited for claims of primary admins.
    """
    _check_home(assignment, [*members.people, *members.groups])
    if members.claims and assignment.key == AssignmentKey.INVITED_ADMINS:
        raise NotInvited
    # Whoever changes a group's people waits here, and then projects this assignment as well.
    list(SecurityGroup.objects.select_for_update().filter(pk__in=[one.pk for one in members.groups]).order_by("pk"))
    had = _size(assignment)
    AssignmentMember.objects.bulk_create(
        [AssignmentMember(assignment=assignment, user=user) for user in members.people], ignore_conflicts=True
    )
    AssignmentGroup.objects.bulk_create(
        [AssignmentGroup(assignment=assignment, group=group) for group in members.groups], ignore_conflicts=True
    )
    home = home_of(assignment)
    if members.claims and home is None:
        raise NotOfThisTenant
    PendingClaim.objects.bulk_create(
        [
            PendingClaim(assignment=assignment, tenant_id=home or assignment.tenant_id, upn=upn, named_by=by.upn)
            for upn in members.claims
        ],
        ignore_conflicts=True,
    )
    return _size(assignment) != had


def dismiss(assignment: Assignment, members: Members) -> bool:
    """`members` are not the assignment's any more; whether any was. A step of a change that has asked; caller projects."""
    gone = (
        AssignmentMember.objects.filter(assignment=assignment, user__in=members.people).delete()[0],
        AssignmentGroup.objects.filter(assignment=assignment, group__in=members.groups).delete()[0],
        PendingClaim.objects.filter(assignment=assignment, upn__in=members.claims).delete()[0],
    )
    return any(gone)


def _count_version(assignment: Assignment) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(version=F("version") + 1)


def _size(assignment: Assignment) -> int:
    tied = (assignment.memberships, assignment.group_memberships, assignment.claims)
    return sum(one.count() for one in tied)


def leave(assignment: Assignment, *, by: User) -> None:
    """`by` is no direct member of the assignment any more; nobody has to allow that.

    Raises Http404 if he is none, LastPrimaryAdmin or LastMmrAdmin if nobody would be left.
    """
    with _changing(assignment, by) as line:
        assignment = hold(assignment)
        if not AssignmentMember.objects.filter(assignment=assignment, user=by).delete()[0]:
            raise Http404
        grants.project_members(assignment)
        tell_of_loss(assignment.role.delegation_id, by)
        line.after = {"members_added": [], "members_removed": [by.upn]}


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
        drop(assignment)
    return len(members)


def drop(assignment: Assignment) -> None:
    """The rows of the assignment and of its group are gone; a step of a recorded change."""
    group = assignment.group
    assignment.delete()
    group.delete()


def _changing(assignment: Assignment, by: User | None):  # type: ignore[no-untyped-def]
    return recording(
        Category.ASSIGNMENT,
        Operation.UPDATE,
        name_of(assignment),
        tenant=assignment.tenant_id,
        by=by,
        relationship_id=assignment.role.delegation_id,
    )


def require_held(assignment: Assignment, by: User) -> None:
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


def home_of(assignment: Assignment) -> UUID | None:
    """The tenant whose people can be members: the one that holds the role (None while nobody does)."""
    delegation = assignment.role.delegation
    return assignment.tenant_id if delegation is None else delegation.held_by_id


def _check_home(assignment: Assignment, members: Iterable[User | SecurityGroup]) -> None:
    """Members come from the tenant that holds the role: the partner's for a partner role, else the customer's."""
    home = home_of(assignment)
    if any(one.tenant_id != home or not getattr(one, "is_home_member", True) for one in members):
        raise NotOfThisTenant
