"""The customers one can work in: one's own organisation, and those that delegated something to it."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from partners import customers as reading
from partners.api import customer_examples as examples
from partners.api.serializers import EVENTS, AdminSchema
from partners.customers import LIVE
from partners.services import relationships
from rbac import gates
from rbac.api.base import PAGING, ApiView, CustomerView, answer_page, is_token, page_of, page_schema
from rbac.api.effective import Reach, effective
from rbac.api.errors import InvalidParameters, NotForTokens
from rbac.catalogue import Permission
from rbac.errors import DelegationOver
from rbac.gates import Standing, TenantRequest, refuse
from rbac.models import Delegation, Tenant, User
from rbac.partner_access import Condition
from rooms.models import ControlMode
from rooms.services import policies

TAG = "Customers"
STATES = [one.value for one in LIVE]
LONGEST_SEARCH = 100  # signs


class Relationship(serializers.Serializer[Any]):
    """What your organisation and the customer have agreed on, and how much of it you see."""

    state = serializers.ChoiceField(choices=STATES)
    linked_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True, help_text="When the relationship ends by itself.")
    access_until = serializers.DateTimeField(allow_null=True, help_text="When your own access ends by itself.")
    needs_primary_admin = serializers.BooleanField()
    room_count = serializers.IntegerField(allow_null=True, help_text="Rooms in your scope; null if you see none.")
    open_ticket_count = serializers.IntegerField(allow_null=True, help_text="Null if you see no tickets there.")
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=Condition.values),
        help_text="What the customer asks for that you have not shown; nothing opens until you have (`step_up_required`).",
    )


class RelationshipTerms(serializers.Serializer[Any]):
    """The version of the terms that the relationship rests on."""

    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    accepted_at = serializers.DateTimeField()


class Assigned(serializers.Serializer[Any]):
    """A role you hold."""

    role = serializers.CharField()
    assignment = serializers.CharField()
    valid_until = serializers.DateTimeField(allow_null=True)


class RelationshipDetail(Relationship):
    """All about the relationship that your organisation may see."""

    assignments = Assigned(many=True, help_text="What you hold your permissions through.")
    primary_admins = AdminSchema(many=True)
    change_control = serializers.DictField(
        child=serializers.ChoiceField(choices=ControlMode.values),
        help_text=f"What the customer wants to approve first: {', '.join(EVENTS)}.",
    )
    terms = RelationshipTerms()


class Customer(serializers.Serializer[Any]):
    """A customer one can work in."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_home = serializers.BooleanField(help_text="Whether it is your own organisation.")
    time_zone = serializers.CharField()
    relationship = Relationship(allow_null=True, help_text="Null for your own organisation.")


class CustomerDetail(Customer):
    """A customer, and how far you hold each permission there."""

    relationship = RelationshipDetail(allow_null=True, help_text="Null for your own organisation.")
    permissions = serializers.DictField(child=serializers.ChoiceField(choices=Reach.values))


class Customers(ApiView):
    parameters = frozenset({"q", "state", "cursor", "page_size"})

    @extend_schema(
        operation_id="customers",
        tags=[TAG],
        summary="The customers you can work in",
        description=(
            "By name; your own organisation is among them, unless you ask with a token. A customer that has suspended the "
            "relationship stays on the list, and nothing else of it can be read."
        ),
        parameters=[
            OpenApiParameter("q", str, description="Words that the name contains."),
            OpenApiParameter("state", str, enum=STATES, description="Leaves out your own organisation."),
            *PAGING,
        ],
        responses=page_schema(Customer),
        examples=[examples.CUSTOMERS],
    )
    def get(self, request: Request) -> Response:
        person = cast(User, request.user)
        standing = gates.standing(request)  # type: ignore[arg-type]
        delegations, own = reading.held_by(person), Q(pk__in=[one.pk for one in standing.tenants])
        state = request.query_params.get("state")
        if state is not None:
            if state not in STATES:
                raise InvalidParameters({"state": ("invalid_choice", ", ".join(STATES))})
            delegations, own = delegations.filter(state=state), Q(pk=None)
        tenants = Tenant.objects.filter(own | Q(pk__in=delegations.values("tenant")))
        asked = request.query_params.get("q", "")
        if len(asked) > LONGEST_SEARCH:
            raise InvalidParameters(
                {"q": ("max_length", _("Enter at most %(most)s signs.") % {"most": LONGEST_SEARCH})}
            )
        for word in asked.split()[:8]:
            tenants = tenants.filter(name__icontains=word)
        found = page_of(request, tenants, ("name", "id"))
        relations = _relations(person, [one.pk for one in found.items], standing)
        items = [_item(one, person) | {"relationship": relations.get(one.pk)} for one in found.items]
        return answer_page(request, found, items)


