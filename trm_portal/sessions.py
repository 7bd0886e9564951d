"""Where sessions live: in the database, so that ending one ends it at once and everywhere."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, logout
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from rbac.models import User
from rbac.person_session import AGENT_LENGTH, PersonSession
from rbac.services import accounts, sessions


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
_HOW = {"LocalAccounts": "password", "ProvenAtHome": "home"}


def began(request: HttpRequest) -> None:
    """Somebody has just signed in: since when and from where, for the limit of a session and for himself to look at.

    On record from here on, together with the session.
    """
    backend = request.session[BACKEND_SESSION_KEY].rpartition(".")[2]
    person = cast(User, request.user)
    with sessions.beginning(person, how=_HOW[backend]):
        request.session["began_at"] = timezone.now().isoformat()
        request.session["ip"] = request.META.get("REMOTE_ADDR") or None
        agent = request.headers.get("User-Agent", "")
        request.session["agent"] = "".join(sign for sign in agent if sign.isprintable())[:AGENT_LENGTH]
        if accounts.is_support(person):
            request.session["is_support"] = True  # ends sooner, idle or not
            request.session.set_expiry(settings.SUPPORT_SESSION_AGE)
        request.session.save()


def leave(request: HttpRequest) -> None:
    """The session is over, on record if somebody was signed in by it."""
    if not request.user.is_authenticated:
        logout(request)
        return
    with sessions.ending(request.user):
        logout(request)
