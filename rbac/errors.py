"""Rules about tenants, people, roles and assignments, with the stable codes the API answers."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from audit.errors import RuleBroken
from audit.log import CONSTRAINTS

if TYPE_CHECKING:
    from rbac.catalogue import Permission
    from rbac.partner_access import Condition


class LastPrimaryAdmin(RuleBroken):
    code = "last_primary_admin"
    text = _("A partner keeps at least one primary admin. Add another one first, or remove the partner.")


class WrongCode(RuleBroken):
    code = "wrong_code"
    status = 400
    text = _("This is not the code of this moment. Wait for the next one in your app, and enter it.")


class LastMmrAdmin(RuleBroken):
    code = "last_mmr_admin"
    text = _("Your organisation keeps at least one MMR Admin. Add another one first.")


class AlreadyDeactivated(RuleBroken):
    code = "already_deactivated"
    text = _("%(upn)s is deactivated already.")


class AlreadyActive(RuleBroken):
    code = "already_active"
    text = _("%(upn)s is active already.")


class NotOfOrganisation(RuleBroken):
    code = "not_of_organisation"
    text = _("%(upn)s is an account of support staff. It is closed on the command line, with close_support_account.")


class BuiltInRole(RuleBroken):
    code = "built_in_role"
    text = _("Built-in roles cannot be changed or deleted.")


class RoleNameTaken(RuleBroken):
    code = "role_name_taken"
    text = _("A role of this name exists already.")


class NoPermissions(RuleBroken):
    code = "no_permissions"
    status = 400
    text = _("Choose at least one permission.")


class AboveCeiling(RuleBroken):
    code = "above_ceiling"
    status = 400
    text = _("A partner’s role can hold no more than its primary admins hold.")


class KeptAssignment(RuleBroken):
    code = "kept_assignment"
    text = _("This assignment belongs to the portal. It can be neither renamed, given dates nor deleted.")


class NoEndDate(RuleBroken):
    code = "no_end_date"
    status = 400
    text = _("Primary admins have no end date.")


class DatesNotInOrder(RuleBroken):
    code = "dates_not_in_order"
    status = 400
    text = _("The end comes after the beginning.")


class StaleVersion(RuleBroken):
    code = "stale_version"
    status = 412
    text = _("Somebody else has changed this in the meantime. Look at the current values and try again.")


class IdempotencyKeyReused(RuleBroken):
    code = "idempotency_key_reused"
    status = 422
    text = _("This idempotency key belongs to another request. Take a new one.")


class IdempotencyKeyInUse(RuleBroken):
    code = "idempotency_key_in_use"
    wait = 2  # seconds
    text = _("The first request with this idempotency key is still running. Ask again in a moment.")


class IdempotencyAnswerNotKept(RuleBroken):
    """Its answer held a secret, was too large, or was lost with the process that would have kept it."""

    code = "idempotency_answer_not_kept"
    text = _("This request was carried out, but its answer is not kept. Look at what has become of it.")

    def __init__(self, place: str = "") -> None:
        super().__init__()
        self.place = place


class SecurityGroupNameTaken(RuleBroken):
    code = "security_group_name_taken"
    text = _("A security group of this name exists already.")


class SecurityGroupInUse(RuleBroken):
    code = "security_group_in_use"
    text = _("This security group is a member of an assignment. Take it out there first.")


class NotInvited(RuleBroken):
    code = "not_invited"
    status = 400
    text = _("Primary admins who have never signed in are invited by the customer.")


class AlreadyPartner(RuleBroken):
    code = "already_partner"
    text = _("Your organisation already is an active partner of this customer.")


class OwnTenant(RuleBroken):
    code = "own_tenant"
    text = _("Nobody of the customer’s own organisation can become its partner.")


class NotOfThisTenant(RuleBroken):
    code = "not_of_this_tenant"
    status = 400
    text = _("Only people and groups of the organisation that holds the role can be members.")


class DelegationOver(RuleBroken):
    code = "relationship_over"
    status = 410
    text = _("This partner relationship has ended.")


class AlreadyFounded(RuleBroken):
    code = "already_founded"
    text = _("An organisation with this Entra tenant id exists already.")


class DomainTaken(RuleBroken):
    code = "domain_taken"
    text = _("Another organisation has this domain.")


class DomainListed(RuleBroken):
    code = "domain_listed"
    text = _("This domain is in the list already.")


class TooManyDomains(RuleBroken):
    code = "too_many_domains"
    text = _("An organisation has at most %(most)s domains here.")


class DomainVerified(RuleBroken):
    code = "domain_verified"
    text = _("A verified domain is taken out by the operator’s support only.")


class InvalidDomain(RuleBroken):
    code = "invalid_domain"
    status = 400
    text = _("Enter a domain like example.com.")


class UnknownZone(RuleBroken):
    code = "unknown_zone"
    status = 400
    text = _("Enter a time zone like Europe/Berlin.")


class UnknownLanguage(RuleBroken):
    code = "unknown_language"
    status = 400
    text = _("The portal does not speak this language.")


class InvalidName(RuleBroken):
    code = "invalid_name"
    status = 400
    text = _("Enter a name of at most 200 characters.")


class InvalidAddress(RuleBroken):
    code = "invalid_address"
    status = 400
    text = _("“%(address)s” is no mail address.")


class TooManyAddresses(RuleBroken):
    code = "too_many_addresses"
    status = 400
    text = _("An event is told to at most %(most)s further addresses.")


class MailTestLimit(RuleBroken):
    code = "test_mail_limit"
    status = 429
    text = _("You have sent the most test mails allowed in one hour. Try again later.")


class InvalidSender(RuleBroken):
    code = "invalid_sender"
    status = 400
    text = _("Enter a name of at most 60 characters, without an address and without quotes.")


class InvalidAccent(RuleBroken):
    code = "invalid_accent"
    status = 400
    text = _("Enter a colour like #3a3670.")


class LowContrast(RuleBroken):
    code = "low_contrast"
    status = 400
    text = _(
        "White text is hard to read on this colour: the contrast is %(ratio)s to 1 and must be at least 4.5 to 1. "
        "Choose a darker one."
    )


class InvalidFooter(RuleBroken):
    code = "invalid_footer"
    status = 400
    text = _("Enter at most 300 characters in at most 5 lines.")


class AccountExists(RuleBroken):
    code = "account_exists"
    text = _("There is an account called %(upn)s already.")


class UnknownAccount(RuleBroken):
    code = "unknown_account"
    status = 400
    text = _("There is no open account of support staff called %(upn)s.")


class TermsWaiting(RuleBroken):
    """The customer has to agree to newer terms before it changes something of a partner; a page asks it there and then."""

    code = "terms_changed"
    text = _(
        "The operator has published new terms. Read them and agree first (in the API: customers/…/terms/ and its accept/); "
        "then this change can be made."
    )


class StepUpRequired(PermissionDenied):
    """The customer asks more of its partners' people than this request shows; whoever signs in again can go on."""

    code = "step_up_required"

    def __init__(self, tenant_id: UUID, missing: Collection["Condition"], *, event: "Permission | None" = None) -> None:
        super().__init__(self.code)
        self.tenant_id, self.missing = tenant_id, frozenset(missing)
        self.event = event  # for which it is missing; None: for any access