def _item(tenant: Tenant, person: User) -> dict[str, Any]:
    return {
        "id": tenant.pk,
        "name": tenant.name,
        "is_home": tenant.pk == person.tenant_id,
        "time_zone": tenant.time_zone,
    }


def _relations(person: User, tenants: Sequence[UUID], here: Standing) -> dict[UUID, dict[str, Any]]:
    delegations = list(reading.held_by(person).filter(tenant__in=tenants))
    rows = reading.rows_of(person, delegations, here.held, here.withheld)
    return {row.delegation.tenant_id: _relation(row) for row in rows}


def _relation(row: reading.Row) -> dict[str, Any]:
    delegation = row.delegation
    return {
        "state": delegation.state,
        "linked_at": delegation.linked_at,
        "valid_until": delegation.valid_until,
        "access_until": row.until,
        "needs_primary_admin": delegation.needs_primary_admin,
        "room_count": row.rooms,
        "open_ticket_count": row.tickets,
        "missing": sorted(row.missing),
    }


class OneCustomer(CustomerView):
    problems = {"delete": (DelegationOver,)}

    def enter(self, request: Request, **kwargs: Any) -> None:
        """As elsewhere below a customer; one that has suspended the relationship may be looked at, with nothing held."""
        person, about = cast(User, request.user), Delegation.objects.none()
        if request.user.is_authenticated:
            about = reading.held_by(person).select_related("tenant", "relationship").filter(tenant=kwargs["tenant_id"])
        entered = cast(Any, request)
        entered.delegation = about.first()
        try:
            super().enter(request, **kwargs)
        except Http404:
            if entered.delegation is None:
                raise
            entered.person, entered.customer, entered.held = person, entered.delegation.tenant, ()

    @extend_schema(
        operation_id="customer",
        tags=[TAG],
        summary="One customer",
        description="How far you hold each permission there, and what the two organisations have agreed on.",
        responses=CustomerDetail,
        examples=[examples.CUSTOMER],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        person, customer = request.person, request.customer
        delegation: Delegation | None = request.delegation  # type: ignore[attr-defined]
        return Response(
            _item(customer, person)
            | {
                "relationship": _detail(request, delegation) if delegation is not None else None,
                "permissions": effective(request.held, customer.pk),
            }
        )

    @extend_schema(
        operation_id="customer_remove",
        tags=[TAG],
        summary="Remove a customer",
        description=(
            "For a primary admin of the partner, signed in; also while the customer has suspended the relationship. Your "
            "people and tools have no access from their next request on, and the customer is told. It cannot be undone."
        ),
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID) -> Response:
        if is_token(cast(Request, request)):
            raise NotForTokens
        delegation: Delegation | None = request.delegation  # type: ignore[attr-defined]
        if delegation is None:  # one's own organisation is nobody's customer
            refuse(request, Permission.ROLES_MODIFY)
        relationships.leave(delegation.relationship, by=request.person)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _detail(request: TenantRequest, delegation: Delegation) -> dict[str, Any]:
    [row] = reading.rows_of(request.person, [delegation], request.held)
    mine = reading.assignments_of(request.person).filter(role__delegation=delegation)
    modes = policies.modes_of(delegation.pk)
    terms = delegation.relationship
    return _relation(row) | {
        "assignments": [
            {"role": one.role.label, "assignment": one.label, "valid_until": one.valid_until}
            for one in mine.select_related("role").order_by("pk")
        ],
        "primary_admins": [{"name": one.get_full_name(), "upn": one.upn} for one in reading.admins_of(delegation)],
        "change_control": {event.value: mode.value for event, mode in modes.items()},
        "terms": {
            "version": terms.terms_version,
            "sha256": terms.terms_digest,
            "accepted_at": terms.terms_accepted_at,
        },
    }
