"""Settings > General: what the portal knows of the tenant, changed by those who may; and the way to terms and audit logs."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.models import Terms, TermsAcceptance
from partners.settings_forms import DomainForm, GeneralForm
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find, require_whole, tenant_page
from rbac.models import Tenant, TenantDomain
from rbac.services import tenants
from rooms.models import Room


@require_safe
@tenant_page(Permission.SETTINGS_VIEW)
def general(request: TenantRequest) -> HttpResponse:
    """Name, domains, language and time zone, how many rooms, which terms hold, and the way to the audit logs."""
    require_whole(request, Permission.SETTINGS_VIEW)
    return _show(request, DomainForm())


def _show(request: TenantRequest, form: DomainForm, status: int = 200) -> HttpResponse:
    customer = request.customer
    rooms = access.visible(request.person, Permission.ROOMS_VIEW, Room.objects.filter(tenant=customer), request.held)
    may_modify = access.holds_all(request.held, Permission.SETTINGS_MODIFY, customer.pk)
    context = {
        "customer": customer,
        "domains": access.visible(request.person, Permission.SETTINGS_VIEW, _domains(customer), request.held),
        "form": form,
        "language": dict(settings.LANGUAGES).get(customer.language, customer.language),
        "room_total": rooms.count(),
        "may_modify": may_modify,
        "audit_url": reverse("audit_logs", args=[customer.pk]) if may_modify else "",
        "crumbs": [(_("Settings"), ""), (_("General"), "")],
    }
    return render(request, "partners/settings/general.html", context | _terms(request), status=status)


def _domains(customer: Tenant) -> Any:
    return TenantDomain.objects.filter(tenant=customer).order_by("domain")


def _terms(request: TenantRequest) -> dict[str, Any]:
    accepted = TermsAcceptance.objects.filter(tenant=request.customer)
    own = access.visible(request.person, Permission.SETTINGS_VIEW, accepted, request.held)
    return {"terms": Terms.objects.newest(), "accepted": own.order_by("-version").first()}


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def edit(request: TenantRequest) -> HttpResponse:
    """Another name, language or time zone."""
    require_whole(request, Permission.SETTINGS_MODIFY)
    customer = request.customer
    known = {"name": customer.name, "language": customer.language, "time_zone": customer.time_zone}
    form = GeneralForm(request.POST if request.method == "POST" else None, initial=known)
    url = reverse("settings_general", args=[customer.pk])
    if request.method == "POST" and form.is_valid():
        try:
            tenants.modify(customer, by=request.person, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The settings are saved."))
            return redirect(url)
    context = {"form": form, "url": url, "crumbs": [(_("Settings"), ""), (_("General"), url), (_("Edit"), "")]}
    return render(request, "partners/settings/general_edit.html", context)


@require_POST
@tenant_page(Permission.SETTINGS_VIEW)
def add_domain(request: TenantRequest) -> HttpResponse:
    """One more domain, which support staff have to verify before it counts."""
    require_whole(request, Permission.SETTINGS_MODIFY)
    form = DomainForm(request.POST)
    if form.is_valid():
        try:
            added = tenants.add_domain(request.customer, form.cleaned_data["domain"], by=request.person)
        except ValidationError as error:
            form.add_error("domain", error)
        else:
            text = _("%(domain)s is in the list. The operator’s support verifies it; until then it counts for nothing.")
            messages.success(request, text % {"domain": added.domain})
            return redirect("settings_general", request.customer.pk)
    return _show(request, form)


@require_POST
@tenant_page(Permission.SETTINGS_VIEW)
def remove_domain(request: TenantRequest, domain_id: int) -> HttpResponse:
    """A domain that is not verified leaves the list."""
    found = find(request, Permission.SETTINGS_VIEW, _domains(request.customer), pk=domain_id)
    require_whole(request, Permission.SETTINGS_MODIFY)
    try:
        tenants.remove_domain(found, by=request.person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(domain)s is no longer in the list.") % {"domain": found.domain})
    return redirect("settings_general", request.customer.pk)
