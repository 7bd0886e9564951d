"""Primary admins that a partner adds itself: colleagues who are known become members, others are invited.

A change of roles, so it enters by change control. The customer sees such an invitation like every other, and can withdraw
it.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied

from audit.clock import Now
from audit.models import Operation
from partners.errors import DailyLimit, DuplicateContact, InvalidLifetime, NoContact, NotAColleague, NotAPerson
from partners.models import Invitation, PartnerRelationship
from partners.services import invitations
from partners.services.invitations import DAYS, DEFAULT_DAYS, Contact
from rbac.access import require
from rbac.catalogue import Permission
from rbac.models import Assignment, SecurityGroup, Tenant, TenantDomain, User
from rbac.services import delegations
from rbac.services import roles as rules
from rbac.upn import domain_of, normalise
from rooms.services import roles

ACTION = "add_admins"  # of the event roles.modify, for change control
DAILY = 20  # invitations a partner may send for one customer in 24 hours


def add(
    assignment: Assignment, *, by: User, people: Sequence[Mapping[str, str]], days: int = DEFAULT_DAYS
) -> list[str]:
    """Each of `people` (name, UPN) is a primary admin, or, having never signed in here, has an invitation; the UPNs of the
    invited. All or nothing. `assignment` is *Invited admins* of the partner; values are plain, so that it can wait.

    Raises PermissionDenied unless `by` is a primary admin of the partner; NoContact, DuplicateContact, NotAColleague,
    NotAPerson, AlreadyInvited, AlreadyPrimaryAdmin, InvalidLifetime, DailyLimit; ValidationError for a UPN that is none.
    """
    relationship = PartnerRelationship.objects.select_related("tenant", "delegation").get(
        delegation=assignment.role.delegation_id
    )
    with invitations.recording_of(relationship, relationship.label, Operation.CREATE, by) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.ROLES_MODIFY, delegation)
        if not rules.is_primary(by, delegation.pk):
            raise PermissionDenied
        if days not in DAYS:
            raise InvalidLifetime
        assert delegation.held_by is not None
        contacts = checked(people, delegation.held_by)
        invitations.check_new(relationship, contacts)
        known = set(_known(delegation.held_by, contacts))
        strangers = [one for one in contacts if one.upn not in known]
        if known:
            roles.change_members(delegations.base_assignment(delegation), by=by, add=sorted(known))
        _check_limits(relationship, len(strangers))
        for one in strangers:
            invitations.send(relationship, one, days=days, by=by, by_partner=True)
        line.after = {"upns": sorted(known), "invited": [one.upn for one in strangers], "days": days}
    return [one.upn for one in strangers]


def checked(people: Sequence[Mapping[str, Any]], home: Tenant) -> list[Contact]:
    """`people` as contacts, if they can be colleagues of `home`. Raises as `add` does for each of them."""
    if not people:
        raise NoContact
    contacts: list[Contact] = []
    for one in people:
        upn = normalise(one.get("upn", ""))
        if any(upn == other.upn for other in contacts):
            raise DuplicateContact(params={"upn": upn})
        contacts.append(Contact(one.get("name") or upn, upn))
    known = set(_known(home, contacts))
    domains = {domain_of(one.upn) for one in contacts if one.upn not in known}
    own = set(
        TenantDomain.objects.filter(tenant=home, domain__in=domains, verified_at__isnull=False).values_list(
            "domain", flat=True
        )
    )
    for contact in contacts:
        if contact.upn not in known and domain_of(contact.upn) not in own:
            raise NotAColleague(params={"upn": contact.upn})
        if SecurityGroup.objects.filter(address__iexact=contact.upn).exists():
            raise NotAPerson(params={"upn": contact.upn})
    return contacts


def _known(home: Tenant, contacts: Sequence[Contact]) -> list[str]:
    people = User.objects.filter(tenant=home, is_active=True, is_home_member=True)
    return list(people.filter(upn__in=[one.upn for one in contacts]).values_list("upn", flat=True))


def _check_limits(relationship: PartnerRelationship, wanted: int) -> None:
    if not wanted:
        return
    invitations.check_limit(relationship.tenant, wanted)
    sent = Invitation.objects.filter(
        relationship=relationship, by_partner=True, created_at__gt=Now() - timedelta(days=1)
    )
    if sent.count() + wanted > DAILY:
        raise DailyLimit
