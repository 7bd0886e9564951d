"""Where sessions live: in the database, so that ending one ends it at once and everywhere."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone


class SessionStore(DatabaseStore):
    """A session that is used goes on; it is written for that at most every SESSION_RENEWAL, not with every request.

    Whoever does nothing for SESSION_COOKIE_AGE is signed out, or up to SESSION_RENEWAL earlier.
    """

    def _get_session_from_db(self) -> Any:
        found = super()._get_session_from_db()  # type: ignore[misc]  # not in the stubs
        if found is not None:
            left = found.expire_date - timezone.now()
            if left < timedelta(seconds=settings.SESSION_COOKIE_AGE) - settings.SESSION_RENEWAL:
                self.modified = True
        return found
