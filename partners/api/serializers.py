"""How partners, invitations and tokens look to tools, and what tools may send."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from partners.errors import NoContact
from partners.forms import MAX_ROWS, single_line
from partners.models import InvitationState
from partners.services.invitations import DAYS, DEFAULT_DAYS, Contact
from partners.services.relationships import LABEL_LENGTH
from partners.services.tokens import MAX_DAYS
from rbac.api.base import Body, Named, refuse_unknown_fields
from rbac.catalogue import CEILING, CONTROLLED_EVENTS, Permission
from rbac.models import DelegationState
from rbac.upn import MAX_LENGTH
from rooms.models import ControlMode
from rooms.scopes import Scope

MAX_IDS = 10_000
MAX_ID = 2**63 - 1
DELEGABLE = [code.value for code in Permission if code in CEILING]
EVENTS = [event.value for event in CONTROLLED_EVENTS]


class LineField(serializers.CharField):
    """One line of text: it goes into mails and logs."""

    default_validators = [single_line]


def _ids() -> serializers.ListField:
    one = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    return serializers.ListField(child=one, max_length=MAX_IDS, required=False, default=list)


# --- What tools send -------------------------------------------------------------------------------------------------


class ContactBody(Body):
    """A person to invite."""

    name = LineField(max_length=120)
    upn = serializers.CharField(max_length=MAX_LENGTH, help_text="User principal name; never a group.")
    delivery_address = serializers.EmailField(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Where the mail goes, if not to the UPN.",
    )


class InviteBody(Body):
    """People to invite to a partner that exists."""

    contacts = ContactBody(many=True, allow_empty=False, max_length=MAX_ROWS)
    days = serializers.IntegerField(required=False, default=DEFAULT_DAYS, min_value=DAYS.start, max_value=DAYS.stop - 1)


class ScopeBody(Body):
    """The rooms to delegate: all of them, or single ones and whole groups."""

    all_rooms = serializers.BooleanField(required=False, default=False)
    rooms = _ids()
    groups = _ids()


class AgreementBody(Body):
    """That the terms of this version were read, and are agreed to."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    agrees = serializers.BooleanField()


class PartnerBody(Body):
    """Everything that *Add partner* asks for: people, or the domain of an organisation that is known here."""

    contacts = ContactBody(many=True, required=False, default=list, max_length=MAX_ROWS)
    domain = LineField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="Instead of `contacts`: its tenant managers answer, and name the primary admins.",
    )
    days = serializers.IntegerField(required=False, default=DEFAULT_DAYS, min_value=DAYS.start, max_value=DAYS.stop - 1)
    label = LineField(max_length=LABEL_LENGTH, required=False, allow_blank=True, default="")
    expected_tid = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="If given, only this Entra tenant can accept."
    )
    change_control = serializers.DictField(
        child=serializers.ChoiceField(choices=ControlMode.values),
        required=False,
        default=dict,
        help_text=f"How changes of the partner are handled, `auto` where nothing is said: {', '.join(EVENTS)}.",
    )
    valid_until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="When the relationship ends by itself; null: never. In the future, at most ten years from now.",
    )
    scope = ScopeBody()
    terms = AgreementBody()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError if nobody is named, neither people nor a domain."""
        if not attrs["contacts"] and not attrs["domain"].strip():
            code = "empty" if "contacts" in self.initial_data else "required"
            raise serializers.ValidationError({"contacts": [ErrorDetail(str(NoContact.text), code=code)]})
        return attrs

    def validate_change_control(self, value: dict[str, str]) -> dict[str, str]:
        """Raises ValidationError for what is no controlled event."""
        refuse_unknown_fields(set(value) - set(EVENTS))
        return value


class PartnerChanges(Body):
    """What is to be changed; fields and events that are left out stay as they are."""

    label = LineField(max_length=LABEL_LENGTH, required=False)
    change_control = serializers.DictField(
        child=serializers.ChoiceField(choices=ControlMode.values),
        required=False,
        help_text=f"How later changes of the partner are handled: {', '.join(EVENTS)}.",
    )
    valid_until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="When the relationship ends by itself; null: never. In the future, at most ten years from now.",
    )

    def validate_change_control(self, value: dict[str, str]) -> dict[str, str]:
        """Raises ValidationError for what is no controlled event."""
        refuse_unknown_fields(set(value) - set(EVENTS))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError if nothing is named."""
        if not attrs:
            raise serializers.ValidationError([ErrorDetail(_("Name at least one field."), code="empty")])
        return attrs


class AcceptBody(Body):
    """What accepting takes beyond saying so, where it takes anything."""

    secret = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=100,
        help_text="While your organisation is unknown here: the last part of the link in the invitation mail.",
    )
    admins = serializers.ListField(
        child=serializers.CharField(max_length=MAX_LENGTH),
        required=False,
        default=list,
        max_length=MAX_ROWS,
        help_text="Invited by domain: UPNs of your people who become primary admins, at least one.",
    )


class ColleagueBody(Body):
    """Somebody of your own organisation."""

    name = LineField(max_length=120, required=False, allow_blank=True, default="")
    upn = serializers.CharField(max_length=MAX_LENGTH)


class ColleaguesBody(Body):
    """People of your own organisation who are to be primary admins."""

    people = ColleagueBody(many=True, allow_empty=False, max_length=MAX_ROWS)
    days = serializers.IntegerField(required=False, default=DEFAULT_DAYS, min_value=DAYS.start, max_value=DAYS.stop - 1)


class ManagerBody(Body):
    """A person of the organisation."""

    upn = serializers.CharField(max_length=MAX_LENGTH)


class EmptyBody(Body):
    """Nothing."""


