"""Settings > General > Audit logs. No decision is taken here: the gate in trm_portal/urls.py stands before both pages."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from audit import export, extended_export, listing
from audit.clock import now
from audit.forms import FilterForm, PeriodForm
from audit.models import AuditEvent

security_log = logging.getLogger("trm.security")

PERIOD = ("start", "end")
FILTERS = ("category", "result", "user", "partner")
# What the relationships of a tenant are called, by their id; said above this app, which knows no partners.
Partners = Callable[[UUID], Sequence[tuple[str, str]]]
PLACES = ("newer", "older")


@require_GET
def logs(request: HttpRequest, tenant_id: UUID, *, partners: Partners) -> HttpResponse:
    """The log of `tenant_id`: a period to download, and its lines, newest first."""
    _refuse_unknown(request, (*PERIOD, *FILTERS, *PLACES))
    return _page(request, tenant_id, _period(request), partners)


@require_GET
def download(request: HttpRequest, tenant_id: UUID, *, partners: Partners) -> HttpResponseBase:
    """The file for the asked period; the page again, with what is wrong, for a period that cannot be.

    A download changes nothing, so it is no line of the log it reads (whose operations are Create, Update and Delete);
    who took which days is written to the security log.
    """
    _refuse_unknown(request, PERIOD)
    period = _period(request)
    if not period.is_valid():
        return _page(request, tenant_id, period, partners, status=400)
    lines = export.lines(tenant_id, period.since, period.before)
    return _file(request, tenant_id, period, lines, "text/csv; charset=utf-8", "audit-logs_{}_{}.csv")


@require_GET
def download_all(request: HttpRequest, tenant_id: UUID, *, partners: Partners) -> HttpResponseBase:
    """The lines that the page shows for this period and these filters, all of them and with all that is known of each;
    the page again, with what is wrong, for what cannot be."""
    _refuse_unknown(request, (*PERIOD, *FILTERS, "format"))
    period, filters = _period(request), FilterForm(request.GET, partners=partners(tenant_id))
    form = request.GET.get("format", "csv")
    if form not in extended_export.FORMATS:
        raise BadRequest("no such format")
    if not all([period.is_valid(), filters.is_valid()]):
        return _page(request, tenant_id, period, partners, status=400)
    write, content_type = extended_export.FORMATS[form]
    lines = write(filters.narrow(_events(tenant_id, period)))
    return _file(request, tenant_id, period, lines, content_type, "audit-log-in-full_{}_{}." + form)


def _file(
    request: HttpRequest, tenant_id: UUID, period: PeriodForm, lines: Iterator[bytes], content_type: str, name: str
) -> HttpResponseBase:
    start, end = period.cleaned_data["start"], period.cleaned_data["end"]
    security_log.info("audit log of %s downloaded by %s: %s to %s", tenant_id, request.user, start, end)
    answer = StreamingHttpResponse(lines, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name.format(start, end)}"'
    return answer


def _events(tenant_id: UUID, period: PeriodForm) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(tenant_id=tenant_id, at__gte=period.since, at__lt=period.before)


def _period(request: HttpRequest) -> PeriodForm:
    return PeriodForm(request.GET, today=now().astimezone(UTC).date())


def _refuse_unknown(request: HttpRequest, known: Collection[str]) -> None:
    if unknown := set(request.GET) - set(known):
        raise BadRequest(f"unknown parameters: {', '.join(sorted(unknown))}")


def _page(
    request: HttpRequest, tenant_id: UUID, period: PeriodForm, partners: Partners, status: int = 200
) -> HttpResponse:
    named = partners(tenant_id)
    filters = FilterForm(request.GET, partners=named)
    # Both are asked, so that both show their errors.
    is_asked_well = all([period.is_valid(), filters.is_valid()])
    context = {
        "period": period,
        "filters": filters,
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "columns": export.COLUMNS,
        "page_url": reverse("audit_logs", args=[tenant_id]),
        "download_url": reverse("audit_download", args=[tenant_id]),
        "download_all_url": reverse("audit_download_all", args=[tenant_id]),
        "crumbs": [
            (_("Settings"), ""),
            (_("General"), reverse("settings_general", args=[tenant_id])),
            (_("Audit logs"), ""),
        ],
    }
    if is_asked_well:
        newer, older = request.GET.get("newer", ""), request.GET.get("older", "")
        found = listing.page(filters.narrow(_events(tenant_id, period)), newer_than=newer, older_than=older)
        names = dict(named)
        rows = [(event, _partner_of(event, names)) for event in found.events]
        context |= {"events": found.events, "rows": rows, "page": _pager(request, found)}
    return render(request, "audit/logs.html", context, status=status)


def _partner_of(event: AuditEvent, names: dict[str, str]) -> str:
    """For which partner somebody did it; empty for the tenant's own people and for jobs."""
    is_own = event.user_tenant_id in (None, event.tenant_id)
    return "" if is_own else names.get(str(event.relationship_id), "")


def _pager(request: HttpRequest, found: listing.Page) -> dict[str, str]:
    kept = {name: request.GET[name] for name in (*PERIOD, *FILTERS) if request.GET.get(name)}
    number = len(found.events)
    return {
        "previous_url": f"?{urlencode(kept | {'newer': found.newer})}" if found.newer else "",
        "next_url": f"?{urlencode(kept | {'older': found.older})}" if found.older else "",
        "shown_text": ngettext("%(number)d entry", "%(number)d entries", number) % {"number": number},
    }
