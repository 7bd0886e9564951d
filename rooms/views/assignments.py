"""An assignment of a role: its members and its scope, each to look at and to edit.

Members of *Invited admins* come by invitation, so editing them leads to the partner's page. A scope is edited as a working
copy in the session, click by click, and written when it is saved.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rbac import access, upn
from rbac.catalogue import Permission
from rbac.errors import TermsWaiting
from rbac.gates import TenantRequest, find, refuse, require_whole, tenant_page
from rbac.models import Assignment, AssignmentKey, Tenant, User
from rbac.paging import Page, page
from rbac.services import assignments
from rooms import scopes
from rooms.models import RoomGroup
from rooms.reach import room_counts
from rooms.scopes import Scope
from rooms.views.roles import crumbs_of, holder_of, seen
from rooms.views.room_choice import RoomChoice, effective

MEMBERS, SCOPE = "members", "scope"


class MemberForm(forms.Form):
    """Somebody of the tenant, by user principal name."""

    upn = forms.CharField(
        label=gettext_lazy("User principal name (UPN)"),
        max_length=300,
        help_text=gettext_lazy("Somebody of your organisation who has signed in at least once."),
        widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        self.person: User | None = None

    def clean_upn(self) -> str:
        name = upn.normalise(self.cleaned_data["upn"])
        self.person = User.objects.filter(tenant=self.tenant, upn=name, is_active=True).first()
        if self.person is None:
            text = _("Nobody of your organisation has signed in as %(upn)s yet.")
            raise ValidationError(text, code="unknown_person", params={"upn": name})
        return name


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def assignment(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Who holds the role, and over which rooms."""
    found = _find(request, role_id, assignment_id)
    tab = request.GET.get("tab", MEMBERS)
    if tab not in (MEMBERS, SCOPE) or set(request.GET) - {"tab", "cursor"}:
        raise BadRequest("no such tab")
    context = _shared(request, found) | {
        "tab": tab,
        "tabs": [
            {"label": _("Members"), "url": f"?tab={MEMBERS}", "current": tab == MEMBERS},
            {"label": _("Scope"), "url": f"?tab={SCOPE}", "current": tab == SCOPE},
        ],
    }
    context |= _members(request, found) if tab == MEMBERS else _scope(request, found)
    return render(request, "rooms/roles/assignment.html", context)


def _find(request: TenantRequest, role_id: int, assignment_id: int) -> Assignment:
    role = find(request, Permission.ROLES_VIEW, seen(request), pk=role_id)
    own = Assignment.objects.filter(role=role).select_related("tenant")
    found = find(request, Permission.ROLES_VIEW, own, pk=assignment_id)
    found.role = role
    return found


def _shared(request: TenantRequest, found: Assignment, *further: tuple[str, str]) -> dict[str, Any]:
    url = reverse("assignment", args=[request.customer.pk, found.role_id, found.pk])
    return {
        "assignment": found,
        "role": found.role,
        "holder": holder_of(request, found.role),
        "assignment_url": url,
        "crumbs": crumbs_of(request, found.role, (found.label, url if further else ""), *further),
    }


def _may_edit(request: TenantRequest) -> bool:
    """Whether the customer's own person edits: the partner's side is by approval, which is not there yet."""
    return access.holds_all(request.held, Permission.ROLES_MODIFY, request.customer.pk)


def _pager(tab: str, found: Page[Any], text: str) -> dict[str, str]:
    return {"shown_text": text} | {
        f"{side}_url": f"?tab={tab}&cursor={cursor}" if cursor else ""
        for side, cursor in (("previous", found.previous), ("next", found.next))
    }


def _members(request: TenantRequest, found: Assignment) -> dict[str, Any]:
    people = page(found.people.all(), order=("upn", "id"), cursor=request.GET.get("cursor") or None)
    edit_url = ""
    if _may_edit(request):
        edit_url = reverse("assignment_members", args=[request.customer.pk, found.role_id, found.pk])
    count = len(people.items)
    text = ngettext("%(count)d person on this page", "%(count)d people on this page", count) % {"count": count}
    return {
        "people": people.items,
        "groups": list(found.security_groups.order_by("name", "pk")),
        "page": _pager(MEMBERS, people, text),
        "edit_url": edit_url,
    }


def _scope(request: TenantRequest, found: Assignment) -> dict[str, Any]:
    rooms = access.visible(request.person, Permission.ROOMS_VIEW, scopes.rooms_of(found), request.held)
    groups = RoomGroup.objects.filter(scopes__assignment=found)
    listed = page(rooms, order=("display_name", "id"), cursor=request.GET.get("cursor") or None)
    edit_url = ""
    if _may_edit(request) and not _holds_through(request, found):
        edit_url = reverse("assignment_scope", args=[request.customer.pk, found.role_id, found.pk])
    count = len(listed.items)
    text = ngettext("%(count)d room on this page", "%(count)d rooms on this page", count) % {"count": count}
    return {
        "rooms": listed.items,
        "room_total": rooms.count(),
        "groups": list(
            access.visible(request.person, Permission.GROUPS_VIEW, groups, request.held).order_by("name", "pk")
        ),
        "page": _pager(SCOPE, listed, text),
        "edit_url": edit_url,
        "is_own": _holds_through(request, found),
    }


