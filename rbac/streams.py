"""Files that leave line by line: a reader who loses meanwhile what he was let in by gets no further.

The rows of a file are those of the moment in which it began, but a slow reader takes as long over them as he likes. So
it is asked again on the way, by the clock of this process, which only paces the question; the database answers it.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from rbac import access
from rbac.access import Rights
from rbac.models import PersonSession, User
from rbac.partner_access import evidence

ASKED_AGAIN = 1.0  # seconds


class AccessLost(Exception):
    """The rest of a file is not for its reader any more. It breaks off, which is all that can be said in the middle."""


def while_held(lines: Iterable[bytes], reader: User, session_key: str | None, held: Rights) -> Iterator[bytes]:
    """`lines`, for as long as `reader` is signed in by the session and goes on holding all of `held`, by what he has shown
    in this request.

    Raises AccessLost instead of the first line after he does not, at most ASKED_AGAIN later; so the connection breaks
    off, and nobody takes the part for the whole.
    """
    shown = evidence.get()  # now: lines leave when the request is over

    def goes_on() -> bool:
        token = evidence.set(shown)
        try:
            return _is_signed_in(reader, session_key) and _still_holds(reader, held)
        finally:
            evidence.reset(token)

    return _paced(lines, goes_on)


def _paced(lines: Iterable[bytes], goes_on: Callable[[], bool]) -> Iterator[bytes]:
    asked = time.monotonic()
    for line in lines:
        if time.monotonic() - asked >= ASKED_AGAIN:
            if not goes_on():
                raise AccessLost
            asked = time.monotonic()
        yield line


def _is_signed_in(reader: User, session_key: str | None) -> bool:
    return PersonSession.objects.filter(pk=session_key, user=reader.pk, user__is_active=True).exists()


def _still_holds(reader: User, held: Rights) -> bool:
    left = {one.assignment_id: one.permissions for one in access.rights(reader)} if held else {}
    return all(one.permissions <= left.get(one.assignment_id, frozenset()) for one in held)
