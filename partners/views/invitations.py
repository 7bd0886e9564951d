"""The invitations of the signed-in person: list, page, accept, deny. Nobody else sees them; GET changes nothing."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.clock import now
from audit.errors import RuleBroken
from partners import links
from partners.errors import InvitationOver, LinkNeeded
from partners.models import Invitation, InvitationState
from partners.services import denials
from partners.services import invitations as service
from partners.views.partners import INVITATION_BADGES
from rbac.catalogue import TABLE, BuiltIn, Permission, permissions_of
from rbac.models import DelegationState, User
from rbac.services.delegations import base_assignment, is_over
from rooms import scopes

EARLIER = 20  # answered and expired ones shown below the open ones
MAX_NAMED = 10_000  # characters of what is entered as primary admins


@require_safe
@login_required
def invitations(request: HttpRequest) -> HttpResponse:
    """What waits for an answer, and what was answered before."""
    person = cast(User, request.user)
    waiting = list(service.open_for(person))
    context = {
        "open": [{"invitation": one, "url": reverse("invitation", args=[one.pk])} for one in waiting],
        "earlier": [_earlier(one) for one in _answered(person, waiting)],
        "crumbs": [(_("Customers"), reverse("customers")), (_("Invitations"), "")],
    }
    return render(request, "partners/invitations/list.html", context)


def _answered(person: User, waiting: list[Invitation]) -> QuerySet[Invitation]:
    mine = Invitation.objects.addressed_to(person).exclude(pk__in=[one.pk for one in waiting])
    found = mine.exclude(tenant=person.tenant_id).select_related("tenant", "relationship__delegation")
    may_undo = Exists(Invitation.objects.undoable().filter(pk=OuterRef("pk")))
    return found.annotate(may_undo=may_undo).order_by("-created_at", "pk")[:EARLIER]


def _earlier(invitation: Any) -> dict[str, Any]:
    state = _state_of(invitation)
    kind, icon = INVITATION_BADGES[state]
    return {
        "invitation": invitation,
        "badge": {"kind": kind, "icon": icon, "label": str(state.label)},
        "at": invitation.decided_at or invitation.expires_at,
        "rooms_url": _rooms_url(invitation),
        "may_undo": invitation.may_undo,
    }


def _state_of(invitation: Invitation) -> InvitationState:
    """The state at this second: whoever ended the relationship has ended what was still open in it."""
    state = InvitationState(invitation.state)
    if state is not InvitationState.PENDING:
        return state
    if is_over(invitation.relationship.delegation):
        return InvitationState.REVOKED
    return InvitationState.EXPIRED if invitation.expires_at <= now() else state


def _rooms_url(invitation: Invitation) -> str:
    """The customer's rooms, while an accepted invitation still leads there."""
    is_in = invitation.state == InvitationState.ACCEPTED
    is_live = invitation.relationship.delegation.state == DelegationState.ACTIVE
    return reverse("rooms", args=[invitation.tenant_id]) if is_in and is_live else ""


@require_safe
@login_required
def invitation(request: HttpRequest, invitation_id: UUID, secret: str = "") -> HttpResponse:
    """Who invites to what, and what accepting means. By the mail's link the secret comes along, for *Accept*."""
    found = service.find(invitation_id, cast(User, request.user))
    state = _state_of(found)
    if state is not InvitationState.PENDING:
        return _over(request, found, state)
    return _page(request, found, secret)


def _way() -> list[tuple[str, str]]:
    return [(_("Customers"), reverse("customers")), (_("Invitations"), reverse("invitations"))]


def _page(
    request: HttpRequest, found: Invitation, secret: str, named: str = "", broken: ValidationError | None = None
) -> HttpResponse:
    """The page; `named` is what was entered as primary admins, `broken` what is wrong with it."""
    person = cast(User, request.user)
    base = base_assignment(found.relationship.delegation)
    context = {
        "invitation": found,
        "secret": secret,
        "person": person,
        "is_first": found.relationship.delegation.held_by_id is None,
        "all_rooms": base.all_rooms,
        "room_count": scopes.rooms_of(base).count(),
        "features": _features(),
        "needs_link": service.needs_link(found, person) and not links.is_secret_of(found, secret),
        "has_link": bool(secret),
        "named": named or person.upn,
        "broken": " ".join(broken.messages) if broken is not None else "",
        "crumbs": [*_way(), (found.tenant.name, "")],
    }
    status = 200 if broken is None else getattr(broken, "status", 400)
    return render(request, "partners/invitations/detail.html", context, status=status)


