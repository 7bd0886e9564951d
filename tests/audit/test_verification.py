"""Whoever rewrites the log is seen: each test changes it with the owner's rights, past every trigger, and asks again."""

import logging
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from audit import verification
from audit.chain import digest_of, link_digest
from audit.heads import Head, heads
from audit.log import recording
from audit.models import PLATFORM, AuditEvent, ChainLink
from audit.schedule import publish_heads

Rewrite = Callable[..., None]


@pytest.fixture
def tenant(committed_db) -> uuid.UUID:
    """A tenant with four links in its log, the third of two lines; and another tenant with one."""
    tenant, other = uuid.uuid4(), uuid.uuid4()
    for name in ("first", "second"):
        record(tenant, name)
    with recording("Role", "Create", "third", tenant=tenant, by=None):
        record(tenant, "third, inner")
    record(tenant, "fourth")
    record(other, "elsewhere")
    return tenant


def record(tenant: uuid.UUID, name: str) -> None:
    with recording("User", "Update", name, tenant=tenant, by=None) as line:
        line.after = {"name": name, "größe": 1.5, "none": None}


@pytest.fixture
def rewrite(owner_connection: Connection) -> Iterator[Rewrite]:
    """Runs SQL as the tables' owner, with the triggers off that would refuse it."""

    def run(query: str, *parameters: object) -> None:
        with owner_connection.cursor() as cursor:
            cursor.execute(query, parameters)

    for table in ("audit_auditevent", "audit_chainlink"):
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield run
    for table in ("audit_auditevent", "audit_chainlink"):
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def event(tenant: uuid.UUID, name: str) -> AuditEvent:
    return AuditEvent.objects.get(tenant_id=tenant, object_name=name)


def test_verify_whole_log_finds_nothing(tenant):
    assert [verification.verify(one) for one in verification.chains()] == ["", ""]
    assert verification.verify(PLATFORM) == ""


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("object_name", "somebody else"),
        ("user_id", "nobody@contoso.example"),
        ("result", "Failed"),
        ("at", "2026-01-01T00:00:00Z"),
        ("ip", "192.0.2.1"),
        ("user_tenant_id", "0f0e0d0c-0000-4000-8000-000000000001"),
        ("relationship_id", "0f0e0d0c-0000-4000-8000-000000000002"),
        ("approver", "boss@contoso.example"),
        ("after", '{"name": "other"}'),
        ("before", "{}"),
        ("digest", b"\0" * 32),
    ],
)
def test_verify_altered_line_is_named(tenant, rewrite, column, value):
    altered = event(tenant, "second")

    rewrite(f"UPDATE audit_auditevent SET {column} = %s WHERE id = %s", value, altered.pk)

    assert verification.verify(tenant).startswith(f"line 2.0 (row {altered.pk}, ")
    assert verification.verify(tenant).endswith("was altered")


def test_verify_names_the_first_of_several(tenant, rewrite):
    first = event(tenant, "first")

    rewrite("UPDATE audit_auditevent SET code = 'x' WHERE tenant_id = %s", str(tenant))

    assert verification.verify(tenant).startswith(f"line 1.0 (row {first.pk}, ")


def test_verify_line_altered_with_its_digest_breaks_its_link(tenant, rewrite):
    altered = event(tenant, "second")
    altered.object_name = "somebody else"

    rewrite(
        "UPDATE audit_auditevent SET object_name = %s, digest = %s WHERE id = %s",
        altered.object_name,
        digest_of(altered),
        altered.pk,
    )

    link = ChainLink.objects.get(tenant_id=tenant, seq=2)
    assert verification.verify(tenant) == f"link 2 (row {link.pk}) or one of its lines was altered"


def test_verify_link_rewritten_with_its_line_breaks_the_next_link(tenant, rewrite):
    altered = event(tenant, "second")
    altered.object_name = "somebody else"
    link = ChainLink.objects.get(tenant_id=tenant, seq=2)

    rewrite(
        "UPDATE audit_auditevent SET object_name = %s, digest = %s WHERE id = %s",
        altered.object_name,
        digest_of(altered),
        altered.pk,
    )
    rewritten = link_digest(bytes(link.previous), 2, [digest_of(altered)])
    rewrite("UPDATE audit_chainlink SET digest = %s WHERE id = %s", rewritten, link.pk)

    following = ChainLink.objects.get(tenant_id=tenant, seq=3)
    assert verification.verify(tenant) == (
        f"link 3 (row {following.pk}) does not follow link 2: one of them was altered"
    )


