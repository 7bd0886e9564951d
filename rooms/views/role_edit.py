"""Editing what is there: a role's properties and permissions, an assignment's properties; deleting both; leaving one.

Everything goes through change control: a partner's change meets the customer's policy.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rbac.catalogue import BuiltIn, Permission
from rbac.errors import BuiltInRole, KeptAssignment, StepUpRequired
from rbac.gates import TenantRequest, find, tenant_page
from rbac.models import Assignment, Role
from rbac.services import assignments
from rbac.services.roles import grantable
from rooms import change_control
from rooms.reach import people_counts, room_counts
from rooms.role_forms import AssignmentForm, PermissionsForm, RoleForm
from rooms.views.assignments import find_assignment, shared
from rooms.views.role_access import require_edit
from rooms.views.roles import ASSIGNMENTS, PERMISSIONS, crumbs_of, seen

POST = ["GET", "HEAD", "POST"]


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def role_edit(request: TenantRequest, role_id: int) -> HttpResponse:
    """Another name or description of a custom role."""
    role = _custom(request, role_id)
    initial = {"name": role.name, "description": role.description, "version": role.version}
    form = RoleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid() and _submit(request, role, form, "modify", **form.cleaned_data):
        return redirect("role", request.customer.pk, role.pk)
    context = {"role": role, "form": form, "url": _role_url(role), "crumbs": crumbs_of(request, role, (_("Edit"), ""))}
    return render(request, "rooms/roles/role_edit.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def role_permissions(request: TenantRequest, role_id: int) -> HttpResponse:
    """Other permissions of a custom role."""
    role = _custom(request, role_id)
    offered, held = grantable(request.person, request.customer.pk, request.held), frozenset(role.permissions)
    form = PermissionsForm(
        request.POST if request.method == "POST" else None,
        offered=offered,
        held=held,
        initial={"version": role.version},
    )
    if request.method == "POST" and form.is_valid() and _submit(request, role, form, "modify", **form.cleaned_data):
        return redirect(f"{_role_url(role)}?tab={PERMISSIONS}")
    rows = Assignment.objects.filter(role=role)
    context = {
        "role": role,
        "form": form,
        "features": form.features(),
        "assignment_total": rows.count(),
        "url": f"{_role_url(role)}?tab={PERMISSIONS}",
        "crumbs": crumbs_of(request, role, (_("Permissions"), "")),
    }
    return render(request, "rooms/roles/role_permissions.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def role_delete(request: TenantRequest, role_id: int) -> HttpResponse:
    """Ask, then delete a custom role with its assignments; the customer deletes a partner's as well."""
    role = _custom(request, role_id, base=True)
    if request.method == "POST":
        change_control.submit(Permission.ROLES_MODIFY, role, by=request.person, action="delete")
        messages.success(request, _("The role “%(name)s” has been deleted.") % {"name": role.label})
        tab = "" if role.delegation_id is None else "?tab=partners"
        return redirect(reverse("roles", args=[request.customer.pk]) + tab)
    found = list(Assignment.objects.filter(role=role).order_by("name", "pk"))
    people = people_counts(found)
    context = {
        "role": role,
        "rows": found,
        "people_total": sum(people.values()),
        "url": _role_url(role),
        "crumbs": crumbs_of(request, role, (_("Delete"), "")),
    }
    return render(request, "rooms/roles/role_delete.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def assignment_edit(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Another name, description or validity of an assignment."""
    found = find_assignment(request, role_id, assignment_id)
    require_edit(request, found.role)
    form = AssignmentForm(
        request.POST if request.method == "POST" else None,
        tenant=request.customer,
        kept=bool(found.key),
        endless=found.role.key == BuiltIn.PARTNER_ADMIN,
        initial=AssignmentForm.of(found),
    )
    if (
        request.method == "POST"
        and form.is_valid()
        and _submit(request, found, form, "modify_assignment", **_wanted(form))
    ):
        return redirect("assignment", request.customer.pk, found.role_id, found.pk)
    context = shared(request, found, (_("Edit"), "")) | {"form": form, "zone": request.customer.time_zone}
    return render(request, "rooms/roles/assignment_edit.html", context)


def _wanted(form: AssignmentForm) -> dict[str, Any]:
    """What the service is asked for: dates only where they were changed, for that needs more than a new name."""
    wanted = {
        name: form.cleaned_data[name]
        for name in ("name", "description", "sends_email", "version")
        if name in form.fields
    }
    moments = {"first_day": "valid_from", "last_day": "valid_until"}
    dates = {moments[name]: form.dates[moments[name]] for name in form.changed_data if name in moments}
    return wanted | ({"dates": dates} if dates else {})


@require_http_methods(POST)
@tenant_page(Permission.ROLES_MODIFY)
def assignment_delete(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Ask, then delete an assignment."""
    found = find_assignment(request, role_id, assignment_id)
    require_edit(request, found.role)
    if found.key:
        raise KeptAssignment
    if request.method == "POST":
        try:
            change_control.submit(Permission.ROLES_MODIFY, found, by=request.person, action="delete_assignment")
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("assignment", request.customer.pk, found.role_id, found.pk)
        messages.success(request, _("The assignment “%(name)s” has been deleted.") % {"name": found.label})
        return redirect(f"{_role_url(found.role)}?tab={ASSIGNMENTS}")
    context = shared(request, found, (_("Delete"), "")) | {
        "people_total": people_counts([found]).get(found.pk, 0),
        "room_total": room_counts([found])[found.pk],
    }
    return render(request, "rooms/roles/assignment_delete.html", context)


@require_http_methods(POST)
@tenant_page(Permission.ROLES_VIEW)
def assignment_leave(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Ask, then leave an assignment one is a direct member of."""
    found = find_assignment(request, role_id, assignment_id)
    if not found.people.filter(pk=request.person.pk).exists():
        raise Http404
    if request.method == "POST":
        try:
            assignments.leave(found, by=request.person)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("assignment", request.customer.pk, found.role_id, found.pk)
        messages.success(request, _("You have left “%(name)s”.") % {"name": found.label})
        return redirect("home")
    context = shared(request, found, (_("Leave"), "")) | {"room_total": room_counts([found])[found.pk]}
    return render(request, "rooms/roles/assignment_leave.html", context)


def _custom(request: TenantRequest, role_id: int, *, base: bool = False) -> Role:
    role = find(request, Permission.ROLES_VIEW, seen(request), pk=role_id)
    require_edit(request, role, base=base)
    if role.is_built_in:
        raise BuiltInRole
    return role


def _role_url(role: Role) -> str:
    return reverse("role", args=[role.tenant_id, role.pk])


def _submit(request: TenantRequest, target: Role | Assignment, form: Form, action: str, **wanted: Any) -> bool:
    """Whether it worked; a rule that was broken stands in the form."""
    try:
        change_control.submit(Permission.ROLES_MODIFY, target, by=request.person, action=action, **wanted)
    except StepUpRequired:
        raise
    except PermissionDenied:
        text = _("You can give only what you hold yourself, and not change what you hold your own right through.")
        form.add_error(None, text)
        return False
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("The changes to “%(name)s” are saved.") % {"name": target.label})
    return True
