"""Taking back a denial: within a day, once. The denied row stays as it is; a new one waits, as long as the old one would.

No mail leaves, but where only the mail's link proves who one is: the old link is dead, so a new one is sent.
"""

from audit import outbox
from audit.models import Operation
from partners.errors import AlreadyInvited, AlreadyPrimaryAdmin, UndoOver, WrongTenant
from partners.happenings import tell_of
from partners.models import Invitation, InvitationState
from partners.parcels import invitation_mail
from partners.services import invitations
from rbac.models import Delegation, DelegationState, User
from rbac.services import delegations


def undo(invitation: Invitation, *, by: User) -> Invitation:
    """A new pending invitation with the old expiry; a relationship that lapsed with the denial is open again.

    Taking back again gives the same answer. Raises Http404 for anybody but the invited person; UndoOver a day after the
    denial, once the invitation would have expired, and for one that was taken back before; DelegationOver, WrongTenant,
    AlreadyInvited, AlreadyPrimaryAdmin, DailyLimit.
    """
    invitations.find(invitation.pk, by)
    with invitations.recording_of(invitation.relationship, invitation.addressee, Operation.CREATE, by) as line:
        delegation = delegations.lock(invitation.relationship.delegation_id)
        denied = invitations.hold_own(invitation, by)
        known = Invitation.objects.filter(reopens=denied).first()
        if known is not None:
            line.is_void = True  # a second click
            return known
        _require_undoable(denied, delegation, by)
        if delegation.state == DelegationState.LAPSED:
            delegations.revive(delegation)
        reopened = _reopen(denied)
        if invitations.needs_link(reopened, by):
            invitations.check_limit(delegation.tenant, 1)
            outbox.leave(invitation_mail(reopened))
        tell_of(InvitationState.PENDING, [reopened])
        line.after = {
            "state": InvitationState.PENDING,
            "expires_at": reopened.expires_at.isoformat(),
            "takes_back": str(denied.pk),
        }
    return reopened


def _require_undoable(denied: Invitation, delegation: Delegation, by: User) -> None:
    delegations.require_live(delegation)
    if not Invitation.objects.undoable().filter(pk=denied.pk).exists():
        raise UndoOver
    if delegation.held_by_id is not None and delegation.held_by_id != by.tenant_id:
        raise WrongTenant
    others = denied.relationship.invitations.filter(upn=denied.upn, domain=denied.domain)
    invitations.expire_due(others)
    if others.filter(state=InvitationState.PENDING).exists():
        raise AlreadyInvited(params={"upn": denied.addressee})
    if delegations.base_assignment(delegation).people.filter(pk=by.pk).exists():
        raise AlreadyPrimaryAdmin(params={"upn": by.upn})


def _reopen(denied: Invitation) -> Invitation:
    kept = (
        "tenant_id",
        "relationship",
        "contact_name",
        "upn",
        "domain",
        "invited_tenant_id",
        "delivery_address",
        "language",
        "invited_by",
        "by_partner",
        "created_at",
        "expires_at",
        "reminded_at",
    )
    return Invitation.objects.create(reopens=denied, **{name: getattr(denied, name) for name in kept})
