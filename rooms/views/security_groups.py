"""Settings > Roles > Security groups: the tenant's own, their people, what they are members of."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, require_whole, tenant_page
from rbac.models import SecurityGroup, User
from rbac.paging import page
from rbac.services import security_groups as service
from rooms.role_forms import GroupForm, PersonForm
from rooms.views.role_access import area_labels, area_tabs
from rooms.views.room_choice import ids

POST = ["GET", "HEAD", "POST"]


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def groups(request: TenantRequest) -> HttpResponse:
    """The tenant's own groups, with how many people they hold and how many assignments name them."""
    require_whole(request, Permission.ROLES_VIEW)
    if set(request.GET) - {"cursor"}:
        raise BadRequest("unknown parameter")
    counted = service.visible_to(request.person, request.customer).annotate(
        people_total=Count("memberships", filter=Q(memberships__user__is_active=True), distinct=True),
        assignment_total=Count("memberships_in_assignments", distinct=True),
    )
    found = page(counted, order=("name", "id"), cursor=request.GET.get("cursor") or None)
    labels, is_own = area_labels(request)
    count = len(found.items)
    context = {
        "groups": found.items,
        "tabs": area_tabs(request, "groups", labels, is_own=is_own),
        "page": {
            "previous_url": f"?cursor={found.previous}" if found.previous else None,
            "next_url": f"?cursor={found.next}" if found.next else None,
            "shown_text": ngettext("%(count)d on this page", "%(count)d on this page", count) % {"count": count},
        },
        "may_modify": _may_modify(request),
        "crumbs": _crumbs(request),
    }
    return render(request, "rooms/roles/security_groups.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_VIEW)
def group(request: TenantRequest, security_group_id: int) -> HttpResponse:
    """One group: its people, to be added and removed, and what it is a member of."""
    found = _find(request, security_group_id)
    form = PersonForm(request.POST if "add" in request.POST else None, tenant=request.customer)
    if request.method == "POST":
        require_whole(request, Permission.ROLES_MODIFY)
        if (not form.is_bound or form.is_valid()) and _change(request, found, form):
            return redirect(request.path)
    people = page(found.people.all(), order=("upn", "id"), cursor=request.GET.get("cursor") or None)
    count = len(people.items)
    context = {
        "group": found,
        "form": form,
        "people": people.items,
        "page": {
            "previous_url": f"?cursor={people.previous}" if people.previous else None,
            "next_url": f"?cursor={people.next}" if people.next else None,
            "shown_text": ngettext("%(count)d person on this page", "%(count)d people on this page", count)
            % {"count": count},
        },
        "assignments": _assignments(request, found),
        "may_modify": _may_modify(request),
        "crumbs": _crumbs(request, (found.name, "")),
    }
    return render(request, "rooms/roles/security_group.html", context)


def _assignments(request: TenantRequest, found: SecurityGroup) -> list[dict[str, Any]]:
    """What the group is a member of; elsewhere only the customer is named."""
    naming = found.assignments.select_related("role", "tenant").order_by("tenant__name", "role__name", "name", "pk")
    return [
        {
            "assignment": one,
            "is_here": one.tenant_id == request.customer.pk,
            "url": reverse("assignment", args=[one.tenant_id, one.role_id, one.pk]),
        }
        for one in naming
    ]


def _change(request: TenantRequest, found: SecurityGroup, form: PersonForm) -> bool:
    """Whether it is done; a rule that was broken stands in the form or above the page."""
    if form.is_bound:
        add, remove, person, text = [form.person], [], form.person, _("%(name)s has been added.")
    else:
        person = found.people.filter(pk__in=ids([request.POST.get("remove", "")])).first()
        add, remove, text = [], [person], _("%(name)s has been removed.")
    if person is None:
        raise Http404
    try:
        service.change_people(found, by=request.person, add=add, remove=remove)  # type: ignore[arg-type]
    except PermissionDenied:
        if not form.is_bound:
            raise
        form.add_error("upn", _("This group gives more than you hold yourself, so you can add nobody to it."))
        return False
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return True
    messages.success(request, text % {"name": person.get_full_name()})
    return True


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def add(request: TenantRequest) -> HttpResponse:
    """A new group; its people are added on its page."""
    require_whole(request, Permission.ROLES_MODIFY)
    _require_home(request)
    form = GroupForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = service.create(request.customer, form.cleaned_data["name"], by=request.person)
        except ValidationError as error:
            form.add_error("name", error)
        else:
            text = _("The security group “%(name)s” is there. Now add its people.")
            messages.success(request, text % {"name": made.name})
            return redirect("security_group", request.customer.pk, made.pk)
    url = reverse("security_groups", args=[request.customer.pk])
    context = {"form": form, "url": url, "crumbs": _crumbs(request, (_("New security group"), ""))}
    return render(request, "rooms/roles/security_group_edit.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def edit(request: TenantRequest, security_group_id: int) -> HttpResponse:
    """Another name."""
    found = _modifiable(request, security_group_id)
    form = GroupForm(request.POST if request.method == "POST" else None, initial={"name": found.name})
    url = reverse("security_group", args=[request.customer.pk, found.pk])
    if request.method == "POST" and form.is_valid():
        try:
            service.rename(found, form.cleaned_data["name"], by=request.person)
        except ValidationError as error:
            form.add_error("name", error)
        else:
            messages.success(request, _("The changes to “%(name)s” are saved.") % {"name": form.cleaned_data["name"]})
            return redirect(url)
    context = {"form": form, "group": found, "url": url}
    context["crumbs"] = _crumbs(request, (found.name, url), (_("Edit"), ""))
    return render(request, "rooms/roles/security_group_edit.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def delete(request: TenantRequest, security_group_id: int) -> HttpResponse:
    """Ask, then delete; a group that an assignment names says so instead."""
    found = _modifiable(request, security_group_id)
    url = reverse("security_group", args=[request.customer.pk, found.pk])
    if request.method == "POST":
        try:
            service.delete(found, by=request.person)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(url)
        messages.success(request, _("The security group “%(name)s” has been deleted.") % {"name": found.name})
        return redirect("security_groups", request.customer.pk)
    context = {"group": found, "url": url, "people_total": found.memberships.count()}
    context["crumbs"] = _crumbs(request, (found.name, url), (_("Delete"), ""))
    return render(request, "rooms/roles/security_group_delete.html", context)


def _find(request: TenantRequest, security_group_id: int) -> SecurityGroup:
    require_whole(request, Permission.ROLES_VIEW)
    found = service.visible_to(request.person, request.customer).filter(pk__in=ids([str(security_group_id)])).first()
    if found is None:
        raise Http404
    return found


def _modifiable(request: TenantRequest, security_group_id: int) -> SecurityGroup:
    require_whole(request, Permission.ROLES_MODIFY)
    return _find(request, security_group_id)


def _may_modify(request: TenantRequest) -> bool:
    return access.holds_all(request.held, Permission.ROLES_MODIFY, request.customer.pk)


def _require_home(request: TenantRequest) -> None:
    if not isinstance(request.person, User) or request.person.tenant_id != request.customer.pk:
        raise Http404


def _crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    home = reverse("security_groups", args=[request.customer.pk]) if further else ""
    roles = reverse("roles", args=[request.customer.pk])
    return [(_("Settings"), ""), (_("Roles"), roles), (_("Security groups"), home), *further]
