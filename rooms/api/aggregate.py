"""Rooms, tickets and approval requests over all customers one works for."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.response import Response

from rbac.api.base import (
    PAGING,
    AggregateView,
    Named,
    aggregate_page_schema,
    answer_aggregate_page,
    named,
    page_of,
    uuid_parameter,
)
from rbac.api.errors import InvalidParameters, refuse_filter
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.gates import PersonRequest
from rooms.aggregate_lists import ROOM_ORDERS, TICKET_ORDERS, AggregateRoomFilter, AggregateTicketFilter, sorts
from rooms.api import approvals, examples, ticket_examples
from rooms.api.rooms import FILTERS as ROOM_FILTERS
from rooms.api.serializers import LISTED, RoomItem
from rooms.api.ticket_serializers import TicketItem
from rooms.api.tickets import FILTERS as TICKET_FILTERS
from rooms.inbox import in_state, readable, seen_everywhere
from rooms.models import ApprovalState, Room, Ticket, state_now
from rooms.ticket_lists import LISTED as TICKET_LISTED
from rooms.ticket_lists import NEWEST_FIRST

TAG = "All customers"
CUSTOMER = OpenApiParameter("customer", OpenApiTypes.UUID, description="Id of one of your customers.")
_NAMED = {"id": "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11", "name": "Contoso"}


class RoomOfCustomer(RoomItem):
    """A room as lists show it, and whose it is."""

    customer = Named()

    class Meta:
        model = Room
        fields = ("customer", *LISTED)
        read_only_fields = fields


class TicketOfCustomer(TicketItem):
    """A ticket as lists show it, and whose it is; `rooms` names those of its rooms that you may see."""

    customer = Named()

    class Meta:
        model = Ticket
        fields = ("customer", *TICKET_LISTED, "rooms")
        read_only_fields = fields


class ApprovalOfCustomer(approvals.ApprovalItem):
    """A request as lists show it, and who decides it."""

    customer = Named()


def _with_customer(example: OpenApiExample, name: str) -> OpenApiExample:
    """`example`, a page of a customer's list, as a page of this one."""
    items = [{"customer": _NAMED} | item for item in example.value["items"]]
    return OpenApiExample(
        name, value=example.value | {"items": items, "left_out": []}, response_only=True, status_codes=["200"]
    )


def _sort(orders: Any, default: str) -> OpenApiParameter:
    return OpenApiParameter(
        "sort", str, enum=sorts(orders), default=default, description="With “-”: the other way round."
    )


def _without(filters: Any, *names: str) -> list[OpenApiParameter]:
    return [one for one in filters if one.name not in names]


class AllRooms(AggregateView):
    gate = (Permission.ROOMS_VIEW,)
    parameters = AggregateRoomFilter.NAMES | {"cursor", "page_size"}

    @extend_schema(
        operation_id="all_rooms",
        tags=[TAG],
        summary="The rooms of all customers",
        description="What the lists of your customers show together. Your own organisation is not among them.",
        parameters=[CUSTOMER, *_without(ROOM_FILTERS, "group", "sort"), _sort(ROOM_ORDERS, "name"), *PAGING],
        responses=aggregate_page_schema(RoomOfCustomer),
        examples=[_with_customer(examples.ROOMS, "One room")],
    )
    def get(self, request: PersonRequest) -> Response:
        chosen = AggregateRoomFilter(
            request.query_params,  # type: ignore[attr-defined]
            reader=request.person,
            customers=request.customers,
            held=request.held,
            also={"cursor", "page_size"},
        )
        refuse_filter(chosen)
        rows = chosen.rooms.annotate(state_now=state_now()).values(*LISTED, "tenant_id", "tenant__name", "state_now")
        found = page_of(request, rows, chosen.order)  # type: ignore[arg-type]
        items = [_of_customer(row) | {"state": row["state_now"]} for row in found.items]
        return answer_aggregate_page(
            request, found, [{name: row[name] for name in ("customer", *LISTED)} for row in items]
        )  # type: ignore[arg-type]


class AllTickets(AggregateView):
    gate = (Permission.TICKETS_VIEW,)
    parameters = AggregateTicketFilter.NAMES | {"cursor", "page_size"}

    @extend_schema(
        operation_id="all_tickets",
        tags=[TAG],
        summary="The tickets of all customers",
        description=(
            "What the lists of your customers show together; the open ones, unless you ask for others. Days begin in the "
            "time zone of each customer."
        ),
        parameters=[CUSTOMER, *_without(TICKET_FILTERS, "sort"), _sort(TICKET_ORDERS, NEWEST_FIRST), *PAGING],
        responses=aggregate_page_schema(TicketOfCustomer),
        examples=[_with_customer(ticket_examples.TICKETS, "One ticket")],
    )
    def get(self, request: PersonRequest) -> Response:
        chosen = AggregateTicketFilter(
            request.query_params,  # type: ignore[attr-defined]
            reader=request.person,
            customers=request.customers,
            held=request.held,
            also={"cursor", "page_size"},
        )
        refuse_filter(chosen)
        rows = chosen.tickets.values(*TICKET_LISTED, "tenant_id", "tenant__name", "rank")
        found = page_of(request, rows, chosen.order)  # type: ignore[arg-type]
        names = chosen.rooms_of([row["id"] for row in found.items])
        items = [_of_customer(row) | {"rooms": names.get(row["id"], [])} for row in found.items]
        shown = ("customer", *TICKET_LISTED, "rooms")
        return answer_aggregate_page(request, found, [{name: row[name] for name in shown} for row in items])  # type: ignore[arg-type]


class AllApprovals(AggregateView):
    parameters = frozenset({"customer", "state", "event", "cursor", "page_size"})

    @extend_schema(
        operation_id="all_approvals",
        tags=[TAG],
        summary="The approval requests of all customers",
        description="Newest first: your own, and those of your colleagues where you may see the roles.",
        parameters=[
            CUSTOMER,
            OpenApiParameter("state", str, enum=ApprovalState.values),
            OpenApiParameter("event", str, enum=[one.value for one in CONTROLLED_EVENTS]),
            *PAGING,
        ],
        responses=aggregate_page_schema(ApprovalOfCustomer),
        examples=[_with_customer(approvals.MANY, "One request")],
    )
    def get(self, request: PersonRequest) -> Response:
        asked = request.query_params  # type: ignore[attr-defined]
        found, customer = seen_everywhere(request), uuid_parameter(request, "customer")  # type: ignore[arg-type]
        if customer is not None:
            _one_of("customer", customer, [one.pk for one in request.customers])
            found = found.filter(tenant=customer)
        if state := asked.get("state"):
            _one_of("state", state, ApprovalState.values)
            found = in_state(found, ApprovalState(state))
        if event := asked.get("event"):
            _one_of("event", event, [one.value for one in CONTROLLED_EVENTS])
            found = found.filter(event=event)
        listed = page_of(request, found, ("-requested_at", "-id"))  # type: ignore[arg-type]
        shown = readable(request.person, request.held, listed.items)
        items = [
            {"customer": named(one.tenant)} | approvals.item_of(one, is_shown=one.pk in shown) for one in listed.items
        ]
        return answer_aggregate_page(request, listed, items)  # type: ignore[arg-type]


def _of_customer(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"customer": {"id": row["tenant_id"], "name": row["tenant__name"]}}


def _one_of(name: str, value: Any, choices: Any) -> None:
    if value not in choices:
        raise InvalidParameters({name: ("invalid_choice", _("There is no such choice here (any more)."))})
