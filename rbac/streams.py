"""Files that leave line by line: a reader who loses meanwhile what he was let in by gets no further.

The rows of a file are those of the moment in which it began, but a slow reader takes as long over them as he likes. So
it is asked again on the way, by the clock of this process, which only paces the question; the database answers it.
"""

import time
from collections.abc import Iterable, Iterator

from rbac import access
from rbac.access import Rights
from rbac.models import PersonSession, User

ASKED_AGAIN = 1.0  # seconds


class AccessLost(Exception):
    """The rest of a file is not for its reader any more. It breaks off, which is all that can be said in the middle."""


def while_held(lines: Iterable[bytes], reader: User, session_key: str | None, held: Rights) -> Iterator[bytes]:
    """`lines`, for as long as `reader` is signed in by the session and goes on holding all of `held`.

    Raises AccessLost instead of the first line after he does not, at most ASKED_AGAIN later; so the connection breaks
    off, and nobody takes the part for the whole.
    """
    asked = time.monotonic()
    for line in lines:
        if time.monotonic() - asked >= ASKED_AGAIN:
            if not _is_signed_in(reader, session_key) or not _still_holds(reader, held):
                raise AccessLost
            asked = time.monotonic()
        yield line


def _is_signed_in(reader: User, session_key: str | None) -> bool:
    return PersonSession.objects.filter(pk=session_key, user=reader.pk, user__is_active=True).exists()


def _still_holds(reader: User, held: Rights) -> bool:
    left = {one.assignment_id: one.permissions for one in access.rights(reader)} if held else {}
    return all(one.permissions <= left.get(one.assignment_id, frozenset()) for one in held)
