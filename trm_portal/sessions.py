"""Where sessions live: in the database, so that ending one ends it at once and everywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login, logout
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from rbac.models import User
from rbac.partner_access import Proof, claims_of
from rbac.person_session import AGENT_LENGTH, PersonSession
from rbac.services import accounts, partner_access, sessions

# What a session holds: how its person proved who he is, by which provider, and a change that waits for a step up.
PROOF, PROVIDER, KEPT = "proof", "provider", "kept_change"


class SessionStore(DatabaseStore):
    """A session that is used goes on; it is written for that at most every SESSION_RENEWAL, not with every request.

    Whoever does nothing for SESSION_COOKIE_AGE is signed out, or up to SESSION_RENEWAL earlier.
    """

    @classmethod
    def get_model_class(cls) -> Any:
        """The row, which knows whose session it is."""
        return PersonSession

    def create_model_instance(self, data: Any) -> PersonSession:
        """As Django's, with what `began` has noted of the person, for him to look at."""
        row: PersonSession = super().create_model_instance(data)  # type: ignore[misc]  # not in the stubs
        user, begun = data.get(SESSION_KEY), data.get("began_at")
        row.user_id = int(user) if user else None
        row.began_at = datetime.fromisoformat(begun) if begun else None
        row.ip, row.agent = data.get("ip"), data.get("agent", "")
        return row

    def _get_session_from_db(self) -> Any:
        found = super()._get_session_from_db()  # type: ignore[misc]  # not in the stubs
        if found is not None:
            left = found.expire_date - timezone.now()
            if left < timedelta(seconds=settings.SESSION_COOKIE_AGE) - settings.SESSION_RENEWAL:
                self.modified = True
        return found


# By which backend somebody was found, in the words of the log.
_HOW = {"rbac.backends.LocalAccounts": "password", "rbac.backends.ProvenAtHome": "home"}


def begin(request: HttpRequest, user: User, *, backend: str, proof: Proof, provider: str = "") -> None:
    """`user` has a new session, which knows since when, from where, by which provider and how he has proved who he is; it
    is on record.

    Whatever session there was is over; only a change that waits for this very person to sign in again goes along.
    """
    kept = request.session.get(KEPT)
    address, agent = request.META.get("REMOTE_ADDR") or None, request.headers.get("User-Agent", "")
    leave(request)
    with _or_nobody(request), sessions.beginning(user, how=_HOW[backend]):
        login(request, user, backend=backend)
        request.session["began_at"] = timezone.now().isoformat()
        request.session["ip"] = address
        request.session["agent"] = "".join(sign for sign in agent if sign.isprintable())[:AGENT_LENGTH]
        if accounts.is_support(user):
            request.session["is_support"] = True  # ends sooner, idle or not
            request.session.set_expiry(settings.SUPPORT_SESSION_AGE)
        request.session[PROOF], request.session[PROVIDER] = claims_of(proof), provider
        if kept is not None and kept["user"] == user.pk:
            request.session[KEPT] = kept
        request.session.save()
        partner_access.note_sign_in(user, proof, address)


@contextmanager
def _or_nobody(request: HttpRequest) -> Iterator[None]:
    """Nobody is signed in unless all of the block is done, whoever catches what it raises."""
    try:
        yield
    except BaseException:
        logout(request)
        raise


def leave(request: HttpRequest) -> None:
    """The session is over, on record if somebody was signed in by it."""
    if not request.user.is_authenticated:
        logout(request)
        return
    with sessions.ending(request.user):
        logout(request)
