"""The life of work that one person confirms: prepared, confirmed, carried out, forgotten after a day.

These rows are working papers, so they leave no line in the log; what is carried out does. A run claims its row by
compare-and-set and says how far it is. A run that has been silent for a minute is taken for dead; whoever looks next
takes over, and should the silent one wake up, it finds the row taken.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from celery import current_app
from django.db import connection
from django.db.models import Q, QuerySet

from audit.clock import Now
from rbac.models import Tenant, User
from rooms.errors import ImportOver
from rooms.models import Work, WorkState
from rooms.states import WORK

KEPT_FOR = timedelta(days=1)
SILENT_FOR = timedelta(minutes=1)
WORKER_COMES_IN = timedelta(seconds=15)

W = TypeVar("W", bound=Work)

logger = logging.getLogger(__name__)


def own(model: type[W], tenant: Tenant, person: User) -> QuerySet[W]:
    """The work of `person` in `tenant`; nobody else sees it."""
    return _rows(model).filter(tenant=tenant, person=person, created_at__gt=Now() - KEPT_FOR)


def confirm(
    found: Work | Sequence[Work], carry_out: Callable[[UUID], Any], *, task: str, at_once: Callable[[], bool]
) -> None:
    """`found` is carried out: here if `at_once` says so or no worker can be told, else by a worker soon.

    Confirmed again while it still waits for a worker (or after its worker died), it is carried out here, too. Raises
    ImportOver if it is under way or done; of several, if all of them are.
    """
    several = [found] if isinstance(found, Work) else list(found)
    model = type(several[0])
    before = [state for state, following in WORK.items() if WorkState.QUEUED in following]
    confirmed = _rows(model).filter(pk__in=[one.pk for one in several], state__in=before)
    is_first = confirmed.update(state=WorkState.QUEUED, failure="", beat_at=Now())
    open_ones = set(waiting(model))
    here = [one.pk for one in several if one.pk in open_ones]
    if not here:
        raise ImportOver
    if not is_first or at_once() or not tell_a_worker(task):
        for pk in here:
            carry_out(pk)


def claim(model: type[W], pk: UUID) -> W | None:
    """The waiting (or abandoned) work, now in progress by a run of its own; None if there is none."""
    run = uuid.uuid4()
    if not _open(model).filter(pk=pk).update(state=WorkState.RUNNING, run=run, done=0, beat_at=Now()):
        return None
    return _rows(model).select_related("tenant", "person").get(pk=pk)


def tell(found: Work, done: int) -> bool:
    """So much is done, and somebody still cares; whether the run still has the row."""
    return bool(_running(found).update(done=done, beat_at=Now()))


def finish(found: Work, **fields: Any) -> None:
    """`found` is done, with `fields`. Raises ImportOver if another run has taken over."""
    if not _running(found).update(state=WorkState.DONE, beat_at=Now(), **fields):
        raise ImportOver


def fail(found: Work, failure: str) -> None:
    """`found` has failed as a whole, unless another run has taken over."""
    _running(found).update(state=WorkState.FAILED, failure=failure, done=0, beat_at=Now())


def waiting(model: type[Work]) -> list[UUID]:
    """The work that somebody has to carry out, oldest first: confirmed, or left by a run that died."""
    return list(_open(model).order_by("beat_at").values_list("pk", flat=True))


def left_lying(model: type[Work]) -> list[UUID]:
    """Those of `waiting` that have waited for longer than a worker needs to come: none is there, or it died."""
    return list(_open(model).filter(beat_at__lt=Now() - WORKER_COMES_IN).values_list("pk", flat=True))


def discard(found: Work) -> None:
    """`found` is gone, unless it is being carried out. Raises ImportOver then."""
    gone, _ = _rows(type(found)).filter(pk=found.pk, state__in=[WorkState.CHECKED, WorkState.FAILED]).delete()
    if not gone:
        raise ImportOver


def discard_old(model: type[Work]) -> int:
    """All that came more than a day ago is gone; how many."""
    gone, _ = _rows(model).filter(created_at__lte=Now() - KEPT_FOR).delete()
    return gone


def tell_a_worker(task: str) -> bool:
    """Whether a worker has been told. A broker that refuses is no reason to fail: we do it ourselves."""
    try:
        current_app.send_task(task, retry=False, expires=60)
    except Exception as error:  # noqa: BLE001 - kombu, redis and socket errors have no common root
        logger.warning("broker not reached, the work is carried out here: %s", error)
        return False
    return True


def _rows(model: type[W]) -> QuerySet[W]:
    return model._default_manager.all()


def _open(model: type[W]) -> QuerySet[W]:
    abandoned = Q(state=WorkState.RUNNING, beat_at__lt=Now() - SILENT_FOR)
    return _rows(model).filter(Q(state=WorkState.QUEUED) | abandoned)


def _running(found: Work) -> QuerySet[Any]:
    return _rows(type(found)).filter(pk=found.pk, run=found.run, state=WorkState.RUNNING)


class Progress:
    """Says how far a run is where everybody sees it at once: on a connection of its own, past the open transaction."""

    def __init__(self, found: Work) -> None:
        self._found, self._table = found, type(found)._meta.db_table
        self._connection = connection.copy()

    def close(self) -> None:
        """The connection is given back."""
        self._connection.close()

    def told(self, done: int) -> None:
        """So many are done."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self._table} SET done = %s, beat_at = trm_now() WHERE id = %s AND run = %s",  # noqa: S608 - our own
                [done, self._found.pk, self._found.run],
            )
