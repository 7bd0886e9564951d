"""Signing in again for a customer that asks its partners for more: told what is missing, there, and back to where one was.

A change that was stopped for it goes along in the session, on our side, so that nothing typed is lost: afterwards the
page *Carry on* sends it again, once the person says so. It is given to nobody but the person who typed it.
"""

import time
from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from rbac import access, gates
from rbac.catalogue import Permission
from rbac.errors import StepUpRequired
from rbac.models import Tenant, User
from rbac.partner_access import Condition
from rbac.resending import fields_of
from rbac.services import partner_access
from rbac.wording import duration
from trm_portal import sign_in
from trm_portal.sessions import KEPT, PROVIDER, leave

PREFIX = "step-up"
CUSTOMER, EVENT, THEN, TOOL, AT = (f"{PREFIX}-{name}" for name in ("customer", "event", "then", "tool", "at"))
MOST_KEPT = 200_000  # signs of a change that wait in the session
WAITS_FOR = 15 * 60  # seconds; who has not come back by then has thought better of it
LOCAL = "local"
MET_BY_SIGN_IN = frozenset({Condition.MFA, Condition.SIGN_IN_AGE})


def ask(request: HttpRequest, error: StepUpRequired) -> HttpResponse:
    """In answer to a request that shows too little: what is missing, and the way to it."""
    if getattr(request, "htmx", False):  # no place for this inside a pane
        try:
            here = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
        except ValueError:  # a header says anything
            here = ""
        return HttpResponseClientRedirect(address(error, then=here))
    context = {"sent": fields_of(request), "has_files": bool(request.FILES)}
    return _show(request, error.tenant_id, error.event, error.missing, request.get_full_path(), context)


def address(error: StepUpRequired, *, then: str = "", by_tool: bool = False) -> str:
    """Where a person signs in as the customer asks; afterwards he is led to `then`."""
    wanted = {"customer": error.tenant_id, "event": error.event, "then": then, "tool": "1" if by_tool else ""}
    return reverse("step_up") + "?" + urlencode({name: value for name, value in wanted.items() if value})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """What a customer asks for that this session does not show; POST: off to show it, and the change waits."""
    said = request.POST if request.method == "POST" else request.GET
    names = (CUSTOMER, EVENT, THEN, TOOL) if request.method == "POST" else ("customer", "event", "then", "tool")
    customer, wanted, then, tool = (said.get(name, "") for name in names)
    tenant, event, by_tool = _tenant(request, customer), _event(wanted), bool(tool)
    if not url_has_allowed_host_and_scheme(then, allowed_hosts=None) or not then.startswith("/"):
        then = reverse("overview", args=[tenant.pk])
    missing = _missing(request, tenant, event, by_tool=by_tool)
    if request.method != "POST":
        return _show(request, tenant.pk, event, missing, then, {"by_tool": by_tool}) if missing else redirect(then)
    provider = request.POST.get(AT, "")
    if provider not in _ways(request, missing):
        raise Http404
    sent = fields_of(request, (CUSTOMER, EVENT, THEN, TOOL, AT))
    person = cast(User, request.user)
    kept = {"user": person.pk, "then": then, "sent": sent, "at": time.time()} if sent and _is_small(sent) else None
    return _depart(request, provider, then if kept is None else reverse("carry_on"), missing, person, kept)


def _depart(
    request: HttpRequest, provider: str, then: str, missing: Collection[Condition], person: User, kept: Any
) -> HttpResponse:
    if provider != LOCAL:
        request.POST = request.POST.copy()  # type: ignore[assignment]  # social-auth reads from there where to go then
        request.POST["next"] = then
        return sign_in.depart(request, provider, asked_for=missing, upn=person.upn, kept=kept)
    leave(request)
    if kept is not None:
        request.session[KEPT] = kept
    return redirect(f"{reverse('sign_in')}?{urlencode({'next': then})}")


@never_cache
@login_required
@require_safe
def carry_on(request: HttpRequest) -> HttpResponse:
    """The change that was stopped, to be sent again; home, if none waits."""
    kept = request.session.get(KEPT)
    if kept is None or kept["user"] != request.user.pk or time.time() - kept["at"] > WAITS_FOR:
        return redirect("home")
    return render(request, "account/carry_on.html", {"sent": kept["sent"], "then": kept["then"]})


def _show(
    request: HttpRequest,
    tenant_id: UUID,
    event: Permission | None,
    missing: Collection[Condition],
    then: str,
    more: Mapping[str, Any],
) -> HttpResponse:
    tenant = gates.standing(request).tenant(tenant_id)
    if tenant is None:
        raise Http404
    context = {
        "tenant": tenant,
        "event": event,
        "asked": _asked(tenant, event, missing),
        "can_sign_in": bool(MET_BY_SIGN_IN.intersection(missing)),
        "needs_network": Condition.NETWORK in missing,
        "address": request.META.get("REMOTE_ADDR", ""),
        "ways": list(_ways(request, missing).items()),
        "then": then,
        **more,
    }
    return render(request, "account/step_up.html", context, status=403)


def _asked(tenant: Tenant, event: Permission | None, missing: Collection[Condition]) -> list[dict[str, str]]:
    """What is missing, in words."""
    ages = [one.max_age for one in partner_access.of(tenant).of(event) if one.max_age is not None]
    texts = {
        Condition.MFA: ("shield-lock", _("A sign-in with a second factor, such as a code from an app on your phone.")),
        Condition.SIGN_IN_AGE: (
            "clock-history",
            _("A sign-in that is at most %(age)s old.") % {"age": duration(min(ages, default=0))},
        ),
        Condition.NETWORK: ("diagram-3", _("A network that %(customer)s allows.") % {"customer": tenant.name}),
    }
    return [{"icon": texts[one][0], "text": str(texts[one][1])} for one in Condition if one in missing]


def _ways(request: HttpRequest, missing: Collection[Condition]) -> dict[str, Any]:
    """Where the person can sign in again: where he did before, else wherever this installation offers it. Its own accounts
    have no second factor to show."""
    offered, before = dict(sign_in.offered()), request.session.get(PROVIDER)
    if before in offered:
        return {before: _("Sign in again")}
    is_enough = settings.LOCAL_SIGN_IN and Condition.MFA not in missing
    return offered | ({LOCAL: _("Sign in with an account of this portal")} if is_enough else {})


def _tenant(request: HttpRequest, text: str) -> Tenant:
    """The customer, if the person works there. Raises Http404."""
    try:
        found = gates.standing(request).tenant(UUID(text))
    except ValueError as error:
        raise Http404 from error
    if found is None:
        raise Http404
    return found


def _event(text: str) -> Permission | None:
    if not text:
        return None
    try:
        return Permission(text)
    except ValueError as error:
        raise Http404 from error


def _missing(request: HttpRequest, tenant: Tenant, event: Permission | None, *, by_tool: bool) -> frozenset[Condition]:
    """What this session does not show; for a tool of the person, what his latest sign-in does not show either."""
    person, found = cast(User, request.user), set[Condition]()
    for one in access.with_withheld(person, tenant.pk):
        found |= one.unmet.always if event is None else one.unmet.of(event)
    if by_tool:
        found |= partner_access.missing_of_tools(person, tenant, event)
    return frozenset(found)


def _is_small(sent: Collection[tuple[str, Any]]) -> bool:
    return sum(len(name) + len(str(value)) for name, value in sent) <= MOST_KEPT
