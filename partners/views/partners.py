"""Settings > Partners: the list, a partner's page (or pane), its invitations, the brake, and removing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from audit.clock import Now, now
from partners.forms import LabelForm
from partners.lists import BADGES, PartnerFilter, bases_of, delivery_of, open_invitation_counts
from partners.models import Invitation, InvitationState, PartnerRelationship
from partners.services import drafts, invitations, relationships
from rbac import access
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import DelegationOver, TermsWaiting
from rbac.gates import TenantRequest, find, require_whole, tenant_page
from rbac.models import Assignment, DelegationState
from rbac.paging import Page, page
from rbac.time_limits import left
from rooms.models import ControlPolicy, RoomGroup
from rooms.reach import people_counts, room_counts

INVITATION_BADGES = {
    InvitationState.PENDING: ("info", "envelope"),
    InvitationState.ACCEPTED: ("success", "check-circle-fill"),
    InvitationState.DENIED: ("danger", "x-circle"),
    InvitationState.EXPIRED: ("warning", "clock"),
    InvitationState.REVOKED: ("neutral", "slash-circle"),
}


@require_safe
@tenant_page(Permission.SETTINGS_VIEW)
def partners(request: TenantRequest) -> HttpResponse:
    """The customer's partners, searched, filtered, sorted, page by page."""
    require_whole(request, Permission.SETTINGS_VIEW)
    chosen = PartnerFilter(request.GET, partners=_own(request))
    found = page(chosen.partners, order=chosen.order, cursor=request.GET.get("cursor") or None)
    may_add = access.holds_all(request.held, Permission.SETTINGS_MODIFY, request.customer.pk)
    context = {
        "filter": chosen,
        "rows": _rows(request, found.items),
        "sorts": chosen.directions(),
        "page": _pager(found, chosen),
        "crumbs": [(_("Settings"), ""), (_("Partners"), "")],
        "may_add": may_add,
        "add_url": reverse("add_partner", args=[request.customer.pk]),
        "draft": drafts.kept_by(request.person, request.customer) if may_add else None,
    }
    return render(request, "partners/partners/list.html", context, status=200 if chosen.is_valid() else 400)


def _own(request: TenantRequest) -> QuerySet[PartnerRelationship]:
    own = PartnerRelationship.objects.filter(tenant=request.customer)
    return access.visible(request.person, Permission.SETTINGS_VIEW, own, request.held)


def _rows(request: TenantRequest, found: list[PartnerRelationship]) -> list[dict[str, Any]]:
    bases = bases_of(found)
    rooms, people = room_counts(bases.values()), people_counts(bases.values())
    waiting = open_invitation_counts(found)
    rows = []
    for one in found:
        base = bases.get(one.delegation_id)
        rows.append(
            {
                "partner": one,
                "badge": _badge(one),
                "url": reverse("partner", args=[request.customer.pk, one.pk]),
                "rooms": rooms.get(base.pk) if base else None,
                "all_rooms": base is not None and base.all_rooms,
                "people": people.get(base.pk, 0) if base else 0,
                "open": waiting.get(one.pk, 0),
            }
        )
    return rows


def _badge(relationship: PartnerRelationship) -> dict[str, str]:
    kind, icon = BADGES[relationship.state]
    return {"kind": kind, "icon": icon, "label": str(DelegationState(relationship.state).label)}


def _pager(found: Page[PartnerRelationship], chosen: PartnerFilter) -> dict[str, str]:
    count = len(found.items)
    return {
        "previous_url": chosen.query(cursor=found.previous) if found.previous else "",
        "next_url": chosen.query(cursor=found.next) if found.next else "",
        "shown_text": ngettext("%(count)d partner", "%(count)d partners", count) % {"count": count},
    }


