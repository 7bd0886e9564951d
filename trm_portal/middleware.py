"""What every request goes through besides Django's own middleware. No rule of the portal lives here."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import cast
from urllib.parse import unquote

import structlog
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_cache_control

from audit.context import Origin, origin
from audit.errors import RuleBroken
from partners.views import terms
from rbac.errors import StepUpRequired, TermsWaiting
from rbac.gates import TenantRequest
from rbac.partner_access import Evidence, evidence, proof_of
from rbac.streams import while_held
from rooms.errors import AwaitsApproval
from rooms.justifications import justification
from trm_portal import step_up
from trm_portal.errors import answer_rule, is_api, show_waiting
from trm_portal.sessions import PROOF

security_log = logging.getLogger("trm.security")
Answer = Callable[[HttpRequest], HttpResponse]


class Middleware:
    """A middleware that wraps the rest of the chain."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


# So many times the largest file that is taken: a file a little too large still gets its own message.
TOLERATED = 4


class RefuseUnreadableInput(Middleware):
    """400 before anybody stumbles over it: a body that nobody takes, a NUL or lone surrogate that fits no text column.

    Zeros may lead the length, and an escaped NUL comes through in a cookie.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = (request.META.get("CONTENT_LENGTH") or "").lstrip("0")
        if length.isdecimal() and int(length[:12]) > TOLERATED * settings.INVENTORY_MAX_BYTES:
            raise RequestDataTooBig("the body is larger than any that is taken")
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "%00" in query or _has_surrogate(request.path) or _has_surrogate(query):
            raise BadRequest("unreadable characters in the address")
        if any("\x00" in cookie for cookie in request.COOKIES.values()):
            raise BadRequest("unreadable characters in a cookie")
        return self.get_response(request)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


class AbsoluteSessionLimit(Middleware):
    """Whoever signed in more than SESSION_ABSOLUTE_AGE ago signs in again, however busy the session was; support staff
    sooner, after SUPPORT_SESSION_ABSOLUTE_AGE."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, is_support = request.session.get("began_at"), request.session.get("is_support", False)
        limit = settings.SUPPORT_SESSION_ABSOLUTE_AGE if is_support else settings.SESSION_ABSOLUTE_AGE
        if began and timezone.now() - datetime.fromisoformat(began) > limit:
            logout(request)
            if not is_api(request):  # a program is told 401 by the view it asked
                return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))
        return self.get_response(request)


class PersonLocale(Middleware):
    """The language of the page: what the person chose, else what this browser chose, else what it asks for."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        chosen = user.language if user.is_authenticated else ""
        language = chosen or translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response


class AuditContext(Middleware):
    """Every audit line of this request carries its id and the client's address."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = structlog.contextvars.get_contextvars()
        token = origin.set(Origin(str(context.get("request_id", ""))[:64], request.META.get("REMOTE_ADDR") or None))
        try:
            return self.get_response(request)
        finally:
            origin.reset(token)


class PartnerEvidence(Middleware):
    """How the person of this session has proved who he is, and from where he asks: what customers ask partners for."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        proof = proof_of(request.session.get(PROOF, {})) if user.is_authenticated else None
        shown = proof and Evidence(cast(int, user.pk), proof, request.META.get("REMOTE_ADDR") or None)
        token = evidence.set(shown)
        try:
            return self.get_response(request)
        finally:
            evidence.reset(token)


class Justification(Middleware):
    """Why a change is wanted, for the case that it has to be approved first: a field of every form, a header for tools.

    A header holds ASCII only, so other signs come as in addresses: UTF-8, percent-encoded.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = unquote(request.headers.get("Change-Justification", ""))
        if request.method == "POST" and not is_api(request):
            said = request.POST.get("justification", "")
        token = justification.set("".join(sign for sign in said if sign.isprintable() or sign == "\n"))
        try:
            return self.get_response(request)
        finally:
            justification.reset(token)


class NoStore(Middleware):
    """What a signed-in person sees stays out of every cache, the browser's own too."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
            patch_cache_control(response, no_store=True)
        return response


class BreakOff(Middleware):
    """A file on its way to a person ends where his session or his rights do (rbac/streams.py)."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_written_on_the_way = isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse)
        if is_written_on_the_way and request.user.is_authenticated:
            held = getattr(request, "held", ())  # by what its gate has let him in
            key = request.session.session_key
            response.streaming_content = while_held(response.streaming_content, request.user, key, held)
        return response


class RuleAnswers(Middleware):
    """A broken rule that no view turned into a form error becomes a page that says which rule, never a 5xx.

    New terms that stop a change are shown there and then, with the change to go on with; a change that waits for its
    approval leads to the request that was made of it; whoever has to show more is led through signing in again.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, StepUpRequired):
            return step_up.ask(request, exception)
        if isinstance(exception, TermsWaiting):
            return terms.ask(cast(TenantRequest, request))
        if isinstance(exception, AwaitsApproval):
            return show_waiting(request, exception)
        return answer_rule(request, exception) if isinstance(exception, RuleBroken) else None
