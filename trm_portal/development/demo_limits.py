"""What ends in the demo: partners with a last day, one whose time is over, and an assignment of some days."""

from datetime import datetime, timedelta

from audit.clock import now
from partners.models import PartnerRelationship
from partners.services import relationships, time_limits
from partners.services.invitations import Contact
from partners.services.relationships import Proposal
from rbac import days
from rbac.catalogue import BuiltIn
from rbac.letters import zone_of
from rbac.models import Delegation, Role, Tenant, User
from rooms.scopes import Scope
from rooms.services import assignment_ends, roles
from rooms.services.roles import Proposed

ENDS_IN = {"Northwind Rooms GmbH": 6, "Adatum Integrators": 90}  # days, by the partner's name at Tailwind


def fill(admin: User, tech: User, rooms: Scope) -> None:
    """`admin` has limited partners of its own, and given `tech` more rooms for the days of a fair; all are told."""
    assert admin.tenant is not None
    own = PartnerRelationship.objects.filter(tenant=admin.tenant).select_related("delegation")
    for label, ahead in ENDS_IN.items():
        time_limits.limit(own.get(label=label), _in_days(ahead, admin.tenant), by=admin)
    fair = Proposed("Fair week", members=(tech.upn,), scope=rooms, valid_until=_in_days(5, admin.tenant))
    role = Role.objects.get(tenant=admin.tenant, key=BuiltIn.SITE_TECH, delegation=None)
    roles.assign(role, by=admin, assignment=fair.as_data())
    _let_end(admin, rooms)
    for delegation in time_limits.ending().filter(tenant=admin.tenant):
        time_limits.tell(delegation)
    for assignment in assignment_ends.ending().filter(tenant=admin.tenant):
        assignment_ends.tell(assignment)


def _in_days(ahead: int, tenant: Tenant) -> datetime:
    """The midnight after which not more than so many days are left, as a page would set it."""
    zone = zone_of(tenant)
    return days.end_of(now().astimezone(zone).date() + timedelta(days=ahead - 1), zone)


def _let_end(admin: User, rooms: Scope) -> None:
    """As if its last day had been a week ago: the only thing here that no service does is letting time pass."""
    assert admin.tenant is not None
    contact = Contact("Mia Voss", "mia.voss@trey-research.example")
    proposal = Proposal([contact], rooms, terms_version=1, agrees=True, label="Trey Event Rooms")
    relationship = relationships.add(admin.tenant, proposal, by=admin)
    time_limits.limit(relationship, now() + timedelta(days=1), by=admin)
    passed = now() - timedelta(days=7)
    Delegation.objects.filter(relationship=relationship).update(valid_until=passed)
    relationships.expire(relationship)
