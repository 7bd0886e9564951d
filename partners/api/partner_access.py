"""The partner access policy of a customer, and whom another one would stop."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from partners.access_preview import Stopped, preview
from partners.api.settings import TAG, SettingsView
from rbac import gates
from rbac.api.base import Body
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import EventsAskNothing, InvalidNetwork, InvalidSignInAge, NoEventsChosen, TooManyNetworks
from rbac.gates import TenantRequest
from rbac.partner_access import LONGEST_AGE, MOST_NETWORKS, SHORTEST_AGE, Condition, Conditions, Policy
from rbac.precondition import tag_of
from rbac.services import partner_access

EVENTS = [event.value for event in CONTROLLED_EVENTS]
MOST_SHOWN = 200
BROKEN = (InvalidNetwork, TooManyNetworks, InvalidSignInAge, EventsAskNothing, NoEventsChosen)
_ALWAYS = {"mfa": True, "max_age": 480, "networks": ["198.51.100.0/24"]}
_MORE = {"mfa": False, "max_age": 15, "networks": [], "events": ["roles.modify"]}
_POLICY = {"always": _ALWAYS, "step_up": _MORE}
_PREVIEW = {
    "total": 3,
    "stopped": [
        {
            "upn": "ann@fabrikam.example",
            "partner": "Fabrikam",
            "signed_in_at": "2026-03-02T07:55:00Z",
            "ip": "203.0.113.7",
            "missing": ["network"],
            "missing_for_step_up": ["sign_in_age"],
            "is_new": True,
            "token_count": 1,
        }
    ],
}


class ConditionsItem(serializers.Serializer[Any]):
    """What is asked for together; nothing, if all of it is empty."""

    mfa = serializers.BooleanField(help_text="A sign-in with a second factor.")
    max_age = serializers.IntegerField(allow_null=True, help_text="How old the sign-in may be, in minutes.")
    networks = serializers.ListField(child=serializers.CharField(), help_text="The only ones, if there are any.")


class StepUpItem(ConditionsItem):
    """What is asked for before chosen changes, on top of what is asked for all access."""

    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS))


class PolicyItem(serializers.Serializer[Any]):
    """What a customer asks of the people of all its partners."""

    always = ConditionsItem()
    step_up = StepUpItem()


class ConditionsBody(Body):
    """What is to be asked for together; what is left out is not asked for."""

    mfa = serializers.BooleanField(required=False, default=False)
    max_age = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=SHORTEST_AGE, max_value=LONGEST_AGE
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, default=list, max_length=MOST_NETWORKS
    )


class StepUpBody(ConditionsBody):
    """What is to be asked for before chosen changes."""

    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENTS), required=False, default=list, max_length=len(EVENTS)
    )


class PolicyBody(Body):
    """The parts that are to be replaced; a part that is left out stays as it is."""

    always = ConditionsBody(required=False)
    step_up = StepUpBody(required=False)


class StoppedItem(serializers.Serializer[Any]):
    """Somebody whom the policy would stop until he shows more."""

    upn = serializers.CharField()
    partner = serializers.CharField(help_text="As the customer calls it.")
    signed_in_at = serializers.DateTimeField(allow_null=True, help_text="When he has signed in last, if that is known.")
    ip = serializers.CharField(allow_null=True, help_text="From where; only if networks are asked for.")
    missing = serializers.ListField(child=serializers.ChoiceField(choices=Condition.values))
    missing_for_step_up = serializers.ListField(child=serializers.ChoiceField(choices=Condition.values))
    is_new = serializers.BooleanField(help_text="The policy of today does not stop him as much.")
    token_count = serializers.IntegerField(help_text="His API tokens, which show how he has signed in last.")


class PreviewItem(serializers.Serializer[Any]):
    """How many people work here for partners, and those whom the policy would stop (the first 200)."""

    total = serializers.IntegerField()
    stopped = StoppedItem(many=True)


def _answer(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200"])


class PartnerAccess(SettingsView):
    versioned = Policy
    problems = {"patch": BROKEN}

    @extend_schema(
        operation_id="partner_access",
        tags=[TAG],
        summary="What you ask of the people of your partners",
        description="Needs `settings.view`. Your own people are not affected.",
        responses=PolicyItem,
        examples=[_answer("A policy", _POLICY)],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = partner_access.of(request.customer)
        return self.answer(found, body_of(found))

    @extend_schema(
        operation_id="partner_access_modify",
        tags=[TAG],
        summary="Change what you ask of the people of your partners",
        description=(
            "Needs `settings.modify`. It holds from their next request on: whoever shows less is answered "
            "`step_up_required`. Ask for the preview first."
        ),
        request=PolicyBody,
        responses=PolicyItem,
        examples=[
            OpenApiExample("A second factor", value={"always": {"mfa": True}}, request_only=True),
            _answer("A policy", _POLICY),
        ],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID) -> Response:
        kept = partner_access.of(request.customer)
        wanted = _wanted(kept, self.read(PolicyBody))
        changed = partner_access.change(request.customer, wanted, by=request.person, seen=tag_of(kept))
        return self.answer(changed, body_of(changed))


class PartnerAccessPreview(SettingsView):
    problems = {"post": BROKEN}

    @extend_schema(
        operation_id="partner_access_preview",
        tags=[TAG],
        summary="Whom another policy would stop",
        description=(
            "Needs `settings.modify`. Takes what the change takes, and changes nothing: people are judged by how they have "
            "signed in last."
        ),
        request=PolicyBody,
        responses=PreviewItem,
        examples=[
            OpenApiExample("A second factor", value={"always": {"mfa": True}}, request_only=True),
            _answer("One of three", _PREVIEW),
        ],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        gates.require_whole(request, Permission.SETTINGS_MODIFY)
        wanted = _wanted(partner_access.of(request.customer), self.read(PolicyBody))
        wanted = partner_access.checked(wanted)
        found = preview(request.customer, wanted)
        names_address = bool(wanted.always.networks or wanted.step_up.networks)
        stopped = [_stopped(one, names_address=names_address) for one in found.stopped[:MOST_SHOWN]]
        return Response({"total": found.total, "stopped": stopped})


def _wanted(kept: Policy, body: dict[str, Any]) -> Policy:
    """`kept`, with the parts that `body` replaces."""
    always = _conditions(body["always"]) if "always" in body else kept.always
    if "step_up" not in body:
        return Policy(always, kept.step_up, kept.events)
    events = frozenset(Permission(code) for code in body["step_up"]["events"])
    return Policy(always, _conditions(body["step_up"]), events)


def _conditions(body: dict[str, Any]) -> Conditions:
    return Conditions(body["mfa"], body["max_age"], tuple(body["networks"]))


def body_of(policy: Policy) -> dict[str, Any]:
    """How an answer shows `policy`."""
    events = [event.value for event in CONTROLLED_EVENTS if event in policy.events]
    return {"always": _part(policy.always), "step_up": _part(policy.step_up) | {"events": events}}


def _part(asked: Conditions) -> dict[str, Any]:
    return {"mfa": asked.mfa, "max_age": asked.max_age, "networks": list(asked.networks)}


def _stopped(one: Stopped, *, names_address: bool) -> dict[str, Any]:
    return {
        "upn": one.person.upn,
        "partner": one.partner,
        "signed_in_at": one.latest.at if one.latest else None,
        "ip": one.latest.ip if one.latest and names_address else None,
        "missing": sorted(one.always),
        "missing_for_step_up": sorted(one.step_up),
        "is_new": not one.already,
        "token_count": one.tokens,
    }
