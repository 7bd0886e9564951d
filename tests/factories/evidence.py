"""What a call left behind: lines in the log, messages in the outbox, rows that changed. For exact comparisons."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max

from audit.models import PLATFORM, AuditEvent, OutboxMessage
from rbac.models import Tenant

# Written also by a change that fails; compared for themselves.
_LOG = ("audit_auditevent", "audit_chainlink", "audit_outboxmessage")
_TABLES = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> ALL(%s) ORDER BY 1
"""


def as_text(event: AuditEvent) -> str:
    """A line as the tests write it: `Contoso: Role/Create Primary admin Successful admin@contoso.example`."""
    tenant = Tenant.objects.filter(pk=event.tenant_id).first()
    where = "platform" if event.tenant_id == PLATFORM else tenant.name if tenant else "unknown"
    result = f"{event.result}({event.code})" if event.code else event.result
    return f"{where}: {event.category}/{event.operation} {event.object_name} {result} {event.user_id}"


@dataclass
class Evidence:
    """The log and the outbox since the mark was set."""

    last_event: int = 0
    last_message: int = 0
    rows: dict[str, str] = field(default_factory=dict)

    @property
    def events(self) -> list[AuditEvent]:
        return list(AuditEvent.objects.filter(pk__gt=self.last_event).order_by("pk"))

    @property
    def lines(self) -> list[str]:
        return [as_text(event) for event in self.events]

    @property
    def messages(self) -> list[tuple[str, str, str]]:
        """Kind, subject and state of each message left since."""
        found = OutboxMessage.objects.filter(pk__gt=self.last_message).order_by("pk")
        return [(one.kind, one.subject_id, one.state) for one in found]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.messages]

    def changed(self) -> set[str]:
        """The tables (log and outbox aside) whose content is not what it was."""
        now = fingerprints()
        return {table for table in now if now[table] != self.rows[table]}


def mark() -> Evidence:
    """From here on."""
    event = AuditEvent.objects.aggregate(last=Max("pk"))["last"] or 0
    message = OutboxMessage.objects.aggregate(last=Max("pk"))["last"] or 0
    return Evidence(event, message, fingerprints())


def fingerprints() -> dict[str, str]:
    """The content of every table but the log and the outbox, as digests."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [list(_LOG)])
        tables = [name for (name,) in cursor.fetchall()]
        parts = [
            f"SELECT '{name}', coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {name} t"
            for name in tables
        ]
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


@contextmanager
def leaves(*lines: str) -> Iterator[Evidence]:
    """The block leaves exactly these lines, in this order within a tenant: each has a chain of its own."""
    evidence = mark()
    yield evidence
    assert sorted(evidence.lines, key=_tenant_of) == sorted(lines, key=_tenant_of)


def _tenant_of(line: str) -> str:
    return line.partition(":")[0]


def refused(error: type[Exception], call: Callable[[], Any], *lines: str, code: str = "") -> Evidence:
    """The call raises `error` (with `code`), changes nothing, and leaves exactly these lines."""
    evidence = mark()
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    if code:
        assert caught.value.code == code
    assert evidence.changed() == set()
    assert evidence.lines == list(lines)
    return evidence
