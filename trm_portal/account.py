"""Pages of one's own account: where one is signed in, and how to end that elsewhere."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from rbac.models import User
from rbac.services import sessions
from trm_portal.browsers import name_of
from trm_portal.sessions import leave


class SignOut(LogoutView):
    """The session is over."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        leave(request)
        return super().post(request, *args, **kwargs)


@login_required
@require_safe
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Every place where the person is signed in, this one first."""
    found = sorted(sessions.of(cast(User, request.user)), key=lambda one: one.pk != request.session.session_key)
    context = {
        "sessions": [(one, name_of(one.agent)) for one in found],
        "current": request.session.session_key,
        "crumbs": [(_("Where you are signed in"), "")],
    }
    return render(request, "account/sessions.html", context)


@login_required
@require_POST
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """One of them is over; ending this one signs out."""
    person = cast(User, request.user)
    found = [one for one in sessions.of(person) if one.public_id == session_id]
    if not found:
        raise Http404
    sessions.end(found, by=person)
    if found[0].pk == request.session.session_key:
        logout(request)
        return redirect("sign_in")
    messages.success(request, _("The session is over. That browser is signed out with its next click."))
    return redirect("sessions")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """All but this one are over."""
    person = cast(User, request.user)
    others = [one for one in sessions.of(person) if one.pk != request.session.session_key]
    number = sessions.end(others, by=person)
    text = ngettext("%(n)d other session is over.", "%(n)d other sessions are over.", number)
    messages.success(request, text % {"n": number})
    return redirect("sessions")
