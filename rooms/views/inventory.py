"""Importing rooms: upload, look at what would change, confirm, see what was done."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, tenant_page
from rooms import change_control
from rooms.errors import ImportOver, UnreadableInventory
from rooms.forms import InventoryForm, ReportFilter
from rooms.inventory_reports import Outcome, Report, report_lines
from rooms.models import InventoryImport, WorkState
from rooms.services import inventory_imports

PAGE = 50  # rows of a report
UNDER_WAY = (WorkState.QUEUED, WorkState.RUNNING)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_MODIFY)
def upload(request: TenantRequest) -> HttpResponse:
    """Choose a file; what it would change is shown before anything is written."""
    form = InventoryForm(request.POST, request.FILES) if request.method == "POST" else InventoryForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            found = inventory_imports.prepare(request.customer, file, file.name, by=request.person)
        except UnreadableInventory as error:
            form.add_error("file", error)
        else:
            return redirect("rooms_import_report", request.customer.pk, found.pk)
    return render(
        request,
        "rooms/import.html",
        {
            "form": form,
            "crumbs": _crumbs(request),
            "is_for_all": access.holds_all(request.held, Permission.ROOMS_MODIFY, request.customer.pk),
            "rooms_url": reverse("rooms", args=[request.customer.pk]),
        },
    )


@require_safe
@tenant_page(Permission.ROOMS_MODIFY)
def show(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """The preview of an import, how far it is, or what it has done."""
    found = _find(request, import_id)
    if found.state in UNDER_WAY:
        is_left = import_id in inventory_imports.left_lying()
        return render(request, "rooms/import_progress.html", _context(request, found) | {"is_left": is_left})
    asked = ReportFilter(request.GET)
    if not asked.is_valid():
        raise BadRequest("no such part of the report")
    report = Report.from_data(found.report)
    outcome, start = asked.cleaned_data["outcome"], asked.cleaned_data["start"] or 0
    shown = report.of(Outcome(outcome) if outcome else None)
    counts = report.counts
    context = _context(request, found) | {
        "report": report,
        "counts": counts,
        "work": counts[Outcome.CREATED] + counts[Outcome.CHANGED],
        "tabs": _tabs(request, counts, outcome),
        "entries": shown[start : start + PAGE],
        "page": _pager(request, outcome, start, len(shown)),
    }
    return render(request, "rooms/import_report.html", context)


@require_POST
@tenant_page(Permission.ROOMS_MODIFY)
def confirm(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """Carry the import out: here if it is small, else by a worker; the report's page tells."""
    with suppress(ImportOver):  # pressed twice: the page shows what became of it
        inventory_imports.confirm(_find(request, import_id), submit=change_control.submit)
    return redirect("rooms_import_report", request.customer.pk, import_id)


@require_POST
@tenant_page(Permission.ROOMS_MODIFY)
def discard(request: TenantRequest, import_id: UUID) -> HttpResponse:
    """Forget the file, and go back to choosing one."""
    inventory_imports.discard(_find(request, import_id))
    return redirect("rooms_import", request.customer.pk)


@require_safe
@tenant_page(Permission.ROOMS_MODIFY)
def download(request: TenantRequest, import_id: UUID) -> HttpResponseBase:
    """The report as CSV, in the reader's language."""
    found = _find(request, import_id)
    lines = list(report_lines(Report.from_data(found.report)))  # now, while the reader's language is set
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="rooms-import-report.csv"'
    return answer


def _find(request: TenantRequest, import_id: UUID) -> InventoryImport:
    found = inventory_imports.own(request.customer, request.person).filter(pk=import_id).first()
    if found is None:
        raise Http404
    return found


def _context(request: TenantRequest, found: InventoryImport) -> dict[str, Any]:
    def url(name: str) -> str:
        return reverse(name, args=[request.customer.pk, found.pk])

    return {
        "import": found,
        "is_done": found.state == WorkState.DONE,
        "is_failed": found.state == WorkState.FAILED,
        "crumbs": _crumbs(request, (found.file_name, "")),
        "confirm_url": url("rooms_import_confirm"),
        "discard_url": url("rooms_import_discard"),
        "download_url": url("rooms_import_download"),
        "rooms_url": reverse("rooms", args=[request.customer.pk]),
        "import_url": reverse("rooms_import", args=[request.customer.pk]),
    }


def _tabs(request: TenantRequest, counts: dict[Outcome, int], current: str) -> list[dict[str, Any]]:
    everything = {"label": _("All"), "url": request.path, "current": not current, "count": sum(counts.values())}
    return [
        everything,
        *(
            {
                "label": str(outcome.label),
                "url": f"{request.path}?{urlencode({'outcome': outcome.value})}",
                "current": outcome == current,
                "count": count,
            }
            for outcome, count in counts.items()
        ),
    ]


def _pager(request: TenantRequest, outcome: str, start: int, count: int) -> dict[str, str | None]:
    def url(at: int) -> str:
        asked = {"outcome": outcome, "start": at}
        return f"{request.path}?{urlencode({name: value for name, value in asked.items() if value})}"

    shown = min(count, start + PAGE) - start
    return {
        "previous_url": url(max(0, start - PAGE)) if start else None,
        "next_url": url(start + PAGE) if start + PAGE < count else None,
        "shown_text": ngettext(
            "Rows %(first)s to %(last)s of %(count)s", "Rows %(first)s to %(last)s of %(count)s", count
        )
        % {"first": start + 1, "last": start + shown, "count": count}
        if shown > 0
        else "",
    }


def _crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    rooms = (_("Rooms"), reverse("rooms", args=[request.customer.pk]))
    own = (_("Import"), reverse("rooms_import", args=[request.customer.pk]) if further else "")
    return [rooms, own, *further]
