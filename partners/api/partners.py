"""The partners of a customer: list, add, one partner, brake, remove. Whoever may change a setting may do this."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response

from partners.api import examples
from partners.api.serializers import (
    EmptyBody,
    PartnerBody,
    PartnerChanges,
    PartnerDetail,
    PartnerItem,
    contacts_in,
    scope_in,
)
from partners.errors import (
    AlreadyInvited,
    AlreadyPrimaryAdmin,
    DailyLimit,
    DomainOrPeople,
    DuplicateContact,
    EndInPast,
    EndTooFar,
    NoContact,
    NotAPerson,
    OwnPerson,
    TermsChanged,
    TermsNotAccepted,
    UnknownDomain,
)
from partners.lists import SORTS, PartnerFilter, bases_of, open_invitation_counts
from partners.models import PartnerRelationship
from partners.services import relationships
from partners.services.relationships import Proposal
from rbac import access
from rbac.api.base import PAGING, CustomerView, answer_page, named, page_of, page_schema
from rbac.api.errors import InvalidParameters, refuse_filter
from rbac.catalogue import Permission
from rbac.errors import DelegationOver, OwnTenant, TermsWaiting, WrongState
from rbac.gates import TenantRequest, find
from rbac.models import DelegationState
from rooms.errors import EmptyScope, UnknownRooms
from rooms.models import ControlMode, ControlPolicy
from rooms.reach import people_counts, room_counts
from rooms.scopes import scope_of

TAG = "Partners"
INVITING = (DuplicateContact, OwnPerson, NotAPerson, AlreadyInvited, AlreadyPrimaryAdmin, DailyLimit)
_FILTERS = (
    OpenApiParameter("q", str, description="Words that the name or an invited UPN contains."),
    OpenApiParameter(
        "state",
        str,
        enum=[*DelegationState.values, PartnerFilter.ALL],
        description="All but ended ones, if nothing is asked.",
    ),
    OpenApiParameter("sort", str, enum=SORTS, default="name", description="With “-” in front: the other way round."),
)


class PartnersView(CustomerView):
    """What is shown needs settings.view for the whole tenant; what is changed is asked by the services."""

    gate = (Permission.SETTINGS_VIEW,)
    is_whole = True

    def own(self, request: TenantRequest) -> QuerySet[PartnerRelationship]:
        """The customer's partners that the person may see."""
        rows = PartnerRelationship.objects.filter(tenant=request.customer)
        rows = rows.select_related("tenant", "delegation__tenant", "delegation__held_by")
        return access.visible(request.person, Permission.SETTINGS_VIEW, rows, request.held)

    def find(self, request: TenantRequest, relationship_id: UUID) -> PartnerRelationship:
        """One of them. Raises Http404."""
        return find(request, Permission.SETTINGS_VIEW, self.own(request), pk=relationship_id)


