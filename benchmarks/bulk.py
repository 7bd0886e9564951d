"""Much at once: the audit log as a file, invitations whose time is over, mails."""

import os
import resource
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.db import connection, connections, transaction

from audit import delivery, export, outbox
from audit.log import recording
from audit.mail import Letter, Postman
from audit.models import AuditEvent, Category, Operation, OutboxMessage, OutboxState
from audit.outbox import Parcel, delivers
from benchmarks.data import Kind
from benchmarks.measure import Report, once, undone
from partners.models import Invitation, PartnerRelationship
from partners.services import invitations
from rbac.models import Delegation

LINES = int(os.environ.get("LINES_OF_LOG", "300000"))
INVITATIONS = int(os.environ.get("INVITATIONS", "10000"))
MAILS = int(os.environ.get("MAILS", "500"))

_LOG = """
INSERT INTO audit_auditevent (tenant_id, seq, position, at, category, operation, object_name, result, code, user_id,
    user_tenant_id, approver, request_id, digest)
SELECT %s, 1000000 + n / 10, n %% 10, timestamptz '2026-01-01' + n * interval '1 second', 'Role', 'Update', 'Desk ' || n,
    'Successful', '', 'ann@fabrikam.example', %s, '', md5(n::text), sha256(n::text::bytea)
FROM generate_series(1, %s) n
"""
_COPY = """
COPY (SELECT category, object_name, operation, result, tenant_id, to_char(at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), user_id, user_tenant_id FROM audit_auditevent
    WHERE tenant_id = %s AND category = 'Role' AND at >= %s AND at < %s ORDER BY at, id) TO STDOUT (FORMAT csv)
"""
_SINCE, _BEFORE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


