"""Settings > General > Audit logs: who may see it, which days, and the file."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import escape

from audit import extended_export, listing
from audit.clock import now
from audit.log import recording
from audit.models import PUBLISHED_CATEGORIES, AuditEvent, Category
from partners.services import relationships
from rbac.catalogue import BuiltIn, Permission
from rbac.models import User
from rooms import change_control
from rooms.services.rooms import modify
from tests.factories.evidence import leaves
from tests.factories.world import World, ask_first, asked, assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def admin(world: World) -> Client:
    return browser(world.contoso.admin)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="rbac.backends.LocalAccounts")
    return client


def page(world: World) -> str:
    return reverse("audit_logs", args=[world.contoso.tenant.pk])


def full(world: World) -> str:
    return reverse("audit_download_all", args=[world.contoso.tenant.pk])


def file(world: World) -> str:
    return reverse("audit_download", args=[world.contoso.tenant.pk])


def today() -> date:
    return now().astimezone(UTC).date()


def day(days_ago: int) -> str:
    return (today() - timedelta(days=days_ago)).isoformat()


def shown(answer) -> list[str]:
    return [event.object_name for event in answer.context["events"]]


def record(world: World, name: str, category: str = "User", **fields: object) -> None:
    with recording(category, "Update", name, tenant=world.contoso.tenant.pk, by=world.contoso.admin) as line:
        for field, value in fields.items():
            setattr(line, field, value)


def test_page_is_for_mmr_admins_only(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    suspended, (zed,) = join(world.contoso, world.northwind, "zed")
    relationships.suspend(suspended, by=world.contoso.admin)
    viewer = world.contoso.person("vera")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW), viewer, over(*world.contoso.rooms))
    narrow = world.contoso.person("nora")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_MODIFY), narrow, over(*world.contoso.german))
    expected = {
        world.contoso.admin: 200,
        world.contoso.member(BuiltIn.SITE_LEAD, "lea"): 403,
        world.contoso.member(BuiltIn.SITE_TECH, "tess"): 403,
        viewer: 403,
        narrow: 403,
        world.contoso.person("nobody"): 403,
        ann: 403,
        zed: 404,
        world.tailwind.admin: 404,
    }

    for person, status in expected.items():
        client = browser(person)
        for address in (page(world), file(world), full(world)):
            assert client.get(address).status_code == status, (person, address)
    assert relationship.state == "active"


def test_anonymous_is_sent_to_sign_in(world, client):
    for address in (page(world), file(world), full(world)):
        assert client.get(address)["Location"] == f"/sign-in/?next={address}"


def test_unknown_tenant_is_not_found(world, admin):
    address = page(world).replace(str(world.contoso.tenant.pk), "7c4f1b0e-65a3-4be4-9ad3-5fe1f1a4a2b7")

    assert admin.get(address).status_code == 404


def test_nothing_but_get_is_answered(world, admin):
    for address in (page(world), file(world), full(world)):
        assert admin.post(address).status_code == 405


def test_period_is_the_last_30_days_at_first(world, admin):
    answer = admin.get(page(world))

    period = answer.context["period"]
    assert (period["start"].value(), period["end"].value()) == (day(30), day(0))
    text = answer.content.decode()
    for name, chosen in (("start", day(30)), ("end", day(0))):
        assert f'<input type="date" name="{name}" value="{chosen}" min="{day(180)}" max="{day(0)}"' in text
    assert "UTC (Coordinated Universal Time)" in text


@pytest.mark.parametrize(
    ("start", "end", "code", "field"),
    [
        ("181", "0", "too_old", "start"),
        ("400", "300", "too_old", "end"),
        ("0", "-1", "future", "end"),
        ("-2", "-1", "future", "start"),
        ("1", "2", "reversed", "end"),
        ("", "0", "required", "start"),
        ("x", "0", "invalid", "start"),
        ("0", "2026-13-01", "invalid", "end"),
    ],
)
def test_period_that_cannot_be_is_said_at_the_field(world, admin, start, end, code, field):
    asked = {
        name: day(int(text)) if text.lstrip("-").isdigit() else text
        for name, text in {"start": start, "end": end}.items()
    }

    for address, status in ((page(world), 200), (file(world), 400), (full(world), 400)):
        answer = admin.get(address, asked)
        assert answer.status_code == status
        assert code in {error.code for error in answer.context["period"].errors.as_data()[field]}
        assert "events" not in answer.context
        text = answer.content.decode()
        assert "needs your attention" in text or "need your attention" in text
        assert f'value="{escape(asked["start"])}"' in text or not asked["start"]


def test_messages_say_what_to_do(world, admin):
    earliest = date_format(today() - timedelta(days=180), "DATE_FORMAT")

    def said(start: str, end: str) -> str:
        return admin.get(page(world), {"start": start, "end": end}).content.decode()

    assert f"The log goes back 180 days. Choose {earliest} or a later day." in said(day(181), day(0))
    assert "The end date is before the start date." in said(day(1), day(2))
    assert "This day is in the future. Choose today or an earlier day." in said(day(1), day(-1))


def test_180_days_are_enough(world, admin):
    assert admin.get(file(world), {"start": day(180), "end": day(180)}).status_code == 200


def test_today_is_the_databases(world, admin, clock):
    clock.move(timedelta(days=3))

    assert admin.get(page(world)).context["period"]["end"].value() == day(0)
    assert admin.get(file(world), {"start": day(0), "end": day(0)}).status_code == 200


def test_download_is_a_file_of_the_period(world, admin):
    answer = admin.get(file(world), {"start": day(7), "end": day(0)})

    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="audit-logs_{day(7)}_{day(0)}.csv"'
    assert "no-store" in answer["Cache-Control"]
    found = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert found[0][0] == "activity.category"
    events = AuditEvent.objects.filter(tenant_id=world.contoso.tenant.pk, category__in=["User", "Assignment", "Role"])
    assert [row[1] for row in found[1:]] == [event.object_name for event in events.order_by("id")]


def test_both_days_are_included(world, admin, clock):
    midnight = datetime.combine(today() + timedelta(days=2), datetime.min.time(), UTC)
    moments = {"eve": -1, "first second": 1, "last second": 86_399, "day after": 86_401}
    for name, second in moments.items():
        clock.restore()
        clock.move(midnight + timedelta(seconds=second) - now())
        record(world, name)
    wanted = midnight.date().isoformat()

    answer = admin.get(file(world), {"start": wanted, "end": wanted})

    assert [row[1] for row in csv.reader(io.StringIO(answer.getvalue().decode()))][1:] == [
        "first second",
        "last second",
    ]


def test_download_changes_nothing_and_is_in_the_security_log(world, admin, caplog):
    caplog.set_level("INFO", "trm.security")

    with leaves():
        admin.get(file(world), {"start": day(7), "end": day(0)}).getvalue()

    (line,) = [entry.getMessage() for entry in caplog.records if "downloaded" in entry.getMessage()]
    assert line == (f"audit log of {world.contoso.tenant.pk} downloaded by admin@contoso.example: {day(7)} to {day(0)}")


def test_page_shows_the_lines_of_the_file_newest_first(world, admin):
    record(world, "older")
    record(world, "room change", "Room")
    record(world, "newer", "Role")
    with recording("User", "Update", "foreign", tenant=world.tailwind.tenant.pk, by=None):
        pass

    names = shown(admin.get(page(world)))

    assert names[:3] == ["newer", "room change", "older"]
    names.remove("room change")  # not among the published categories
    downloaded = admin.get(file(world)).getvalue().decode()
    published = [
        event.object_name
        for event in AuditEvent.objects.filter(
            category__in=PUBLISHED_CATEGORIES, tenant_id=world.contoso.tenant.pk
        ).order_by("-id")
    ]
    assert [row[1] for row in csv.reader(io.StringIO(downloaded))][1:] == published[::-1]
    assert set(published) == set(names)


def test_filters_narrow_the_page(world, admin):
    record(world, "by ann", user_id="ann@fabrikam.example")
    record(world, "failed", "Role", result="Failed", code="permission_denied")

    def filtered(**asked: str) -> list[str]:
        return shown(admin.get(page(world), asked))

    assert filtered(user="Ann@Fabri") == ["by ann"]
    assert filtered(user="%") == []
    assert filtered(category="Role") == ["failed"]
    assert filtered(result="Failed") == ["failed"]
    assert filtered(category="Role", result="Successful") == []
    text = admin.get(page(world), {"result": "Failed"}).content.decode()
    assert "permission_denied" in text
    assert "Reset filters" in text


def test_filter_that_is_none_is_said(world, admin):
    answer = admin.get(page(world), {"category": "Weather"})

    assert answer.status_code == 200
    assert "events" not in answer.context
    assert answer.context["filters"].errors.as_data()["category"][0].code == "invalid_choice"


@pytest.mark.parametrize(
    "query",
    ["x=1", "older=x", "newer=2026-01-01_1", "older=2026-01-01T00:00:00%2B00:00_", "older=_1", "user=%00"]
    + [f"older=2026-01-01T00:00:00%2B00:00_{number}" for number in ("-1", 2**63, "1e9", "x")],
)
def test_unreadable_address_is_a_bad_request(world, admin, query):
    assert admin.get(f"{page(world)}?{query}").status_code == 400


def test_unknown_parameter_of_the_download_is_a_bad_request(world, admin):
    assert admin.get(file(world), {"category": "User"}).status_code == 400


def test_pages_go_down_and_up_again(world, admin, monkeypatch):
    monkeypatch.setattr(listing, "SIZE", 3)
    for number in range(8):
        record(world, f"line {number}", "Role")
    asked = {"category": "Role"}

    down = [admin.get(page(world), asked)]
    while down[-1].context["page"]["next_url"]:
        down.append(admin.get(page(world) + down[-1].context["page"]["next_url"]))
    assert [shown(answer) for answer in down] == [
        ["line 7", "line 6", "line 5"],
        ["line 4", "line 3", "line 2"],
        ["line 1", "line 0"],
    ]
    assert [bool(answer.context["page"]["previous_url"]) for answer in down] == [False, True, True]
    assert all("category=Role" in answer.context["page"]["previous_url"] for answer in down[1:])

    up = [down[-1]]
    while up[-1].context["page"]["previous_url"]:
        up.append(admin.get(page(world) + up[-1].context["page"]["previous_url"]))
    assert [shown(answer) for answer in up[1:]] == [
        ["line 4", "line 3", "line 2"],
        ["line 7", "line 6", "line 5"],
    ]


def test_new_lines_move_no_page(world, admin, monkeypatch):
    monkeypatch.setattr(listing, "SIZE", 2)
    for number in range(4):
        record(world, f"line {number}", "Role")
    first = admin.get(page(world), {"category": "Role"})

    record(world, "meanwhile", "Role")

    second = admin.get(page(world) + first.context["page"]["next_url"])
    assert shown(second) == ["line 1", "line 0"]
    assert shown(admin.get(page(world) + second.context["page"]["previous_url"])) == ["line 3", "line 2"]


def test_empty_log_says_so(world, admin, clock):
    clock.move(timedelta(days=100))

    assert "Nothing happened" in admin.get(page(world)).content.decode()
    assert "No entry fits" in admin.get(page(world), {"user": "ann"}).content.decode()


def test_names_are_escaped(world, admin):
    record(world, "<script>alert(1)</script>")

    text = admin.get(page(world)).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;" in text


def test_page_needs_as_many_queries_for_three_lines_as_for_one(world, admin):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(page(world), {"category": "Role"}).status_code == 200
        return len(captured)

    record(world, "one", "Role")
    for_one = queries()
    record(world, "two", "Role")
    record(world, "three", "Role")

    assert (for_one, queries()) == (8, 8)


# --- the whole log ------------------------------------------------------------------------------------------------


def whole(admin: Client, world: World, form: str, **asked: str) -> str:
    answer = admin.get(full(world), {"format": form, **asked})
    assert (answer.status_code, answer.streaming) == (200, True)
    return answer.getvalue().decode()


def test_what_did_this_partner_do_is_a_filter_of_page_and_export(world, admin):
    """Its people's work, refused and approved things too; not what the customer did to it, nor another partner's."""
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    other, (nora,) = join(world.contoso, world.northwind, "nora")
    ask_first(other)
    room = world.contoso.german[0]
    modify(room, by=ann, changes={"capacity": 7})
    with pytest.raises(PermissionDenied):
        modify(world.contoso.rooms[2], by=ann, changes={"capacity": 7})
    request = asked(
        lambda: change_control.submit(
            Permission.ROOMS_MODIFY, world.contoso.german[1], by=nora, changes={"capacity": 8}
        )
    )
    change_control.approve(request, by=world.contoso.admin)
    theirs = str(relationship.delegation_id)

    found = admin.get(page(world), {"partner": theirs, "category": "Room"})
    assert shown(found) == ["Contoso room 2", "Contoso room 0"]
    assert "Fabrikam" in found.content.decode() or "fabrikam.example" in found.content.decode()
    rows = [json.loads(line) for line in whole(admin, world, "jsonl", partner=theirs, category="Room").splitlines()]
    assert [(row["object"], row["result"], row["after"]) for row in rows] == [
        ("Contoso room 0", "Successful", {"capacity": 7}),
        ("Contoso room 2", "Failed", None),
    ]
    assert {(row["user"], row["relationship_id"]) for row in rows} == {(ann.upn, theirs)}
    rows = [json.loads(line) for line in whole(admin, world, "jsonl", partner=str(other.delegation_id)).splitlines()]
    assert [(row["category"], row["user"], row["approver"]) for row in rows][-2:] == [
        ("Approval", nora.upn, ""),
        ("Room", nora.upn, world.contoso.admin.upn),
    ]
    assert "approved by" in admin.get(page(world), {"partner": str(other.delegation_id)}).content.decode()


def test_partner_of_another_customer_is_no_choice(world, admin):
    relationship, _ = join(world.tailwind, world.fabrikam, "ann")
    answer = admin.get(full(world), {"partner": str(relationship.delegation_id)})
    assert (answer.status_code, answer.streaming) == (400, False)
    assert "fabrikam" not in answer.content.decode()


def test_whole_log_as_csv_runs_nothing_and_holds_every_category(world, admin):
    for category in Category:
        record(world, f"=1+1 {category}", category, before={"a": "é"}, request_id="r")
    rows = list(csv.DictReader(io.StringIO(whole(admin, world, "csv"), newline="")))
    assert list(rows[0]) == list(extended_export.COLUMNS)
    assert [row["object"] for row in rows[-len(Category) :]] == [f"'=1+1 {category}" for category in Category]
    assert rows[-1]["before"] == '{"a": "é"}'
    assert rows[-1]["time"].endswith("Z")
    with_all = AuditEvent.objects.filter(tenant_id=world.contoso.tenant.pk)
    assert len(rows) == with_all.count()
    assert {row["seq"] for row in rows} == {str(one.seq) for one in with_all}


def test_whole_log_goes_on_over_slices(world, admin, monkeypatch):
    monkeypatch.setattr(extended_export, "SLICE", 2)
    for number in range(5):
        record(world, f"line {number}", "Key")
    rows = whole(admin, world, "jsonl", category="Key").splitlines()
    assert [json.loads(row)["object"] for row in rows] == [f"line {number}" for number in range(5)]


def test_file_of_the_whole_log_is_named_and_in_the_security_log(world, admin, caplog):
    caplog.set_level("INFO", "trm.security")
    answer = admin.get(full(world), {"format": "jsonl", "start": day(7), "end": day(0)})
    assert answer["Content-Type"] == "application/jsonl; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="audit-log-in-full_{day(7)}_{day(0)}.jsonl"'
    answer.getvalue()
    assert any("downloaded by admin@contoso.example" in entry.getMessage() for entry in caplog.records)


@pytest.mark.parametrize("query", ["format=xml", "older=x", "x=1", "format="])
def test_whole_log_refuses_what_it_does_not_know(world, admin, query):
    assert admin.get(f"{full(world)}?{query}").status_code == 400