def test_verify_removed_line_is_seen(tenant, rewrite):
    rewrite("DELETE FROM audit_auditevent WHERE id = %s", event(tenant, "third, inner").pk)

    link = ChainLink.objects.get(tenant_id=tenant, seq=3)
    assert verification.verify(tenant) == f"lines were removed: link 3 (row {link.pk}) has 1 instead of 2"


def test_verify_copied_line_is_named(tenant, rewrite):
    copy(rewrite, event(tenant, "second"), seq=2, position=1)

    assert verification.verify(tenant).startswith("line 2.1 ")


def test_verify_inserted_line_with_its_digest_is_seen(tenant, rewrite):
    copy(rewrite, event(tenant, "second"), seq=2, position=1)
    inserted = AuditEvent.objects.get(tenant_id=tenant, seq=2, position=1)
    rewrite("UPDATE audit_auditevent SET digest = %s WHERE id = %s", digest_of(inserted), inserted.pk)

    link = ChainLink.objects.get(tenant_id=tenant, seq=2)
    assert verification.verify(tenant) == f"lines were inserted: link 2 (row {link.pk}) has 2 instead of 1"


@pytest.mark.parametrize("seq", [0, -1, 5, 99])
def test_verify_line_without_link_is_seen(tenant, rewrite, seq):
    copy(rewrite, event(tenant, "second"), seq=seq, position=0)

    assert verification.verify(tenant).startswith(f"line {seq}.0 ")
    assert verification.verify(tenant).endswith("was inserted: it belongs to no link")


def test_verify_removed_link_in_the_middle_is_seen(tenant, rewrite):
    rewrite("DELETE FROM audit_chainlink WHERE tenant_id = %s AND seq = 2", str(tenant))
    rewrite("DELETE FROM audit_auditevent WHERE tenant_id = %s AND seq = 2", str(tenant))

    link = ChainLink.objects.get(tenant_id=tenant, seq=3)
    assert verification.verify(tenant) == f"link 2 was removed: link 3 (row {link.pk}) follows link 1"


def test_verify_swapped_lines_are_seen(tenant, rewrite):
    rewrite("UPDATE audit_auditevent SET position = 1 - position + 10 WHERE tenant_id = %s AND seq = 3", str(tenant))
    rewrite("UPDATE audit_auditevent SET position = position - 10 WHERE tenant_id = %s AND seq = 3", str(tenant))

    assert verification.verify(tenant).startswith("line 3.0 ")


def test_cut_off_end_is_seen_by_published_heads_only(tenant, rewrite):
    published = list(heads())

    rewrite("DELETE FROM audit_chainlink WHERE tenant_id = %s AND seq > 2", str(tenant))
    rewrite("DELETE FROM audit_auditevent WHERE tenant_id = %s AND seq > 2", str(tenant))

    assert verification.verify(tenant) == ""
    found = {head.tenant_id: verification.compare(head) for head in published}
    assert found.pop(tenant) == "the chain ends at link 2, but link 4 was published: its end was removed"
    assert list(found.values()) == [""]


def test_removed_chain_is_seen_by_published_heads_only(tenant, rewrite):
    published = list(heads())

    for table in ("audit_chainlink", "audit_auditevent"):
        rewrite(f"DELETE FROM {table} WHERE tenant_id = %s", str(tenant))

    assert tenant not in verification.chains()
    assert [verification.compare(head) for head in published if head.tenant_id == tenant] == [
        "the chain has no link, but link 4 was published: its end was removed"
    ]


def test_chain_written_anew_is_seen_by_published_heads_only(tenant, rewrite):
    published = verification.head_of(tenant)
    assert published is not None

    for table in ("audit_chainlink", "audit_auditevent"):
        rewrite(f"DELETE FROM {table} WHERE tenant_id = %s", str(tenant))
    for name in ("one", "two", "three", "four"):
        record(tenant, name)

    assert verification.verify(tenant) == ""
    assert verification.compare(published).endswith("is not the one that was published: the chain was rewritten")


def test_published_head_holds_while_the_log_grows(tenant):
    published = verification.head_of(tenant)
    assert published is not None

    record(tenant, "fifth")

    assert verification.compare(verification.from_json(verification.as_json(published))) == ""