class TokenBody(Body):
    """A new token: what it is for, what it may do (nothing you may not), how long it lives."""

    name = LineField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=DELEGABLE), allow_empty=False, max_length=len(CEILING)
    )
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS)


# --- What tools get --------------------------------------------------------------------------------------------------


class PartnerTenant(Named):
    """The partner's organisation, once somebody has accepted."""

    domains = serializers.ListField(child=serializers.CharField(), help_text="Verified by support staff.")


class AgreedTerms(serializers.Serializer[Any]):
    """Which terms were agreed to, by whom, when."""

    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    accepted_by = serializers.CharField()
    accepted_at = serializers.DateTimeField()


class PartnerItem(serializers.Serializer[Any]):
    """A partner as lists show it."""

    id = serializers.UUIDField()
    label = serializers.CharField()
    state = serializers.ChoiceField(choices=DelegationState.values)
    partner = Named(allow_null=True)
    created_at = serializers.DateTimeField()
    linked_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(
        allow_null=True,
        help_text="When it ends by itself; access ends with that second, though `state` may follow a little later.",
    )
    needs_primary_admin = serializers.BooleanField()
    all_rooms = serializers.BooleanField()
    room_count = serializers.IntegerField(allow_null=True, help_text="Null once the relationship has ended.")
    primary_admin_count = serializers.IntegerField()
    open_invitation_count = serializers.IntegerField()


class ScopeSchema(serializers.Serializer[Any]):
    """The delegated rooms: all of them, or single ones and whole groups, by id."""

    all_rooms = serializers.BooleanField()
    rooms = serializers.ListField(child=serializers.IntegerField())
    groups = serializers.ListField(child=serializers.IntegerField())


class AdminSchema(serializers.Serializer[Any]):
    """A primary admin."""

    name = serializers.CharField()
    upn = serializers.CharField()


class PartnerDetail(PartnerItem):
    """All about one partner."""

    partner = PartnerTenant(allow_null=True)
    expected_tid = serializers.UUIDField(allow_null=True)
    scope = ScopeSchema(allow_null=True, help_text="Null once the relationship has ended.")
    change_control = serializers.DictField(child=serializers.ChoiceField(choices=ControlMode.values))
    primary_admins = AdminSchema(many=True)
    terms = AgreedTerms()


class InvitationItem(serializers.Serializer[Any]):
    """An invitation as the customer sees it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    upn = serializers.CharField(help_text="Empty for an invitation by domain.")
    domain = serializers.CharField(help_text="Empty for an invitation of a person.")
    by_partner = serializers.BooleanField(help_text="Whether a primary admin of the partner sent it.")
    delivery_address = serializers.CharField()
    state = serializers.ChoiceField(choices=InvitationState.values, help_text="As of now.")
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class SentInvitations(serializers.Serializer[Any]):
    """The invitations that were sent."""

    items = InvitationItem(many=True)


class MyInvitation(serializers.Serializer[Any]):
    """An invitation addressed to you."""

    id = serializers.UUIDField()
    customer = Named()
    domain = serializers.CharField(help_text="The domain you answer for as tenant manager; empty if you are invited.")
    state = serializers.ChoiceField(choices=InvitationState.values, help_text="As of now.")
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    may_undo = serializers.BooleanField(help_text="Whether a denial can still be taken back.")


class Colleagues(serializers.Serializer[Any]):
    """What became of whom."""

    primary_admins = AdminSchema(many=True, help_text="All of them, as of now.")
    invited = serializers.ListField(child=serializers.CharField(), help_text="UPNs that were sent an invitation.")


class ManagerItem(serializers.Serializer[Any]):
    """A tenant manager."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    upn = serializers.CharField()
    is_active = serializers.BooleanField()
    appointed_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class MyInvitationDetail(MyInvitation):
    """An invitation addressed to you, and what accepting it takes and gives."""

    needs_link = serializers.BooleanField(help_text="Whether accepting takes the secret of the mail.")
    all_rooms = serializers.BooleanField()
    room_count = serializers.IntegerField(help_text="The rooms you would manage.")
    permissions = serializers.ListField(child=serializers.ChoiceField(choices=Permission.values))


class TokenItem(serializers.Serializer[Any]):
    """A token, without its secret. `prefix` is its visible beginning and its id."""

    prefix = serializers.CharField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=DELEGABLE))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewToken(TokenItem):
    """The only answer that holds the secret. Nobody can read it again."""

    token = serializers.CharField()


class TermsSchema(serializers.Serializer[Any]):
    """The operator's terms as they are now."""

    version = serializers.IntegerField()
    text = serializers.CharField(help_text="In the language of the request.")
    sha256 = serializers.CharField()
    published_at = serializers.DateTimeField()


class TokenName(serializers.Serializer[Any]):
    """The token you ask with."""

    prefix = serializers.CharField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=DELEGABLE))
    expires_at = serializers.DateTimeField(allow_null=True)


class Me(serializers.Serializer[Any]):
    """Who you are."""

    upn = serializers.CharField()
    name = serializers.CharField()
    home = Named(allow_null=True, help_text="Your own organisation; null for support staff.")
    token = TokenName(allow_null=True, help_text="Null if you are signed in yourself.")
    customers = Named(many=True, help_text="The first 200 you can work in, your own organisation first.")
    customers_url = serializers.URLField(help_text="All of them.")


def scope_in(body: dict[str, Any]) -> Scope:
    """The scope of a ScopeBody; *all rooms* leaves nothing to choose."""
    if body["all_rooms"]:
        return Scope(all_rooms=True)
    return Scope(rooms=frozenset(body["rooms"]), groups=frozenset(body["groups"]))


def contacts_in(body: list[dict[str, Any]]) -> list[Contact]:
    """The people of a list of ContactBody."""
    return [Contact(one["name"], one["upn"], one["delivery_address"]) for one in body]
