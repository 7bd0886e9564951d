"""Who counts as an admin that is left: said here once for Python, as the database's `trm_check_admins` counts.

Somebody who can act as the role's admin now and for good: a person of the tenant that holds the role, active, no guest,
directly or by a security group, through an assignment that has begun and has no end; for MMR Admins one to all rooms.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.clock import Now
from rbac.catalogue import BuiltIn
from rbac.models import AssignmentMember, Delegation, DelegationState, Role, SecurityGroupMember, TenantStatus, User

LIVE = (DelegationState.ACTIVE, DelegationState.SUSPENDED)
_HOLDER = {BuiltIn.PARTNER_ADMIN: "delegation__held_by", BuiltIn.MMR_ADMIN: "tenant"}


def roles(key: BuiltIn) -> QuerySet[Role]:
    """The roles that have to keep an admin: of live delegations, or of founded tenants."""
    found = Role.objects.filter(key=key)
    if key is BuiltIn.PARTNER_ADMIN:
        return found.filter(delegation__state__in=LIVE)
    return found.filter(tenant__status=TenantStatus.FOUNDED)


def has_admin(key: BuiltIn, *, besides: User | None = None) -> Q:
    """Whether a role of `roles(key)` has an admin left, `besides` aside."""
    able = Q(user__is_active=True, user__is_home_member=True, user__tenant=OuterRef(_HOLDER[key]))
    if besides is not None:
        able &= ~Q(user=besides)
    return has_member(key, able)


def has_member(key: BuiltIn, able: Q) -> Q:
    """Whether a role has a member who is `able`, through an assignment that counts."""
    direct = AssignmentMember.objects.filter(able, _lasting("assignment__", key))
    through_group = "group__memberships_in_assignments__assignment__"
    by_group = SecurityGroupMember.objects.filter(able, _lasting(through_group, key))
    return Q(Exists(direct)) | Q(Exists(by_group))


def only_by(person: User, key: BuiltIn) -> QuerySet[Role]:
    """The roles whose last admin `person` is."""
    return roles(key).filter(has_admin(key)).exclude(has_admin(key, besides=person))


def worked_for(person: User) -> QuerySet[Delegation]:
    """The delegations in which `person` is a member of anything, directly or by a group; in the order of locks."""
    direct = AssignmentMember.objects.filter(user=person).values("assignment__role__delegation")
    by_group = SecurityGroupMember.objects.filter(user=person)
    grouped = by_group.values("group__memberships_in_assignments__assignment__role__delegation")
    return Delegation.objects.filter(Q(pk__in=direct) | Q(pk__in=grouped)).order_by("pk")


def _lasting(path: str, key: BuiltIn) -> Q:
    has_begun = Q(**{f"{path}valid_from__isnull": True}) | Q(**{f"{path}valid_from__lte": Now()})
    lasts = has_begun & Q(**{f"{path}role": OuterRef("pk"), f"{path}valid_until__isnull": True})
    return lasts & Q(**{f"{path}all_rooms": True}) if key is BuiltIn.MMR_ADMIN else lasts
