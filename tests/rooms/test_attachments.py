"""Files of tickets: what is taken, where it lies, what becomes of what nobody attached."""

import hashlib
import io
import os
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError

from audit.clock import now
from rbac.catalogue import Permission
from rooms import attachment_types, change_control
from rooms.errors import AttachmentRefused, AttachmentTooLarge, TicketOver, TooManyAttachments, UploadGone
from rooms.models import Ticket, TicketAttachment, TicketEntry, TicketUpload
from rooms.schedule import sweep_attachments
from rooms.services import attachments, tickets
from tests.factories import join
from tests.factories.evidence import mark, refused
from tests.factories.tickets import reported
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db

LOG = b"channel 3 is silent\n"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """A place of its own, empty."""
    settings.STORAGES["attachments"]["OPTIONS"]["location"] = str(tmp_path)
    from django.core.files.storage import storages  # noqa: PLC0415

    storages._storages.pop("attachments", None)
    yield tmp_path
    storages._storages.pop("attachments", None)


def files(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def store(ticket: Ticket, by, name: str = "a.log", content: bytes = LOG) -> TicketUpload:
    return attachments.store(ticket, by=by, file_name=name, stream=io.BytesIO(content))


def test_a_file_is_stored_under_a_random_name_then_attached_on_record(world, folder):
    ticket, admin = reported(world), world.contoso.admin
    evidence = mark()
    upload = store(ticket, admin, "C:\\logs\\a\tb.log")
    assert (upload.file_name, upload.content_type, upload.size) == ("a b.log", "text/plain", len(LOG))
    assert upload.sha256 == hashlib.sha256(LOG).hexdigest()
    assert files(folder) == [upload.stored_as]
    assert os.stat(folder / upload.stored_as).st_mode & 0o777 == 0o600
    assert evidence.lines == []
    entry = attachments.attach(ticket, by=admin, upload=str(upload.pk), text=" Look ")
    made = TicketAttachment.objects.get()
    assert (made.stored_as, made.sha256, made.entry) == (upload.stored_as, upload.sha256, entry)
    assert (entry.kind, entry.text, entry.detail) == ("attachment", "Look", {"file": "a b.log", "size": len(LOG)})
    assert not TicketUpload.objects.exists()
    assert evidence.lines == [f"Contoso: Ticket/Update #{ticket.pk} No sound Successful {admin.upn}"]
    assert evidence.kinds == ["tickets.message"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.exe", b"MZ", AttachmentRefused),
        ("a", LOG, AttachmentRefused),
        ("a.png", LOG, AttachmentRefused),
        ("a.txt", b"\x89PNG\r\n\x1a\n", AttachmentRefused),
        ("a.svg", b"<svg/>", AttachmentRefused),
        ("a.log", b"", AttachmentRefused),
        ("a.log", b"a" * (attachments.LARGEST + 1), AttachmentTooLarge),
    ],
)
def test_other_files_are_refused_on_record_and_leave_nothing(world, folder, name, content, error):
    ticket, admin = reported(world), world.contoso.admin
    failed = f"Contoso: Ticket/Update #{ticket.pk} No sound Failed({error.code}) {admin.upn}"
    refused(error, lambda: store(ticket, admin, name, content), failed, code=error.code)
    assert files(folder) == []


def test_the_largest_file_is_taken(world):
    assert store(reported(world), world.contoso.admin, content=b"a" * attachments.LARGEST).size == attachments.LARGEST


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.PNG", b"\x89PNG\r\n\x1a\n..", "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.gif", b"GIF89a..", "image/gif"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
        ("a.zip", b"PK\x03\x04", "application/zip"),
        ("a.json", b'\xef\xbb\xbf {"a": 1}', "application/json"),
        ("a.csv", "Größe;1".encode(), "text/csv"),
        ("a.txt", "Größe".encode("utf-16"), "text/plain"),
        ("a.log", b"\x1b[31mred\x1b[0m", "text/plain"),
        ("a.json", b"1", None),
        ("a.txt", b"a\x00b", None),
        ("a.txt", b"\xff", None),
        ("a.csv", b" \n<!DOCTYPE html>", None),
        ("a.log", b"<ScRiPt>", None),
        ("a.png.html", b"\x89PNG\r\n\x1a\n", None),
        ("png", b"\x89PNG\r\n\x1a\n", None),
    ],
)
def test_name_and_content_decide_together(name, content, content_type):
    assert attachment_types.type_of(name, content) == content_type


