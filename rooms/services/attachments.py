"""Files of tickets: handed in, attached, swept away. Their content lies in STORAGES["attachments"], outside the database.

A file is handed in first, under a random name and a row of its own that nobody can read, then attached by that row's id:
so the change *attach* has plain parameters and can wait for its approval. What nobody attaches is swept away once no
approval can wait for it any more; so is a file without a row, which a transaction that failed has left.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import PurePosixPath
from typing import IO, Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header

from audit import outbox
from audit.clock import Now, now
from audit.log import recording
from audit.mail import one_line
from audit.models import Category, Operation
from rbac.access import require
from rbac.catalogue import Permission
from rbac.models import User
from rooms.attachment_types import type_of
from rooms.errors import (
    AttachmentRefused,
    AttachmentTooLarge,
    AwaitsApproval,
    TicketOver,
    TooManyAttachments,
    UploadGone,
)
from rooms.models import EntryKind, Ticket, TicketAttachment, TicketEntry, TicketState, TicketUpload
from rooms.parcels import message_notice
from rooms.services.ticket_history import enter, hold, name_of
from rooms.values import is_readable

LARGEST = 10 * 1024 * 1024
MOST_OF_TICKET = 20
LONGEST_NAME = 200
LONGEST_TEXT = 5000
# An approval waits for seven days at most; one more, so that nothing is swept under it.
WAITS_FOR = timedelta(days=8)
ORPHAN_AFTER = timedelta(days=1)
BATCH = 500


def store(ticket: Ticket, *, by: User, file_name: str, stream: IO[bytes]) -> TicketUpload:
    """The content of `stream` is stored, ready to be attached to `ticket` by `by`, and for nobody to read until then.

    Raises PermissionDenied if `by` may not update the ticket, AttachmentTooLarge, AttachmentRefused.
    """
    with recording(Category.TICKET, Operation.UPDATE, name_of(ticket), tenant=ticket.tenant_id, by=by) as line:
        require(by, Permission.TICKETS_UPDATE, ticket)
        name = _clean_name(file_name)
        content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise AttachmentTooLarge
        content_type = type_of(name, content)
        if content_type is None:
            raise AttachmentRefused
        stored_as = storage().save(_random_name(), ContentFile(content))
        try:
            upload = TicketUpload.objects.create(
                tenant_id=ticket.tenant_id,
                ticket=ticket,
                by=by,
                at=now(),
                file_name=name,
                content_type=content_type,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                stored_as=stored_as,
            )
        except BaseException:
            storage().delete(stored_as)
            raise
        line.is_void = True  # the ticket is as it was; attaching is what is on record
    return upload


@contextmanager
def handed_in(ticket: Ticket, *, by: User, file_name: str, stream: IO[bytes]) -> Iterator[str]:
    """The id of the stored file, for the change that the block submits; if that is refused, the file is gone again.

    What waits for approval keeps it. Raises what `store` raises.
    """
    upload = store(ticket, by=by, file_name=file_name, stream=stream)
    try:
        yield str(upload.pk)
    except AwaitsApproval:
        raise
    except Exception:
        _discard([upload])
        raise


def attach(ticket: Ticket, *, by: User, upload: str, text: str = "") -> TicketEntry:
    """The file that `by` handed in as `upload` belongs to the ticket, with `text`; those who take part are told.

    Raises PermissionDenied if `by` may not update the ticket, TicketOver, TooManyAttachments, UploadGone.
    """
    with recording(Category.TICKET, Operation.UPDATE, name_of(ticket), tenant=ticket.tenant_id, by=by) as line:
        require(by, Permission.TICKETS_UPDATE, ticket)
        current = hold(ticket)
        if current.state == TicketState.CLOSED:
            raise TicketOver
        if TicketAttachment.objects.filter(ticket=current).count() >= MOST_OF_TICKET:
            raise TooManyAttachments
        own = TicketUpload.objects.select_for_update(of=("self",)).filter(ticket=current, by=by)
        wanted = _uuid(upload)
        found = None if wanted is None else own.filter(pk=wanted).first()
        if found is None:
            raise UploadGone
        detail = {"file": found.file_name, "size": found.size}
        entry = enter(current, EntryKind.ATTACHMENT, by=by, text=_said(text), detail=detail)
        copied = ("tenant_id", "file_name", "content_type", "size", "sha256", "stored_as")
        TicketAttachment.objects.create(ticket=current, entry=entry, **{name: getattr(found, name) for name in copied})
        found.delete()
        outbox.leave(message_notice(current, entry, by))
        line.after = {"attachment": entry.detail["file"], "size": entry.detail["size"]}
    return entry


def answer(attachment: TicketAttachment, *, whole: bool = False) -> HttpResponseBase:
    """The file, to be saved and never shown in the page's place: its own type from the closed list, nothing guessed.

    `whole` reads it at once (the API's answers are no streams). Raises FileNotFoundError if the storage lost it.
    """
    content = storage().open(attachment.stored_as)
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    if not whole:
        return FileResponse(
            content,
            as_attachment=True,
            filename=attachment.file_name,
            content_type=attachment.content_type,
            headers=headers,
        )
    headers["Content-Disposition"] = content_disposition_header(True, attachment.file_name) or "attachment"
    with content:
        return HttpResponse(content.read(), content_type=attachment.content_type, headers=headers)


def sweep() -> int:
    """What was handed in and never attached is gone, and so are files without a row; how many files."""
    gone = 0
    while some := _old_uploads():
        gone += _discard(some)
    return gone + _remove_orphans()


def storage() -> Storage:
    """Where the content of attachments lies."""
    return storages["attachments"]


def _old_uploads() -> list[TicketUpload]:
    old = TicketUpload.objects.filter(at__lt=Now() - WAITS_FOR)
    return list(old.order_by("at", "pk")[:BATCH])


def _discard(uploads: Iterable[TicketUpload]) -> int:
    """The rows first: a file without a row is swept, a row without a file would be a promise nobody keeps."""
    with transaction.atomic():
        held = TicketUpload.objects.filter(pk__in=[one.pk for one in uploads]).order_by("pk").select_for_update()
        names = [one.stored_as for one in held]
        TicketUpload.objects.filter(stored_as__in=names).delete()
    for name in names:
        storage().delete(name)
    return len(names)


def _remove_orphans() -> int:
    gone, oldest = 0, timezone.now() - ORPHAN_AFTER  # by the storage's clock, which dated the files
    for folder in _folders():
        names = [f"{folder}/{name}" for name in storage().listdir(folder)[1]]
        known = set(TicketAttachment.objects.filter(stored_as__in=names).values_list("stored_as", flat=True))
        known |= set(TicketUpload.objects.filter(stored_as__in=names).values_list("stored_as", flat=True))
        for name in names:
            if name not in known and storage().get_modified_time(name) < oldest:
                storage().delete(name)
                gone += 1
    return gone


def _folders() -> list[str]:
    try:
        return sorted(storage().listdir("")[0])
    except FileNotFoundError:  # nothing was ever stored
        return []


def _random_name() -> str:
    name = uuid4().hex
    return f"{name[:2]}/{name}"


def _clean_name(file_name: str) -> str:
    """The last part of `file_name`, readable, not too long, its extension kept."""
    name = one_line(PurePosixPath(file_name.replace("\\", "/")).name)
    stem, dot, extension = name.rpartition(".")
    return f"{stem[: LONGEST_NAME - 10]}{dot}{extension[:9]}"


def _said(text: str) -> str:
    """`text` as it is stored. What a form would refuse is cut: the file is what matters."""
    found = text.replace("\r\n", "\n").strip()[:LONGEST_TEXT]
    return found if is_readable(found.replace("\n", " ").replace("\t", " ")) else one_line(found)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
