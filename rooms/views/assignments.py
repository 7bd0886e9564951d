"""An assignment of a role: its members and its scope, each to look at and to edit.

Members of *Invited admins* come by invitation, so editing them leads to the partner's page. A scope is edited as a working
copy in the session, click by click, and written when it is saved.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from audit.clock import Now
from rbac import access
from rbac.catalogue import Permission
from rbac.errors import TermsWaiting
from rbac.gates import TenantRequest, find, tenant_page
from rbac.models import Assignment, AssignmentKey, User
from rbac.paging import Page, page
from rbac.services import security_groups
from rbac.time_limits import left
from rooms import change_control, scopes
from rooms.errors import AwaitsApproval
from rooms.models import RoomGroup
from rooms.reach import room_counts
from rooms.role_forms import MemberForm
from rooms.scopes import Scope
from rooms.views.role_access import may_edit, require_edit
from rooms.views.roles import crumbs_of, holder_of, seen
from rooms.views.room_choice import RoomChoice, effective, ids

MEMBERS, SCOPE = "members", "scope"


@require_safe
@tenant_page(Permission.ROLES_VIEW)
def assignment(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Who holds the role, and over which rooms."""
    found = find_assignment(request, role_id, assignment_id)
    tab = request.GET.get("tab", MEMBERS)
    if tab not in (MEMBERS, SCOPE) or set(request.GET) - {"tab", "cursor"}:
        raise BadRequest("no such tab")
    context = shared(request, found) | {
        "tab": tab,
        "tabs": [
            {"label": _("Members"), "url": f"?tab={MEMBERS}", "current": tab == MEMBERS},
            {"label": _("Scope"), "url": f"?tab={SCOPE}", "current": tab == SCOPE},
        ],
    }
    context |= _members(request, found) if tab == MEMBERS else _scope(request, found)
    return render(request, "rooms/roles/assignment.html", context)


def find_assignment(request: TenantRequest, role_id: int, assignment_id: int) -> Assignment:
    role = find(request, Permission.ROLES_VIEW, seen(request), pk=role_id)
    own = Assignment.objects.filter(role=role).select_related("tenant").annotate(read_at=Now())
    found = find(request, Permission.ROLES_VIEW, own, pk=assignment_id)
    found.role = role
    return found


def shared(request: TenantRequest, found: Assignment, *further: tuple[str, str]) -> dict[str, Any]:
    url = reverse("assignment", args=[request.customer.pk, found.role_id, found.pk])
    at = found.read_at  # type: ignore[attr-defined]
    return {
        "assignment": found,
        "role": found.role,
        "holder": holder_of(request, found.role),
        "assignment_url": url,
        "may_edit": may_edit(request, found.role),
        "may_leave": request.person.tenant_id is not None and found.people.filter(pk=request.person.pk).exists(),
        "has_begun": found.valid_from is None or found.valid_from <= at,
        "time": left(found.valid_until, at),
        "crumbs": crumbs_of(request, found.role, (found.label, url if further else ""), *further),
    }


def _pager(tab: str, found: Page[Any], text: str) -> dict[str, str]:
    return {"shown_text": text} | {
        f"{side}_url": f"?tab={tab}&cursor={cursor}" if cursor else ""
        for side, cursor in (("previous", found.previous), ("next", found.next))
    }


def _members(request: TenantRequest, found: Assignment) -> dict[str, Any]:
    people = page(found.people.all(), order=("upn", "id"), cursor=request.GET.get("cursor") or None)
    edit_url = ""
    if may_edit(request, found.role, base=found.key == AssignmentKey.INVITED_ADMINS):
        edit_url = reverse("assignment_members", args=[request.customer.pk, found.role_id, found.pk])
    count = len(people.items)
    text = ngettext("%(count)d person on this page", "%(count)d people on this page", count) % {"count": count}
    return {
        "people": people.items,
        "groups": list(found.security_groups.order_by("name", "pk")),
        "claims": list(found.claims.order_by("upn")),
        "page": _pager(MEMBERS, people, text),
        "edit_url": edit_url,
    }