def test_who_may_not_update_stores_and_attaches_nothing(world, folder):
    contoso = world.contoso
    ticket = reported(world)
    upload = store(ticket, contoso.admin)
    for person in (world.tailwind.admin, contoso.person("nobody")):
        failed = f"Contoso: Ticket/Update #{ticket.pk} No sound Failed(permission_denied) {person.upn}"
        refused(PermissionDenied, lambda person=person: store(ticket, person), failed)
        refused(
            PermissionDenied,
            lambda person=person: attachments.attach(ticket, by=person, upload=str(upload.pk)),
            failed,
        )
    assert files(folder) == [upload.stored_as]


def test_only_who_handed_it_in_attaches_it_and_once_and_there(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ticket, other, admin = reported(world), reported(world), world.contoso.admin
    upload = store(ticket, admin)

    def fails(target, by, asked):
        failed = f"Contoso: Ticket/Update #{target.pk} No sound Failed(upload_gone) {by.upn}"
        refused(UploadGone, lambda: attachments.attach(target, by=by, upload=asked), failed, code="upload_gone")

    fails(ticket, ann, str(upload.pk))
    fails(other, admin, str(upload.pk))
    for nonsense in ("", "x", str(uuid.uuid4()), "../../etc/passwd"):
        fails(ticket, admin, nonsense)
    attachments.attach(ticket, by=admin, upload=str(upload.pk))
    fails(ticket, admin, str(upload.pk))


def test_twenty_are_enough_and_closed_takes_none(world, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_OF_TICKET", 1)
    ticket, admin = reported(world), world.contoso.admin
    attachments.attach(ticket, by=admin, upload=str(store(ticket, admin).pk))
    second = str(store(ticket, admin).pk)
    with pytest.raises(TooManyAttachments):
        attachments.attach(ticket, by=admin, upload=second)
    tickets.close(ticket, by=admin, reason="fixed")
    with pytest.raises(TicketOver):
        attachments.attach(ticket, by=admin, upload=second)
    assert TicketAttachment.objects.count() == 1


def test_what_a_rule_refuses_is_gone_at_once(world, folder):
    ticket, admin = reported(world), world.contoso.admin

    def attach_to_closed() -> None:
        with attachments.handed_in(ticket, by=admin, file_name="a.log", stream=io.BytesIO(LOG)) as upload:
            tickets.close(ticket, by=admin, reason="fixed")
            change_control.submit(Permission.TICKETS_UPDATE, ticket, by=admin, action="attach", upload=upload)

    with pytest.raises(TicketOver):
        attach_to_closed()
    assert (files(folder), TicketUpload.objects.count()) == ([], 0)


def test_a_row_that_cannot_be_written_leaves_no_file(world, folder, monkeypatch):
    def fail(**columns):
        raise IntegrityError("no")

    monkeypatch.setattr(TicketUpload.objects, "create", fail)
    with pytest.raises(IntegrityError):
        store(reported(world), world.contoso.admin)
    assert files(folder) == []


def test_the_sweep_takes_what_nobody_attached_once_no_approval_can_wait(world, folder):
    ticket, admin = reported(world), world.contoso.admin
    kept = TicketAttachment.objects.get(entry=attachments.attach(ticket, by=admin, upload=str(store(ticket, admin).pk)))
    waiting, old = store(ticket, admin), store(ticket, admin)
    TicketUpload.objects.filter(pk=waiting.pk).update(at=now() - timedelta(days=7, hours=1))
    TicketUpload.objects.filter(pk=old.pk).update(at=now() - timedelta(days=8, seconds=1))
    sweep_attachments()
    assert files(folder) == sorted([kept.stored_as, waiting.stored_as])
    assert TicketUpload.objects.get() == waiting
    assert TicketEntry.objects.filter(ticket=ticket).count() == 2


def test_the_sweep_takes_files_without_a_row_but_not_fresh_ones(world, folder):
    kept = store(reported(world), world.contoso.admin)
    stored = attachments.storage()
    orphan = stored.save("ab/orphan", io.BytesIO(LOG))
    fresh = stored.save("ab/fresh", io.BytesIO(LOG))
    long_ago = now().timestamp() - 2 * 86_400
    for name in (orphan, kept.stored_as):
        os.utime(folder / name, (long_ago, long_ago))
    assert attachments.sweep() == 1
    assert files(folder) == sorted([kept.stored_as, fresh])


def test_the_sweep_of_nothing_is_nothing(settings, tmp_path):
    settings.STORAGES["attachments"]["OPTIONS"]["location"] = str(tmp_path / "missing")
    assert attachments.sweep() == 0
