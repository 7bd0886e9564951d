"""`recording`: one transaction, one line, success or failure; what nests, what is undone, what is kept."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from audit import outbox
from audit.context import Line, Origin, origin, recorded
from audit.errors import RuleBroken
from audit.log import CONSTRAINTS, SYSTEM, recording, together
from audit.models import PLATFORM, AuditEvent, ChainLink, OutboxMessage
from audit.outbox import Parcel
from rbac.errors import BuiltInRole, LastMmrAdmin
from rbac.models import AssignmentMember, Role, Tenant, User
from rooms.scopes import Scope
from tests.factories.evidence import Evidence, mark
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.world import assign

TENANT = uuid.UUID(int=1)
OTHER = uuid.UUID(int=2)


class Refused(RuleBroken):
    code = "refused"
    text = "No."


@contextmanager
def note(name: str, *, tenant: uuid.UUID | None = TENANT, by: User | None = None) -> Iterator[Line]:
    with recording("Room", "Update", name, tenant=tenant, by=by) as line:
        yield line


def told(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Name, result and code of each line, in order."""
    return [(one.object_name, one.result, one.code) for one in evidence.events]


def done(*names: str) -> list[tuple[str, str, str]]:
    return [(name, "Successful", "") for name in names]


pytestmark = pytest.mark.django_db


# --- One recording ------------------------------------------------------------------------------


def test_success_leaves_one_line_with_everything_in_it():
    person = UserFactory(upn="ann@fabrikam.example")
    relationship = uuid.uuid4()
    token = origin.set(Origin("request-7", "2001:DB8::0001"))
    evidence = mark()
    try:
        with recording(
            "Role",
            "Create",
            "Desk",
            tenant=person.tenant,
            by=person,
            relationship_id=relationship,
            approver="bob@contoso.example",
        ) as line:
            line.before, line.after = {"n": 1}, {"when": None, "id": relationship}
    finally:
        origin.reset(token)
    [event] = evidence.events
    assert (event.tenant_id, event.category, event.operation, event.object_name) == (
        person.tenant_id,
        "Role",
        "Create",
        "Desk",
    )
    assert (event.result, event.code) == ("Successful", "")
    assert (event.user_id, event.user_tenant_id, event.approver) == (
        person.upn,
        person.tenant_id,
        "bob@contoso.example",
    )
    assert (event.relationship_id, event.request_id, event.ip) == (relationship, "request-7", "2001:db8::1")
    assert (event.before, event.after) == ({"n": 1}, {"when": None, "id": str(relationship)})


def test_job_is_called_system_and_belongs_to_no_tenant():
    evidence = mark()
    with note("job", tenant=None):
        pass
    [event] = evidence.events
    assert (event.tenant_id, event.user_id, event.user_tenant_id) == (PLATFORM, SYSTEM, None)


def test_owner_may_be_a_tenant_or_its_id():
    tenant = TenantFactory()
    evidence = mark()
    for owner in (tenant, tenant.pk):
        with note("x", tenant=owner):
            pass
    assert [one.tenant_id for one in evidence.events] == [tenant.pk] * 2


def test_long_names_are_cut():
    evidence = mark()
    with note("x" * 1000):
        pass
    assert evidence.events[0].object_name == "x" * 300


@pytest.mark.parametrize("ip", ["10.0.0.1", "::1", "FE80::1%eth0", "::ffff:10.0.0.1", "", None, "unix:", "1.2.3.4.5"])
def test_whatever_a_request_says_of_its_address_the_line_is_written(ip):
    token = origin.set(Origin("r", ip))
    evidence = mark()
    try:
        with note("x"):
            pass
    finally:
        origin.reset(token)
    stored = evidence.events[0].ip
    expected = {"FE80::1%eth0": "fe80::1", "": None, "unix:": None, "1.2.3.4.5": None}
    assert stored == expected.get(ip, ip)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionDenied(), "permission_denied"),
        (ValidationError("x", code="upn_form"), "upn_form"),
        (ValidationError({"city": "x"}), "invalid"),
        (Refused(), "refused"),
        (ZeroDivisionError(), "error"),
    ],
)
def test_failure_leaves_one_failed_line_and_nothing_else(error, code):
    evidence = mark()
    refusal = pytest.raises(type(error))
    with refusal as caught, note("x") as line:
        line.before, line.after = {"n": 1}, {"n": 2}
        Tenant.objects.create(name="undone")
        raise error
    assert caught.value is error
    assert told(evidence) == [("x", "Failed", code)]
    assert (evidence.events[0].before, evidence.events[0].after) == ({"n": 1}, None)
    assert evidence.changed() == set()


