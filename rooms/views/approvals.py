"""Requests for the customer's approval, open and decided: the customer decides, the partner sees and withdraws."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.gates import PersonRequest, TenantRequest, tenant_page
from rbac.paging import page
from rooms import change_control
from rooms.diff_words import object_of
from rooms.diffs import changes_of
from rooms.inbox import find_request, readable, require_place, seen, state_of
from rooms.models import ApprovalRequest, ApprovalState
from rooms.services import approvals as service

WAITING, DECIDED = "waiting", "decided"
BADGES = {
    ApprovalState.PENDING: ("info", "hourglass-split"),
    ApprovalState.EXECUTED: ("success", "check-circle-fill"),
    ApprovalState.FAILED: ("danger", "x-octagon"),
    ApprovalState.REJECTED: ("danger", "x-circle"),
    ApprovalState.WITHDRAWN: ("neutral", "slash-circle"),
    ApprovalState.EXPIRED: ("warning", "clock"),
    ApprovalState.CANCELLED: ("neutral", "slash-circle"),
}
MOST_AT_ONCE = 100
_PARAMETERS = {"tab", "event", "cursor"}
_BROKEN = gettext_lazy("The change broke a rule: “%(code)s”.")
_FAILURES = {
    "stale_version": gettext_lazy("Somebody changed it in the meantime, so nothing was done."),
    "permission_denied": gettext_lazy("Whoever asked may not do this any more, so nothing was done."),
    "not_found": gettext_lazy("What was to be changed does not exist any more."),
    "altered": gettext_lazy("The stored request is not what was asked for. Nothing was done; tell the operator."),
}


@require_safe
@tenant_page()
def approvals(request: TenantRequest) -> HttpResponse:
    """What waits for a decision, soonest over first; or what was decided, newest first."""
    require_place(request)
    tab, event = request.GET.get("tab", WAITING), request.GET.get("event", "")
    if tab not in (WAITING, DECIDED) or event not in ("", *CONTROLLED_EVENTS) or set(request.GET) - _PARAMETERS:
        raise BadRequest("no such list")
    own = seen(request)
    waiting = own.waiting()  # type: ignore[attr-defined]  # the model's own queryset
    found = waiting if tab == WAITING else own.exclude(pk__in=waiting.values("pk"))
    order = ("expires_at", "id") if tab == WAITING else ("-requested_at", "-id")
    listed = page(found.filter(event=event) if event else found, order=order, cursor=request.GET.get("cursor") or None)
    rest = f"&event={event}" if event else ""
    context = {
        "rows": rows_of(request, listed.items),
        "decides": service.may_decide(request.person, request.customer, request.held),
        "tab": tab,
        "event": event,
        "events": [(one.value, one.full_label) for one in CONTROLLED_EVENTS],
        "tabs": [
            {
                "label": _("Waiting"),
                "url": f"?tab={WAITING}{rest}",
                "current": tab == WAITING,
                "count": waiting.count(),
            },
            {"label": _("Decided"), "url": f"?tab={DECIDED}{rest}", "current": tab == DECIDED},
        ],
        "page": {
            "shown_text": ngettext("%(count)d request", "%(count)d requests", len(listed.items))
            % {"count": len(listed.items)},
            "previous_url": f"?tab={tab}{rest}&cursor={listed.previous}" if listed.previous else "",
            "next_url": f"?tab={tab}{rest}&cursor={listed.next}" if listed.next else "",
        },
    }
    return render(request, "rooms/approvals/approvals.html", context)


def rows_of(request: TenantRequest | PersonRequest, found: list[ApprovalRequest]) -> list[dict[str, Any]]:
    """How lists show `found`: without the object, once it has left the reader's scope."""
    shown = readable(request.person, request.held, found)
    return [_row(one, is_shown=one.pk in shown) for one in found]


def _row(found: ApprovalRequest, *, is_shown: bool) -> dict[str, Any]:
    state = state_of(found)
    kind, icon = BADGES[state]
    return {
        "approval": found,
        "name": object_of(found) if is_shown else _("Not in your scope any more"),
        "is_shown": is_shown,
        "event": Permission(found.event).full_label,
        "partner": found.delegation.relationship.label,
        "badge": {"kind": kind, "icon": icon, "label": str(state.label)},
        "is_waiting": state is ApprovalState.PENDING,
        "url": reverse("approval", args=[found.tenant_id, found.pk]),
    }


