"""The settings of a customer: general, domains, notifications, look of mails, terms."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.response import Response

from partners.api.serializers import EmptyBody
from partners.api.settings_serializers import (
    AgreeBody,
    CustomerTermsItem,
    DomainBody,
    DomainItem,
    GeneralBody,
    GeneralItem,
    LookBody,
    LookItem,
    NotificationBody,
    NotificationList,
)
from partners.errors import TermsChanged, TermsNotAccepted
from partners.models import Terms, TermsAcceptance
from partners.services import terms
from rbac import access
from rbac.api.base import CustomerView
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
from rbac.services import branding, notifications, tenants
from rbac.services.branding import Branding
from rbac.services.notifications import Choice, Choices, Event

TAG = "Settings"


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
    versioned = Tenant
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
        return self.answer(request.customer, _general(request, request.customer))

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
        return self.answer(changed, _general(request, changed))


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
    versioned = Choices
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
        chosen = notifications.choices_of(request.customer)
        return self.answer(Choices(chosen), _choices(chosen))

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
        chosen = notifications.choices_of(request.customer)
        return self.answer(Choices(chosen), _choices(chosen))


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
    versioned = Branding
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
        found = branding.of(request.customer)
        return self.answer(found, vars(found))

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
        changed = branding.change(request.customer, Branding(**wanted), by=request.person)
        return self.answer(changed, vars(changed))


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


def _choices(chosen: Mapping[Event, Choice]) -> dict[str, Any]:
    return {
        "items": [
            {"event": event.value, "to_admins": one.to_admins, "addresses": list(one.addresses)}
            for event, one in chosen.items()
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
