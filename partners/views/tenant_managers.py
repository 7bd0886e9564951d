"""Settings > General > Tenant managers: who answers invitations to the organisation's domains."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from partners.answering import answering
from partners.forms import MAX_TEXT
from partners.models import TenantManager
from partners.services import tenant_managers as service
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find, require_whole, tenant_page


class ManagerForm(forms.Form):
    """A person of the tenant, by UPN."""

    upn = forms.CharField(
        label=gettext_lazy("User principal name (UPN)"),
        max_length=MAX_TEXT,
        help_text=gettext_lazy("Somebody of your organisation who has signed in here before."),
        widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def managers(request: TenantRequest) -> HttpResponse:
    """Who is one, and who answers while nobody is. POST names one more."""
    require_whole(request, Permission.SETTINGS_VIEW)
    form = ManagerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            manager = service.appoint(request.customer, form.cleaned_data["upn"], by=request.person)
        except ValidationError as error:
            form.add_error("upn", error)
        else:
            name = manager.user.get_full_name()
            messages.success(request, _("%(name)s is a tenant manager now.") % {"name": name})
            return redirect("tenant_managers", request.customer.pk)
    named = TenantManager.objects.filter(tenant=request.customer).select_related("user")
    seen = access.visible(request.person, Permission.SETTINGS_VIEW, named, request.held)
    domains = request.customer.domains.exclude(verified_at=None).order_by("domain")
    context = {
        "form": form,
        "managers": list(seen.order_by("user__display_name", "user__upn")),
        "answering": list(answering(request.customer)),
        "domains": list(domains.values_list("domain", flat=True)),
        "may_modify": access.holds_all(request.held, Permission.SETTINGS_MODIFY, request.customer.pk),
        "crumbs": [
            (_("Settings"), ""),
            (_("General"), reverse("settings_general", args=[request.customer.pk])),
            (_("Tenant managers"), ""),
        ],
    }
    return render(request, "partners/settings/tenant_managers.html", context)


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def remove(request: TenantRequest, manager_id: int) -> HttpResponse:
    """The person is no tenant manager any more; nothing else of his changes."""
    require_whole(request, Permission.SETTINGS_MODIFY)
    named = TenantManager.objects.filter(tenant=request.customer).select_related("user", "tenant")
    if manager_id >= 2**63:
        raise Http404
    manager = find(request, Permission.SETTINGS_VIEW, named, pk=manager_id)
    service.dismiss(manager, by=request.person)
    text = _("%(name)s is no tenant manager any more.")
    messages.success(request, text % {"name": manager.user.get_full_name()})
    return redirect("tenant_managers", request.customer.pk)
