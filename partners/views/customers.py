"""Customers: whom one works for, what waits for an answer, and all about one of them."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from partners import customers as reading
from partners.customer_gate import PartnerRequest, partner_page
from partners.customers import CustomerFilter, Row
from partners.lists import BADGES
from partners.models import Terms
from partners.services import invitations
from partners.services import tokens as tokens_service
from rbac import access, gates
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Delegation, DelegationState, Role, User
from rbac.paging import Page, page
from rbac.services import partner_access
from rbac.services import roles as rules
from rbac.wording import asked
from rooms.services import policies


@require_safe
@login_required
def customers(request: HttpRequest) -> HttpResponse:
    """The customers one works for, searched, page by page; above them the invitations that wait for an answer."""
    person = cast(User, request.user)
    chosen = CustomerFilter(request.GET, customers=reading.held_by(person))
    found = page(chosen.customers, order=reading.ORDER, cursor=request.GET.get("cursor") or None)
    standing = gates.standing(request)
    rows = reading.rows_of(person, found.items, standing.held, standing.withheld)
    context = {
        "filter": chosen,
        "waiting": [] if chosen.is_narrowed else [_waiting(one) for one in invitations.open_for(person)],
        "rows": [_row(one) for one in rows],
        "page": _pager(found, chosen),
        "crumbs": [(_("Customers"), "")],
    }
    return render(request, "partners/customers/list.html", context, status=200 if chosen.is_valid() else 400)


def _waiting(invitation: Any) -> dict[str, Any]:
    return {"invitation": invitation, "url": reverse("invitation", args=[invitation.pk])}


def _row(row: Row) -> dict[str, Any]:
    delegation = row.delegation
    return {
        "customer": delegation.tenant,
        "delegation": delegation,
        "badge": badge_of(delegation),
        "url": reverse("customer", args=[delegation.tenant_id]),
        "rooms": row.rooms,
        "tickets": row.tickets,
        "until": row.until,
        "is_withheld": bool(row.missing),
    }


def badge_of(delegation: Delegation) -> dict[str, str]:
    """How the state of the relationship is shown."""
    kind, icon = BADGES[delegation.state]
    return {"kind": kind, "icon": icon, "label": str(DelegationState(delegation.state).label)}


def _pager(found: Page[Delegation], chosen: CustomerFilter) -> dict[str, str]:
    count = len(found.items)
    return {
        "previous_url": chosen.query(found.previous) if found.previous else "",
        "next_url": chosen.query(found.next) if found.next else "",
        "shown_text": ngettext("%(count)d customer", "%(count)d customers", count) % {"count": count},
    }


@require_safe
@partner_page
def customer(request: PartnerRequest) -> HttpResponse:
    """All about one customer: rooms, roles, primary admins, change control, time limit, terms, and one's own tokens."""
    delegation, tenant = request.delegation, request.about
    [row] = reading.rows_of(request.person, [delegation], request.held)
    relationship = delegation.relationship
    is_primary = rules.is_primary_member(request.person, delegation)
    access_policy = partner_access.of(tenant)
    context = {
        "tenant": tenant,
        "delegation": delegation,
        "relationship": relationship,
        "badge": badge_of(delegation),
        "is_active": request.is_active,
        "is_primary": is_primary,
        "may_add": is_primary and request.is_active,
        "row": row,
        "mine": _mine(request),
        "roles": _roles(request),
        "admins": list(reading.admins_of(delegation)),
        "policies": list(policies.modes_of(delegation.pk).items()),
        "asked": asked(access_policy.always, names_networks=False),
        "step_up": asked(access_policy.step_up, names_networks=False),
        "step_up_events": [event.full_label for event in CONTROLLED_EVENTS if event in access_policy.events],
        "terms": Terms.objects.filter(version=relationship.terms_version).first(),
        "tokens": tokens_service.held_by(request.person, delegation.pk).filter(revoked_at=None).count(),
        "crumbs": crumbs_of(request),
    }
    return render(request, "partners/customers/detail.html", context)


def _mine(request: PartnerRequest) -> list[dict[str, Any]]:
    """The assignments of the customer that the person is in; with their addresses, if he may see roles."""
    may_look = access.holds(request.held, Permission.ROLES_VIEW, request.about.pk)
    own = reading.assignments_of(request.person).filter(role__delegation=request.delegation)
    return [
        {
            "assignment": one,
            "url": reverse("assignment", args=[one.tenant_id, one.role_id, one.pk]) if may_look else "",
        }
        for one in own.select_related("role").order_by("role__name", "pk")
    ]


def _roles(request: PartnerRequest) -> list[Role]:
    own = Role.objects.filter(tenant=request.about, delegation=request.delegation)
    seen = access.visible(request.person, Permission.ROLES_VIEW, own, request.held)
    return list(seen.order_by("-key", "name", "pk"))


def crumbs_of(request: PartnerRequest, last: str = "") -> list[tuple[str, str]]:
    """The way from *Customers* to this customer, and to the page `last` below it."""
    here = reverse("customer", args=[request.about.pk]) if last else ""
    way = [(_("Customers"), reverse("customers")), (request.about.name, here)]
    return [*way, (last, "")] if last else way