class Partners(PartnersView):
    versioned = PartnerRelationship
    makes = "api-partner"
    parameters = frozenset({"q", "state", "sort", "cursor", "page_size"})
    problems = {
        "post": (
            *INVITING,
            NoContact,
            UnknownDomain,
            DomainOrPeople,
            OwnTenant,
            TermsNotAccepted,
            TermsChanged,
            EmptyScope,
            UnknownRooms,
            EndInPast,
            EndTooFar,
        ),
    }

    @extend_schema(
        operation_id="partners",
        tags=[TAG],
        summary="The partners of a customer",
        description="Needs `settings.view`.",
        parameters=[*_FILTERS, *PAGING],
        responses=page_schema(PartnerItem),
        examples=[examples.PARTNERS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        asked = {name: request.query_params[name] for name in ("q", "state", "sort") if name in request.query_params}
        if asked.get("sort", "name") not in SORTS:
            raise InvalidParameters({"sort": ("invalid_choice", ", ".join(SORTS))})
        chosen = PartnerFilter(asked, partners=self.own(request))
        refuse_filter(chosen)
        found = page_of(request, chosen.partners, chosen.order)
        return answer_page(request, found, items_of(found.items))

    @extend_schema(
        operation_id="partner_add",
        tags=[TAG],
        summary="Add a partner",
        description=(
            "Needs `settings.modify`, and everything that is delegated. All of it happens or nothing; the invitation "
            "mails leave afterwards."
        ),
        request=PartnerBody,
        responses={201: PartnerDetail},
        examples=[examples.PROPOSAL, examples.BY_DOMAIN, examples.PARTNER],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        relationship = relationships.add(request.customer, _proposal(self.read(PartnerBody)), by=request.person)
        added = self.find(request, relationship.pk)
        return self.answer(added, detail_of(added), status=status.HTTP_201_CREATED)


def _proposal(body: dict[str, Any]) -> Proposal:
    return Proposal(
        contacts=contacts_in(body["contacts"]),
        scope=scope_in(body["scope"]),
        terms_version=body["terms"]["version"],
        agrees=body["terms"]["agrees"],
        policies={Permission(event): ControlMode(mode) for event, mode in body["change_control"].items()},
        days=body["days"],
        label=body["label"],
        expected_tid=body["expected_tid"],
        domain=body["domain"].strip(),
        valid_until=body["valid_until"],
    )


class OnePartner(PartnersView):
    versioned = PartnerRelationship
    problems = {
        "patch": (DelegationOver, WrongState, TermsWaiting, EndInPast, EndTooFar),
        "delete": (DelegationOver,),
    }

    @extend_schema(
        operation_id="partner",
        tags=[TAG],
        summary="One partner",
        description="Needs `settings.view`.",
        responses=PartnerDetail,
        examples=[examples.PARTNER],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        found = self.find(request, relationship_id)
        return self.answer(found, detail_of(found))

    @extend_schema(
        operation_id="partner_modify",
        tags=[TAG],
        summary="Rename a partner, set its end, or choose what you approve first",
        description=(
            "Needs `settings.modify`. `change_control` holds for what the partner does from now on; what waits stays "
            "as it was asked. At `valid_until` the relationship ends by itself, as if it were removed; both sides are told "
            "30, 7 and 1 day before. What is past its end gets no more time. The delegated rooms are changed at its "
            "primary admins’ assignment."
        ),
        request=PartnerChanges,
        responses=PartnerDetail,
        examples=[examples.PARTNER_CHANGES, examples.PARTNER_END, examples.PARTNER],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        found, wanted = self.find(request, relationship_id), self.read(PartnerChanges)
        modes = {Permission(event): ControlMode(mode) for event, mode in wanted.get("change_control", {}).items()}
        ends = {"valid_until": wanted["valid_until"]} if "valid_until" in wanted else None
        relationships.modify(found, by=request.person, label=wanted.get("label"), modes=modes, ends=ends)
        changed = self.find(request, relationship_id)
        return self.answer(changed, detail_of(changed))

    @extend_schema(
        operation_id="partner_remove",
        tags=[TAG],
        summary="Remove a partner",
        description=(
            "Needs `settings.modify`. Its people have no access from their next request on, open invitations are "
            "withdrawn, tokens deleted. It cannot be undone."
        ),
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        relationships.remove(self.find(request, relationship_id), by=request.person)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Brake(PartnersView):
    """Two addresses that move the state of a partner."""

    versioned = PartnerRelationship
    problems = {"post": (DelegationOver, WrongState)}

    def move(self, request: TenantRequest, relationship_id: UUID, step: Any) -> Response:
        """The partner after `step`, a service."""
        found = self.find(request, relationship_id)
        self.read(EmptyBody)
        step(found, by=request.person)
        moved = self.find(request, relationship_id)
        return self.answer(moved, detail_of(moved))


class Suspend(Brake):
    @extend_schema(
        operation_id="partner_suspend",
        tags=[TAG],
        summary="Suspend a partner",
        description="Needs `settings.modify`. Its people have no access until you resume it; nothing is lost.",
        request=None,
        responses=PartnerDetail,
        examples=[examples.PARTNER],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        return self.move(request, relationship_id, relationships.suspend)


class Resume(Brake):
    problems = {"post": (DelegationOver, WrongState, TermsWaiting)}

    @extend_schema(
        operation_id="partner_resume",
        tags=[TAG],
        summary="Resume a partner",
        description="Needs `settings.modify`. Its people have access again, to the same rooms as before.",
        request=None,
        responses=PartnerDetail,
        examples=[examples.PARTNER],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, relationship_id: UUID) -> Response:
        return self.move(request, relationship_id, relationships.resume)


def items_of(found: list[PartnerRelationship]) -> list[dict[str, Any]]:
    """Partners as lists show them; as many queries for many as for one."""
    bases = bases_of(found)
    rooms, people, waiting = room_counts(bases.values()), people_counts(bases.values()), open_invitation_counts(found)
    items = []
    for one in found:
        base, delegation = bases.get(one.delegation_id), one.delegation
        items.append(
            {
                "id": one.pk,
                "label": one.label,
                "state": delegation.state,
                "partner": named(delegation.held_by) if delegation.held_by else None,
                "created_at": one.created_at,
                "linked_at": delegation.linked_at,
                "ended_at": delegation.ended_at,
                "valid_until": delegation.valid_until,
                "needs_primary_admin": delegation.needs_primary_admin,
                "all_rooms": base is not None and base.all_rooms,
                "room_count": rooms.get(base.pk, 0) if base else None,
                "primary_admin_count": people.get(base.pk, 0) if base else 0,
                "open_invitation_count": waiting.get(one.pk, 0) if one.is_open else 0,
            }
        )
    return items


def detail_of(relationship: PartnerRelationship) -> dict[str, Any]:
    """One partner, all of it."""
    [item] = items_of([relationship])
    delegation, base = relationship.delegation, bases_of([relationship]).get(relationship.delegation_id)
    partner = delegation.held_by
    if partner is not None:
        verified = partner.domains.exclude(verified_at=None).order_by("domain")
        item["partner"] = named(partner) | {"domains": list(verified.values_list("domain", flat=True))}
    policies = ControlPolicy.objects.filter(delegation=delegation).order_by("event").values_list("event", "mode")
    admins = base.people.order_by("display_name", "upn") if base else ()
    return item | {
        "expected_tid": relationship.expected_tid,
        "scope": scope_of(base).as_data() if base else None,
        "change_control": dict(policies),
        "primary_admins": [{"name": one.get_full_name(), "upn": one.upn} for one in admins],
        "terms": {
            "version": relationship.terms_version,
            "sha256": relationship.terms_digest,
            "accepted_by": relationship.terms_accepted_by,
            "accepted_at": relationship.terms_accepted_at,
        },
    }
