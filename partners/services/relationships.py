"""The relationship between a customer and a partner: added with its invitations, changed, ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from audit import outbox
from audit.clock import now
from audit.log import recording, together
from audit.models import Category, Operation
from partners.errors import DomainOrPeople, TermsChanged, TermsNotAccepted
from partners.models import ApiToken, Invitation, PartnerRelationship, Terms
from partners.parcels import ended_notice, removed_notice
from partners.services import domain_invitations, invitations, time_limits, webhooks
from partners.services import terms as terms_service
from partners.services.invitations import DEFAULT_DAYS, Contact
from partners.webhooks import Webhook
from rbac import grants, step_up
from rbac.access import can, require
from rbac.catalogue import Permission
from rbac.errors import DelegationOver
from rbac.models import Assignment, AssignmentKey, Delegation, DelegationState, Tenant, User
from rbac.precondition import digest, meet, tag_of
from rbac.services import delegations
from rbac.services import roles as rules
from rbac.upn import domain_of
from rooms import scopes
from rooms.models import ApprovalRequest, ControlMode, ControlPolicy, Room
from rooms.scopes import Scope
from rooms.services import approvals, policies, ticket_people

LABEL_LENGTH = 120


@dataclass(frozen=True)
class Proposal:
    """Everything that *Add partner* asks for."""

    contacts: Sequence[Contact]
    scope: Scope
    terms_version: int
    agrees: bool
    # Instead of contacts: a verified domain of a tenant, whose managers answer.
    domain: str = ""
    policies: Mapping[Permission, ControlMode] = field(default_factory=dict)
    days: int = DEFAULT_DAYS
    label: str = ""
    expected_tid: UUID | None = None
    # When it ends by itself; None: never.
    valid_until: datetime | None = None


def add(customer: Tenant, proposal: Proposal, *, by: User) -> PartnerRelationship:
    """A new relationship with its delegation, role, scope and policies, and an invitation for every contact.

    One transaction; mails leave after it. Raises PermissionDenied if `by` may not modify the settings of `customer` or
    does not hold himself what would be delegated; TermsNotAccepted, TermsChanged; EmptyScope,
    UnknownRooms; DomainOrPeople; EndInPast, EndTooFar; and what `invitations.invite` or `domain_invitations.invite` raises.
    """
    label = proposal.label.strip() or _label_of(proposal)
    with recording(Category.PARTNER_INVITATION, Operation.CREATE, label, tenant=customer, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, customer)
        terms = _agreed(proposal)
        terms_service.note(customer, terms, by=by)
        delegation = delegations.open_for(customer, by=by)
        line.relationship_id = delegation.pk
        base = delegations.base_assignment(delegation)
        scopes.require_grantable(base, proposal.scope, by=by)
        scopes.choose(base, proposal.scope)
        policies.set_up(delegation, proposal.policies)
        relationship = PartnerRelationship.objects.create(
            tenant=customer,
            delegation=delegation,
            label=label,
            expected_tid=proposal.expected_tid,
            terms_version=terms.version,
            terms_digest=terms.digest,
            terms_accepted_by=by.upn,
            terms_accepted_at=now(),
        )
        if proposal.valid_until is not None:
            time_limits.limit(relationship, proposal.valid_until, by=by)
        _invite(relationship, proposal, by)
        line.after = {
            "scope": proposal.scope.as_data(),
            "terms": {"version": terms.version, "sha256": terms.digest},
            "policies": {str(event): str(mode) for event, mode in proposal.policies.items()},
        }
    return relationship


@tag_of.register
def _state_of(relationship: PartnerRelationship) -> str:
    """As it is now, whatever was read before: its label, its delegation, what is delegated, how that is controlled."""
    columns = "label", "delegation__state", "delegation__valid_until", "delegation__needs_primary_admin"
    known = PartnerRelationship.objects.filter(pk=relationship.pk).values_list(*columns).get()
    base = Assignment.objects.filter(role__delegation=relationship.delegation_id, key=AssignmentKey.INVITED_ADMINS)
    modes = ControlPolicy.objects.filter(delegation=relationship.delegation_id).order_by("event")
    return digest(known, list(base.values_list("version", flat=True)), list(modes.values_list("event", "mode")))


def _invite(relationship: PartnerRelationship, proposal: Proposal, by: User) -> None:
    if not proposal.domain:
        invitations.invite(relationship, proposal.contacts, by=by, days=proposal.days)
    elif proposal.contacts:
        raise DomainOrPeople
    else:
        domain_invitations.invite(relationship, proposal.domain, by=by, days=proposal.days)


def _label_of(proposal: Proposal) -> str:
    """The domain, or that of the first contact, as it was entered: what is wrong with it is said by `invite`, on record."""
    named = proposal.domain or next((domain_of(one.upn) for one in proposal.contacts), "")
    return named.strip().lower()[:LABEL_LENGTH] or "–"


def _agreed(proposal: Proposal) -> Terms:
    if not proposal.agrees:
        raise TermsNotAccepted
    terms = terms_service.current()
    if terms is None or terms.version != proposal.terms_version:
        raise TermsChanged
    return terms


@dataclass(frozen=True)
class Loss:
    """What removing a partner would take away; shown before it is confirmed."""

    people: int
    rooms: int
    invitations: int
    tokens: int
    webhooks: int
    requests: int


def loss_of(relationship: PartnerRelationship) -> Loss:
    """How many people lose access to how many rooms, and what else ends with the relationship."""
    base = delegations.base_assignment(relationship.delegation)
    held = Assignment.objects.filter(role__delegation=relationship.delegation)
    return Loss(
        people=User.objects.filter(groups__assignment__in=held).distinct().count(),
        rooms=scopes.rooms_of(base).count(),
        invitations=Invitation.objects.pending().filter(relationship=relationship).count(),
        tokens=ApiToken.objects.filter(delegation=relationship.delegation, revoked_at__isnull=True).count(),
        webhooks=Webhook.objects.live().filter(delegation=relationship.delegation).count(),
        requests=ApprovalRequest.objects.waiting().filter(delegation=relationship.delegation).count(),
    )


def remove(relationship: PartnerRelationship, *, by: User) -> None:
    """The partner is gone: relationship ended, invitations withdrawn, roles, assignments, index rows, tokens and
    webhooks gone.

    Takes effect with the commit, on every next request of the partner; needs nobody's consent and cannot be undone.
    Raises PermissionDenied if `by` may not modify the customer's settings, DelegationOver if it has ended already.
    """
    with recording(
        Category.PARTNER_INVITATION,
        Operation.DELETE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        meet(relationship)
        if delegation.state == DelegationState.ENDED:
            raise DelegationOver
        line.before = {"state": delegation.state, **vars(loss_of(relationship))}
        _end(relationship, delegation, by)
        line.after = {"state": DelegationState.ENDED}


def leave(relationship: PartnerRelationship, *, by: User) -> None:
    """The customer is gone from the partner's list: everything ends as by `remove`, and the customer is told.

    Possible while suspended, too: nobody is kept. Raises PermissionDenied unless `by` is a primary admin of the partner,
    StepUpRequired if the customer asks for more before roles are changed, DelegationOver if it has ended already.
    """
    with recording(
        Category.PARTNER_INVITATION,
        Operation.DELETE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        delegations.require_live(delegation)
        rules.require_primary(by, delegation)
        step_up.require(by, delegation.tenant, Permission.ROLES_MODIFY)
        line.before = {"state": delegation.state, **vars(loss_of(relationship))}
        _end(relationship, delegation, by)
        line.after = {"state": DelegationState.ENDED, "by_partner": True}


def expire(relationship: PartnerRelationship) -> bool:
    """What is past its end has ended as by `remove`, and both sides are told; False if it is not due (any more).

    Access ended with the second itself. Authorised by the end that the customer set.
    """
    with recording(
        Category.PARTNER_INVITATION,
        Operation.DELETE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=None,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        if delegation.state == DelegationState.ENDED or not delegations.is_over(delegation):
            line.is_void = True  # somebody was quicker, or has given it more time
            return False
        line.before = {"state": delegation.state, **vars(loss_of(relationship))}
        _end(relationship, delegation, None)
        line.after = {"state": DelegationState.ENDED, "has_expired": True}
    return True


def expire_others(invitation: Invitation, by: User) -> None:
    """What is past its end between the customer and the home tenant of `by`, who accepts first, is marked: it stands in the
    way of no new relationship, though no job has run."""
    if invitation.relationship.delegation.held_by_id is not None:
        return
    others = time_limits.due().filter(tenant=invitation.tenant_id, delegation__held_by=by.tenant_id)
    for relationship in others.exclude(pk=invitation.relationship_id):
        expire(relationship)


def _end(relationship: PartnerRelationship, delegation: Delegation, by: User | None) -> None:
    held = Assignment.objects.filter(role__delegation=delegation)
    upns = list(
        User.objects.filter(groups__assignment__in=held).distinct().order_by("upn").values_list("upn", flat=True)
    )
    was_lapsed = delegation.state == DelegationState.LAPSED
    invitations.revoke_all(relationship, by=by)
    delegation.refresh_from_db(fields=["state"])  # marking due invitations may have let it lapse
    approvals.cancel_all(delegation, by=by)
    delegations.end(delegation)
    grants.withdraw(held, Room)
    delegations.remove_roles(delegation, by=by)
    ApiToken.objects.filter(delegation=delegation).delete()
    ticket_people.let_go(delegation, by=by)
    webhooks.end_all(delegation)
    if upns:
        outbox.leave(removed_notice(relationship, upns, by))
    if delegation.held_by_id is not None or (by is None and not was_lapsed):
        outbox.leave(ended_notice(relationship, by, has_lapsed=False))


def suspend(relationship: PartnerRelationship, *, by: User) -> None:
    """The customer's brake: the partner's people have no access from now on, nothing is lost.

    Raises PermissionDenied if `by` may not modify the customer's settings, WrongState unless it is active.
    """
    _move(relationship, delegations.suspend, DelegationState.SUSPENDED, by)


def resume(relationship: PartnerRelationship, *, by: User) -> None:
    """The partner's people have their access again.

    Raises PermissionDenied, TermsWaiting, and WrongState unless it is suspended.
    """
    _move(relationship, _resumed, DelegationState.ACTIVE, by)


def _resumed(delegation: Delegation) -> None:
    delegations.require_conditions(delegation.tenant)
    delegations.resume(delegation)


def _move(
    relationship: PartnerRelationship, step: Callable[[Delegation], None], state: DelegationState, by: User
) -> None:
    with recording(
        Category.PARTNER_INVITATION,
        Operation.UPDATE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        meet(relationship)
        line.before = {"state": delegation.state}
        step(delegation)
        line.after = {"state": state}


def rename(relationship: PartnerRelationship, label: str, *, by: User) -> None:
    """The customer calls the partner `label`. Raises PermissionDenied, DelegationOver, TermsWaiting."""
    with recording(
        Category.SETTINGS,
        Operation.UPDATE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        meet(relationship)
        delegations.require_live(delegation)
        delegations.require_conditions(delegation.tenant)
        line.before = {"label": relationship.label}
        PartnerRelationship.objects.filter(pk=relationship.pk).update(label=label)
        line.after = {"label": label}


def modify(
    relationship: PartnerRelationship,
    *,
    by: User,
    label: str | None = None,
    modes: Mapping[Permission, ControlMode],
    ends: Mapping[Literal["valid_until"], datetime | None] | None = None,
) -> None:
    """The customer calls the partner `label`, handles its later changes by `modes`, and its time is over when `ends` says
    (None in it: never); all of it or nothing.

    Raises what `rename`, `policies.change` and `time_limits.limit` raise.
    """
    with together():
        delegation = delegations.lock(relationship.delegation_id)
        if can(by, Permission.SETTINGS_MODIFY, delegation.tenant):  # else the steps refuse it, on record
            meet(relationship)
        if label is not None:
            rename(relationship, label, by=by)
        if modes:
            policies.change(relationship.delegation, modes, by=by, label=label or relationship.label)
        if ends:
            time_limits.limit(relationship, ends["valid_until"], by=by)
