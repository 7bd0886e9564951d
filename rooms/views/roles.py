"""Settings > Roles: the customer's own and its partners', each with properties, permissions and assignments.

A partner's primary admin finds here the roles of his own delegation and nothing else. What the customer calls a partner
stands in the relationship, which this app does not know: it is read through the row (`delegation.relationship`).
"""

from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from audit.clock import Now
from rbac import access
from rbac.catalogue import CEILING, TABLE, BuiltIn, Permission, with_implied
from rbac.gates import TenantRequest, find, tenant_page
from rbac.models import Assignment, Role
from rbac.paging import Page, page
from rooms.reach import people_counts, room_counts
from rooms.views.role_access import OWN, PARTNERS, area_labels, area_tabs, may_create, may_edit

PROPERTIES, PERMISSIONS, ASSIGNMENTS = "properties", "permissions", "assignments"

# Built-in roles first, in the order of Table 1.
_RANK = Case(
    *(When(key=key, then=Value(place)) for place, key in enumerate(BuiltIn)),
    default=Value(len(BuiltIn)),
    output_field=IntegerField(),
)


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def roles(request: TenantRequest) -> HttpResponse:
    """The roles one may see: *Your roles*, *Partner roles*."""
    labels, is_own = area_labels(request)
    tab = _tab(request, tuple(labels))
    mine = access.visible(request.person, Permission.ROLES_VIEW, seen(request), request.held)
    if tab == OWN:
        found = _page(request, mine.filter(delegation=None), ("rank", "name", "id"))
    else:
        found = _page(request, mine.exclude(delegation=None), ("delegation__relationship__label", "rank", "id"))
    context = {
        "rows": [_row(request, role) for role in found.items],
        "is_partners": tab == PARTNERS,
        "is_own": is_own,
        "tabs": area_tabs(request, tab, labels, is_own=is_own),
        "page": _pager(found, tab),
        "may_create": may_create(request),
        "is_partner": request.person.tenant_id != request.customer.pk,
        "crumbs": [(_("Settings"), ""), (_("Roles"), "")],
    }
    return render(request, "rooms/roles/roles.html", context)


def seen(request: TenantRequest) -> QuerySet[Role]:
    """The tenant's roles with what their pages name."""
    return Role.objects.filter(tenant=request.customer).select_related(
        "tenant", "delegation__held_by", "delegation__relationship"
    )


def holder_of(request: TenantRequest, role: Role) -> str:
    """Whose role it is, in the reader's words: the customer's name for the partner, to the partner its own."""
    if role.delegation is None:
        return role.tenant.name
    if role.delegation.held_by is not None and role.delegation.held_by_id == request.person.tenant_id:
        return role.delegation.held_by.name
    return str(role.delegation.relationship.label)


def crumbs_of(request: TenantRequest, role: Role, *further: tuple[str, str]) -> list[tuple[str, str]]:
    """The way from *Settings* to the role and below."""
    home = reverse("roles", args=[request.customer.pk])
    if role.delegation_id is not None:
        home, name = f"{home}?tab={PARTNERS}", f"{role.label} · {holder_of(request, role)}"
    else:
        name = role.label
    url = reverse("role", args=[request.customer.pk, role.pk]) if further else ""
    return [(_("Settings"), ""), (_("Roles"), home), (name, url), *further]


def _tab(request: TenantRequest, known: tuple[str, ...]) -> str:
    """The tab that is asked for, or the first one. Raises BadRequest for one that does not exist."""
    tab = request.GET.get("tab", known[0])
    if tab not in known or set(request.GET) - {"tab", "cursor"}:
        raise BadRequest("no such tab")
    return tab


def _tabs(current: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [{"label": label, "url": f"?tab={name}", "current": name == current} for name, label in labels.items()]


def _page(request: TenantRequest, found: QuerySet[Role], order: tuple[str, ...]) -> Page[Role]:
    counted = found.annotate(
        rank=_RANK,
        assignment_total=Count("assignments", distinct=True),
        people_total=Count("assignments__group__user", distinct=True),
    )
    return page(counted, order=order, cursor=request.GET.get("cursor") or None)


def _pager(found: Page[Any], tab: str) -> dict[str, str]:
    count = len(found.items)
    return {
        "previous_url": f"?tab={tab}&cursor={found.previous}" if found.previous else "",
        "next_url": f"?tab={tab}&cursor={found.next}" if found.next else "",
        "shown_text": ngettext("%(count)d role", "%(count)d roles", count) % {"count": count},
    }


def _row(request: TenantRequest, role: Role) -> dict[str, Any]:
    return {
        "role": role,
        "holder": holder_of(request, role),
        "url": reverse("role", args=[request.customer.pk, role.pk]) + f"?tab={ASSIGNMENTS}",
    }


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def role(request: TenantRequest, role_id: int) -> HttpResponse:
    """One role, in three tabs."""
    found = find(request, Permission.ROLES_VIEW, seen(request), pk=role_id)
    tab = _tab(request, (PROPERTIES, PERMISSIONS, ASSIGNMENTS))
    labels = {PROPERTIES: _("Properties"), PERMISSIONS: _("Permissions"), ASSIGNMENTS: _("Assignments")}
    context = {
        "role": found,
        "holder": holder_of(request, found),
        "tab": tab,
        "tabs": _tabs(tab, labels),
        "crumbs": crumbs_of(request, found),
        "may_edit": may_edit(request, found),
        "may_delete": not found.is_built_in and may_edit(request, found, base=True),
    }
    if tab == PERMISSIONS:
        context["features"] = _features(found)
    elif tab == ASSIGNMENTS:
        context["rows"] = _assignments(request, found)
    return render(request, "rooms/roles/role.html", context)


def _features(role: Role) -> list[tuple[str, list[tuple[str, bool, bool]]]]:
    """Table 1's rows by feature: label, whether the role holds it, and whether only because another one implies it."""
    held = with_implied(role.permissions)
    if role.delegation_id is not None:
        held &= CEILING
    grouped: dict[str, list[tuple[str, bool, bool]]] = {}
    for code, row in TABLE.items():
        implied = code in held and code.value not in role.permissions
        grouped.setdefault(str(row.feature), []).append((str(code.label), code in held, implied))
    return list(grouped.items())


def _assignments(request: TenantRequest, role: Role) -> list[dict[str, Any]]:
    own = Assignment.objects.filter(role=role).order_by("name", "pk").annotate(read_at=Now())
    found = list(access.visible(request.person, Permission.ROLES_VIEW, own, request.held))
    for one in found:
        one.role = role
    rooms, people = room_counts(found), people_counts(found)
    return [
        {
            "assignment": one,
            "rooms": rooms.get(one.pk, 0),
            "people": people.get(one.pk, 0),
            "url": reverse("assignment", args=[request.customer.pk, role.pk, one.pk]),
        }
        for one in found
    ]
