"""Invitations: sent by the customer, answered by the invited person, ended by time.

Every function is one recorded transaction. The delegation's row is locked before anything is decided, so two answers,
an answer and a withdrawal, or an answer and a removal come one after the other.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from audit import outbox
from audit.clock import Now, now
from audit.log import add_lines, recording, together
from audit.models import Category, Operation, OutboxMessage
from partners import links
from partners.errors import (
    AlreadyInvited,
    AlreadyPrimaryAdmin,
    DailyLimit,
    DuplicateContact,
    InvalidLifetime,
    InvitationOver,
    LinkNeeded,
    NoContact,
    NotAPerson,
    OwnPerson,
    WrongTenant,
)
from partners.happenings import tell_of
from partners.models import Invitation, InvitationQuerySet, InvitationState, PartnerRelationship
from partners.parcels import INVITATION, ended_notice, invitation_mail, linked_notice, wrong_tenant_notice
from partners.services import tenant_managers
from rbac.access import require
from rbac.catalogue import Permission
from rbac.errors import OwnTenant
from rbac.models import Delegation, DelegationState, SecurityGroup, Tenant, TenantDomain, User
from rbac.precondition import digest, meet, tag_of
from rbac.services import assignments, delegations
from rbac.upn import domain_of, normalise
from rooms import scopes

DEFAULT_DAYS = 14
DAYS = range(1, 31)
DAILY_LIMIT = 200  # invitation mails a tenant may send in 24 hours, repeated ones included

# What stands above this module and makes room before somebody accepts (relationships knows how something ends).
_before_accepting: list[Callable[[Invitation, User], object]] = []


def makes_room(step: Callable[[Invitation, User], object]) -> None:
    """Have `step(invitation, by)` run before somebody accepts, in a transaction of its own."""
    if step not in _before_accepting:
        _before_accepting.append(step)


@dataclass(frozen=True)
class Contact:
    """A person to invite: name, UPN, and where the mail goes if not to the UPN."""

    name: str
    upn: str
    delivery_address: str = ""


def invite(
    relationship: PartnerRelationship,
    contacts: Sequence[Contact],
    *,
    by: User,
    days: int = DEFAULT_DAYS,
) -> list[Invitation]:
    """A pending invitation for each contact, and a mail that leaves once this is committed.

    A lapsed relationship is open again. All or nothing. Raises PermissionDenied if `by` may not modify the
    customer's settings; DelegationOver; TermsWaiting; NoContact, DuplicateContact, OwnPerson, NotAPerson, AlreadyInvited,
    AlreadyPrimaryAdmin, DailyLimit, InvalidLifetime; ValidationError for a UPN that is none.
    """
    with recording(
        Category.PARTNER_INVITATION,
        Operation.CREATE,
        relationship.label,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    ) as line:
        delegation = delegations.lock(relationship.delegation_id)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        delegations.require_live(delegation)
        delegations.require_conditions(delegation.tenant)
        contacts = checked(contacts, delegation.tenant)
        check_new(relationship, contacts)
        delegation.refresh_from_db(fields=["state"])  # marking due invitations may have let it lapse
        check_limit(delegation.tenant, len(contacts))
        if days not in DAYS:
            raise InvalidLifetime
        if delegation.state == DelegationState.LAPSED:
            delegations.revive(delegation)
        line.after = {"upns": [contact.upn for contact in contacts], "days": days}
        return [send(relationship, contact, days=days, by=by) for contact in contacts]


def checked(contacts: Sequence[Contact], customer: Tenant) -> list[Contact]:
    """`contacts` with normal UPNs, if they can be invited by `customer`. Raises as `invite` does for each of them."""
    if not contacts:
        raise NoContact
    normal = [Contact(contact.name, normalise(contact.upn), contact.delivery_address) for contact in contacts]
    for upn, times in Counter(contact.upn for contact in normal).items():
        if times > 1:
            raise DuplicateContact(params={"upn": upn})
        check_person(upn, customer)
    return normal


def check_person(upn: str, customer: Tenant) -> None:
    """Pass if `upn` may be somebody else's person. Raises OwnPerson or NotAPerson."""
    own = TenantDomain.objects.filter(tenant=customer, domain=domain_of(upn), verified_at__isnull=False)
    if own.exists() or User.objects.filter(tenant=customer, upn=upn).exists():
        raise OwnPerson(params={"upn": upn})
    if SecurityGroup.objects.filter(address__iexact=upn).exists():
        raise NotAPerson(params={"upn": upn})


