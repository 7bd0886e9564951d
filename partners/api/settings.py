"""The settings of a customer: general, domains, notifications, look of mails, terms."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from partners.api.serializers import EmptyBody, LineField
from partners.errors import TermsChanged, TermsNotAccepted
from partners.models import Terms, TermsAcceptance
from partners.services import terms
from rbac import access
from rbac.api.base import Body, CustomerView, refuse_unknown_fields
from rbac.catalogue import Permission
from rbac.errors import (
    DomainListed,
    DomainVerified,
    InvalidAccent,
    InvalidAddress,
    InvalidDomain,
    InvalidFooter,
    InvalidName,
    InvalidSender,
    LowContrast,
    MailTestLimit,
    TooManyAddresses,
    TooManyDomains,
    UnknownZone,
)
from rbac.gates import TenantRequest, find
from rbac.models import Tenant, TenantDomain
from rbac.preferences import MOST_ADDRESSES
from rbac.services import branding, notifications, tenants
from rbac.services.branding import LONGEST_FOOTER, LONGEST_SENDER, Branding
from rbac.services.notifications import Choice, Event

TAG = "Settings"


class DomainItem(serializers.Serializer[Any]):
    """A domain; it counts once it is verified."""

    id = serializers.IntegerField()
    domain = serializers.CharField()
    verified_at = serializers.DateTimeField(allow_null=True)


class GeneralItem(serializers.Serializer[Any]):
    """What the portal knows of the organisation."""

    name = serializers.CharField()
    language = serializers.ChoiceField(choices=[code for code, _ in settings.LANGUAGES])
    time_zone = serializers.CharField()
    entra_tid = serializers.UUIDField(allow_null=True)
    domains = DomainItem(many=True)


class GeneralBody(Body):
    """What is to be changed; fields that are left out stay as they are."""

    name = LineField(max_length=200, required=False)
    language = serializers.ChoiceField(choices=[code for code, _ in settings.LANGUAGES], required=False)
    time_zone = serializers.CharField(max_length=60, required=False)


class DomainBody(Body):
    """A domain to be entered."""

    domain = LineField(max_length=100)


class ChoiceItem(serializers.Serializer[Any]):
    """Who is told of one event."""

    event = serializers.ChoiceField(choices=Event.values)
    to_admins = serializers.BooleanField()
    addresses = serializers.ListField(child=serializers.CharField())


class NotificationList(serializers.Serializer[Any]):
    """Every event."""

    items = ChoiceItem(many=True)


class ChoiceBody(Body):
    """Who is to be told of an event."""

    to_admins = serializers.BooleanField()
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=254), required=False, default=list, max_length=MOST_ADDRESSES
    )


class NotificationBody(Body):
    """By event; events that are left out stay as they are."""

    events = serializers.DictField(child=ChoiceBody(), allow_empty=False)

    def validate_events(self, value: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for what is no event."""
        refuse_unknown_fields(set(value) - set(Event.values))
        return value


class LookItem(serializers.Serializer[Any]):
    """How mails look; empty: the portal's own look."""

    sender_name = serializers.CharField()
    accent = serializers.CharField(help_text="#rrggbb")
    footer = serializers.CharField()


class LookBody(Body):
    """What is to be changed; fields that are left out stay as they are."""

    sender_name = serializers.CharField(max_length=LONGEST_SENDER, required=False, allow_blank=True)
    accent = serializers.CharField(max_length=7, required=False, allow_blank=True)
    footer = serializers.CharField(max_length=LONGEST_FOOTER, required=False, allow_blank=True)


class AcceptanceItem(serializers.Serializer[Any]):
    """Who agreed to a version for the organisation."""

    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    accepted_by = serializers.CharField()
    accepted_at = serializers.DateTimeField()


class CustomerTermsItem(serializers.Serializer[Any]):
    """The newest terms, whether they wait for agreement, and what was agreed to."""

    version = serializers.IntegerField()
    text = serializers.CharField(help_text="In the language of the request.")
    sha256 = serializers.CharField()
    published_at = serializers.DateTimeField()
    is_waiting = serializers.BooleanField(help_text="Whether changes of a partner wait for your agreement.")
    acceptances = AcceptanceItem(many=True)


