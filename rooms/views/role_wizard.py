"""Settings > Roles > New role: general, permissions, assignment, members, scope, finish; and the last four of these for
another assignment of a role that is there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rbac import drafts
from rbac.catalogue import BuiltIn, Permission, with_implied
from rbac.drafts import DraftChanged, DraftGone
from rbac.errors import StepUpRequired
from rbac.gates import TenantRequest, find, refuse, tenant_page
from rbac.models import Role, SecurityGroup, User
from rbac.services import security_groups
from rbac.services.roles import grantable
from rooms import change_control, role_drafts
from rooms.errors import EmptyScope
from rooms.models import RoleDraft
from rooms.role_drafts import Step
from rooms.role_forms import AssignmentForm, MemberForm, PermissionsForm, RoleForm, group_choices
from rooms.views.role_access import may_create, require_edit
from rooms.views.roles import ASSIGNMENTS, crumbs_of, seen
from rooms.views.room_choice import RoomChoice, ids
from rooms.views.wizard import Wizard as BaseWizard

LABELS = {
    Step.GENERAL: gettext_lazy("General"),
    Step.PERMISSIONS: gettext_lazy("Permissions"),
    Step.ASSIGNMENT: gettext_lazy("Assignment"),
    Step.MEMBERS: gettext_lazy("Members"),
    Step.SCOPE: gettext_lazy("Scope"),
    Step.FINISH: gettext_lazy("Finish"),
}
MOST_MEMBERS = 200


@dataclass
class Wizard(BaseWizard[RoleDraft]):
    """One request to one step."""

    labels = LABELS
    folder = "rooms/roles/wizard"

    @property
    def order(self) -> tuple[Step, ...]:
        return role_drafts.order_of(self.draft)

    @property
    def open_step(self) -> Step:
        return role_drafts.first_open(self.draft)

    @property
    def role(self) -> Role | None:
        return self.draft.role

    def url(self, step: str) -> str:
        customer = self.request.customer.pk
        if self.role is None:
            return reverse("role_add_step", args=[customer, str(step)])
        return reverse("assignment_add_step", args=[customer, self.role.pk, str(step)])

    @property
    def home(self) -> str:
        if self.role is None:
            return reverse("roles", args=[self.request.customer.pk])
        return reverse("role", args=[self.request.customer.pk, self.role.pk]) + f"?tab={ASSIGNMENTS}"

    def crumbs(self) -> list[tuple[str, str]]:
        if self.role is None:
            home = reverse("roles", args=[self.request.customer.pk])
            return [(_("Settings"), ""), (_("Roles"), home), (_("New role"), "")]
        return crumbs_of(self.request, self.role, (_("New assignment"), ""))

    def show(self, context: Any, status: int = 200) -> HttpResponse:
        title = _("New role") if self.role is None else _("New assignment of %(role)s") % {"role": self.role.label}
        return super().show({"title": title, "is_partner": self.is_partner, **context}, status)

    @property
    def is_partner(self) -> bool:
        return self.request.person.tenant_id != self.request.customer.pk


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def role_add(request: TenantRequest) -> HttpResponse:
    """Go on where one left off; POST `discard`: start over, nothing is kept."""
    return _begin(_wizard(request, None, Step.GENERAL))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def role_add_step(request: TenantRequest, step: str) -> HttpResponse:
    """One step of a new role."""
    return _step(request, None, step)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def assignment_add(request: TenantRequest, role_id: int) -> HttpResponse:
    """As `role_add`, for another assignment of a role."""
    return _begin(_wizard(request, _role(request, role_id), Step.ASSIGNMENT))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def assignment_add_step(request: TenantRequest, role_id: int, step: str) -> HttpResponse:
    """One step of another assignment."""
    return _step(request, _role(request, role_id), step)


def _role(request: TenantRequest, role_id: int) -> Role:
    role = find(request, Permission.ROLES_VIEW, seen(request), pk=role_id)
    require_edit(request, role)
    return role


def _wizard(request: TenantRequest, role: Role | None, step: Step) -> Wizard:
    if role is None and not may_create(request):
        refuse(request, Permission.ROLES_MODIFY)
    draft = role_drafts.of(request.person, request.customer, role)
    draft.role, draft.tenant = role, request.customer
    return Wizard(request, step, draft)


def _begin(wizard: Wizard) -> HttpResponse:
    if wizard.request.method == "POST" and "discard" in wizard.request.POST:
        drafts.discard(wizard.draft)
        messages.info(wizard.request, _("Your draft has been discarded."))
        return redirect(wizard.home)
    return redirect(wizard.url(wizard.open_step))


def _step(request: TenantRequest, role: Role | None, step: str) -> HttpResponse:
    """One step; whoever jumps ahead is led to the first one that is not done."""
    if step not in Step.values:
        raise Http404
    wizard = _wizard(request, role, Step(step))
    if wizard.step not in wizard.order:
        raise Http404
    is_sent = wizard.step is Step.FINISH and request.method == "POST" and "create" in request.POST
    if wizard.is_ahead and not is_sent:
        return redirect(wizard.url(wizard.open_step))
    return _STEPS[wizard.step](wizard)


def _general(wizard: Wizard) -> HttpResponse:
    post, data = wizard.request.POST, wizard.draft.data
    form = RoleForm(post or None, initial={"name": data.get("name"), "description": data.get("description")})
    if wizard.request.method == "POST":
        is_valid = form.is_valid()
        kept = {name: _plain(post.get(name, ""))[:500] for name in ("name", "description")}
        wizard.keep(form.cleaned_data if is_valid else kept, is_complete=is_valid and "next" in post)
        if is_valid or "next" not in post:
            return wizard.go_on()
    return wizard.show({"form": form})


def _permissions(wizard: Wizard) -> HttpResponse:
    request = wizard.request
    offered, held = grantable(request.person, request.customer.pk), frozenset(wizard.draft.data.get("permissions", ()))
    form = PermissionsForm(request.POST or None, offered=offered, held=held)
    if request.method == "POST":
        is_valid = form.is_valid()
        chosen = [code for code in request.POST.getlist("permissions") if code in Permission.values]
        wizard.keep({"permissions": sorted(set(chosen))}, is_complete=is_valid and "next" in request.POST)
        if is_valid or "next" not in request.POST:
            return wizard.go_on()
    return wizard.show({"form": form, "features": form.features()})


def _assignment(wizard: Wizard) -> HttpResponse:
    post, data, role = wizard.request.POST, wizard.draft.data, wizard.role
    entered = data.get("assignment_entries") or {"sends_email": True, "name": _("All members") if role is None else ""}
    endless = role is not None and role.key == BuiltIn.PARTNER_ADMIN
    form = AssignmentForm(post or None, tenant=wizard.request.customer, endless=endless, initial=entered)
    if wizard.request.method == "POST":
        is_valid = form.is_valid()
        names = ("name", "description", "first_day", "last_day")
        entries: dict[str, Any] = {
            "assignment_entries": {name: _plain(post.get(name, ""))[:500] for name in names}
            | {"sends_email": "sends_email" in post}
        }
        if is_valid:
            cleaned = form.cleaned_data
            entries |= {"assignment_name": cleaned["name"], "assignment_description": cleaned["description"]}
            entries |= {"sends_email": cleaned["sends_email"], **form.dates}
        wizard.keep(entries, is_complete=is_valid and "next" in post)
        if is_valid or "next" not in post:
            return wizard.go_on()
    return wizard.show({"form": form, "zone": wizard.request.customer.time_zone})


def _members(wizard: Wizard) -> HttpResponse:
    request, post = wizard.request, wizard.request.POST
    listed: list[str] = list(wizard.draft.data.get("members", ()))
    offered = security_groups.choosable_by(request.person)
    chosen = set(wizard.draft.data.get("groups", ()))
    typed = bool(post.get("upn", "").strip())
    form = MemberForm(post if request.method == "POST" and typed and "remove" not in post else None)
    if request.method == "POST":
        is_valid = not form.is_bound or form.is_valid()
        if form.is_bound and is_valid:
            listed = list(dict.fromkeys([*listed, form.cleaned_data["upn"]]))[:MOST_MEMBERS]
        listed = [one for one in listed if one != post.get("remove")]
        chosen = set(offered.filter(pk__in=ids(post.getlist("groups"))).values_list("pk", flat=True))
        is_complete = is_valid and ("next" in post or Step.MEMBERS.value in wizard.draft.data.get("done", ()))
        wizard.keep({"members": listed, "groups": sorted(chosen)}, is_complete=is_complete)
        if is_valid:
            return wizard.go_on()
    return wizard.show({"form": form, "people": named(wizard, listed), "groups": group_choices(offered, chosen)})


def named(wizard: Wizard, upns: list[str]) -> list[dict[str, Any]]:
    """Those named so far, with their names where they have an account."""
    home = User.objects.filter(tenant=wizard.request.person.tenant_id, upn__in=upns)
    known = {one.upn: one for one in home}
    return [{"upn": one, "person": known.get(one)} for one in upns]


def _scope(wizard: Wizard) -> HttpResponse:
    post, scope = wizard.request.POST, role_drafts.scope_of(wizard.draft)
    choice, broken = RoomChoice(wizard.request, scope), None
    if wizard.request.method == "POST":
        scope = choice.known(choice.changed(post)) if "next" in post else choice.changed(post)
        was_done = Step.SCOPE.value in wizard.draft.data.get("done", ())
        wizard.keep({"scope": scope.as_data()}, is_complete=not scope.is_empty and ("next" in post or was_done))
        if not ("next" in post and scope.is_empty):
            return wizard.go_on()
        broken, choice = EmptyScope(), RoomChoice(wizard.request, scope)
    elif detour := choice.detour:
        return redirect(detour)
    return wizard.show(choice.context() | {"choice_actions": "rooms/roles/wizard/scope_actions.html", "broken": broken})


def _finish(wizard: Wizard) -> HttpResponse:
    if wizard.request.method == "POST":
        return _create(wizard) if "create" in wizard.request.POST else wizard.go_on()
    return wizard.show(_review(wizard))


def _review(wizard: Wizard, broken: str = "") -> dict[str, Any]:
    draft = wizard.draft
    codes = draft.data.get("permissions", ()) if wizard.role is None else wizard.role.permissions
    groups = SecurityGroup.objects.filter(tenant=wizard.request.person.tenant_id, pk__in=draft.data.get("groups", ()))
    given = with_implied(codes)
    return {
        "role": wizard.role,
        "permissions": [code for code in Permission if code in given],
        "people": named(wizard, list(draft.data.get("members", ()))),
        "groups": list(groups.order_by("name")),
        "entries": draft.data.get("assignment_entries", {}),
        "chosen": RoomChoice(wizard.request, role_drafts.scope_of(draft)).summary(),
        "urls": {step.name.lower(): wizard.url(step) for step in wizard.order},
        "reviewed": drafts.fingerprint(draft),
        "broken": broken,
    }


def _create(wizard: Wizard) -> HttpResponse:
    request = wizard.request
    try:
        made = role_drafts.send(
            wizard.draft, by=request.person, reviewed=request.POST.get("reviewed", ""), submit=change_control.submit
        )
    except DraftGone:
        messages.info(request, _("There is nothing left to create: it was created already, or the draft discarded."))
        return redirect(wizard.home)
    except DraftChanged:
        messages.warning(request, _("What you entered was changed in another window. Review it once more."))
        return redirect(wizard.url(wizard.open_step))
    except StepUpRequired:
        raise
    except PermissionDenied:
        text = _("You cannot give more than you hold yourself in these rooms. Nothing was created.")
        return wizard.show(_review(wizard, text), status=403)
    except ValidationError as error:
        return _mend(wizard, error)
    text = _("The role “%(name)s” is there.") if wizard.role is None else _("“%(name)s” has another assignment.")
    messages.success(request, text % {"name": made.label})
    return redirect(reverse("role", args=[request.customer.pk, made.pk]) + f"?tab={ASSIGNMENTS}")


def _mend(wizard: Wizard, error: ValidationError) -> HttpResponse:
    """Back to where it can be mended, with the message; everything entered stays."""
    step, text = role_drafts.mended_by(error), " ".join(error.messages)
    if step not in wizard.order or step is Step.FINISH:
        return wizard.show(_review(wizard, text), status=getattr(error, "status", 409))
    drafts.keep(wizard.draft, step.value, {}, is_complete=False)
    messages.error(wizard.request, text)
    return redirect(wizard.url(step))


def _plain(text: str) -> str:
    """What a draft can keep of it."""
    return text.replace("\x00", "").encode(errors="replace").decode()


_STEPS: dict[str, Callable[[Wizard], HttpResponse]] = {
    Step.GENERAL: _general,
    Step.PERMISSIONS: _permissions,
    Step.ASSIGNMENT: _assignment,
    Step.MEMBERS: _members,
    Step.SCOPE: _scope,
    Step.FINISH: _finish,
}