def check_new(relationship: PartnerRelationship, contacts: Sequence[Contact]) -> None:
    upns = [contact.upn for contact in contacts]
    expire_due(relationship.invitations.filter(upn__in=upns))
    for upn in relationship.invitations.filter(upn__in=upns, state=InvitationState.PENDING).values_list(
        "upn", flat=True
    ):
        raise AlreadyInvited(params={"upn": upn})
    base = delegations.base_assignment(relationship.delegation)
    for upn in base.people.filter(upn__in=upns).values_list("upn", flat=True):
        raise AlreadyPrimaryAdmin(params={"upn": upn})


def check_limit(tenant: Tenant, wanted: int) -> None:
    Tenant.objects.select_for_update().get(pk=tenant.pk)  # two at once are counted one after the other
    mails = OutboxMessage.objects.filter(kind=INVITATION, tenant_id=tenant.pk, due_at__gt=Now() - timedelta(days=1))
    if mails.count() + wanted > DAILY_LIMIT:
        raise DailyLimit


def send(
    relationship: PartnerRelationship, contact: Contact, *, days: int, by: User, by_partner: bool = False
) -> Invitation:
    """The pending invitation of one person, with its mail; a step of inviting, which has asked."""
    with recording_of(relationship, contact.upn, Operation.CREATE, by) as line:
        sent_at = now()
        invitation = Invitation.objects.create(
            tenant_id=relationship.tenant_id,
            relationship=relationship,
            contact_name=contact.name,
            upn=contact.upn,
            delivery_address=contact.delivery_address,
            language=relationship.tenant.language,
            invited_by=by.upn,
            by_partner=by_partner,
            created_at=sent_at,
            expires_at=sent_at + timedelta(days=days),
        )
        outbox.leave(invitation_mail(invitation))
        tell_of(InvitationState.PENDING, [invitation])
        line.after = {"state": InvitationState.PENDING, "expires_at": invitation.expires_at.isoformat()}
    return invitation


@tag_of.register
def _state_of(invitation: Invitation) -> str:
    return digest(invitation.state, invitation.rotation, invitation.expires_at)


def find(invitation_id: UUID, user: User) -> Invitation:
    """The invitation, for the person it is addressed to. Raises Http404 for everybody else."""
    found = (
        Invitation.objects.addressed_to(user)
        .select_related("tenant", "relationship__delegation", "relationship__tenant")
        .filter(pk=invitation_id)
        .first()
    )
    if found is None or found.tenant_id == user.tenant_id:
        raise Http404
    return found


def open_for(user: User) -> QuerySet[Invitation]:
    """The invitations `user` can answer at this second."""
    found = Invitation.objects.open_to(user).select_related("tenant", "relationship__delegation")
    return found.order_by("expires_at", "pk")


def is_awaited(upn: str) -> bool:
    """Whether an open invitation names `upn`: somebody from an unknown tenant may then arrive."""
    return Invitation.objects.pending().filter(upn=upn).exists()


def needs_link(invitation: Invitation, user: User) -> bool:
    """Whether accepting also takes the secret of the mail: it would link a tenant nobody here knows yet."""
    relationship = invitation.relationship
    is_first = relationship.delegation.held_by_id is None
    is_named = relationship.expected_tid is not None
    return is_first and not is_named and not (user.tenant is not None and user.tenant.is_known)


def accept(invitation: Invitation, *, by: User, secret: str = "", admins: Sequence[str] = ()) -> Invitation:
    """`by` is a primary admin, or, invited by domain, `admins` are: UPNs of people of the tenant he answers for. The first
    acceptance has linked the relationship to his home tenant.

    The same person accepting again gets the same answer. Raises Http404 for anybody but the invited person (or the
    tenant's managers); InvitationOver if it was answered otherwise or is due; LinkNeeded if the tenant is unknown and
    `secret` is not the mail's; AlreadyPartner, WrongTenant, OwnTenant; NoAdmin, UnknownColleague.
    """
    answered = find(invitation.pk, by)
    if answered.state == InvitationState.ACCEPTED and answered.accepted_by_id == by.pk:
        return answered
    for step in _before_accepting:
        step(answered, by)
    with recording_of(invitation.relationship, invitation.addressee, Operation.UPDATE, by) as line:
        delegation = delegations.lock(invitation.relationship.delegation_id)
        current = hold_own(invitation, by)
        meet(current)
        if current.state == InvitationState.ACCEPTED and current.accepted_by_id == by.pk:
            line.is_void = True  # a double click: the first one did it while this one waited for the lock
            return current
        require_pending(current, delegation)
        require_tenant(current, delegation, by, secret)
        people = tenant_managers.named(by, admins) if current.domain else [by]
        decide(current, InvitationState.ACCEPTED, by, accepted_by=by)
        if delegation.held_by_id is None:
            establish(current, delegation, by)
        for person in people:
            assignments.admit(delegations.base_assignment(delegation), person, by=by)
        line.after = {"state": InvitationState.ACCEPTED}
        if current.domain:
            line.after["admins"] = [person.upn for person in people]
    return Invitation.objects.get(pk=invitation.pk)


