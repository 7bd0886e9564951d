"""Customers > customer > Add colleagues: primary admins that a partner adds itself. Rows live in the form until *Save*."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from partners import customers as reading
from partners.customer_gate import PartnerRequest, partner_page
from partners.forms import BaseContactRows, LifetimeForm, colleague_rows, row_number, rows_in
from partners.models import Invitation
from partners.services.colleagues import ACTION
from partners.views.customers import crumbs_of
from rbac.catalogue import Permission
from rbac.gates import refuse
from rbac.services import roles as rules
from rbac.services.delegations import base_assignment
from rooms import change_control


@require_http_methods(["GET", "HEAD", "POST"])
@partner_page
def colleagues(request: PartnerRequest) -> HttpResponse:
    """Known colleagues become primary admins at once, others get an invitation; the customer may want to approve it."""
    if not request.is_active:
        raise Http404
    if not rules.is_primary(request.person, request.delegation.pk):
        refuse(request, Permission.ROLES_MODIFY)
    if request.method != "POST":
        return _show(request, _rows(request, [], checked=False), LifetimeForm())
    post = request.POST
    listed = rows_in(post, without=row_number(post.get("remove", "")))
    rows, lifetime = _rows(request, listed, checked=True), LifetimeForm(post)
    if "save" not in post:  # Add contact, or a bin
        is_fine = "remove" in post or rows.is_valid()
        return _show(request, _rows(request, listed, checked=False) if is_fine else rows, lifetime)
    if rows.is_valid() and lifetime.is_valid() and _add(request, rows, lifetime):
        return redirect("customer", request.about.pk)
    return _show(request, rows, lifetime)


def _rows(request: PartnerRequest, listed: list[dict[str, str]], *, checked: bool) -> BaseContactRows:
    assert request.delegation.held_by is not None
    return colleague_rows(listed, request.delegation.held_by, checked=checked)


def _add(request: PartnerRequest, rows: BaseContactRows, lifetime: LifetimeForm) -> bool:
    """Whether they were added; what was refused stands at its row."""
    base, people = base_assignment(request.delegation), [{"name": one.name, "upn": one.upn} for one in rows.contacts]
    try:
        invited = change_control.submit(
            Permission.ROLES_MODIFY,
            base,
            by=request.person,
            action=ACTION,
            people=people,
            days=lifetime.cleaned_data["days"],
        )
    except ValidationError as error:
        rows.refuse(error)
        return False
    if len(people) > len(invited):
        text = ngettext(
            "%(count)d colleague is now a primary admin.",
            "%(count)d colleagues are now primary admins.",
            len(people) - len(invited),
        )
        messages.success(request, text % {"count": len(people) - len(invited)})
    if invited:
        text = ngettext("%(count)d invitation is on its way.", "%(count)d invitations are on their way.", len(invited))
        messages.success(request, text % {"count": len(invited)})
    return True


def _show(request: PartnerRequest, rows: BaseContactRows, lifetime: LifetimeForm) -> HttpResponse:
    base = base_assignment(request.delegation)
    sent = Invitation.objects.pending().filter(relationship=request.delegation.relationship, by_partner=True)
    context = {
        "tenant": request.about,
        "rows": rows,
        "lifetime": lifetime,
        "admins": list(reading.admins_of(request.delegation)),
        "pending": list(sent.order_by("expires_at", "upn")),
        "members_url": reverse("assignment_members", args=[base.tenant_id, base.role_id, base.pk]),
        "back_url": reverse("customer", args=[request.about.pk]),
        "crumbs": crumbs_of(request, _("Add colleagues")),
    }
    return render(request, "partners/customers/colleagues.html", context)
