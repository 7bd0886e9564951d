"""One ticket: what it is about, what was said and done, and what the person can do with it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find, require_on, tenant_page
from rbac.paging import page
from rooms import change_control
from rooms.errors import StaleVersion
from rooms.models import Room, Ticket, TicketAttachment, TicketEntry, TicketKind, TicketState
from rooms.services import attachments
from rooms.services.ticket_people import assignable
from rooms.states import TICKET
from rooms.ticket_forms import AssignForm, CloseForm, MessageForm, StateForm

ENTRIES = 50
OLDEST_LAST = ("-at", "-id")
# What usually comes next, chosen until somebody chooses otherwise.
NATURAL = {
    TicketState.NEEDS_ACTION: TicketState.INVESTIGATING,
    TicketState.INVESTIGATING: TicketState.RESOLVED,
    TicketState.RESOLVED: TicketState.INVESTIGATING,
}


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.TICKETS_VIEW)
def ticket(request: TenantRequest, ticket_id: int) -> HttpResponse:
    """One ticket with the rooms the person sees and its history; a message or a file is added by POST."""
    found = _find(request, ticket_id)
    form = MessageForm()
    if request.method == "POST":
        require_on(request, Permission.TICKETS_UPDATE, found)
        form = MessageForm(request.POST, request.FILES)
        if form.is_valid() and _say(request, found, form):
            return redirect(_url(found) + "#last")
    return render(request, "rooms/tickets/ticket.html", _shown(request, found) | {"form": form})


def _say(request: TenantRequest, found: Ticket, form: MessageForm) -> bool:
    """Whether it worked; what went wrong stands in the form."""
    text, file = form.cleaned_data["text"], form.cleaned_data["file"]
    try:
        if not file:
            _submit(request, found, "write", text=text)
        else:
            with attachments.handed_in(found, by=request.person, file_name=file.name or "", stream=file) as upload:
                _submit(request, found, "attach", upload=upload, text=text)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("Your file is attached.") if file else _("Your message is there."))
    return True


@require_POST
@tenant_page(Permission.TICKETS_VIEW)
def state(request: TenantRequest, ticket_id: int) -> HttpResponse:
    """Another state; a closed ticket is reopened."""
    found = _whole(request, ticket_id)
    form = StateForm(request.POST, following=TicketState)
    text = _("Ticket #%(number)d is open again.") if found.state == TicketState.CLOSED else _("The state is changed.")
    return _changed(request, found, form, "change_state", text, lambda: {"state": form.cleaned_data["state"]})


@require_POST
@tenant_page(Permission.TICKETS_VIEW)
def assign(request: TenantRequest, ticket_id: int) -> HttpResponse:
    """Somebody else, or nobody, takes care of it."""
    found = _whole(request, ticket_id)
    form = AssignForm(request.POST, ticket=found, people=assignable(found, request.person))
    text = _("The assignment is changed.")
    return _changed(
        request, found, form, "assign", text, lambda: {"person": int(form.cleaned_data["person"] or 0) or None}
    )


def _changed(
    request: TenantRequest, found: Ticket, form: Any, action: str, text: str, wanted: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """Back at the ticket, told what came of it. Nothing was typed that could be lost."""
    if form.is_valid():
        try:
            _submit(request, found, action, version=form.cleaned_data["version"], **wanted())
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, text % {"number": found.pk})
    else:
        messages.error(request, _("This choice is not there any more. Look at the ticket and try again."))
    return redirect(_url(found))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.TICKETS_VIEW)
def close(request: TenantRequest, ticket_id: int) -> HttpResponse:
    """Ask why, then close. Somebody else's faster change is told; what was typed stays."""
    found = _whole(request, ticket_id)
    form = CloseForm(request.POST if request.method == "POST" else None, initial={"version": found.version})
    if request.method == "POST" and form.is_valid() and _close(request, found, form):
        return redirect(_url(found))
    context = {"ticket": found, "form": form, "url": _url(found), "crumbs": _crumbs(found, (_("Close ticket"), ""))}
    return render(request, "rooms/tickets/close.html", context)


