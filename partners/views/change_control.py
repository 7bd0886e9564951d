"""Settings > Partners > partner > Change control: which changes the customer wants to approve first."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.forms import ChangeControlForm, mode_field
from partners.models import PartnerRelationship
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import DelegationOver
from rbac.gates import TenantRequest, find, require_whole, tenant_page
from rooms.models import ApprovalRequest, ControlMode
from rooms.services import policies


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def control(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """One choice for each event; it holds for what the partner does from now on."""
    own = PartnerRelationship.objects.filter(tenant=request.customer).select_related("delegation")
    relationship = find(request, Permission.SETTINGS_VIEW, own, pk=relationship_id)
    require_whole(request, Permission.SETTINGS_MODIFY)
    if not relationship.is_open:
        raise DelegationOver
    url = reverse("partner", args=[request.customer.pk, relationship.pk])
    form = ChangeControlForm(request.POST or None, modes=policies.modes_of(relationship.delegation_id))
    if request.method == "POST" and form.is_valid():
        modes = {Permission(event): ControlMode(mode) for event, mode in form.modes.items()}
        policies.change(relationship.delegation, modes, by=request.person, label=relationship.label)
        messages.success(request, _("Saved. It holds for what the partner does from now on."))
        return redirect(url)
    waiting = ApprovalRequest.objects.waiting().filter(delegation=relationship.delegation_id)
    context = {
        "partner": relationship,
        "form": form,
        "rows": [(event, form[mode_field(event)]) for event in CONTROLLED_EVENTS],
        "modes": ControlMode,
        "waiting": waiting.count(),
        "url": url,
        "crumbs": [
            (_("Settings"), ""),
            (_("Partners"), reverse("partners", args=[request.customer.pk])),
            (relationship.label, url),
            (_("Change control"), ""),
        ],
    }
    return render(request, "partners/partners/change_control.html", context)