class InvalidNetwork(RuleBroken):
    code = "invalid_network"
    status = 400
    text = _("“%(network)s” is no network. Write it like 198.51.100.0/24 or 2001:db8::/32.")


class TooManyNetworks(RuleBroken):
    code = "too_many_networks"
    status = 400
    text = _("Name at most %(most)s networks.")


class InvalidSignInAge(RuleBroken):
    code = "invalid_sign_in_age"
    status = 400
    text = _("A sign-in may be between %(least)s minutes and %(most)s days old.")


class EventsAskNothing(RuleBroken):
    code = "events_ask_nothing"
    status = 400
    text = _("Say what is asked for these events, or choose none.")


class NoEventsChosen(RuleBroken):
    code = "no_events_chosen"
    status = 400
    text = _("Choose for which events this is asked.")


class WrongState(RuleBroken):
    code = "wrong_state"
    text = _("This is no longer possible: the state has changed in the meantime.")


CONSTRAINTS.update(
    {
        "last_primary_admin": LastPrimaryAdmin,
        "last_mmr_admin": LastMmrAdmin,
        "role_built_in_immutable": BuiltInRole,
        "delegation_one_active_per_pair": AlreadyPartner,
        "delegation_not_to_oneself": OwnTenant,
        "role_built_in_once": AlreadyFounded,
        "rbac_tenant_entra_tid_key": AlreadyFounded,
        "domain_verified_once": DomainTaken,
        "domain_once_per_tenant": DomainListed,
        "domain_form": InvalidDomain,
        "assignment_dates_in_order": DatesNotInOrder,
        "assignment_primary_has_no_end": KeptAssignment,
        "security_group_name": SecurityGroupNameTaken,
    }
)
