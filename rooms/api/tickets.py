"""The tickets of a customer: list, report, one ticket, its history, what can be done with it, its files."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, CustomerView, answer_page, page_of, page_schema
from rbac.api.errors import refuse_filter
from rbac.catalogue import Permission
from rbac.errors import WrongState
from rbac.gates import TenantRequest, find
from rooms import change_control
from rooms.api import ticket_examples as examples
from rooms.api.ticket_serializers import (
    DETAILED,
    AssignablePeople,
    Assignee,
    AttachmentItem,
    Closing,
    EntryItem,
    NewAttachment,
    NewIncident,
    NewMessage,
    NewState,
    TicketDetail,
    TicketItem,
)
from rooms.attachment_types import TYPES
from rooms.errors import (
    AttachmentRefused,
    AttachmentTooLarge,
    AwaitsApproval,
    SystemTicket,
    TicketOver,
    TooManyAttachments,
    UnknownPerson,
    UnknownRooms,
    UploadGone,
)
from rooms.models import Room, Severity, SignalCategory, Ticket, TicketAttachment, TicketEntry, TicketKind, TicketState
from rooms.services import attachments
from rooms.services.ticket_people import assignable
from rooms.ticket_lists import ALL, LISTED, ME, NEWEST_FIRST, NOBODY, OPEN, SORTS, TicketFilter

TAG = "Tickets"
FILTERS = (
    OpenApiParameter("q", str, description="A number, or words that the title contains."),
    OpenApiParameter("state", str, enum=[OPEN, *TicketState.values, ALL], default=OPEN),
    OpenApiParameter("severity", str, enum=Severity.values),
    OpenApiParameter("kind", str, enum=TicketKind.values),
    OpenApiParameter("category", str, enum=SignalCategory.values, description="Of system tickets."),
    OpenApiParameter("room", int, description="Id of a room whose tickets you may see."),
    OpenApiParameter("assigned", str, enum=[ME, NOBODY]),
    OpenApiParameter("opened_from", OpenApiTypes.DATE, description="In the customer’s time zone."),
    OpenApiParameter("opened_until", OpenApiTypes.DATE, description="That day included."),
    OpenApiParameter(
        "sort", str, enum=SORTS, default=NEWEST_FIRST, description="With “-” in front: the other way round."
    ),
)


class TicketView(CustomerView):
    """An address of one ticket."""

    gate = (Permission.TICKETS_VIEW,)

    def find(self, ticket_id: int) -> Ticket:
        """The ticket, if the caller may see it. Raises Http404 otherwise."""
        request: Any = self.request
        own = Ticket.objects.filter(tenant=request.customer).select_related("tenant", "assigned_to")
        return find(request, Permission.TICKETS_VIEW, own, pk=ticket_id)

    def submit(self, ticket: Ticket, action: str, **params: Any) -> Any:
        """What `action` answers, if change control lets it happen."""
        by: Any = self.request.user
        return change_control.submit(Permission.TICKETS_UPDATE, ticket, by=by, action=action, **params)


class Tickets(CustomerView):
    versioned = Ticket
    makes = "api-ticket"
    gate = (Permission.TICKETS_VIEW,)
    parameters = TicketFilter.NAMES | {"cursor", "page_size"}
    problems = {"post": (UnknownRooms, AwaitsApproval)}

    def enter(self, request: Request, **kwargs: Any) -> None:
        """Seeing the list and reporting need different permissions."""
        if request.method == "POST":
            self.gate = (Permission.TICKETS_CREATE_INCIDENT,)  # type: ignore[misc]
        super().enter(request, **kwargs)

    @extend_schema(
        operation_id="tickets",
        tags=[TAG],
        summary="The tickets you may see",
        description="Those with a room on which you hold `tickets.view`; the open ones, unless you ask for others.",
        parameters=[*FILTERS, *PAGING],
        responses=page_schema(TicketItem),
        examples=[examples.TICKETS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        chosen = TicketFilter(
            request.query_params,  # type: ignore[attr-defined]
            reader=request.person,
            customers=[request.customer],
            held=request.held,
            also={"cursor", "page_size"},
        )
        refuse_filter(chosen)
        found = page_of(request, chosen.tickets.values(*LISTED, "rank"), chosen.order)  # type: ignore[arg-type]
        names = chosen.rooms_of([row["id"] for row in found.items])
        items = [{name: row[name] for name in LISTED} | {"rooms": names.get(row["id"], [])} for row in found.items]
        return answer_page(request, found, items)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="ticket_report",
        tags=[TAG],
        summary="Report an incident",
        description=(
            "Needs `tickets.create_incident` on each of the rooms. High impact makes it critical, and its rooms unhealthy "
            "until it is closed."
        ),
        request=NewIncident,
        responses={201: TicketDetail},
        examples=[examples.REPORT, examples.TICKET],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = self.read(NewIncident)
        made = change_control.submit(
            Permission.TICKETS_CREATE_INCIDENT, request.customer, by=request.person, action="report", **wanted
        )
        return self.answer(made, _shown(request, made), status=201)


class OneTicket(TicketView):
    versioned = Ticket

    @extend_schema(
        operation_id="ticket",
        tags=[TAG],
        summary="One ticket",
        description="Needs `tickets.view` on at least one of its rooms; names only rooms that you may see.",
        responses=TicketDetail,
        examples=[examples.TICKET],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        return self.answer(found, _shown(request, found))


class Entries(TicketView):
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (TicketOver, AwaitsApproval)}

    @extend_schema(
        operation_id="ticket_entries",
        tags=[TAG],
        summary="The history of a ticket, messages included",
        description="Needs `tickets.view` on at least one of its rooms. The oldest line first.",
        parameters=PAGING,
        responses=page_schema(EntryItem),
        examples=[examples.ENTRIES],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        entries = TicketEntry.objects.filter(ticket=self.find(ticket_id)).select_related("attachment")
        found = page_of(request, entries, ("at", "id"))  # type: ignore[arg-type]
        return answer_page(request, found, [_entry(one) for one in found.items])  # type: ignore[arg-type]

    @extend_schema(
        operation_id="ticket_write",
        tags=[TAG],
        summary="Write a message",
        description="Needs `tickets.update` on at least one of its rooms. Those who take part are told by mail.",
        request=NewMessage,
        responses={201: EntryItem},
        examples=[examples.MESSAGE, examples.ENTRY],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        return Response(_entry(self.submit(found, "write", **self.read(NewMessage))), status=201)


class State(TicketView):
    problems = {"post": (WrongState, SystemTicket, AwaitsApproval)}
    versioned = Ticket

    @extend_schema(
        operation_id="ticket_state",
        tags=[TAG],
        summary="Change the state, or reopen",
        description=(
            "Needs `tickets.update` on all of its rooms. Closing has an address of its own; a closed ticket is reopened by "
            "`needs_action`."
        ),
        request=NewState,
        responses=TicketDetail,
        examples=[examples.STATE, examples.TICKET],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        wanted = self.read(NewState)
        changed = self.submit(found, "change_state", **wanted)
        return self.answer(changed, _shown(request, changed))


class Assignment(TicketView):
    problems = {"post": (UnknownPerson, TicketOver, AwaitsApproval)}
    versioned = Ticket

    @extend_schema(
        operation_id="ticket_assignable",
        tags=[TAG],
        summary="Whom the ticket can be assigned to",
        description=(
            "People who may update it and whom you may know: the customer’s own people see all of them, a partner’s people "
            "their colleagues and those who take part in the ticket. Empty unless you may assign."
        ),
        responses=AssignablePeople,
        examples=[examples.PEOPLE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        is_whole = access.can(request.person, Permission.TICKETS_UPDATE, found, request.held, whole=True)
        people = assignable(found, request.person) if is_whole else []
        items = [
            {
                "id": one.pk,
                "upn": one.upn,
                "name": one.get_full_name(),
                "organisation": one.tenant.name if one.tenant else "",
            }
            for one in people
        ]
        return self.answer(found, {"items": items})

    @extend_schema(
        operation_id="ticket_assign",
        tags=[TAG],
        summary="Assign the ticket to somebody, or to nobody",
        description="Needs `tickets.update` on all of its rooms. Who gets it is told by mail.",
        request=Assignee,
        responses=TicketDetail,
        examples=[examples.PERSON, examples.TICKET],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        wanted = self.read(Assignee)
        changed = self.submit(found, "assign", **wanted)
        return self.answer(changed, _shown(request, changed))


class Close(TicketView):
    problems = {"post": (TicketOver, SystemTicket, AwaitsApproval)}
    versioned = Ticket

    @extend_schema(
        operation_id="ticket_close",
        tags=[TAG],
        summary="Close the ticket",
        description="Needs `tickets.update` on all of its rooms. System tickets close by what the device reports.",
        request=Closing,
        responses=TicketDetail,
        examples=[examples.CLOSE, examples.TICKET],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        wanted = self.read(Closing)
        changed = self.submit(found, "close", **wanted)
        return self.answer(changed, _shown(request, changed))


class Attachments(TicketView):
    parser_classes = [MultiPartParser]
    problems = {
        "post": (
            AttachmentRefused,
            AttachmentTooLarge,
            TooManyAttachments,
            TicketOver,
            UploadGone,
            AwaitsApproval,
        )
    }

    @extend_schema(
        operation_id="ticket_attach",
        tags=[TAG],
        summary="Attach a file",
        description=(
            "Needs `tickets.update` on at least one of its rooms. `multipart/form-data`, at most 10 MiB, and 20 files of a "
            "ticket. The content has to be what the file’s name says."
        ),
        request={"multipart/form-data": NewAttachment},
        responses={201: EntryItem},
        examples=[examples.FILE, examples.ATTACHED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, ticket_id: int) -> Response:
        found = self.find(ticket_id)
        wanted = self.read(NewAttachment)
        file = wanted["file"]
        with attachments.handed_in(found, by=request.person, file_name=file.name, stream=file) as upload:
            entry = self.submit(found, "attach", upload=upload, text=wanted["text"])
        return Response(_entry(entry), status=201)


class AnyType(JSONRenderer):
    """Whatever one accepts, the file comes in its own type; problems are JSON."""

    media_type = "*/*"


class OneAttachment(TicketView):
    renderer_classes: ClassVar[list[Any]] = [AnyType]

    @extend_schema(
        operation_id="ticket_attachment",
        tags=[TAG],
        summary="The content of a file",
        description="Needs `tickets.view` on at least one of the ticket’s rooms.",
        responses={(200, one): OpenApiTypes.BINARY for one in TYPES},
        examples=examples.CONTENTS,
    )
    def get(self, request: TenantRequest, tenant_id: UUID, ticket_id: int, attachment_id: UUID) -> HttpResponseBase:
        found = TicketAttachment.objects.filter(ticket=self.find(ticket_id), pk=attachment_id).first()
        if found is None:
            raise Http404
        try:
            return attachments.answer(found, whole=True)
        except FileNotFoundError as error:
            raise Http404 from error


def _shown(request: TenantRequest, ticket: Ticket) -> dict[str, Any]:
    rooms = access.visible(request.person, Permission.TICKETS_VIEW, Room.objects.filter(tickets__ticket=ticket))
    codes = (Permission.TICKETS_VIEW, Permission.TICKETS_UPDATE)
    held = access.rights(request.person, ticket.tenant_id)
    return {name: getattr(ticket, name) for name in DETAILED} | {
        "rooms": list(rooms.order_by("display_name", "pk").values("id", "display_name")),
        "permissions": [code.value for code in codes if access.can(request.person, code, ticket, held)],
        "is_whole": access.can(request.person, Permission.TICKETS_UPDATE, ticket, held, whole=True),
    }


def _entry(entry: TicketEntry) -> dict[str, Any]:
    columns = {name: getattr(entry, name) for name in EntryItem.Meta.fields[:-1]}
    # One line has one at most; those of a page were read with it.
    found: TicketAttachment | None = getattr(entry, "attachment", None)
    file = {name: getattr(found, name) for name in AttachmentItem.Meta.fields} if found is not None else None
    return columns | {"attachment": file}