def test_what_is_not_found_leaves_no_line(caplog):
    evidence = mark()
    refusal = pytest.raises(Http404)
    with caplog.at_level(logging.INFO, logger="trm.security"), refusal, note("secret"):
        Tenant.objects.create(name="undone")
        raise Http404
    assert (evidence.events, evidence.changed()) == ([], set())
    assert ["not found" in record.message for record in caplog.records if record.name == "trm.security"] == [True]


def test_void_line_is_not_written():
    evidence = mark()
    with note("outer"), note("twice") as line:
        line.is_void = True
    assert told(evidence) == done("outer")


def test_nothing_is_left_open():
    with note("x"):
        assert recorded.get() is not None
    assert recorded.get() is None
    with pytest.raises(ZeroDivisionError), note("x"):
        raise ZeroDivisionError
    assert recorded.get() is None


# --- Nested -------------------------------------------------------------------------------------


def test_nested_lines_stand_in_the_order_in_which_they_were_opened_in_one_link():
    evidence = mark()
    with note("1"):
        with note("2"), note("3"):
            pass
        with note("4"):
            pass
    assert told(evidence) == done("1", "2", "3", "4")
    assert [(one.seq, one.position) for one in evidence.events] == [(1, 0), (1, 1), (1, 2), (1, 3)]
    assert ChainLink.objects.get(tenant_id=TENANT).lines == 4


def test_failure_inside_that_nobody_catches_fails_all_of_it():
    evidence = mark()
    refusal = pytest.raises(Refused)
    with refusal, note("1"):
        with note("2"):
            Tenant.objects.create(name="undone")
        with note("3"):
            raise Refused
    assert told(evidence) == [("1", "Failed", "refused"), ("3", "Failed", "refused")]
    assert evidence.changed() == set()


def test_failure_inside_that_is_caught_undoes_its_own_part_only():
    """As a bulk does: one row of many fails, the others stay, and both stand in the log."""
    evidence = mark()
    with note("bulk"):
        for name in ("first", "bad", "last"):
            try:
                with note(name):
                    Tenant.objects.create(name=name)
                    if name == "bad":
                        raise Refused
            except Refused:
                pass
    assert told(evidence) == [*done("bulk", "first"), ("bad", "Failed", "refused"), *done("last")]
    assert set(Tenant.objects.values_list("name", flat=True)) == {"first", "last"}


def test_caught_failure_takes_what_was_nested_in_it_along():
    evidence = mark()
    with note("1"):
        try:
            with note("2"):
                with note("3"):
                    Tenant.objects.create(name="undone")
                raise Refused
        except Refused:
            pass
    assert told(evidence) == [*done("1"), ("2", "Failed", "refused")]
    assert evidence.changed() == set()


def test_caught_failures_are_kept_when_the_whole_fails_later():
    evidence = mark()
    refusal = pytest.raises(PermissionDenied)
    with refusal, note("1"):
        try:
            with note("2"):
                raise Refused
        except Refused:
            pass
        raise PermissionDenied
    assert told(evidence) == [("1", "Failed", "permission_denied"), ("2", "Failed", "refused")]


def test_not_found_inside_leaves_no_line_and_keeps_the_rest():
    evidence = mark()
    with note("1"):
        try:
            with note("2"):
                raise Http404
        except Http404:
            pass
    assert told(evidence) == done("1")


def test_lines_of_several_tenants_go_to_their_own_chains():
    evidence = mark()
    with note("1"), note("2", tenant=OTHER), note("3"):
        pass
    assert [(one.tenant_id, one.object_name) for one in evidence.events] == [
        (TENANT, "1"),
        (TENANT, "3"),
        (OTHER, "2"),
    ]


def test_together_is_one_transaction_and_one_link_without_a_line_of_its_own():
    evidence = mark()
    with together():
        with note("1"):
            pass
        with note("2"):
            pass
    assert told(evidence) == done("1", "2")
    assert {one.seq for one in evidence.events} == {1}


def test_together_fails_together_and_keeps_what_failed():
    evidence = mark()
    refusal = pytest.raises(Refused)
    with refusal, together():
        with note("1"):
            Tenant.objects.create(name="undone")
        with note("2"):
            raise Refused
    assert told(evidence) == [("2", "Failed", "refused")]
    assert evidence.changed() == set()


def test_together_inside_a_recording_is_part_of_it():
    evidence = mark()
    with note("1"), together(), note("2"):
        pass
    assert told(evidence) == done("1", "2")
    assert ChainLink.objects.count() == 1


# --- Constraints --------------------------------------------------------------------------------


