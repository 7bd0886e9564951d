"""The log as a file: eight columns, oldest first, nothing that a spreadsheet would run."""

import csv
import io
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as given_settings

from audit import export
from audit.log import recording
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@pytest.fixture
def tenant() -> uuid.UUID:
    return uuid.uuid4()


def record(tenant: uuid.UUID, name: str, category: str = "User", **fields: object) -> None:
    with recording(category, "Update", name, tenant=tenant, by=None) as line:
        for field, value in fields.items():
            setattr(line, field, value)


def rows(tenant: uuid.UUID, since: datetime = LONG_AGO, before: datetime = FAR_AHEAD) -> list[list[str]]:
    text = b"".join(export.lines(tenant, since, before)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def names(tenant: uuid.UUID, since: datetime = LONG_AGO, before: datetime = FAR_AHEAD) -> list[str]:
    return [row[1] for row in rows(tenant, since, before)[1:]]


def test_file_has_the_eight_columns_and_nothing_else(tenant):
    home = uuid.uuid4()
    record(tenant, "Ann, “the” admin", user_id="ann@contoso.example", user_tenant_id=home, code="x", approver="y")
    record(tenant, "job")
    first, second = AuditEvent.objects.filter(tenant_id=tenant).order_by("id")

    text = b"".join(export.lines(tenant, LONG_AGO, FAR_AHEAD)).decode()

    def at(event: AuditEvent) -> str:
        return event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    assert text.splitlines() == [
        "activity.category,activity.objectName,activity.operation,activity.resultStatus,activity.tenantId,creationTime,"
        "user.userId,user.userTenantId",
        f'User,"Ann, “the” admin",Update,Successful,{tenant},{at(first)},ann@contoso.example,{home}',
        f"User,job,Update,Successful,{tenant},{at(second)},system,",
    ]


def test_file_holds_published_categories_only(tenant):
    for category in ("User", "Assignment", "PartnerInvitation", "Role", "Room", "Settings", "Session", "Key"):
        record(tenant, category.lower(), category)

    assert names(tenant) == ["user", "assignment", "partnerinvitation", "role"]


def test_file_holds_failures(tenant):
    with pytest.raises(ValueError, match="no"), recording("Role", "Delete", "role", tenant=tenant, by=None):
        raise ValueError("no")

    assert rows(tenant)[1][:4] == ["Role", "role", "Delete", "Failed"]


def test_file_holds_one_tenant_only(tenant):
    record(tenant, "ours")
    record(uuid.uuid4(), "theirs")

    assert names(tenant) == ["ours"]


def test_file_holds_the_period_with_its_start_and_without_its_end(tenant, clock):
    for name in ("before", "start", "inside", "end"):
        record(tenant, name)
    start, end = (AuditEvent.objects.get(object_name=name).at for name in ("start", "end"))

    assert names(tenant, start, end) == ["start", "inside"]
    assert names(tenant, start, end + timedelta(microseconds=1)) == ["start", "inside", "end"]


def test_file_is_sorted_oldest_first_in_whatever_slices(tenant, monkeypatch):
    for number in range(9):
        record(tenant, f"{number}", "Room" if number % 4 == 3 else "User")
    with recording("User", "Create", "many", tenant=tenant, by=None):
        for number in range(5):
            record(tenant, f"{number} at once")
    expected = ["0", "1", "2", "4", "5", "6", "8", "many", *(f"{number} at once" for number in range(5))]

    for size in (1, 2, 3, 13, 14, 15, 1000):
        monkeypatch.setattr(export, "SLICE", size)
        assert names(tenant) == expected, size
    times = [row[5] for row in rows(tenant)[1:]]
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_empty_period_is_a_head_only(tenant):
    assert rows(tenant) == [list(export.COLUMNS)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"])
@pytest.mark.parametrize(
    "skipped", ["", " ", "\t", "\r\n", "\x1f", "\x7f", "\u00a0", "\u200b\u2028", "\ufeff", "\u3000"]
)
def test_formula_is_neutralised_in_python_and_in_the_file(tenant, start, skipped):
    text = f"{skipped}{start}1+1"

    assert export.neutralise(text) == f"'{text}"
    record(tenant, text)
    assert names(tenant) == [f"'{text}"]


@pytest.mark.parametrize("text", ["", "a=1", "Ann", "1-2", "'=1", "é", "ß-1", "#1", "(=1)", "\x00a", "😀=", "~", "_"])
def test_harmless_text_is_left_alone(tenant, text):
    assert export.neutralise(text) == text
    if "\x00" not in text:
        record(tenant, text)
        assert names(tenant) == [text]


def test_user_that_looks_like_a_formula_is_neutralised(tenant):
    record(tenant, "x", user_id="-ann@contoso.example")

    assert rows(tenant)[1][6] == "'-ann@contoso.example"


def test_every_first_character_is_judged_alike_by_python_and_database(tenant):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT n, {export._neutral('text')} <> text FROM (SELECT n, chr(n) || '=1' AS text FROM"
            " generate_series(1, 1114111) n WHERE n NOT BETWEEN 55296 AND 57343) characters",
            [export._FORMULA],
        )
        for number, is_changed in cursor:
            text = chr(number) + "=1"
            assert (export.neutralise(text) != text) is is_changed, hex(number)


@given(strategies.text(strategies.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40))
@given_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_whole(tenant, text):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {export._neutral('text')} FROM (SELECT %s::text) t (text)", [export._FORMULA, text])
        assert cursor.fetchone()[0] == export.neutralise(text)
    assert export.neutralise(text) in (text, f"'{text}")


def test_memory_does_not_grow_with_the_log(tenant, monkeypatch):
    monkeypatch.setattr(export, "SLICE", 50)
    peaks = []
    for _ in range(3):
        for number in range(100):
            record(tenant, f"{number} {'x' * 200}")
        tracemalloc.start()
        for _piece in export.lines(tenant, LONG_AGO, FAR_AHEAD):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[2] < peaks[0] * 1.2
