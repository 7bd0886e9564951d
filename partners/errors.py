"""Rules about invitations and relationships, with the stable codes the API answers."""

from django.utils.translation import gettext_lazy as _

from audit.errors import RuleBroken
from audit.log import CONSTRAINTS


class EndInPast(RuleBroken):
    code = "end_in_past"
    status = 400
    text = _("The end has to be in the future. To end it now, remove the partner.")


class EndTooFar(RuleBroken):
    code = "end_too_far"
    status = 400
    text = _("The end can be at most ten years from now. Without an end it lasts until somebody removes the partner.")


class InvitationOver(RuleBroken):
    """The invitation was answered, revoked or has expired; `code` says which."""

    status = 410
    text = _("This invitation is no longer open.")
    texts = {
        "accepted": _("This invitation has been accepted already."),
        "denied": _("This invitation has been declined."),
        "expired": _("This invitation has expired. Ask the customer for a new one."),
        "revoked": _("This invitation was withdrawn by the customer."),
    }

    def __init__(self, state: str = "") -> None:
        super().__init__(self.texts.get(state, self.text))
        self.code = f"invitation_{state}" if state in self.texts else "invitation_over"


class WrongTenant(RuleBroken):
    code = "wrong_tenant"
    text = _("This partner is linked to another organisation. The customer has been told.")


class LinkNeeded(RuleBroken):
    code = "link_needed"
    text = _("Your organisation is new here. Open the link in the invitation mail to accept.")


class AlreadyInvited(RuleBroken):
    code = "already_invited"
    text = _("%(upn)s already has an open invitation to this partner.")


class AlreadyPrimaryAdmin(RuleBroken):
    code = "already_primary_admin"
    text = _("%(upn)s already is a primary admin of this partner.")


class OwnPerson(RuleBroken):
    code = "own_person"
    status = 400
    text = _("%(upn)s belongs to your own organisation and cannot be invited as a partner.")


class NotAPerson(RuleBroken):
    code = "not_a_person"
    status = 400
    text = _("%(upn)s is a group. Invite people, one by one.")


class DuplicateContact(RuleBroken):
    code = "duplicate_contact"
    status = 400
    text = _("%(upn)s is entered more than once.")


class NoContact(RuleBroken):
    code = "no_contact"
    status = 400
    text = _("Enter at least one contact.")


class DailyLimit(RuleBroken):
    code = "daily_limit"
    status = 429
    text = _("Your organisation has sent the most invitations allowed in one day. Try again tomorrow.")


class TermsChanged(RuleBroken):
    code = "terms_changed"
    text = _("The terms have changed in the meantime. Read them again and agree.")


class TermsNotAccepted(RuleBroken):
    code = "terms_not_accepted"
    status = 400
    text = _("Agree to the terms to go on.")


class EmptyTerms(RuleBroken):
    code = "empty_terms"
    status = 400
    text = _("Enter the terms in English and in German.")


class UnchangedTerms(RuleBroken):
    code = "unchanged_terms"
    text = _("The newest version of the terms already says this.")


class InvalidLifetime(RuleBroken):
    code = "invalid_lifetime"
    status = 400
    text = _("An invitation lives between 1 and 30 days.")


class NoScope(RuleBroken):
    code = "no_scope"
    status = 400
    text = _("Choose at least one permission.")


class InvalidTokenLifetime(RuleBroken):
    code = "invalid_token_lifetime"
    status = 400
    text = _("An API token lives at least a moment and at most 365 days.")


class UndoOver(RuleBroken):
    code = "undo_over"
    status = 410
    text = _("This answer cannot be taken back any more. Ask the customer for a new invitation.")


class UnknownDomain(RuleBroken):
    code = "unknown_domain"
    status = 400
    text = _(
        "No organisation can be invited by the domain %(domain)s. Invite its people by their user principal names."
    )


class DomainOrPeople(RuleBroken):
    code = "domain_or_people"
    status = 400
    text = _("Enter contacts or a domain, not both.")


class NoAdmin(RuleBroken):
    code = "no_admin"
    status = 400
    text = _("Name at least one person of your organisation as primary admin.")


class UnknownColleague(RuleBroken):
    code = "unknown_colleague"
    status = 400
    text = _("Nobody of your organisation has signed in here as %(upn)s.")


class NotAColleague(RuleBroken):
    code = "not_a_colleague"
    status = 400
    text = _("%(upn)s is not in a verified domain of your organisation.")


class AlreadyManager(RuleBroken):
    code = "already_manager"
    text = _("%(upn)s is a tenant manager already.")


class InvalidWebhookAddress(RuleBroken):
    code = "invalid_webhook_address"
    status = 400
    text = _("Nothing can be sent to this address. It has to be https:// and a public name, without a user name.")


class NoEvents(RuleBroken):
    code = "no_events"
    status = 400
    text = _("Choose at least one event.")


class TooManyWebhooks(RuleBroken):
    code = "too_many_webhooks"
    text = _("There are as many webhooks as there can be. Delete one first.")


class WebhookOff(RuleBroken):
    code = "webhook_off"
    text = _("The webhook is off. Turn it on first.")


class TooManyTests(RuleBroken):
    code = "too_many_tests"
    status = 429
    text = _("That is enough for this hour. Try again later.")


class AnsweredInvitation(RuleBroken):
    code = "invitation_over"
    status = 410
    text = _("This invitation is no longer open.")


CONSTRAINTS.update(
    {
        "invitation_answered": AnsweredInvitation,
        "invitation_one_pending_per_upn": AlreadyInvited,
        "tenant_manager_once": AlreadyManager,
    }
)