def _holds_through(request: TenantRequest, found: Assignment) -> bool:
    return any(one.assignment_id == found.pk for one in request.held)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def members(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Add and remove members of the customer's own roles; *Invited admins* are edited with their partner."""
    found = _find(request, role_id, assignment_id)
    require_whole(request, Permission.ROLES_MODIFY)
    if found.key == AssignmentKey.INVITED_ADMINS:
        return redirect("invited_admins", request.customer.pk, found.role.delegation.relationship.pk)
    if found.role.delegation_id is not None:
        refuse(request, Permission.ROLES_MODIFY)  # a partner's own custom role: the customer does not edit it
    form = MemberForm(request.POST if "add" in request.POST else None, tenant=request.customer)
    if request.method == "POST" and ("remove" in request.POST or form.is_valid()) and _change(request, found, form):
        return redirect(request.path)
    context = _shared(request, found, (_("Members"), "")) | {
        "form": form,
        "people": list(found.people.order_by("display_name", "upn")),
        "groups": list(found.security_groups.order_by("name", "pk")),
    }
    if "remove" in request.GET and request.method != "POST":
        context |= {"person": _member(found, request.GET["remove"]), "room_total": room_counts([found])[found.pk]}
        return render(request, "rooms/roles/member_remove.html", context)
    return render(request, "rooms/roles/members.html", context)


def _member(found: Assignment, pk: str) -> User:
    person = found.people.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None
    if person is None:
        raise Http404
    return person


def _change(request: TenantRequest, found: Assignment, form: MemberForm) -> bool:
    """Whether it worked; a rule that was broken stands in the form or above the page."""
    if form.is_bound:
        add, remove, person = [form.person], [], form.person
        text = _("%(person)s has been added.")
    else:
        person = _member(found, request.POST["remove"])
        add, remove, text = [], [person], _("%(person)s has been removed.")
    try:
        assignments.change_members(found, by=request.person, add=add, remove=remove)  # type: ignore[arg-type]
    except ValidationError as error:
        if form.is_bound:
            form.add_error("upn", error)
            return False
        messages.error(request, " ".join(error.messages))
        return True
    messages.success(request, text % {"person": person.get_full_name()})  # type: ignore[union-attr]
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def scope(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Choose the rooms anew: nothing changes before *Save*."""
    found = _find(request, role_id, assignment_id)
    require_whole(request, Permission.ROLES_MODIFY)
    if found.role.delegation_id is not None and found.key != AssignmentKey.INVITED_ADMINS:
        refuse(request, Permission.ROLES_MODIFY)  # a partner's own custom role: the customer does not edit it
    copy = WorkingCopy(request, found)
    choice, broken = RoomChoice(request, copy.now), ""
    if request.method == "POST":
        answer = _scope_clicked(request, copy, choice)
        if isinstance(answer, HttpResponse):
            return answer
        broken, choice = answer, RoomChoice(request, copy.now)
    elif detour := choice.detour:
        return redirect(detour)
    context = _shared(request, found, (_("Scope"), "")) | choice.context()
    context |= {"broken": broken, "choice_actions": "rooms/roles/scope_actions.html", "is_changed": copy.is_changed}
    return render(request, "rooms/roles/scope.html", context)


def _scope_clicked(request: TenantRequest, copy: "WorkingCopy", choice: RoomChoice) -> HttpResponse | str:
    """Where the click leads, or which rule it broke."""
    back = redirect(
        reverse("assignment", args=[request.customer.pk, copy.assignment.role_id, copy.assignment.pk]) + "?tab=scope"
    )
    if "cancel" in request.POST:
        copy.forget()
        return back
    copy.keep(choice.changed(request.POST))
    if "save" not in request.POST:
        return redirect(request.get_full_path())
    if copy.is_stale:
        copy.begin_again()
        return _("Somebody else has changed these rooms in the meantime. These are the current ones; choose again.")
    try:
        if copy.is_changed:
            scopes.change(copy.assignment, effective(copy.now), by=request.person)
            messages.success(request, _("The rooms are saved. The change took effect at once."))
    except TermsWaiting:
        raise  # the terms are shown, and the change goes on
    except ValidationError as error:
        copy.keep(choice.known(copy.now))
        return " ".join(error.messages)
    copy.forget()
    return back


class WorkingCopy:
    """The scope being edited: kept in the session of one person, for one assignment, until it is saved or cancelled."""

    def __init__(self, request: TenantRequest, assignment: Assignment) -> None:
        self.assignment, self._session = assignment, request.session
        self._key = f"scope of {assignment.pk}"
        self._stored = scopes.scope_of(assignment)
        kept = self._session.get(self._key)
        self._begun = Scope.from_data(kept["begun"]) if kept else self._stored
        self.now = Scope.from_data(kept["now"]) if kept else self._stored

    @property
    def is_changed(self) -> bool:
        return effective(self.now) != effective(self._stored)

    @property
    def is_stale(self) -> bool:
        """Whether somebody has saved another scope since this copy was begun."""
        return self._begun != self._stored

    def keep(self, scope: Scope) -> None:
        self.now = scope
        self._session[self._key] = {"begun": self._begun.as_data(), "now": scope.as_data()}

    def begin_again(self) -> None:
        self._begun = self.now = self._stored
        self.forget()

    def forget(self) -> None:
        self._session.pop(self._key, None)
