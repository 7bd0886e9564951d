"""The life of an uploaded inventory: prepared with a preview, confirmed, carried out, forgotten after a day.

These rows are one person's working papers, so they leave no line in the log; what is carried out does. A run claims its
row by compare-and-set and says on a connection of its own how far it is, so that everybody can see it while its own
transaction is still open. A run that has been silent for a minute is taken for dead; whoever looks next takes over, and
should the silent one wake up, it finds the row taken and undoes its work.
"""

import io
import logging
import uuid
import zlib
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from celery import current_app
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q, QuerySet

from audit.clock import Now
from rbac.models import Tenant, User
from rooms.cells import excerpt
from rooms.errors import ImportOver, UnreadableInventory
from rooms.inventory_reports import Outcome, Report
from rooms.models import ImportState, InventoryImport
from rooms.services import inventory
from rooms.services.inventory import BATCH, Submit, Watch
from rooms.states import INVENTORY_IMPORT

KEPT_FOR = timedelta(days=1)
SILENT_FOR = timedelta(minutes=1)
WORKER_COMES_IN = timedelta(seconds=15)
# So many changes are quicker done than announced; more are for a worker, and the page shows how far it is.
AT_ONCE, AT_ONCE_ONE_BY_ONE = 2 * BATCH, BATCH // 10
TASK = "rooms.schedule.carry_out_imports"

logger = logging.getLogger(__name__)


def prepare(tenant: Tenant, file: BinaryIO, file_name: str, *, by: User) -> InventoryImport:
    """`file` is kept for `by` with a report of what importing it would do; an earlier one he never confirmed is gone.

    Raises PermissionDenied, UnreadableInventory.
    """
    content = file.read()
    report = inventory.check(tenant, io.BytesIO(content), by=by)
    discard_old()
    InventoryImport.objects.filter(tenant=tenant, person=by, state=ImportState.CHECKED).delete()
    return InventoryImport.objects.create(
        tenant=tenant,
        person=by,
        file_name=excerpt(file_name, 200),
        content=zlib.compress(content),
        report=report.as_data(),
        total=len(report.entries),
        beat_at=Now(),
        created_at=Now(),
    )


def own(tenant: Tenant, person: User) -> QuerySet[InventoryImport]:
    """The imports of `person` into `tenant`; nobody else sees them."""
    return InventoryImport.objects.filter(tenant=tenant, person=person, created_at__gt=Now() - KEPT_FOR)


def confirm(found: InventoryImport, *, submit: Submit) -> None:
    """`found` is carried out: at once if it is small or no worker can be told, else by a worker soon.

    Confirmed again while it still waits for a worker (or after its worker died), it is carried out at once, too. Raises
    ImportOver if it is under way or done.
    """
    before = [state for state, following in INVENTORY_IMPORT.items() if ImportState.QUEUED in following]
    confirmed = InventoryImport.objects.filter(pk=found.pk, state__in=before)
    is_first = confirmed.update(state=ImportState.QUEUED, failure="", beat_at=Now())
    if not is_first and found.pk not in waiting():
        raise ImportOver
    if not is_first or _is_small(found) or not _tell_a_worker():
        carry_out(found.pk, submit=submit)


def carry_out(import_id: UUID, *, submit: Submit) -> None:
    """The waiting (or abandoned) import is done, or has failed as a whole and says why; nothing if there is none."""
    run = uuid.uuid4()
    if not _open().filter(pk=import_id).update(state=ImportState.RUNNING, run=run, done=0, beat_at=Now()):
        return
    found = InventoryImport.objects.select_related("tenant", "person").get(pk=import_id)
    stream = io.BytesIO(zlib.decompress(found.content))
    try:
        with _Progress(found.pk, run) as progress:
            inventory.load(found.tenant, stream, found.file_name, by=found.person, submit=submit, watch=progress)
    except PermissionDenied:
        _fail(import_id, run, "permission_denied")
    except UnreadableInventory:
        _fail(import_id, run, UnreadableInventory.code)
    except Exception:
        _fail(import_id, run, "error")
        logger.exception("import %s failed", import_id)


def waiting() -> list[UUID]:
    """The imports that somebody has to carry out, oldest first: confirmed, or left by a run that died."""
    return list(_open().order_by("beat_at").values_list("pk", flat=True))


def left_lying() -> list[UUID]:
    """Those of `waiting` that have waited for longer than a worker needs to come: none is there, or it died."""
    return list(_open().filter(beat_at__lt=Now() - WORKER_COMES_IN).values_list("pk", flat=True))


def discard(found: InventoryImport) -> None:
    """`found` is gone, unless it is being carried out. Raises ImportOver then."""
    gone, _ = InventoryImport.objects.filter(pk=found.pk, state__in=[ImportState.CHECKED, ImportState.FAILED]).delete()
    if not gone:
        raise ImportOver


def discard_old() -> int:
    """All that came more than a day ago is gone; how many."""
    gone, _ = InventoryImport.objects.filter(created_at__lte=Now() - KEPT_FOR).delete()
    return gone


def _open() -> QuerySet[InventoryImport]:
    abandoned = Q(state=ImportState.RUNNING, beat_at__lt=Now() - SILENT_FOR)
    return InventoryImport.objects.filter(Q(state=ImportState.QUEUED) | abandoned)


def _is_small(found: InventoryImport) -> bool:
    counts = Report.from_data(found.report).counts
    is_for_all = inventory.is_for_all(found.tenant, found.person)
    limit = AT_ONCE if is_for_all else AT_ONCE_ONE_BY_ONE
    return counts[Outcome.CREATED] + counts[Outcome.CHANGED] <= limit


def _tell_a_worker() -> bool:
    """Whether a worker has been told. A broker that refuses is no reason to fail: we do it ourselves."""
    try:
        current_app.send_task(TASK, retry=False, expires=60)
    except Exception as error:  # noqa: BLE001 - kombu, redis and socket errors have no common root
        logger.warning("broker not reached, the import is carried out here: %s", error)
        return False
    return True


def _fail(import_id: UUID, run: UUID, failure: str) -> None:
    InventoryImport.objects.filter(pk=import_id, run=run, state=ImportState.RUNNING).update(
        state=ImportState.FAILED, failure=failure, done=0, beat_at=Now()
    )


class _Progress(Watch):
    """Writes how far a run is where everybody sees it, and ends it together with its work."""

    def __init__(self, import_id: UUID, run: UUID) -> None:
        self._id, self._run = import_id, run
        self._connection = connection.copy()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def told(self, done: int) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE rooms_inventoryimport SET done = %s, beat_at = trm_now() WHERE id = %s AND run = %s",
                [done, self._id, self._run],
            )

    def finished(self, report: Report) -> None:
        """Raises ImportOver if another run has taken over: then this one must not have happened."""
        ended = InventoryImport.objects.filter(pk=self._id, run=self._run, state=ImportState.RUNNING).update(
            state=ImportState.DONE,
            report=report.as_data(),
            content=b"",
            done=len(report.entries),
            total=len(report.entries),
            beat_at=Now(),
        )
        if not ended:
            raise ImportOver