def test_deferred_constraint_speaks_before_the_commit_as_its_rule():
    role = Role.objects.create(tenant=TenantFactory(), key="mmr_admin", name="x", permissions=[])
    person = UserFactory(tenant=role.tenant)

    assign(role, person, Scope(all_rooms=True))
    evidence = mark()
    with pytest.raises(LastMmrAdmin), note("last", tenant=role.tenant):
        AssignmentMember.objects.all().delete()
    assert told(evidence) == [("last", "Failed", "last_mmr_admin")]
    assert evidence.changed() == set()


def test_immediate_constraint_speaks_as_its_rule():
    role = Role.objects.create(tenant=TenantFactory(), key="mmr_admin", name="x", permissions=[])
    evidence = mark()
    with pytest.raises(BuiltInRole) as caught, note("role"):
        role.delete()
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert told(evidence) == [("role", "Failed", "built_in_role")]


def test_constraint_that_guards_no_rule_stays_what_it_is():
    tenant = TenantFactory()
    evidence = mark()
    with pytest.raises(IntegrityError), note("x"):
        Tenant.objects.create(pk=uuid.uuid4(), name="y", status="nonsense")
    assert told(evidence) == [("x", "Failed", "error")]
    assert tenant.pk


def test_constraints_are_deferred_again_for_whoever_comes_after_in_the_same_transaction():
    """A recording inside somebody's own transaction leaves it as it found it."""
    with note("x"):
        pass
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rbac_assignmentmember (assignment_id, user_id, since) VALUES (-1, -1, now()) RETURNING id"
        )
        transaction.set_rollback(True)


def test_every_guarded_constraint_exists():
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes")
        names = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname LIKE 'trm_%%'")
        raised = " ".join(source for (source,) in cursor.fetchall())
    assert {name for name in CONSTRAINTS if name not in names and name not in raised} == set()


# --- The outbox ---------------------------------------------------------------------------------


def parcel(subject: str = "1") -> Parcel:
    return Parcel("test.kind", subject, TENANT, {"n": 1})


def test_message_is_left_with_the_change():
    evidence = mark()
    with note("x"):
        outbox.leave(parcel())
    assert evidence.messages == [("test.kind", "1", "waiting")]


def test_message_of_a_failed_change_is_not_left():
    evidence = mark()
    refusal = pytest.raises(Refused)
    with refusal, note("x"):
        outbox.leave(parcel())
        raise Refused
    assert evidence.messages == []


def test_message_of_a_caught_failure_is_not_left():
    evidence = mark()
    with note("1"):
        outbox.leave(parcel("kept"))
        try:
            with note("2"):
                outbox.leave(parcel("undone"))
                raise Refused
        except Refused:
            pass
    assert evidence.messages == [("test.kind", "kept", "waiting")]


def test_refusal_may_leave_a_message_although_all_else_is_undone():
    evidence = mark()
    refusal = pytest.raises(Refused)
    with refusal, note("x"):
        outbox.leave(parcel("undone"))
        raise Refused(parcels=[parcel("told")])
    assert evidence.messages == [("test.kind", "told", "waiting")]
    assert told(evidence) == [("x", "Failed", "refused")]


def test_message_needs_an_open_recording():
    with pytest.raises(RuntimeError, match=r"outbox\.leave needs an open recording"):
        outbox.leave(parcel())
    assert not OutboxMessage.objects.exists()


def test_cancelled_messages_do_not_leave_and_sent_ones_stay_sent():
    with note("x"):
        first, second = outbox.leave(parcel("1")), outbox.leave(parcel("2"))
        OutboxMessage.objects.filter(pk=second.pk).update(state="sent", settled_at=second.due_at)
        assert outbox.cancel("test.kind", ["1", "2", "3"]) == 1
        assert outbox.cancel("other.kind", ["1"]) == 0
    assert dict(OutboxMessage.objects.values_list("pk", "state")) == {first.pk: "cancelled", second.pk: "sent"}


# --- When the log itself fails ------------------------------------------------------------------


def test_change_that_cannot_be_recorded_is_not_made(monkeypatch):
    monkeypatch.setattr("audit.chain.seal", lambda lines, origin, after="": 1 / 0)
    evidence = mark()
    with pytest.raises(ZeroDivisionError), note("x"):
        Tenant.objects.create(name="undone")
    assert (evidence.events, evidence.changed()) == ([], set())


def test_failure_that_cannot_be_recorded_is_still_the_callers(monkeypatch, caplog):
    monkeypatch.setattr("audit.chain.seal", lambda lines, origin, after="": 1 / 0)
    refusal = pytest.raises(Refused)
    with refusal, note("x"):
        raise Refused
    assert "could not be recorded" in caplog.text
    assert not AuditEvent.objects.exists()
