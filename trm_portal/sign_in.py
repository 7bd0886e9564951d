"""Signing in at home: to the provider and back, through social-auth, with a pipeline of our own.

Two addresses and three steps: what the provider proved becomes an identity (rbac/providers.py), the identity arrives
(rbac/sign_in.py), and social-auth keeps that this (provider, tid:oid) is this account. Nothing is ever found by a name
or an e-mail address. Whoever signs in ends the session he had, so that no second identity joins an account.
"""

import logging
from collections.abc import Collection
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException
from social_core.actions import do_auth, do_complete
from social_core.exceptions import AuthCanceled, SocialAuthBaseException
from social_django.utils import load_backend, load_strategy

from partners.services import invitations
from rbac.models import User
from rbac.partner_access import Condition, proof_of
from rbac.providers import EntraID, HomeProvider, OpenIDProvider
from rbac.sign_in import SignInRefused, arrive
from trm_portal import sessions

security_log = logging.getLogger("trm.security")

PROVIDERS: dict[str, type[HomeProvider]] = {one.name: one for one in (EntraID, OpenIDProvider)}
LABELS = {EntraID.name: _("Sign in with Microsoft"), OpenIDProvider.name: _("Sign in with your organisation")}
# Why somebody does not come in, and what helps: shown on the page.
REASONS = {
    "upn_missing": _(
        "Your organisation’s sign-in does not tell us your user principal name (UPN). An administrator there adds the "
        "optional claim “upn” to this application; then sign in again."
    ),
    "upn_unfit": _("Your user principal name (UPN) has signs that cannot be used here. Please tell support."),
    "personal_account": _("This is a personal account. Sign in with the account of your organisation."),
    "stranger": _(
        "Nobody here knows your organisation yet. If you were invited, sign in with the account that the invitation "
        "names."
    ),
    "closed": _(
        "This account is closed here. If you think that is a mistake, ask an administrator of your organisation."
    ),
    "cancelled": _("The sign-in was cancelled. Nothing has happened."),
    "provider_failed": _("Your organisation’s sign-in did not answer as it should. Please try again in a moment."),
}


def offered() -> list[tuple[str, Any]]:
    """Name and label of the providers that this installation has."""
    return [(name, LABELS[name]) for name in PROVIDERS if settings.SIGN_IN_PROVIDERS.get(name)]


def _backend(request: HttpRequest, name: str) -> HomeProvider:
    """The provider, set up for this request. Raises Http404 unless this installation has it."""
    if not settings.SIGN_IN_PROVIDERS.get(name):
        raise Http404
    there_and_back = f"{settings.PUBLIC_URL}/sign-in/{name}/complete/"  # never from what the request says of its host
    return cast(HomeProvider, load_backend(load_strategy(request), name, redirect_uri=there_and_back))


@never_cache
@require_POST
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Off to the provider. The session that there was is over, whatever becomes of the sign-in."""
    return depart(request, provider)


def depart(
    request: HttpRequest, provider: str, *, asked_for: Collection[Condition] = (), upn: str = "", kept: Any = None
) -> HttpResponse:
    """Off to the provider, which is told what the person is to show (`asked_for`) and who he is, if that is known.

    The session that there was is over; `kept` waits for the next one.
    """
    backend = _backend(request, provider)
    backend.asked_for, backend.asked_upn = frozenset(asked_for), upn
    sessions.leave(request)
    if kept is not None:
        request.session[sessions.KEPT] = kept
    try:
        return cast(HttpResponse, do_auth(backend, redirect_name=REDIRECT_FIELD_NAME, user=None))
    except (SocialAuthBaseException, RequestException) as error:
        return refuse(request, "provider_failed", error)


@never_cache
@require_GET
def complete(request: HttpRequest, provider: str) -> HttpResponse:
    """Back from the provider: signed in, or told why not."""
    backend = _backend(request, provider)
    try:
        return cast(HttpResponse, do_complete(backend, _enter, user=None, request=request))
    except SignInRefused as error:
        return refuse(request, error.reason, error)
    except AuthCanceled as error:
        return refuse(request, "cancelled", error)
    except (SocialAuthBaseException, RequestException, ValueError) as error:
        return refuse(request, "provider_failed", error)


def _enter(backend: HomeProvider, user: User, social: Any) -> None:
    """`user` has a new session, which knows when and how he proved who he is."""
    request: HttpRequest = backend.strategy.request
    proof = proof_of(backend.id_token or {})
    sessions.begin(request, user, backend="rbac.backends.ProvenAtHome", proof=proof, provider=backend.name)


def refuse(request: HttpRequest, reason: str, error: Exception) -> HttpResponse:
    """The page that says why somebody does not come in, and what helps; the security log knows the reason."""
    security_log.info("sign-in refused: %s (%s)", reason, type(error).__name__)
    text = REASONS.get(reason, REASONS["provider_failed"])
    return render(request, "registration/refused.html", {"text": text}, status=403)


# --- The pipeline: steps are called by social-auth with all that is known so far ---------------------------------


def bring_in(backend: HomeProvider, **known: Any) -> dict[str, Any]:
    """The account of whoever signed in. Raises SignInRefused."""
    identity = backend.identity()
    user = arrive(identity, is_awaited=invitations.is_awaited)
    return {"user": user, "uid": f"{identity.tid}:{identity.oid}", "is_new": False}


def keep(backend: HomeProvider, uid: str, user: User, **known: Any) -> dict[str, Any]:
    """social-auth knows that this identity is this account; nothing else is kept, no token among it.

    Raises SignInRefused if it is somebody else's.
    """
    storage = backend.strategy.storage.user
    social = storage.get_social_auth(backend.name, uid) or storage.create_social_auth(user, uid, backend.name)
    if social.user_id != user.pk:
        raise SignInRefused("closed")
    return {"social": social, "new_association": False}