def _features() -> list[tuple[str, list[str]]]:
    """What a primary admin may do, in the words of Table 1, by feature."""
    held = permissions_of(BuiltIn.PARTNER_ADMIN)
    grouped: dict[str, list[str]] = {}
    for code in Permission:
        if code in held:
            grouped.setdefault(str(TABLE[code].feature), []).append(str(code.label))
    return list(grouped.items())


def _over(request: HttpRequest, found: Invitation, state: InvitationState) -> HttpResponse:
    """A page that says what became of it: 410."""
    kind, icon = INVITATION_BADGES[state]
    context = {
        "invitation": found,
        "state": state.value,
        "badge": {"kind": kind, "icon": icon, "label": str(state.label)},
        "text": " ".join(InvitationOver(state).messages),
        "rooms_url": _rooms_url(found),
        "may_undo": Invitation.objects.undoable().filter(pk=found.pk).exists(),
        "crumbs": [*_way(), (found.tenant.name, "")],
    }
    return render(request, "partners/invitations/over.html", context, status=410)


@require_POST
@login_required
def accept(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """The person is a primary admin of the customer's partner, and sees its rooms."""
    person = cast(User, request.user)
    found = service.find(invitation_id, person)
    secret, named = request.POST.get("secret", ""), request.POST.get("admins", "")[:MAX_NAMED]
    try:
        service.accept(found, by=person, secret=secret, admins=named.replace(",", " ").replace(";", " ").split())
    except ValidationError as error:
        if found.domain and getattr(error, "status", 400) == 400:
            return _page(request, found, secret, named, error)
        if not isinstance(error, RuleBroken):
            raise
        return _refused(request, found, error)
    if found.domain:
        return _accepted_for_domain(request, found)
    accepted = service.find(found.pk, person)
    if not _rooms_url(accepted):  # accepted once, and suspended or over since then
        return _over(request, accepted, InvitationState.ACCEPTED)
    text = _("Welcome to %(customer)s! You are now a primary admin. These are the rooms you manage.")
    messages.success(request, text % {"customer": found.tenant.name})
    return redirect("rooms", found.tenant_id)


def _accepted_for_domain(request: HttpRequest, found: Invitation) -> HttpResponse:
    text = _("%(customer)s is now a customer of your organisation. The primary admins you named can begin.")
    messages.success(request, text % {"customer": found.tenant.name})
    return redirect("customers")


@require_POST
@login_required
def undo(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """The denial is taken back: the invitation waits for an answer again."""
    person = cast(User, request.user)
    found = service.find(invitation_id, person)
    try:
        reopened = denials.undo(found, by=person)
    except RuleBroken as error:
        messages.error(request, " ".join(error.messages))
        return redirect("invitations")
    messages.success(request, _("The invitation of %(customer)s is open again.") % {"customer": found.tenant.name})
    return redirect("invitation", reopened.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def deny(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """GET asks once more; POST declines, and touches only one's own invitation."""
    person = cast(User, request.user)
    found = service.find(invitation_id, person)
    if request.method != "POST":
        state = _state_of(found)
        if state is not InvitationState.PENDING:
            return _over(request, found, state)
        crumbs = [
            *_way(),
            (found.tenant.name, reverse("invitation", args=[found.pk])),
            (_("Decline"), ""),
        ]
        return render(request, "partners/invitations/deny.html", {"invitation": found, "crumbs": crumbs})
    try:
        service.deny(found, by=person)
    except RuleBroken as error:
        return _refused(request, found, error)
    text = _("The invitation of %(customer)s is declined.")
    if found.reopens_id is None:
        text = _("The invitation of %(customer)s is declined. You can take this back within 24 hours, below.")
    messages.success(request, text % {"customer": found.tenant.name})
    return redirect("invitations")


def _refused(request: HttpRequest, found: Invitation, error: RuleBroken) -> HttpResponse:
    """A page that says which rule it was and what to do now, with the rule's status."""
    current = service.find(found.pk, cast(User, request.user))
    state = _state_of(current)
    if state is not InvitationState.PENDING:
        return _over(request, current, state)
    context = {
        "invitation": current,
        "text": " ".join(error.messages),
        "code": error.code,
        "needs_link": isinstance(error, LinkNeeded),
        "person": request.user,
        "crumbs": [*_way(), (current.tenant.name, "")],
    }
    return render(request, "partners/invitations/refused.html", context, status=error.status)
