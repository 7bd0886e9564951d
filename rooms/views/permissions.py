"""The permission table as a table; who can do what on a room and why; what a person can do and why."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rbac import access
from rbac.api.effective import Reach, reach_of
from rbac.catalogue import ANY_SCOPE, ROOM_PERMISSIONS, TABLE, BuiltIn, Permission, Scope, permissions_of
from rbac.gates import TenantRequest, find, tenant_page
from rbac.models import User
from rbac.paging import page
from rooms import explanations
from rooms.explanations import Reason
from rooms.models import Room
from rooms.views.role_access import area_labels, area_tabs
from rooms.views.roles import holder_of

PAGE_SIZE = 25


@require_safe
@tenant_page()
def permission_table(request: TenantRequest) -> HttpResponse:
    """Table 1: the 19 permissions, the four built-in roles, and how far the reader holds each in this tenant."""
    if request.GET:
        raise BadRequest("no parameters here")
    labels, is_own = area_labels(request)
    sees_roles = access.holds(request.held, Permission.ROLES_VIEW, request.customer.pk)
    grouped: dict[str, list[dict[str, Any]]] = {}
    for code, row in TABLE.items():
        grouped.setdefault(str(row.feature), []).append(
            {
                "label": code.label,
                "cells": [code in permissions_of(role) for role in BuiltIn],
                "differs": row.site_lead != row.site_lead_rbac_profile,
                "is_tenants": row.scope is Scope.TENANT and code not in ANY_SCOPE,
                "reach": reach_of(request.held, code, request.customer.pk),
            }
        )
    context = {
        "features": list(grouped.items()),
        "roles": [role.label for role in BuiltIn],
        "Reach": Reach,
        "tabs": area_tabs(request, "permissions", labels, is_own=is_own) if sees_roles else [],
        "crumbs": [(_("Settings"), ""), (_("Roles"), _home(request)), (_("Permission table"), "")],
    }
    return render(request, "rooms/roles/permission_table.html", context)


def _home(request: TenantRequest) -> str:
    sees_roles = access.holds(request.held, Permission.ROLES_VIEW, request.customer.pk)
    return reverse("roles", args=[request.customer.pk]) if sees_roles else ""


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def room_access(request: TenantRequest, room_id: int) -> HttpResponse:
    """Everybody who holds something on the room, and through what; a partner reads of its own people only."""
    own = Room.objects.filter(tenant=request.customer)
    room = find(request, Permission.ROOMS_VIEW, own, pk=room_id)
    if set(request.GET) - {"permission", "cursor"}:
        raise BadRequest("unknown parameter")
    asked = _asked(request)
    people = explanations.people_of(room, request.person, request.held).select_related("tenant")
    found = page(people, order=("upn", "id"), cursor=request.GET.get("cursor") or None, size=PAGE_SIZE)
    seen = _seen(request)
    reasons = explanations.explain_all(found.items, room)
    rows = [
        {"person": one, "reasons": _told(request, reasons[one.pk], one, seen, asked), "url": _person_url(request, one)}
        for one in found.items
    ]
    sign = f"&permission={asked.value}" if asked else ""
    rows = [row for row in rows if row["reasons"]]
    count = len(rows)
    context = {
        "room": room,
        "rows": rows,
        "groups": explanations.groups_of(room, request.person, request.held),
        "permissions": [(code.value, code.full_label) for code in ROOM_PERMISSIONS],
        "asked": asked,
        "page": {
            "previous_url": f"?cursor={found.previous}{sign}" if found.previous else None,
            "next_url": f"?cursor={found.next}{sign}" if found.next else None,
            "shown_text": ngettext("%(count)d person on this page", "%(count)d people on this page", count)
            % {"count": count},
        },
        "crumbs": [
            (_("Rooms"), reverse("rooms", args=[request.customer.pk])),
            (room.display_name, reverse("room", args=[request.customer.pk, room.pk])),
            (_("Access"), ""),
        ],
    }
    return render(request, "rooms/roles/room_access.html", context)


def _asked(request: TenantRequest) -> Permission | None:
    text = request.GET.get("permission", "")
    if text and text not in {code.value for code in ROOM_PERMISSIONS}:
        raise BadRequest("no such permission")
    return Permission(text) if text else None


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def person_access(request: TenantRequest, user_id: int) -> HttpResponse:
    """What somebody can do in this tenant, and through what. Whom the reader cannot see in an assignment is not found."""
    if request.GET:
        raise BadRequest("no parameters here")
    person = explanations.person_seen(request.customer, user_id, request.person, request.held)
    reasons = explanations.explain_person(person, request.customer)
    told = _told(request, reasons, person, _seen(request), None)
    context = {
        "person": person,
        "reasons": told,
        "is_active": person.is_active and person.is_home_member,
        "crumbs": [(_("Settings"), ""), (_("Roles"), _home(request)), (person.get_full_name(), "")],
    }
    return render(request, "rooms/roles/person_access.html", context)


def _seen(request: TenantRequest) -> set[int]:
    return explanations.seen_ids(request.customer.pk, request.person, request.held)


def _told(
    request: TenantRequest, reasons: list[Reason], person: User, seen: set[int], asked: Permission | None
) -> list[dict[str, Any]]:
    return [
        {
            "reason": one,
            "holder": holder_of(request, one.role) if one.role.delegation_id is not None else "",
            "url": reverse("assignment", args=[request.customer.pk, one.role.pk, one.assignment.pk]),
            "features": _by_feature(one.permissions),
        }
        for one in explanations.told_to(reasons, person, request.person, seen)
        if asked is None or asked in one.permissions
    ]


def _by_feature(permissions: tuple[Permission, ...]) -> list[tuple[str, list[str]]]:
    grouped: dict[str, list[str]] = {}
    for code in permissions:
        grouped.setdefault(str(TABLE[code].feature), []).append(str(code.label))
    return list(grouped.items())


def _person_url(request: TenantRequest, person: User) -> str:
    return reverse("person_access", args=[request.customer.pk, person.pk])