class _Sink:
    """Takes what is written, and knows how much it was."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, piece: bytes) -> int:
        self.size += len(piece)
        return len(piece)


def exporting(kinds: list[Kind], report: Report) -> None:
    """P8: the log as a file against COPY: time, memory, how soon it begins."""
    tenant = kinds[0].tenant
    with connections["owner"].cursor() as cursor:
        cursor.execute(_LOG, [tenant.pk, tenant.pk, LINES])
        cursor.execute("VACUUM (ANALYZE) audit_auditevent")
    firsts: list[float] = []

    def ours() -> int:
        began, size = time.perf_counter(), 0
        for number, piece in enumerate(export.lines(tenant.pk, _SINCE, _BEFORE)):
            if number == 1:  # the head alone says nothing
                firsts.append(time.perf_counter() - began)
            size += len(piece)
        return size

    def copied() -> int:
        sink = _Sink()
        with connection.cursor() as cursor:
            cursor.copy_expert(cursor.mogrify(_COPY, [tenant.pk, _SINCE, _BEFORE]), sink, 1 << 16)
        return sink.size

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head = len(",".join(export.COLUMNS)) + 1
    size = ours()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert size - head == copied(), "the same lines"
    assert AuditEvent.objects.filter(tenant_id=tenant.pk, at__gte=_SINCE, at__lt=_BEFORE).count() == LINES
    ratio = min(once(ours) for _ in range(3)) / min(once(copied) for _ in range(3))
    report.add(f"P8 export of {LINES:,} lines of the log against COPY", ratio, 2.0, "1.6–2.0")
    report.add("P8 memory it takes, of 8 MB", grown / 8, 1.0, "0–0.2")
    report.add("P8 time to its first byte, of 0.3 s", min(firsts) / 0.3, 1.0)


def expiring(kinds: list[Kind], report: Report) -> None:
    """P9: marking invitations whose time is over, with the log, against one UPDATE."""
    links = [_link(kinds[0]) for _ in range(5)]
    _invite(links, INVITATIONS)
    due = Invitation.objects.filter(relationship__in=links)

    def ours() -> None:
        assert invitations.expire_due(due) == INVITATIONS

    def plain() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE partners_invitation SET state = 'expired', decided_at = trm_now(), decided_by = 'system'"
                " WHERE state = 'pending' AND expires_at <= trm_now() AND relationship_id = ANY(%s)",
                [[link.pk for link in links]],
            )
            assert cursor.rowcount == INVITATIONS

    ratio = undone(ours) / undone(plain)
    report.add(f"P9 {INVITATIONS:,} invitations expire, logged, against one UPDATE", ratio, 5.0, "3.4–4.8")


def _link(kind: Kind) -> PartnerRelationship:
    return PartnerRelationship.objects.create(
        tenant=kind.tenant,
        delegation=Delegation.objects.create(tenant=kind.tenant),
        label="measured",
        terms_version=1,
        terms_digest="0" * 64,
        terms_accepted_by="ann",
        terms_accepted_at=_SINCE,
    )


def _invite(links: list[PartnerRelationship], count: int) -> None:
    Invitation.objects.bulk_create(
        Invitation(
            tenant_id=links[0].tenant_id,
            relationship=links[number % len(links)],
            contact_name="Ann",
            upn=f"person{number}@measured.example",
            invited_by="bob",
            created_at=_SINCE,
            expires_at=_SINCE + timedelta(days=1),
        )
        for number in range(count)
    )
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) partners_invitation")


@delivers("measured")
def _deliver(message: OutboxMessage, postman: Postman) -> None:
    postman.send(_letter(message.payload["to"]), message.message_key)


def _letter(to: str) -> Letter:
    return Letter(to, "Measured", "A mail.", "<p>A mail.</p>", "en")


def mails(kinds: list[Kind], report: Report) -> None:
    """P10: leaving many mails against publishing a task for each; delivering them against a connection for each.

    The other side of the delivery is generous to it: no broker, no worker, only the mail and the mark that it was sent.
    """
    _enqueue(kinds, report)
    _drain(kinds, report)


def _enqueue(kinds: list[Kind], report: Report) -> None:
    from celery import current_app

    tenant = kinds[0].tenant

    def ours() -> None:
        with recording(Category.SETTINGS, Operation.UPDATE, "measured", tenant=tenant, by=None):
            whole = outbox.leave(Parcel("measured", "0", tenant.pk, after=timedelta(days=1)))
            outbox.split(whole, [{"to": f"to{number}@measured.example"} for number in range(MAILS * 10)])

    def published() -> None:
        for number in range(MAILS):
            current_app.send_task("benchmarks.nobody", [number], queue="measured", retry=False)

    left, sent = once(ours) / (MAILS * 10), once(published) / MAILS
    assert OutboxMessage.objects.filter(kind="measured").count() == MAILS * 10 + 1
    OutboxMessage.objects.filter(kind="measured").delete()
    report.add("P10 leaving a mail against publishing a task", left / sent, 0.05, "0.0125")


def _drain(kinds: list[Kind], report: Report) -> None:
    rows = [
        OutboxMessage(
            kind="measured",
            subject_id=str(number),
            tenant_id=kinds[0].tenant.pk,
            payload={"to": f"to{number}@measured.example"},
            message_key=uuid.uuid4(),
            due_at=_SINCE,
        )
        for number in range(2 * MAILS)
    ]
    one_by_one, own = rows[:MAILS], rows[MAILS:]
    OutboxMessage.objects.bulk_create(one_by_one)

    def alone() -> None:
        for row in OutboxMessage.objects.filter(kind="measured").order_by("pk"):
            with transaction.atomic():
                found = OutboxMessage.objects.select_for_update().get(pk=row.pk)
                _send_alone(found)
                OutboxMessage.objects.filter(pk=row.pk).update(state=OutboxState.SENT, settled_at=_BEFORE, attempts=1)

    seconds = once(alone)
    assert _settled() == MAILS
    OutboxMessage.objects.filter(kind="measured").delete()
    OutboxMessage.objects.bulk_create(own)
    ratio = once(delivery.deliver_due) / seconds
    assert _settled() == MAILS
    report.add(f"P10 delivering {MAILS:,} mails against a connection for each", ratio, 1 / 3, "0.24")


def _settled() -> int:
    return OutboxMessage.objects.filter(kind="measured", state=OutboxState.SENT).count()


def _send_alone(row: Any) -> None:
    mail = EmailMessage("Measured", "A mail.", to=[row.payload["to"]], connection=get_connection())
    mail.send()