class AgreeBody(Body):
    """Agreeing to the version that was read, and to no other."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    agrees = serializers.BooleanField()


def _answer(name: str, value: Any, code: str = "200") -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[code])


_DOMAIN = {"id": 3, "domain": "contoso.example", "verified_at": "2026-01-12T08:00:00Z"}
_GENERAL = {
    "name": "Contoso",
    "language": "en",
    "time_zone": "Europe/Berlin",
    "entra_tid": "1f8f8a5e-77a8-4a3b-9b0a-6d4c1f0b5a33",
    "domains": [_DOMAIN],
}
_CHOICE = {"to_admins": True, "addresses": ["desk@contoso.example"]}
_CHOSEN = {"items": [{"event": "key.reset", **_CHOICE}]}
_LOOK = {"sender_name": "Contoso IT", "accent": "#7a1f3d", "footer": "Help desk: 4711"}
_AGREED = {
    "version": 1,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "accepted_by": "admin@contoso.example",
    "accepted_at": "2026-01-12T08:00:00Z",
}
_TERMS = {
    "version": 2,
    "text": "Be careful with the rooms.",
    "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "published_at": "2026-03-01T08:00:00Z",
    "is_waiting": True,
    "acceptances": [_AGREED],
}


class SettingsView(CustomerView):
    """What is shown needs settings.view for the whole tenant; what is changed is asked by the services."""

    gate = (Permission.SETTINGS_VIEW,)
    is_whole = True


class General(SettingsView):
    problems = {"patch": (InvalidName, UnknownZone)}

    @extend_schema(
        operation_id="settings",
        tags=[TAG],
        summary="The general settings",
        description="Needs `settings.view`.",
        responses=GeneralItem,
        examples=[_answer("Settings", _GENERAL)],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        return Response(_general(request, request.customer))

    @extend_schema(
        operation_id="settings_modify",
        tags=[TAG],
        summary="Change name, language or time zone",
        description="Needs `settings.modify`. The language is that of mails; business days are counted in the time zone.",
        request=GeneralBody,
        responses=GeneralItem,
        examples=[
            OpenApiExample("German mails", value={"language": "de"}, request_only=True),
            _answer("Settings", _GENERAL),
        ],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID) -> Response:
        now = request.customer
        known = {"name": now.name, "language": now.language, "time_zone": now.time_zone}
        changed = tenants.modify(now, by=request.person, **known | self.read(GeneralBody))
        return Response(_general(request, changed))


class Domains(SettingsView):
    problems = {"post": (InvalidDomain, DomainListed, TooManyDomains)}

    @extend_schema(
        operation_id="domain_add",
        tags=[TAG],
        summary="Enter a domain",
        description="Needs `settings.modify`. It counts for nothing until the operator’s support has verified it.",
        request=DomainBody,
        responses={201: DomainItem},
        examples=[
            OpenApiExample("A domain", value={"domain": "contoso.example"}, request_only=True),
            _answer("Not verified yet", _DOMAIN | {"verified_at": None}, "201"),
        ],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        added = tenants.add_domain(request.customer, self.read(DomainBody)["domain"], by=request.person)
        return Response(_domain(added), status=status.HTTP_201_CREATED)


class OneDomain(SettingsView):
    problems = {"delete": (DomainVerified,)}

    @extend_schema(
        operation_id="domain_remove",
        tags=[TAG],
        summary="Take a domain out of the list",
        description="Needs `settings.modify`; only for a domain that is not verified.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, domain_id: int) -> Response:
        own = TenantDomain.objects.filter(tenant=request.customer).select_related("tenant")
        tenants.remove_domain(find(request, Permission.SETTINGS_VIEW, own, pk=domain_id), by=request.person)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Notifications(SettingsView):
    problems = {"patch": (InvalidAddress, TooManyAddresses)}

    @extend_schema(
        operation_id="notifications",
        tags=[TAG],
        summary="Who is told of what",
        description="Needs `settings.view`.",
        responses=NotificationList,
        examples=[_answer("One event", _CHOSEN)],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        return Response(_choices(request.customer))

    @extend_schema(
        operation_id="notifications_modify",
        tags=[TAG],
        summary="Choose who is told of what",
        description="Needs `settings.modify`. Events that are left out stay as they are.",
        request=NotificationBody,
        responses=NotificationList,
        examples=[
            OpenApiExample("One event", value={"events": {"key.reset": _CHOICE}}, request_only=True),
            _answer("One event", _CHOSEN),
        ],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = self.read(NotificationBody)["events"]
        choices = {Event(event): Choice(one["to_admins"], tuple(one["addresses"])) for event, one in wanted.items()}
        notifications.change(request.customer, choices, by=request.person)
        return Response(_choices(request.customer))


class TestMail(SettingsView):
    problems = {"post": (MailTestLimit,)}

    @extend_schema(
        operation_id="notifications_test",
        tags=[TAG],
        summary="Send yourself a test mail",
        description="Needs `settings.modify`. At most 10 an hour for each customer.",
        request=None,
        responses={202: None},
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        self.read(EmptyBody)
        notifications.send_test(request.customer, by=request.person)
        return Response(status=status.HTTP_202_ACCEPTED)


class Look(SettingsView):
    problems = {"patch": (InvalidSender, InvalidAccent, LowContrast, InvalidFooter)}

    @extend_schema(
        operation_id="mail_look",
        tags=[TAG],
        summary="How mails look",
        description="Needs `settings.view`.",
        responses=LookItem,
        examples=[_answer("A look", _LOOK)],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        return Response(vars(branding.of(request.customer)))

    @extend_schema(
        operation_id="mail_look_modify",
        tags=[TAG],
        summary="Change how mails look",
        description="Needs `settings.modify`. White text must be readable on the colour: contrast at least 4.5 to 1.",
        request=LookBody,
        responses=LookItem,
        examples=[OpenApiExample("A look", value=_LOOK, request_only=True), _answer("A look", _LOOK)],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = vars(branding.of(request.customer)) | self.read(LookBody)
        return Response(vars(branding.change(request.customer, Branding(**wanted), by=request.person)))


class CustomerTerms(SettingsView):
    @extend_schema(
        operation_id="customer_terms",
        tags=[TAG],
        summary="The terms, and who agreed to which",
        description="Needs `settings.view`.",
        responses=CustomerTermsItem,
        examples=[_answer("New terms wait", _TERMS)],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        return Response(_terms(request))


class AcceptTerms(SettingsView):
    problems = {"post": (TermsNotAccepted, TermsChanged)}

    @extend_schema(
        operation_id="customer_terms_accept",
        tags=[TAG],
        summary="Agree to the newest terms",
        description=(
            "Needs `settings.modify`. Changes of a partner that were answered with `terms_changed` can be made afterwards. "
            "Agreeing again gives the same answer."
        ),
        request=AgreeBody,
        responses=CustomerTermsItem,
        examples=[
            OpenApiExample("Agreed", value={"version": 2, "agrees": True}, request_only=True),
            _answer("Nothing waits", _TERMS | {"is_waiting": False}),
        ],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        body = self.read(AgreeBody)
        if not body["agrees"]:
            raise TermsNotAccepted
        terms.accept(request.customer, body["version"], by=request.person)
        return Response(_terms(request))


def _general(request: TenantRequest, tenant: Tenant) -> dict[str, Any]:
    own: QuerySet[TenantDomain] = TenantDomain.objects.filter(tenant=tenant).order_by("domain")
    seen = access.visible(request.person, Permission.SETTINGS_VIEW, own, request.held)
    known = {"name": tenant.name, "language": tenant.language, "time_zone": tenant.time_zone}
    return known | {"entra_tid": tenant.entra_tid, "domains": [_domain(one) for one in seen]}


def _domain(domain: TenantDomain) -> dict[str, Any]:
    return {"id": domain.pk, "domain": domain.domain, "verified_at": domain.verified_at}


def _choices(tenant: Tenant) -> dict[str, Any]:
    chosen = notifications.choices_of(tenant).items()
    return {
        "items": [
            {"event": event.value, "to_admins": one.to_admins, "addresses": list(one.addresses)}
            for event, one in chosen
        ]
    }


def _terms(request: TenantRequest) -> dict[str, Any]:
    newest = Terms.objects.newest()
    if newest is None:
        raise Http404
    accepted = TermsAcceptance.objects.filter(tenant=request.customer).order_by("-version")
    own = list(access.visible(request.person, Permission.SETTINGS_VIEW, accepted, request.held))
    return {
        "version": newest.version,
        "text": newest.text,
        "sha256": newest.digest,
        "published_at": newest.published_at,
        "is_waiting": bool(own) and own[0].version < newest.version,
        "acceptances": [
            {
                "version": one.version,
                "sha256": one.digest,
                "accepted_by": one.accepted_by,
                "accepted_at": one.accepted_at,
            }
            for one in own
        ],
    }
