"""Settings > General > Audit logs. No decision is taken here: the gate in trm_portal/urls.py stands before both pages."""

import logging
from collections.abc import Collection
from datetime import UTC
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from audit import export, listing
from audit.clock import now
from audit.forms import FilterForm, PeriodForm
from audit.models import AuditEvent

security_log = logging.getLogger("trm.security")

PERIOD = ("start", "end")
FILTERS = ("category", "result", "user")
PLACES = ("newer", "older")


@require_GET
def logs(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """The log of `tenant_id`: a period to download, and its lines, newest first."""
    _refuse_unknown(request, (*PERIOD, *FILTERS, *PLACES))
    return _page(request, tenant_id, _period(request))


@require_GET
def download(request: HttpRequest, tenant_id: UUID) -> HttpResponseBase:
    """The file for the asked period; the page again, with what is wrong, for a period that cannot be.

    A download changes nothing, so it is no line of the log it reads (whose operations are Create, Update and Delete);
    who took which days is written to the security log.
    """
    _refuse_unknown(request, PERIOD)
    period = _period(request)
    if not period.is_valid():
        return _page(request, tenant_id, period, status=400)
    start, end = period.cleaned_data["start"], period.cleaned_data["end"]
    security_log.info("audit log of %s downloaded by %s: %s to %s", tenant_id, request.user, start, end)
    answer = StreamingHttpResponse(
        export.lines(tenant_id, period.since, period.before), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="audit-logs_{start}_{end}.csv"'
    return answer


def _period(request: HttpRequest) -> PeriodForm:
    return PeriodForm(request.GET, today=now().astimezone(UTC).date())


def _refuse_unknown(request: HttpRequest, known: Collection[str]) -> None:
    if unknown := set(request.GET) - set(known):
        raise BadRequest(f"unknown parameters: {', '.join(sorted(unknown))}")


def _page(request: HttpRequest, tenant_id: UUID, period: PeriodForm, status: int = 200) -> HttpResponse:
    filters = FilterForm(request.GET)
    # Both are asked, so that both show their errors.
    is_asked_well = all([period.is_valid(), filters.is_valid()])
    context = {
        "period": period,
        "filters": filters,
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "columns": export.COLUMNS,
        "page_url": reverse("audit_logs", args=[tenant_id]),
        "download_url": reverse("audit_download", args=[tenant_id]),
        "crumbs": [
            (_("Settings"), ""),
            (_("General"), reverse("settings_general", args=[tenant_id])),
            (_("Audit logs"), ""),
        ],
    }
    if is_asked_well:
        events = AuditEvent.objects.filter(tenant_id=tenant_id, at__gte=period.since, at__lt=period.before)
        newer, older = request.GET.get("newer", ""), request.GET.get("older", "")
        found = listing.page(filters.narrow(events), newer_than=newer, older_than=older)
        context |= {"events": found.events, "page": _pager(request, found)}
    return render(request, "audit/logs.html", context, status=status)


def _pager(request: HttpRequest, found: listing.Page) -> dict[str, str]:
    kept = {name: request.GET[name] for name in (*PERIOD, *FILTERS) if request.GET.get(name)}
    number = len(found.events)
    return {
        "previous_url": f"?{urlencode(kept | {'newer': found.newer})}" if found.newer else "",
        "next_url": f"?{urlencode(kept | {'older': found.older})}" if found.older else "",
        "shown_text": ngettext("%(number)d entry", "%(number)d entries", number) % {"number": number},
    }