@require_safe
@tenant_page()
def approval(request: TenantRequest, approval_id: UUID) -> HttpResponse:
    """One request: what would change, why, and what has become of it."""
    return _show(request, find_request(request, approval_id))


def _show(request: TenantRequest, found: ApprovalRequest, error: str = "", status: int = 200) -> HttpResponse:
    [row] = rows_of(request, [found])
    decides = service.may_decide(request.person, request.customer, request.held)
    is_own = found.requested_by_id == request.person.pk
    context = row | {
        "changes": changes_of(found, request.person, request.held) if row["is_shown"] else [],
        "failure": _FAILURES.get(found.failure_code, _BROKEN) % {"code": found.failure_code},
        "may_decide": decides and row["is_waiting"] and not is_own,
        "may_withdraw": is_own and row["is_waiting"],
        "may_ask_again": is_own and not row["is_waiting"] and found.state != ApprovalState.EXECUTED,
        "error": error,
        "comment": request.POST.get("comment", ""),
        "crumbs": [(_("Approvals"), reverse("approvals", args=[request.customer.pk])), (row["name"], "")],
    }
    return render(request, "rooms/approvals/approval.html", context, status=status)


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def decide(request: TenantRequest, approval_id: UUID) -> HttpResponse:
    """Approve or reject, with a comment (which a rejection needs)."""
    found = find_request(request, approval_id)
    try:
        text = _decide(request, found, request.POST.get("decision", ""), request.POST.get("comment", ""))
    except ValidationError as error:
        found.refresh_from_db()
        return _show(request, found, " ".join(error.messages), getattr(error, "status", 409))
    (messages.warning if found.state == ApprovalState.FAILED else messages.success)(request, text)
    return redirect("approval", request.customer.pk, found.pk)


def _decide(request: TenantRequest, found: ApprovalRequest, decision: str, comment: str) -> str:
    """What has become of it, in words. Raises what the service raises, BadRequest for no decision at all."""
    if decision == "reject":
        service.reject(found, by=request.person, comment=comment)
        text = _("Rejected. The partner reads your comment.")
    elif decision == "approve":
        if change_control.approve(found, by=request.person, comment=comment).state == ApprovalState.FAILED:
            text = _("Approved, but it could not be done: see why below.")
        else:
            text = _("Approved, and done.")
    else:
        raise BadRequest("no such decision")
    found.refresh_from_db()
    return text


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def decide_many(request: TenantRequest) -> HttpResponse:
    """The same decision for all that were ticked, one after the other; a line of result for each."""
    picked = request.POST.getlist("pick")[:MOST_AT_ONCE]
    try:
        ids = [UUID(one) for one in picked]
    except ValueError as error:
        raise BadRequest("no such request") from error
    results = []
    for found in seen(request).filter(pk__in=ids).order_by("expires_at", "pk"):
        try:
            text = _decide(request, found, request.POST.get("decision", ""), request.POST.get("comment", ""))
        except (ValidationError, PermissionDenied) as error:
            text = " ".join(getattr(error, "messages", [_("You may not decide this one.")]))
            found.refresh_from_db()
        results.append(_row(found, is_shown=True) | {"text": text})
    crumbs = [(_("Approvals"), reverse("approvals", args=[request.customer.pk])), (_("Result"), "")]
    context = {"results": results, "crumbs": crumbs}
    return render(request, "rooms/approvals/results.html", context)


@require_POST
@tenant_page()
def withdraw(request: TenantRequest, approval_id: UUID) -> HttpResponse:
    """Whoever asked does not ask any more."""
    found = find_request(request, approval_id)
    try:
        service.withdraw(found, by=request.person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The request is withdrawn."))
    return redirect("approval", request.customer.pk, found.pk)


@require_POST
@tenant_page()
def ask_again(request: TenantRequest, approval_id: UUID) -> HttpResponse:
    """The same change once more, from how things are now."""
    found = find_request(request, approval_id)
    try:
        change_control.ask_again(found, by=request.person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("approval", request.customer.pk, found.pk)
    messages.success(request, _("Done: the customer does not want to be asked about such changes any more."))
    return redirect("approvals", request.customer.pk)