def _close(request: TenantRequest, found: Ticket, form: CloseForm) -> bool:
    given = form.cleaned_data
    try:
        _submit(request, found, "close", reason=given["reason"], note=given["note"], version=given["version"])
    except ValidationError as error:
        form.add_error(None, error)
        if isinstance(error, StaleVersion):  # seen now: the next try closes what is there
            form.data = form.data.copy()
            form.data["version"] = str(Ticket.objects.values_list("version", flat=True).get(pk=found.pk))
        return False
    messages.success(request, _("Ticket #%(number)d is closed.") % {"number": found.pk})
    return True


@require_safe
@tenant_page(Permission.TICKETS_VIEW)
def attachment(request: TenantRequest, ticket_id: int, attachment_id: UUID) -> HttpResponseBase:
    """A file of the ticket, to be saved."""
    found = TicketAttachment.objects.filter(ticket=_find(request, ticket_id), pk=attachment_id).first()
    if found is None:
        raise Http404
    try:
        return attachments.answer(found)
    except FileNotFoundError as error:
        raise Http404 from error


def _shown(request: TenantRequest, found: Ticket) -> dict[str, Any]:
    """What the page says of the ticket, and what the person can do with it."""
    may_write = access.can(request.person, Permission.TICKETS_UPDATE, found, request.held)
    is_whole = may_write and access.can(request.person, Permission.TICKETS_UPDATE, found, request.held, whole=True)
    is_closed = found.state == TicketState.CLOSED
    entries = TicketEntry.objects.filter(ticket=found).select_related("attachment")
    listed = page(entries, order=OLDEST_LAST, cursor=request.GET.get("cursor") or None, size=ENTRIES)
    own = Room.objects.filter(tickets__ticket=found)
    rooms = access.visible(request.person, Permission.TICKETS_VIEW, own, request.held)
    return {
        "ticket": found,
        "rooms": list(rooms.order_by("display_name", "pk")),
        "entries": listed.items[::-1],
        "older_url": f"?cursor={listed.next}" if listed.next else "",
        "newer_url": f"?cursor={listed.previous}" if listed.previous else "",
        "is_closed": is_closed,
        "is_system": found.kind == TicketKind.SYSTEM,
        "may_write": may_write,
        "is_whole": is_whole,
        "crumbs": _crumbs(found),
        **(_handling(request, found) if is_whole else {}),
    }


def _handling(request: TenantRequest, found: Ticket) -> dict[str, Any]:
    if found.state == TicketState.CLOSED:
        return {"version": found.version}
    initial = {"version": found.version}
    following = [one for one in TicketState if one in TICKET[TicketState(found.state)] and one != TicketState.CLOSED]
    offered = initial | {"state": NATURAL[TicketState(found.state)]}
    return {
        "state_form": StateForm(initial=offered, following=following, auto_id="state_%s"),
        "assign_form": AssignForm(
            initial=initial, ticket=found, people=assignable(found, request.person), auto_id="assign_%s"
        ),
    }


def _find(request: TenantRequest, ticket_id: int) -> Ticket:
    own = Ticket.objects.filter(tenant=request.customer).select_related("tenant", "assigned_to")
    return find(request, Permission.TICKETS_VIEW, own, pk=ticket_id)


def _whole(request: TenantRequest, ticket_id: int) -> Ticket:
    """The ticket, if the person may decide for it as a whole."""
    found = _find(request, ticket_id)
    require_on(request, Permission.TICKETS_UPDATE, found, whole=True)
    return found


def _submit(request: TenantRequest, found: Ticket, action: str, **params: Any) -> Any:
    return change_control.submit(Permission.TICKETS_UPDATE, found, by=request.person, action=action, **params)


def _url(found: Ticket) -> str:
    return reverse("ticket", args=[found.tenant_id, found.pk])


def _crumbs(found: Ticket, *further: tuple[str, str]) -> list[tuple[str, str]]:
    here = (f"#{found.pk}", _url(found) if further else "")
    return [(_("Incidents"), reverse("tickets", args=[found.tenant_id])), here, *further]