def require_tenant(invitation: Invitation, delegation: Delegation, by: User, secret: str) -> None:
    """Whether `by`'s home tenant may be (or become) the partner."""
    assert by.tenant is not None
    if by.tenant_id == delegation.tenant_id:
        raise OwnTenant
    expected = invitation.relationship.expected_tid
    is_other = delegation.held_by_id is not None and delegation.held_by_id != by.tenant_id
    if is_other or (expected is not None and expected != by.entra_tid):
        raise WrongTenant(parcels=[wrong_tenant_notice(invitation, by)])
    invitation.relationship.delegation = delegation
    if needs_link(invitation, by) and not links.is_secret_of(invitation, secret):
        raise LinkNeeded


def establish(invitation: Invitation, delegation: Delegation, by: User) -> None:
    """The first acceptance: the two tenants are linked, the rooms delegated, and the customer is told who it was."""
    assert by.tenant is not None
    with recording_of(invitation.relationship, by.tenant.name, Operation.UPDATE, by) as line:
        delegations.link(delegation, by.tenant)
        scopes.apply(delegations.base_assignment(delegation))
        outbox.leave(linked_notice(invitation, by))
        line.after = {"state": DelegationState.ACTIVE, "partner_tenant": str(by.tenant_id)}


def deny(invitation: Invitation, *, by: User) -> Invitation:
    """One's own invitation is declined; those of others stay. Declining again gives the same answer.

    Raises Http404 for anybody but the invited person, InvitationOver if it was answered otherwise or is due.
    """
    answered = find(invitation.pk, by)
    if answered.state == InvitationState.DENIED:
        return answered
    with recording_of(invitation.relationship, invitation.addressee, Operation.UPDATE, by) as line:
        delegation = delegations.lock(invitation.relationship.delegation_id)
        current = hold_own(invitation, by)
        meet(current)
        if current.state == InvitationState.DENIED:
            line.is_void = True  # as in `accept`
            return current
        require_pending(current, delegation)
        decide(current, InvitationState.DENIED, by)
        lapse_if_dead(invitation.relationship, delegation, by=by)
        line.after = {"state": InvitationState.DENIED}
    return Invitation.objects.get(pk=invitation.pk)


def revoke(invitation: Invitation, *, by: User) -> Invitation:
    """The customer has withdrawn the invitation; its link is dead, an unsent mail stays here.

    Raises PermissionDenied if `by` may not modify settings, InvitationOver if it is not pending any more.
    """
    with recording_of(invitation.relationship, invitation.addressee, Operation.UPDATE, by) as line:
        delegation, current = _lock(invitation)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        meet(current)
        require_pending(current, delegation)
        decide(current, InvitationState.REVOKED, by)
        lapse_if_dead(invitation.relationship, delegation, by=by)
        line.after = {"state": InvitationState.REVOKED}
    return Invitation.objects.get(pk=invitation.pk)


def resend(invitation: Invitation, *, by: User) -> Invitation:
    """A new mail with a new link leaves; every older link is dead. The expiry stays.

    Raises PermissionDenied if `by` may not modify settings, InvitationOver if it is not pending any more, TermsWaiting,
    DailyLimit.
    """
    with recording_of(invitation.relationship, invitation.addressee, Operation.UPDATE, by) as line:
        delegation, current = _lock(invitation)
        require(by, Permission.SETTINGS_MODIFY, delegation.tenant)
        meet(current)
        require_pending(current, delegation)
        delegations.require_conditions(delegation.tenant)
        check_limit(delegation.tenant, 1)
        current.rotation += 1
        current.save(update_fields=["rotation"])
        outbox.cancel(invitation_mail(current).kind, [str(current.pk)])
        outbox.leave(invitation_mail(current))
        tell_of(InvitationState.PENDING, [current], again=True)
        line.after = {"resent": current.rotation}
    return current


def expire_due(invitations: InvitationQuerySet) -> int:
    """Mark those of `invitations` whose time is over, an audit line each; how many. Access ended with the second itself."""
    marked = 0
    for relationship_id in list(invitations.due().values_list("relationship", flat=True).distinct()):
        relationship = PartnerRelationship.objects.get(pk=relationship_id)
        with together():
            marked += _expire_of(relationship, invitations)
    return marked


