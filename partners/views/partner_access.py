"""Settings > Partner access: what a customer asks of the people of its partners, and whom that would stop."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.access_forms import PolicyForm
from partners.access_preview import Preview, preview
from rbac import access
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import StaleVersion
from rbac.gates import TenantRequest, require_whole, tenant_page
from rbac.partner_access import Condition, Policy
from rbac.precondition import tag_of
from rbac.services import partner_access
from rbac.wording import asked

SHOWN = 100  # people in the preview


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def policy(request: TenantRequest) -> HttpResponse:
    """The policy; POST: first whom it would stop, then, confirmed, it holds."""
    require_whole(request, Permission.SETTINGS_VIEW)
    may_modify = access.holds_all(request.held, Permission.SETTINGS_MODIFY, request.customer.pk)
    kept = partner_access.of(request.customer)
    if request.method != "POST":
        return _edit(request, PolicyForm(None, policy=kept, may_modify=may_modify), kept, may_modify)
    require_whole(request, Permission.SETTINGS_MODIFY)
    form = PolicyForm(request.POST, policy=kept, may_modify=may_modify)
    if not form.is_valid():
        return _edit(request, form, kept, may_modify)
    try:
        wanted = partner_access.checked(form.policy)
        if "confirmed" not in request.POST:
            return _review(request, form, kept, wanted)
        partner_access.change(request.customer, wanted, by=request.person, seen=request.POST.get("seen", ""))
    except StaleVersion:
        messages.warning(request, _("Somebody else has changed this in the meantime. Look at it once more."))
        return _review(request, form, kept, wanted)
    except ValidationError as error:
        form.object_to(error)
        return _edit(request, form, kept, may_modify)
    messages.success(request, _("Saved. It holds from the next click of your partners’ people on."))
    return redirect("partner_access", request.customer.pk)


def _edit(request: TenantRequest, form: PolicyForm, kept: Policy, may_modify: bool) -> HttpResponse:
    context = {"form": form, "kept": kept, "may_modify": may_modify, "crumbs": _crumbs()}
    return render(request, "partners/settings/partner_access.html", context)


def _review(request: TenantRequest, form: PolicyForm, kept: Policy, wanted: Policy) -> HttpResponse:
    if wanted == kept:
        messages.info(request, _("Nothing has changed."))
        return redirect("partner_access", request.customer.pk)
    found = preview(request.customer, wanted)
    context = {
        "sent": list(form.hidden()),
        "seen": tag_of(kept),
        "preview": found,
        "rows": _rows(found),
        "names_addresses": bool(wanted.always.networks or wanted.step_up.networks),
        "more": max(0, len(found.stopped) - SHOWN),
        "asked": [
            (_("For all access"), asked(wanted.always, names_networks=True)),
            (_("For chosen changes"), [*_events(wanted), *asked(wanted.step_up, names_networks=True)]),
        ],
        "crumbs": _crumbs(),
    }
    return render(request, "partners/settings/partner_access_review.html", context)


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Settings"), ""), (_("Partner access"), "")]


def _rows(found: Preview) -> list[dict[str, Any]]:
    return [
        {
            "stopped": one,
            "person": one.person,
            "always": [str(condition.label) for condition in Condition if condition in one.always],
            "step_up": [str(condition.label) for condition in Condition if condition in one.step_up],
            "needs_network": Condition.NETWORK in one.always,
        }
        for one in found.stopped[:SHOWN]
    ]


def _events(wanted: Policy) -> list[str]:
    return [event.full_label for event in CONTROLLED_EVENTS if event in wanted.events]
