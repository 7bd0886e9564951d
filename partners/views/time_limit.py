"""Settings > Partners > partner > Time limit: until which day the partner works here."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.clock import Now
from partners.errors import EndInPast, EndTooFar
from partners.forms import TimeLimitForm
from partners.models import PartnerRelationship
from partners.services import time_limits
from rbac.catalogue import Permission
from rbac.errors import DelegationOver
from rbac.gates import TenantRequest, find, require_whole, tenant_page
from rbac.letters import zone_of


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_MODIFY)
def limit(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """The last day, or none: set, moved, taken away."""
    own = PartnerRelationship.objects.filter(tenant=request.customer).select_related("delegation")
    relationship = find(request, Permission.SETTINGS_VIEW, own.annotate(read_at=Now()), pk=relationship_id)
    require_whole(request, Permission.SETTINGS_MODIFY)
    if not relationship.is_open:
        raise DelegationOver
    until, zone = relationship.delegation.valid_until, zone_of(request.customer)
    form = TimeLimitForm(request.POST if request.method == "POST" else None, until=until, zone=zone)
    if request.method == "POST" and form.is_valid() and _is_set(request, relationship, form):
        return redirect("partner", request.customer.pk, relationship.pk)
    url = reverse("partner", args=[request.customer.pk, relationship.pk])
    context = {
        "partner": relationship,
        "until": until,
        "zone": zone.key,
        "form": form,
        "url": url,
        "crumbs": [
            (_("Settings"), ""),
            (_("Partners"), reverse("partners", args=[request.customer.pk])),
            (relationship.label, url),
            (_("Time limit"), ""),
        ],
    }
    return render(request, "partners/partners/time_limit.html", context)


def _is_set(request: TenantRequest, relationship: PartnerRelationship, form: TimeLimitForm) -> bool:
    """Whether it is done; what is wrong with the day stands beside it."""
    try:
        time_limits.limit(relationship, form.until, by=request.person)
    except (EndInPast, EndTooFar) as error:
        form.add_error("last_day", error)
        return False
    day, name = form.cleaned_data["last_day"], {"partner": relationship.label}
    if day is None:
        text = _("%(partner)s has no time limit.") % name
    else:
        name["day"] = date_format(day, "DATE_FORMAT")
        text = _("The last day of %(partner)s is %(day)s.") % name
    messages.success(request, text)
    return True
