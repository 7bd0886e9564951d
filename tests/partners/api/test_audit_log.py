"""The audit log over the API: the lines of the page, its filters, and nobody else's."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.clock import now
from audit.models import AuditEvent
from rooms.services.rooms import modify
from tests.factories.callers import person, wrong
from tests.factories.world import join, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def admin(world):
    return person(world.contoso.admin)


def test_lines_come_newest_first_with_all_that_is_known(world, admin):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    modify(world.contoso.german[0], by=ann, changes={"capacity": 7})
    answer = admin.get("api-audit-log", world.contoso.tenant.pk)
    newest, *older = answer.json()["items"]
    event = AuditEvent.objects.filter(tenant_id=world.contoso.tenant.pk).latest("pk")
    assert newest == {
        "id": event.pk,
        "at": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "category": "Room",
        "operation": "Update",
        "object": "Contoso room 0",
        "result": "Successful",
        "code": "",
        "user": ann.upn,
        "user_tenant": str(ann.tenant_id),
        "partner": str(relationship.pk),
        "approver": "",
        "request_id": event.request_id,
        "ip": None,
        "before": {"capacity": None},
        "after": {"capacity": 7},
    }
    assert [one["id"] for one in older] == sorted((one["id"] for one in older), reverse=True)
    assert AuditEvent.objects.filter(tenant_id=world.contoso.tenant.pk).count() == len(older) + 1


def test_pages_hold_every_line_once(world, admin):
    join(world.contoso, world.fabrikam, "ann")
    found, answer = [], admin.get("api-audit-log", world.contoso.tenant.pk, page_size=2).json()
    while True:
        found += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        answer = admin.client.get(answer["next"].partition("8000")[2] or answer["next"]).json()
    assert found == list(
        AuditEvent.objects.filter(tenant_id=world.contoso.tenant.pk).order_by("-at", "-pk").values_list("pk", flat=True)
    )


def test_filters_say_what_a_partner_did(world, admin):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    foreign, _ = join(world.tailwind, world.fabrikam, "ann")
    modify(world.contoso.german[0], by=ann, changes={"capacity": 7})
    place = world.contoso.tenant.pk

    def objects(**query):
        return [one["object"] for one in admin.get("api-audit-log", place, **query).json()["items"]]

    assert objects(partner=relationship.pk, category="Room") == ["Contoso room 0"]
    assert objects(user="ann@", category="Room", result="Failed") == []
    assert wrong(admin.get("api-audit-log", place, partner=foreign.pk)) == [("partner", "invalid_choice")]


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ({"category": "Weather"}, [("category", "invalid_choice")]),
        ({"start": "yesterday"}, [("start", "invalid")]),
        ({"partner": "x"}, [("partner", "invalid_id")]),
        ({"colour": "red"}, [("colour", "unknown_parameter")]),
        ({"cursor": "x"}, [("cursor", "unreadable_cursor")]),
    ],
)
def test_what_cannot_be_asked_is_named(world, admin, query, errors):
    answer = admin.get("api-audit-log", world.contoso.tenant.pk, **query)
    assert (answer.status_code, wrong(answer)) == (400, errors)


def test_period_is_that_of_the_page(world, admin):
    long_ago = (now() - timedelta(days=200)).date().isoformat()
    answer = admin.get("api-audit-log", world.contoso.tenant.pk, start=long_ago)
    assert wrong(answer) == [("start", "too_old")]


def test_queries_do_not_grow(world, admin):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get("api-audit-log", world.contoso.tenant.pk).status_code == 200
        return len(captured)

    join(world.contoso, world.fabrikam, "ann")
    for_one = queries()
    join(world.contoso, world.northwind, "nora")
    assert (for_one, queries()) == (8, 8)
