"""Customers > customer > Remove customer: what will happen, then *Delete*; the confirmation, then *Delete*."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners.customer_gate import PartnerRequest, partner_page
from partners.services import relationships
from partners.views.customers import crumbs_of
from rbac.services import roles as rules


@require_http_methods(["GET", "HEAD", "POST"])
@partner_page
def remove(request: PartnerRequest) -> HttpResponse:
    """For primary admins of the partner; only the second *Delete* removes."""
    relationship = request.delegation.relationship
    if request.method == "POST" and request.POST.get("step") == "delete":
        relationships.leave(relationship, by=request.person)  # asks by itself, and keeps a refusal on record
        text = _("%(customer)s has been removed. Your organisation no longer has any access there.")
        messages.success(request, text % {"customer": request.about.name})
        return redirect("customers")
    if not rules.is_primary_member(request.person, request.delegation):
        raise PermissionDenied
    context = {
        "tenant": request.about,
        "loss": relationships.loss_of(relationship),
        "is_confirming": request.method == "POST",
        "back_url": reverse("customer", args=[request.about.pk]),
        "crumbs": crumbs_of(request, _("Remove customer")),
    }
    return render(request, "partners/customers/remove.html", context)
