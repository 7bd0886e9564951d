"""Settings > General: what the portal knows of the tenant, to look at."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partners.services import drafts
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, require_whole, tenant_page
from rooms.models import Room


@require_safe
@tenant_page(Permission.SETTINGS_VIEW)
def general(request: TenantRequest) -> HttpResponse:
    """Name, domains, language and time zone, how many rooms, today's terms, and the way to the audit logs."""
    require_whole(request, Permission.SETTINGS_VIEW)
    customer = request.customer
    rooms = access.visible(request.person, Permission.ROOMS_VIEW, Room.objects.filter(tenant=customer), request.held)
    sees_audit = access.holds_all(request.held, Permission.SETTINGS_MODIFY, customer.pk)
    context = {
        "customer": customer,
        "domains": customer.domains.order_by("domain"),
        "language": dict(settings.LANGUAGES).get(customer.language, customer.language),
        "room_total": rooms.count(),
        "terms": drafts.current_terms(),
        "audit_url": reverse("audit_logs", args=[customer.pk]) if sees_audit else "",
        "crumbs": [(_("Settings"), ""), (_("General"), "")],
    }
    return render(request, "partners/settings/general.html", context)
