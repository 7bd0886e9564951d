"""Settings > Roles > Partner roles > Primary admin > Assignments > Invited admins > Members > Edit.

Whoever is entered here and saved gets an invitation; whoever is removed has no access from the next click on. Rows live in
the form until *Save*, so nothing is sent by *Add contact* alone.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from partners.forms import BaseContactRows, LifetimeForm, contact_rows, row_number, rows_in
from partners.models import Invitation, PartnerRelationship
from partners.services import invitations
from rbac import access
from rbac.catalogue import Permission
from rbac.errors import DelegationOver, TermsWaiting
from rbac.gates import TenantRequest, find, require_whole, tenant_page
from rbac.models import Assignment, User
from rbac.services import assignments
from rbac.services.delegations import base_assignment
from rooms.reach import room_counts


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_MODIFY)
def invited_admins(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """Primary admins of a partner: who is one, who is invited; add by invitation, remove."""
    own = PartnerRelationship.objects.filter(tenant=request.customer).select_related("delegation__held_by", "tenant")
    relationship = find(request, Permission.SETTINGS_VIEW, own, pk=relationship_id)
    require_whole(request, Permission.SETTINGS_MODIFY)
    if not relationship.is_open:
        raise DelegationOver
    base = base_assignment(relationship.delegation)
    if "remove_member" in request.POST:
        return _remove(request, relationship, base)
    if "remove_member" in request.GET:
        return _confirm(request, relationship, base)
    return _edit(request, relationship, base)


def _edit(request: TenantRequest, relationship: PartnerRelationship, base: Assignment) -> HttpResponse:
    if request.method != "POST":
        return _show(request, relationship, base, _rows([], request, checked=False), LifetimeForm())
    post = request.POST
    listed = rows_in(post, without=row_number(post.get("remove", "")))
    rows, lifetime = _rows(listed, request, checked=True), LifetimeForm(post)
    if "remove" in post:
        return _show(request, relationship, base, _rows(listed, request, checked=False), lifetime)
    if "save" not in post:  # Add contact
        shown = _rows(listed, request, checked=False) if rows.is_valid() else rows
        return _show(request, relationship, base, shown, lifetime)
    if rows.is_valid() and lifetime.is_valid() and _invite(request, relationship, rows, lifetime):
        return redirect(_members_url(base))
    return _show(request, relationship, base, rows, lifetime)


def _rows(listed: list[dict[str, str]], request: TenantRequest, *, checked: bool) -> BaseContactRows:
    return contact_rows(listed, request.customer, checked=checked, needs_name=False)


def _invite(
    request: TenantRequest, relationship: PartnerRelationship, rows: BaseContactRows, lifetime: LifetimeForm
) -> bool:
    """Whether the invitations left; what was refused stands at its row."""
    try:
        sent = invitations.invite(relationship, rows.contacts, by=request.person, days=lifetime.cleaned_data["days"])
    except TermsWaiting:
        raise  # the terms are shown, and the change goes on
    except ValidationError as error:
        rows.refuse(error)
        return False
    text = ngettext("%(count)d invitation is on its way.", "%(count)d invitations are on their way.", len(sent))
    messages.success(request, text % {"count": len(sent)})
    return True


def _show(
    request: TenantRequest,
    relationship: PartnerRelationship,
    base: Assignment,
    rows: BaseContactRows,
    lifetime: LifetimeForm,
) -> HttpResponse:
    pending = Invitation.objects.pending().filter(relationship=relationship)
    context = {
        "partner": relationship,
        "rows": rows,
        "lifetime": lifetime,
        "admins": base.people.order_by("display_name", "upn"),
        "admin_groups": base.security_groups.order_by("name"),
        "pending": access.visible(request.person, Permission.SETTINGS_VIEW, pending).order_by("expires_at", "upn"),
        "partner_url": reverse("partner", args=[request.customer.pk, relationship.pk]),
        "back_url": _members_url(base),
        "may_remove": access.holds_all(request.held, Permission.ROLES_MODIFY, request.customer.pk),
        "crumbs": _crumbs(relationship, base, _("Members")),
    }
    return render(request, "partners/partners/invited_admins.html", context)


def _members_url(base: Assignment) -> str:
    return reverse("assignment", args=[base.tenant_id, base.role_id, base.pk])


def _crumbs(relationship: PartnerRelationship, base: Assignment, last: str) -> list[tuple[str, str]]:
    return [
        (_("Settings"), ""),
        (_("Roles"), reverse("roles", args=[base.tenant_id]) + "?tab=partners"),
        (f"{base.role.label} · {relationship.label}", reverse("role", args=[base.tenant_id, base.role_id])),
        (base.label, _members_url(base)),
        (last, ""),
    ]


def _member(request: TenantRequest, base: Assignment, pk: str) -> User:
    require_whole(request, Permission.ROLES_MODIFY)
    person = base.people.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None
    if person is None:
        raise Http404
    return person


def _confirm(request: TenantRequest, relationship: PartnerRelationship, base: Assignment) -> HttpResponse:
    context: dict[str, Any] = {
        "partner": relationship,
        "person": _member(request, base, request.GET["remove_member"]),
        "room_total": room_counts([base])[base.pk],
        "back_url": request.path,
        "crumbs": _crumbs(relationship, base, _("Remove")),
    }
    return render(request, "partners/partners/remove_admin.html", context)


def _remove(request: TenantRequest, relationship: PartnerRelationship, base: Assignment) -> HttpResponse:
    person = _member(request, base, request.POST["remove_member"])
    try:
        assignments.change_members(base, by=request.person, remove=[person])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = _("%(person)s is no longer a primary admin of %(partner)s.")
        messages.success(request, text % {"person": person.get_full_name(), "partner": relationship.label})
    return redirect(request.path)
