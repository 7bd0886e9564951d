"""What ends soon, over all customers that somebody works for."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from partners.expiries import ORDER, ExpiryFilter, lines_of
from rbac.gates import PersonRequest, aggregate_page
from rbac.paging import page
from rooms.models import FilterView
from rooms.views.saved_filters import Shelf, opening

ICONS = {
    "invitation": "envelope-open",
    "relationship": "people",
    "assignment": "shield-lock",
    "token": "key",
    "approval": "check2-square",
}


@require_safe
@aggregate_page()
def expiring(request: PersonRequest) -> HttpResponse:
    """Invitations, relationships, assignments, tokens and approval requests, by when they end."""
    shelf = Shelf(None, FilterView.EXPIRING)
    saved = shelf.own(request)
    if (first := opening(request, saved)) is not None:
        return first
    chosen = ExpiryFilter(request.GET, request=request, also=["cursor"])
    found = page(chosen.parts, order=ORDER, cursor=chosen.cursor)
    count = len(found.items)
    context: dict[str, Any] = {
        "filter": chosen,
        "rows": [{"line": line, "icon": ICONS[line.kind]} for line in lines_of(request, found.items)],
        "page": {
            "shown_text": ngettext("%(count)d entry", "%(count)d entries", count) % {"count": count},
            "previous_url": chosen.query(cursor=found.previous) if found.previous else None,
            "next_url": chosen.query(cursor=found.next) if found.next else None,
        },
    }
    narrowed = chosen.is_narrowed and chosen.is_valid()
    context |= shelf.chips(saved, chosen.query(cursor=None), is_narrowed=narrowed)
    return render(request, "partners/expiries.html", context, status=200 if chosen.is_valid() else 400)
