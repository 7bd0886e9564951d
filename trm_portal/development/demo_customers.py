"""The partner's side of the demo: a token, a colleague who was invited by a colleague, an organisation invited by domain."""

from datetime import timedelta

from partners.services import relationships, tenant_managers, tokens
from partners.services.colleagues import ACTION
from partners.services.relationships import Proposal
from rbac.catalogue import Permission
from rbac.models import Delegation, User
from rbac.services.delegations import base_assignment
from rooms import change_control
from rooms.scopes import Scope


def fill(customer: User, partner: User, manager: User, admin: User) -> None:
    """`partner` cares for the rooms of `customer`'s tenant; `manager`, appointed by `admin`, answers for theirs."""
    assert customer.tenant is not None
    assert admin.tenant is not None
    delegation = Delegation.objects.get(tenant=customer.tenant, held_by=partner.tenant)
    bridge = {Permission.ROOMS_VIEW, Permission.TICKETS_VIEW, Permission.TICKETS_UPDATE}
    tokens.issue(delegation, "Ticket bridge", by=partner, scopes=bridge, lifetime=timedelta(days=90))
    change_control.submit(
        Permission.ROLES_MODIFY,
        base_assignment(delegation),
        by=partner,
        action=ACTION,
        people=[{"name": "Dana Reed", "upn": "dana.reed@fabrikam.com"}],
        days=14,
    )
    tenant_managers.appoint(admin.tenant, manager.upn, by=admin)
    domain = admin.upn.partition("@")[2]
    proposal = Proposal([], Scope(all_rooms=True), terms_version=1, agrees=True, domain=domain, label=admin.tenant.name)
    relationships.add(customer.tenant, proposal, by=customer)
