"""Invitations to a domain: for a tenant that is known here, whose managers answer and name the primary admins.

They are invitations like all others: sent again, withdrawn, expired and answered by the same services.
"""

from datetime import timedelta

from audit import outbox
from audit.clock import now
from audit.models import Operation
from partners.answering import answering
from partners.errors import InvalidLifetime, UnknownDomain
from partners.happenings import tell_of
from partners.models import Invitation, InvitationState, PartnerRelationship
from partners.parcels import invitation_mail
from partners.services import invitations
from partners.services.invitations import DAYS, DEFAULT_DAYS
from rbac.access import require
from rbac.catalogue import Permission
from rbac.errors import DelegationOver, OwnTenant
from rbac.models import DelegationState, Tenant, TenantDomain, TenantStatus, User
from rbac.services import delegations


def tenant_of(domain: str, customer: Tenant) -> Tenant:
    """The tenant that `customer` can invite by `domain`.

    Raises OwnTenant for its own domain; UnknownDomain for one that nobody here has, that is not verified, or that is no
    domain at all: the same answer, so that nobody learns who is here and what was entered.
    """
    name = domain.strip().lower()
    found = TenantDomain.objects.filter(
        domain=name, verified_at__isnull=False, tenant__status=TenantStatus.FOUNDED
    ).select_related("tenant")
    owner = found.first() if name.isascii() and name.isprintable() else None
    if owner is None:
        raise UnknownDomain(params={"domain": "".join(sign for sign in name if sign.isprintable())[:60]})
    if owner.tenant_id == customer.pk:
        raise OwnTenant
    return owner.tenant


def invite(relationship: PartnerRelationship, domain: str, *, by: User, days: int = DEFAULT_DAYS) -> Invitation:
    """A pending invitation to `domain`; each manager of its tenant gets a mail once this is committed, any of them answers.

    A step of *Add partner*. Raises PermissionDenied if `by` may not modify the customer's settings; DelegationOver,
    TermsWaiting, OwnTenant, UnknownDomain, DailyLimit, InvalidLifetime.
    """
    with invitations.recording_of(relationship, domain.strip().lower(), Operation.CREATE, by) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        if delegation.state != DelegationState.INVITED:
            raise DelegationOver
        delegations.require_conditions(delegation.tenant)
        tenant = tenant_of(domain, delegation.tenant)
        if days not in DAYS:
            raise InvalidLifetime
        invitations.check_limit(delegation.tenant, max(1, answering(tenant).count()))
        sent_at = now()
        invitation = Invitation.objects.create(
            tenant_id=relationship.tenant_id,
            relationship=relationship,
            contact_name=domain.strip().lower(),
            domain=domain.strip().lower(),
            invited_tenant=tenant,
            language=tenant.language,
            invited_by=by.upn,
            created_at=sent_at,
            expires_at=sent_at + timedelta(days=days),
        )
        outbox.leave(invitation_mail(invitation))
        tell_of(InvitationState.PENDING, [invitation])
        line.after = {"state": InvitationState.PENDING, "expires_at": invitation.expires_at.isoformat()}
    return invitation