def _scope(request: TenantRequest, found: Assignment) -> dict[str, Any]:
    rooms = access.visible(request.person, Permission.ROOMS_VIEW, scopes.rooms_of(found), request.held)
    groups = RoomGroup.objects.filter(scopes__assignment=found)
    listed = page(rooms, order=("display_name", "id"), cursor=request.GET.get("cursor") or None)
    edit_url = ""
    is_base = found.key == AssignmentKey.INVITED_ADMINS
    if may_edit(request, found.role, base=is_base) and not _holds_through(request, found):
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
    """Add and remove members; the customer edits *Invited admins* with their partner, by invitation."""
    found = find_assignment(request, role_id, assignment_id)
    is_base = found.key == AssignmentKey.INVITED_ADMINS
    require_edit(request, found.role, base=is_base)
    if is_base and request.person.tenant_id == request.customer.pk:
        return redirect("invited_admins", request.customer.pk, found.role.delegation.relationship.pk)
    form = MemberForm(request.POST if "add" in request.POST else None)
    if request.method == "POST" and (not form.is_bound or form.is_valid()) and _change(request, found, form):
        return redirect(request.path)
    context = shared(request, found, (_("Members"), "")) | {
        "form": form,
        "people": list(found.people.order_by("display_name", "upn")),
        "claims": list(found.claims.order_by("upn")),
        "groups": list(found.security_groups.order_by("name", "pk")),
        "addable": security_groups.choosable_by(request.person).exclude(assignments=found).order_by("name", "pk"),
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
    """Whether it is done; a rule that was broken stands in the form or above the page."""
    asked, name, text = _asked(request, found, form)
    if not asked:
        return True
    try:
        change_control.submit(Permission.ROLES_MODIFY, found, by=request.person, action="members", **asked)
    except ValidationError as error:
        if form.is_bound:
            form.add_error("upn", error)
            return False
        messages.error(request, " ".join(error.messages))
        return True
    messages.success(request, text % {"name": name})
    return True


def _asked(request: TenantRequest, found: Assignment, form: MemberForm) -> tuple[dict[str, list[Any]], str, str]:
    """What the pressed button asks for, of whom, and what is said once it is done."""
    post, added, removed = request.POST, _("%(name)s has been added."), _("%(name)s has been removed.")
    if form.is_bound:
        return {"add": [form.cleaned_data["upn"]]}, form.cleaned_data["upn"], added
    if "remove" in post:
        person = _member(found, post["remove"])
        return {"remove": [person.upn]}, person.get_full_name(), removed
    if "remove_claim" in post:
        claim = found.claims.filter(upn=post["remove_claim"].replace("\x00", "")).first()
        if claim is None:
            raise Http404
        return {"remove": [claim.upn]}, claim.upn, removed
    for field, verb, text in (("add_group", "add_groups", added), ("remove_group", "remove_groups", removed)):
        if field in post:
            groups = (
                found.security_groups.all() if field == "remove_group" else security_groups.choosable_by(request.person)
            )
            group = groups.filter(pk__in=ids([post[field]])).first()
            if group is None:
                raise Http404
            return {verb: [group.pk]}, group.name, text
    return {}, "", ""


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROLES_MODIFY)
def scope(request: TenantRequest, role_id: int, assignment_id: int) -> HttpResponse:
    """Choose the rooms anew: nothing changes before *Save*."""
    found = find_assignment(request, role_id, assignment_id)
    require_edit(request, found.role, base=found.key == AssignmentKey.INVITED_ADMINS)
    copy = WorkingCopy(request, found)
    choice, broken = RoomChoice(request, copy.now), ""
    if request.method == "POST":
        answer = _scope_clicked(request, copy, choice)
        if isinstance(answer, HttpResponse):
            return answer
        broken, choice = answer, RoomChoice(request, copy.now)
    elif detour := choice.detour:
        return redirect(detour)
    context = shared(request, found, (_("Scope"), "")) | choice.context()
    context |= {"broken": broken, "choice_actions": "rooms/roles/scope_actions.html", "is_changed": copy.is_changed}
    context["justification"] = copy.why
    return render(request, "rooms/roles/scope.html", context)


def _scope_clicked(request: TenantRequest, copy: "WorkingCopy", choice: RoomChoice) -> HttpResponse | str:
    """Where the click leads, or which rule it broke."""
    back = redirect(
        reverse("assignment", args=[request.customer.pk, copy.assignment.role_id, copy.assignment.pk]) + "?tab=scope"
    )
    if "cancel" in request.POST:
        copy.forget()
        return back
    copy.keep(choice.changed(request.POST), request.POST.get("justification", copy.why)[:500])
    if "save" not in request.POST:
        return redirect(request.get_full_path())
    if copy.is_stale:
        copy.begin_again()
        return _("Somebody else has changed these rooms in the meantime. These are the current ones; choose again.")
    try:
        if copy.is_changed:
            wanted = effective(copy.now).as_data()
            change_control.submit(
                Permission.ROLES_MODIFY, copy.assignment, by=request.person, action="scope", scope=wanted
            )
            messages.success(request, _("The rooms are saved. The change took effect at once."))
    except TermsWaiting:
        raise  # the terms are shown, and the change goes on
    except AwaitsApproval:
        copy.forget()  # the request has it now
        raise
    except ValidationError as error:
        copy.keep(choice.known(copy.now), copy.why)
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
        self.why = str(kept.get("why", "")) if kept else ""

    @property
    def is_changed(self) -> bool:
        return effective(self.now) != effective(self._stored)

    @property
    def is_stale(self) -> bool:
        """Whether somebody has saved another scope since this copy was begun."""
        return self._begun != self._stored

    def keep(self, scope: Scope, why: str) -> None:
        self.now, self.why = scope, why
        self._session[self._key] = {"begun": self._begun.as_data(), "now": scope.as_data(), "why": why}

    def begin_again(self) -> None:
        self._begun = self.now = self._stored
        self.forget()

    def forget(self) -> None:
        self._session.pop(self._key, None)