def _expire_of(relationship: PartnerRelationship, invitations: InvitationQuerySet) -> int:
    delegation = delegations.lock(relationship.delegation_id)
    open_ones = invitations.due().filter(relationship=relationship).select_related("relationship").order_by("pk")
    due = list(open_ones.select_for_update(of=("self",)))
    if due:
        with recording_of(relationship, due[0].addressee, Operation.UPDATE, None) as line:
            _expire(due)
            line.after = {"state": InvitationState.EXPIRED}
            add_lines(replace(line, object_name=other.addressee) for other in due[1:])
    lapse_if_dead(relationship, delegation, by=None)
    return len(due)


def _expire(due: list[Invitation]) -> None:
    """All of them at once: they are locked. Nothing unsent about them leaves any more."""
    keys = [invitation.pk for invitation in due]
    Invitation.objects.filter(pk__in=keys, state=InvitationState.PENDING).update(
        state=InvitationState.EXPIRED, decided_at=Now(), decided_by="system"
    )
    outbox.cancel(invitation_mail(due[0]).kind, [str(key) for key in keys])
    tell_of(InvitationState.EXPIRED, due)


def lapse_if_dead(relationship: PartnerRelationship, delegation: Delegation, *, by: User | None) -> None:
    """Without any open invitation, a relationship nobody has linked has lapsed; a step of what closed the last one."""
    is_open = relationship.invitations.filter(state=InvitationState.PENDING).exists()
    if delegation.state == DelegationState.INVITED and not is_open:
        with recording_of(relationship, relationship.label, Operation.UPDATE, by) as line:
            delegations.lapse(delegation)
            if by is None or by.tenant_id != relationship.tenant_id:  # its own people know what they withdrew
                outbox.leave(ended_notice(relationship, by, has_lapsed=True))
            line.after = {"state": DelegationState.LAPSED}


def revoke_all(relationship: PartnerRelationship, *, by: User | None) -> int:
    """Every pending invitation of an ending relationship is withdrawn, an audit line each; a step of removing."""
    expire_due(relationship.invitations.all())
    pending = relationship.invitations.filter(state=InvitationState.PENDING).order_by("pk")
    for invitation in pending:
        with recording_of(relationship, invitation.addressee, Operation.UPDATE, by) as line:
            decide(invitation, InvitationState.REVOKED, by)
            line.after = {"state": InvitationState.REVOKED}
    return len(pending)


def _lock(invitation: Invitation) -> tuple[Delegation, Invitation]:
    delegation = delegations.lock(invitation.relationship.delegation_id)
    current = Invitation.objects.select_for_update(of=("self",)).select_related("relationship", "tenant")
    return delegation, current.get(pk=invitation.pk)


def hold_own(invitation: Invitation, by: User) -> Invitation:
    """The row as it is now, locked, if `by` is the person it is addressed to. Raises Http404 otherwise."""
    mine = Invitation.objects.addressed_to(by).select_for_update(of=("self",))
    found = mine.select_related("relationship__tenant", "tenant").filter(pk=invitation.pk).first()
    if found is None or found.tenant_id == by.tenant_id:
        raise Http404
    return found


def require_pending(invitation: Invitation, delegation: Delegation) -> None:
    if invitation.state == InvitationState.PENDING:
        delegations.require_live(delegation)
    if invitation.state != InvitationState.PENDING:
        raise InvitationOver(invitation.state)
    if invitation.expires_at <= now():
        raise InvitationOver(InvitationState.EXPIRED)


def decide(invitation: Invitation, state: InvitationState, by: User | None, **fields: object) -> None:
    """Compare and set, judged by the database's clock after the lock was taken; nothing unsent leaves any more."""
    rows = Invitation.objects.filter(pk=invitation.pk, state=InvitationState.PENDING)
    if state == InvitationState.ACCEPTED:
        rows = rows.filter(expires_at__gt=Now())
    if not rows.update(state=state, decided_at=Now(), decided_by=by.upn if by is not None else "system", **fields):
        raise InvitationOver(InvitationState.EXPIRED)
    outbox.cancel(invitation_mail(invitation).kind, [str(invitation.pk)])
    tell_of(state, [invitation])


def recording_of(relationship: PartnerRelationship, name: str, operation: Operation, by: User | None):  # type: ignore[no-untyped-def]
    return recording(
        Category.PARTNER_INVITATION,
        operation,
        name,
        tenant=relationship.tenant_id,
        by=by,
        relationship_id=relationship.delegation_id,
    )