@pytest.mark.parametrize(
    "line",
    [
        '"audit_head"',
        '{"event": "audit_head"}',
        '{"event": "audit_head", "tenant_id": "x", "seq": 1, "digest": "00", "at": "2026-01-01T00:00:00Z"}',
        f'{{"event": "audit_head", "tenant_id": "{uuid.uuid4()}", "seq": "x", "digest": "00", "at": "2026-01-01"}}',
        '{"event": "audit_head", "tenant_id": ',
    ],
)
def test_head_that_cannot_be_read_raises_value_error(line):
    with pytest.raises(ValueError, match=r"."):
        verification.from_json(line)


def test_other_lines_of_a_log_publish_no_head():
    assert [verification.from_json(line) for line in ("", "x", "{}", '{"event": "started"}')] == [None] * 4


def test_heads_are_read_from_what_the_daily_job_logs(tenant):
    (handler,) = (one for one in logging.getLogger("trm.audit").handlers if type(one) is logging.StreamHandler)
    written = StringIO()
    stream = handler.setStream(written)

    publish_heads()

    handler.setStream(stream)
    for before, after in (("", ""), ("2026-01-01T00:00:00Z worker-1 | ", "\n")):
        lines = [f"{before}{line}{after}" for line in written.getvalue().splitlines()]
        assert [verification.from_json(line) for line in lines] == list(heads())


def test_lines_written_meanwhile_are_no_fault(tenant):
    def write(head: Head) -> None:
        if head.seq == 1:
            record(tenant, "meanwhile")

    assert verification.verify(tenant, write) == ""


def test_command_says_whole_and_prints_heads(tenant):
    printed, said = call("--print-heads")

    assert {verification.from_json(line) for line in printed.splitlines()} == set(heads())
    assert f"tenant {tenant}: 4 links, whole" in said


def test_command_fails_and_names_each_broken_chain(tenant, rewrite):
    rewrite("UPDATE audit_auditevent SET code = 'x'")
    said = StringIO()

    with pytest.raises(CommandError, match="2 faults"):
        call_command("verify_audit", stdout=StringIO(), stderr=said)

    assert said.getvalue().count("was altered") == 2


def test_command_for_one_tenant_leaves_the_others_out(tenant, rewrite):
    rewrite("UPDATE audit_auditevent SET code = 'x' WHERE tenant_id <> %s", str(tenant))

    assert "4 links, whole" in call("--tenant", str(tenant))[1]


def test_command_compares_with_heads_in_a_file(tenant, rewrite, tmp_path: Path):
    file = tmp_path / "heads"
    file.write_text(call("--print-heads")[0])
    call("--heads", str(file))
    rewrite("DELETE FROM audit_chainlink WHERE tenant_id = %s AND seq > 3", str(tenant))
    rewrite("DELETE FROM audit_auditevent WHERE tenant_id = %s AND seq > 3", str(tenant))

    call()
    with pytest.raises(CommandError, match="1 faults"):
        call("--heads", str(file))


def test_command_refuses_a_file_it_cannot_read(committed_db, tmp_path: Path):
    file = tmp_path / "heads"
    with pytest.raises(CommandError, match="cannot be read"):
        call("--heads", str(file))
    file.write_text('\n{"event": "audit_head"}\n')
    with pytest.raises(CommandError, match="line 2"):
        call("--heads", str(file))
    file.write_text("something else\n")
    with pytest.raises(CommandError, match="no published head"):
        call("--heads", str(file))


def test_verify_memory_does_not_grow_with_the_log(committed_db, monkeypatch):
    monkeypatch.setattr(verification, "CHUNK", 50)
    tenant = uuid.uuid4()
    peaks = []
    for _ in range(4):
        for number in range(150):
            record(tenant, f"line {number} {'x' * 200}")
        tracemalloc.start()
        assert verification.verify(tenant) == ""
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[3] < peaks[0] * 1.2


def call(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("verify_audit", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def copy(rewrite: Rewrite, original: AuditEvent, *, seq: int, position: int) -> None:
    rewrite(
        "INSERT INTO audit_auditevent (tenant_id, seq, position, at, category, operation, object_name, result, code,"
        " user_id, approver, request_id, digest) SELECT tenant_id, %s, %s, at, category, operation, object_name,"
        " result, code, user_id, approver, request_id, digest FROM audit_auditevent WHERE id = %s",
        seq,
        position,
        original.pk,
    )