@require_safe
@tenant_page(Permission.SETTINGS_VIEW)
def partner(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """All about one partner: state, rooms, people, invitations, change control, terms, and how to end it."""
    return render(request, "partners/partners/detail.html", _detail(request, _find(request, relationship_id)))


def _find(request: TenantRequest, relationship_id: UUID) -> PartnerRelationship:
    own = PartnerRelationship.objects.filter(tenant=request.customer).select_related("delegation__held_by", "tenant")
    return find(request, Permission.SETTINGS_VIEW, own.annotate(read_at=Now()), pk=relationship_id)


def _detail(request: TenantRequest, relationship: PartnerRelationship) -> dict[str, Any]:
    customer, delegation = request.customer, relationship.delegation
    may_change = access.holds_all(request.held, Permission.SETTINGS_MODIFY, customer.pk)
    base = bases_of([relationship]).get(delegation.pk)
    time = left(delegation.valid_until, relationship.read_at)  # type: ignore[attr-defined]
    is_due = relationship.is_open and time is not None and time.is_over
    may_change = may_change and relationship.is_open
    return {
        "partner": relationship,
        "delegation": delegation,
        "badge": _badge(relationship),
        "domains": list(delegation.held_by.domains.exclude(verified_at=None)) if delegation.held_by else [],
        "invitations": _invitations(request, relationship),
        "policies": _policies(relationship),
        "may_remove": may_change,
        "may_change": may_change and not is_due,
        "may_limit": may_change and not is_due and delegation.state != DelegationState.LAPSED,
        "is_due": is_due,
        "is_active": delegation.state == DelegationState.ACTIVE,
        "is_suspended": delegation.state == DelegationState.SUSPENDED,
        "crumbs": [
            (_("Settings"), ""),
            (_("Partners"), reverse("partners", args=[customer.pk])),
            (relationship.label, ""),
        ],
        "audit_url": reverse("audit_logs", args=[customer.pk]) if may_change else "",
        **(_reach(request, base) if base else {}),
    }


def _reach(request: TenantRequest, base: Assignment) -> dict[str, Any]:
    """The rooms delegated and the primary admins, and where the rooms are shown or changed."""
    place = [base.tenant_id, base.role_id, base.pk]
    may_scope = access.holds_all(request.held, Permission.ROLES_MODIFY, base.tenant_id)
    may_look = access.holds_all(request.held, Permission.ROLES_VIEW, base.tenant_id)
    return {
        "base": base,
        "room_total": room_counts([base]).get(base.pk, 0),
        "room_groups": list(RoomGroup.objects.filter(scopes__assignment=base).order_by("name")),
        "admins": list(base.people.order_by("display_name", "upn")),
        "admin_groups": list(base.security_groups.order_by("name")),
        "rooms_url": reverse("assignment", args=place) + "?tab=scope" if may_look else "",
        "scope_url": reverse("assignment_scope", args=place) if may_scope else "",
    }


def _invitations(request: TenantRequest, relationship: PartnerRelationship) -> list[dict[str, Any]]:
    """Newest first, with the state of this second and what became of the mail."""
    moment = now()
    own = access.visible(request.person, Permission.SETTINGS_VIEW, relationship.invitations.all(), request.held)
    found = list(own.order_by("-created_at", "upn"))
    mails = delivery_of(found)
    rows = []
    for one in found:
        state = InvitationState(one.state)
        if state is InvitationState.PENDING and one.expires_at <= moment:
            state = InvitationState.EXPIRED
        kind, icon = INVITATION_BADGES[state]
        rows.append(
            {
                "invitation": one,
                "is_open": state is InvitationState.PENDING and relationship.is_open,
                "badge": {"kind": kind, "icon": icon, "label": str(state.label)},
                "mail": mails.get(str(one.pk)),
            }
        )
    return rows


def _policies(relationship: PartnerRelationship) -> list[tuple[Permission, ControlPolicy]]:
    found = {one.event: one for one in ControlPolicy.objects.filter(delegation=relationship.delegation_id)}
    return [(event, found[event.value]) for event in CONTROLLED_EVENTS if event.value in found]


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def resend(request: TenantRequest, relationship_id: UUID, invitation_id: UUID) -> HttpResponse:
    """A new mail with a new link leaves."""
    invitation = _find_invitation(request, relationship_id, invitation_id)
    text = _("A new invitation mail to %(upn)s is on its way. Links in earlier mails no longer work.")
    with _told(request, text % {"upn": invitation.addressee}):
        invitations.resend(invitation, by=request.person)
    return redirect("partner", request.customer.pk, relationship_id)


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def revoke(request: TenantRequest, relationship_id: UUID, invitation_id: UUID) -> HttpResponse:
    """The invitation is withdrawn."""
    invitation = _find_invitation(request, relationship_id, invitation_id)
    with _told(request, _("The invitation of %(upn)s has been withdrawn.") % {"upn": invitation.addressee}):
        invitations.revoke(invitation, by=request.person)
    return redirect("partner", request.customer.pk, relationship_id)


def _find_invitation(request: TenantRequest, relationship_id: UUID, invitation_id: UUID) -> Invitation:
    require_whole(request, Permission.SETTINGS_MODIFY)
    own = Invitation.objects.filter(tenant=request.customer, relationship=relationship_id)
    own = own.select_related("relationship__delegation", "relationship__tenant")
    return find(request, Permission.SETTINGS_VIEW, own, pk=invitation_id)


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def suspend(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """The brake: the partner's people have no access until it is released."""
    relationship = _find_to_change(request, relationship_id)
    text = _("%(partner)s is suspended: its people have no access until you resume it.")
    with _told(request, text % {"partner": relationship.label}):
        relationships.suspend(relationship, by=request.person)
    return redirect("partner", request.customer.pk, relationship_id)


@require_POST
@tenant_page(Permission.SETTINGS_MODIFY)
def resume(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """The brake is released."""
    relationship = _find_to_change(request, relationship_id)
    text = _("%(partner)s has access again, to the same rooms as before.")
    with _told(request, text % {"partner": relationship.label}):
        relationships.resume(relationship, by=request.person)
    return redirect("partner", request.customer.pk, relationship_id)


def _find_to_change(request: TenantRequest, relationship_id: UUID) -> PartnerRelationship:
    relationship = _find(request, relationship_id)
    require_whole(request, Permission.SETTINGS_MODIFY)
    return relationship


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_MODIFY)
def rename(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """What the customer calls the partner; the partner does not see it."""
    relationship = _find_to_change(request, relationship_id)
    if not relationship.is_open:
        raise DelegationOver
    form = LabelForm(request.POST if request.method == "POST" else None, initial={"label": relationship.label})
    url = reverse("partner", args=[request.customer.pk, relationship.pk])
    if request.method == "POST" and form.is_valid():
        relationships.rename(relationship, form.cleaned_data["label"], by=request.person)
        messages.success(
            request, _("The partner is now called “%(name)s” here.") % {"name": form.cleaned_data["label"]}
        )
        return redirect(url)
    crumbs = [
        (_("Settings"), ""),
        (_("Partners"), reverse("partners", args=[request.customer.pk])),
        (relationship.label, url),
        (_("Rename"), ""),
    ]
    context = {"partner": relationship, "form": form, "url": url, "crumbs": crumbs}
    return render(request, "partners/partners/rename.html", context)


@contextmanager
def _told(request: TenantRequest, success: str) -> Iterator[None]:
    """Tell what came of the change: `success`, or which rule it broke."""
    try:
        yield
    except TermsWaiting:
        raise  # the terms are shown, and the change goes on
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, success)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_MODIFY)
def remove(request: TenantRequest, relationship_id: UUID) -> HttpResponse:
    """What will happen, then *Delete*; the confirmation, then *Delete*. Only the second one removes."""
    relationship = _find_to_change(request, relationship_id)
    if not relationship.is_open:
        raise DelegationOver
    if request.method == "POST" and request.POST.get("step") == "delete":
        return _remove(request, relationship)
    context = {
        "partner": relationship,
        "loss": relationships.loss_of(relationship),
        "is_confirming": request.method == "POST",
        "partner_url": reverse("partner", args=[request.customer.pk, relationship.pk]),
        "crumbs": [
            (_("Settings"), ""),
            (_("Partners"), reverse("partners", args=[request.customer.pk])),
            (relationship.label, reverse("partner", args=[request.customer.pk, relationship.pk])),
            (_("Remove partner"), ""),
        ],
    }
    return render(request, "partners/partners/remove.html", context)


def _remove(request: TenantRequest, relationship: PartnerRelationship) -> HttpResponse:
    relationships.remove(relationship, by=request.person)
    text = _("%(partner)s has been removed. Its people no longer have any access.")
    messages.success(request, text % {"partner": relationship.label})
    url = reverse("partners", args=[request.customer.pk])
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]
