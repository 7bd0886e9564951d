"""Uploaded inventories: prepared with a preview, confirmed, carried out, forgotten after a day (see work.py)."""

import io
import logging
import zlib
from typing import BinaryIO
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from audit.clock import Now
from rbac import step_up
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms.cells import excerpt
from rooms.errors import UnreadableInventory
from rooms.inventory_reports import Outcome, Report
from rooms.models import InventoryImport, WorkState
from rooms.services import inventory, work
from rooms.services.inventory import BATCH, Submit, Watch

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
    InventoryImport.objects.filter(tenant=tenant, person=by, state=WorkState.CHECKED).delete()
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
    return work.own(InventoryImport, tenant, person)


def confirm(found: InventoryImport, *, submit: Submit) -> None:
    """`found` is carried out: at once if it is small or no worker can be told, else by a worker soon.

    Raises ImportOver if it is under way or done; StepUpRequired if the customer asks its partners for more before they
    change rooms: a worker has nothing to show.
    """
    step_up.require_on_record(found.person, found.tenant, Permission.ROOMS_MODIFY, found.file_name)
    work.confirm(found, lambda pk: carry_out(pk, submit=submit), task=TASK, at_once=lambda: _is_small(found))


def carry_out(import_id: UUID, *, submit: Submit) -> None:
    """The waiting (or abandoned) import is done, or has failed as a whole and says why; nothing if there is none."""
    found = work.claim(InventoryImport, import_id)
    if found is None:
        return
    stream = io.BytesIO(zlib.decompress(found.content))
    try:
        with _Progress(found) as progress:
            inventory.load(found.tenant, stream, found.file_name, by=found.person, submit=submit, watch=progress)
    except PermissionDenied:
        work.fail(found, "permission_denied")
    except UnreadableInventory:
        work.fail(found, UnreadableInventory.code)
    except Exception:
        work.fail(found, "error")
        logger.exception("import %s failed", import_id)


def waiting() -> list[UUID]:
    """The imports that somebody has to carry out, oldest first: confirmed, or left by a run that died."""
    return work.waiting(InventoryImport)


def left_lying() -> list[UUID]:
    """Those of `waiting` that have waited for longer than a worker needs to come: none is there, or it died."""
    return work.left_lying(InventoryImport)


def discard(found: InventoryImport) -> None:
    """`found` is gone, unless it is being carried out. Raises ImportOver then."""
    work.discard(found)


def discard_old() -> int:
    """All that came more than a day ago is gone; how many."""
    return work.discard_old(InventoryImport)


def _is_small(found: InventoryImport) -> bool:
    counts = Report.from_data(found.report).counts
    is_for_all = inventory.is_for_all(found.tenant, found.person)
    limit = AT_ONCE if is_for_all else AT_ONCE_ONE_BY_ONE
    return counts[Outcome.CREATED] + counts[Outcome.CHANGED] <= limit


class _Progress(Watch):
    """Writes how far a run is where everybody sees it, and ends it together with its work."""

    def __init__(self, found: InventoryImport) -> None:
        self._found, self._progress = found, work.Progress(found)

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.close()

    def told(self, done: int) -> None:
        self._progress.told(done)

    def finished(self, report: Report) -> None:
        """Raises ImportOver if another run has taken over: then this one must not have happened."""
        rows = len(report.entries)
        work.finish(self._found, report=report.as_data(), content=b"", done=rows, total=rows)
