"""Security groups: sets of a tenant's own people that can be members of assignments, here and at its customers.

Whoever puts somebody into a group gives him what the group's assignments give, so he must hold that himself. Index rows
of every assignment that names the group follow in the same transaction, and each such assignment has its own audit line,
in the log of the tenant whose rooms it opens (without the names of the people: they are the group's tenant's affair).
"""

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.http import Http404

from audit.log import recording
from audit.models import Category, Operation
from rbac import grants
from rbac.access import holds_all, require, rights
from rbac.catalogue import Permission
from rbac.errors import NotOfThisTenant, SecurityGroupInUse
from rbac.models import Assignment, SecurityGroup, SecurityGroupMember, Tenant, User
from rbac.precondition import meet
from rbac.services.assignments import lock_holder, name_of, require_held


def visible_to(user: User, tenant: Tenant) -> QuerySet[SecurityGroup]:
    """The groups of `tenant` that `user` may see, with their people: those of his own tenant, as a keeper of its roles."""
    if user.tenant_id != tenant.pk or not holds_all(rights(user, tenant.pk), Permission.ROLES_VIEW, tenant.pk):
        return SecurityGroup.objects.none()
    return SecurityGroup.objects.filter(tenant=tenant)


def choosable_by(user: User) -> QuerySet[SecurityGroup]:
    """The groups `user` may make members of an assignment: those of his own tenant, by their names."""
    return SecurityGroup.objects.filter(tenant=user.tenant_id)


def create(tenant: Tenant, name: str, *, by: User, people: Collection[User] = ()) -> SecurityGroup:
    """A new group of `tenant` with `people`.

    Raises PermissionDenied unless `by` may modify the tenant's roles, NotOfThisTenant for people from elsewhere,
    SecurityGroupNameTaken.
    """
    with recording(Category.GROUP, Operation.CREATE, name, tenant=tenant, by=by) as line:
        require(by, Permission.ROLES_MODIFY, tenant)
        _check_home(tenant, people)
        group = SecurityGroup.objects.create(tenant=tenant, name=name)
        _tie(group, people)
        line.after = {"people": [one.upn for one in people]}
    return group


def rename(group: SecurityGroup, name: str, *, by: User) -> SecurityGroup:
    """The group is called `name`. Raises PermissionDenied, SecurityGroupNameTaken, Http404 if it is gone."""
    with recording(Category.GROUP, Operation.UPDATE, group.name, tenant=group.tenant_id, by=by) as line:
        current = _hold(group)
        require(by, Permission.ROLES_MODIFY, current.tenant)
        meet(current)
        line.before = {"name": current.name}
        current.name = name
        current.version += 1
        current.save(update_fields=["name", "version"])
        line.after = {"name": name}
    return current


def change_people(
    group: SecurityGroup, *, by: User, add: Collection[User] = (), remove: Collection[User] = ()
) -> SecurityGroup:
    """`add` are in the group, `remove` are not; whoever came or went holds what its assignments give, or not any more.

    Raises PermissionDenied unless `by` may modify the tenant's roles and, for `add`, holds himself what each assignment
    of the group gives; NotOfThisTenant; LastPrimaryAdmin or LastMmrAdmin if nobody would be left; Http404.
    """
    with recording(Category.GROUP, Operation.UPDATE, group.name, tenant=group.tenant_id, by=by) as line:
        current, naming = _hold_with_assignments(group)
        require(by, Permission.ROLES_MODIFY, current.tenant)
        meet(current)
        _check_home(current.tenant, add)
        had = set(current.people.values_list("pk", flat=True))
        new = [one for one in add if one.pk not in had]
        if new:
            for assignment in naming:
                require_held(assignment, by)
        _tie(current, new)
        gone = SecurityGroupMember.objects.filter(group=current, user__in=set(remove) - set(add))
        lost = list(gone.values_list("user__upn", flat=True))
        gone.delete()
        _follow(current, naming, by)
        current.version += 1
        current.save(update_fields=["version"])
        line.after = {"people_added": [one.upn for one in new], "people_removed": lost}
    return current


def delete(group: SecurityGroup, *, by: User) -> None:
    """The group is gone. Raises PermissionDenied, SecurityGroupInUse while an assignment names it, Http404 if it is gone."""
    with recording(Category.GROUP, Operation.DELETE, group.name, tenant=group.tenant_id, by=by) as line:
        current = _hold(group)
        require(by, Permission.ROLES_MODIFY, current.tenant)
        meet(current)
        if current.assignments.exists():
            raise SecurityGroupInUse
        line.before = {"people": list(current.people.order_by("upn").values_list("upn", flat=True))}
        current.delete()


def _naming(group: SecurityGroup) -> QuerySet[Assignment]:
    found = Assignment.objects.filter(security_groups=group).select_related("role__delegation", "tenant")
    return found.order_by("role__delegation", "tenant", "pk")


def _hold_with_assignments(group: SecurityGroup) -> tuple[SecurityGroup, list[Assignment]]:
    """The group, held after the holders of the assignments that name it, and these. Raises Http404 if it is gone."""
    for assignment in _naming(group):
        lock_holder(assignment)
    current = _hold(group)
    naming = list(_naming(group))
    for assignment in naming:  # one may have named it while we waited
        lock_holder(assignment)
    return current, naming


def _hold(group: SecurityGroup) -> SecurityGroup:
    found = SecurityGroup.objects.select_for_update(of=("self",)).select_related("tenant")
    current = found.filter(pk=group.pk).first()
    if current is None:
        raise Http404
    return current


def _follow(group: SecurityGroup, naming: Iterable[Assignment], by: User) -> None:
    """The index of every assignment that names the group, with a line each where its rooms are."""
    for assignment in naming:
        with recording(
            Category.ASSIGNMENT,
            Operation.UPDATE,
            name_of(assignment),
            tenant=assignment.tenant_id,
            by=by,
            relationship_id=assignment.role.delegation_id,
        ) as line:
            grants.project_members(assignment)
            line.after = {"group_changed": group.name}


def _tie(group: SecurityGroup, people: Iterable[User]) -> None:
    SecurityGroupMember.objects.bulk_create(
        [SecurityGroupMember(group=group, user=one, tenant_id=group.tenant_id) for one in people],
        ignore_conflicts=True,
    )


def _check_home(tenant: Tenant, people: Iterable[User]) -> None:
    if any(one.tenant_id != tenant.pk or not one.is_home_member for one in people):
        raise NotOfThisTenant
