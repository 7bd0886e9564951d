"""The figures of reports over the API: the reader's rooms only, the same as the page's."""

from datetime import timedelta

import pytest

from rooms.models import Room
from rooms.services import report_sums, usage
from tests.factories import join
from tests.factories.callers import person, wrong
from tests.factories.histories import stretch
from tests.factories.world import World, make, room_group

pytestmark = pytest.mark.django_db
EMPTY = {
    "watched_days": 0,
    "unhealthy_days": 0,
    "reliability_percent": None,
    "used_days": 0,
    "booked_hours": 0.0,
    "usage_percent": None,
    "calls": 0,
    "poor_calls": 0,
    "poor_calls_percent": None,
}


@pytest.fixture
def world(clock) -> World:
    """All rooms have been well for nine days, the third of each customer ill since; half a day's use each."""
    world, now = make(), clock.now()
    Room.objects.update(state="enrolled", health="healthy")
    for customer in (world.contoso, world.tailwind):
        for number, room in enumerate(customer.rooms):
            room.refresh_from_db()
            stretch(room, "unhealthy" if number == 2 else "healthy", now - timedelta(days=9), now - timedelta(hours=1))
            usage.note(room, usage.today_of(room) - timedelta(days=3), booked_minutes=240, calls=4, poor_calls=number)
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    assert report_sums.run()
    return world


def test_the_partner_gets_the_figures_of_his_two_rooms(world):
    answer = person(world.ann).get("api-report-figures", world.contoso.tenant.pk, days=7)
    assert answer.status_code == 200
    found = answer.json()
    assert found["sums"] == {
        "watched_days": 14,
        "unhealthy_days": 0,
        "reliability_percent": 100.0,
        "used_days": 2,
        "booked_hours": 8.0,
        "usage_percent": 50.0,
        "calls": 8,
        "poor_calls": 1,
        "poor_calls_percent": 12.5,
    }
    assert (found["rooms"], found["least_reliable"], len(found["tickets"])) == (2, [], 8)
    assert {one["display_name"] for one in found["most_reliable"]} == {
        room.display_name for room in world.contoso.german
    }


def test_the_admin_gets_those_of_all_rooms_of_his_tenant(world):
    found = person(world.contoso.admin).get("api-report-figures", world.contoso.tenant.pk, days=7).json()
    assert (found["rooms"], found["sums"]["unhealthy_days"], found["sums"]["watched_days"]) == (3, 7, 21)
    assert found["states"] == [{"state": "enrolled", "health": "healthy", "rooms": 3}]
    assert [one["display_name"] for one in found["least_reliable"]] == ["Contoso room 2"]


def test_the_filter_narrows(world):
    group = room_group(world.contoso.tenant, "Ill", world.contoso.rooms[2])
    admin, tenant = person(world.contoso.admin), world.contoso.tenant.pk
    assert admin.get("api-report-figures", tenant, group=group.pk).json()["rooms"] == 1
    assert admin.get("api-report-figures", tenant, partner=world.relationship.delegation_id).json()["rooms"] == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"days": 8}, [("invalid_choice", "days")]),
        ({"group": 99}, [("invalid_choice", "group")]),
        ({"partner": "x"}, [("invalid_choice", "partner")]),
        ({"figure": "x"}, [("unknown_parameter", "figure")]),
    ],
)
def test_what_is_no_choice_is_an_error(world, query, expected):
    answer = person(world.contoso.admin).get("api-report-figures", world.contoso.tenant.pk, **query)
    assert answer.status_code == 400
    assert {code for pair in wrong(answer) for code in pair} == {code for pair in expected for code in pair}


def test_before_the_first_run_everything_is_empty():
    world = make()
    found = person(world.contoso.admin).get("api-report-figures", world.contoso.tenant.pk).json()
    assert (found["as_of"], found["last"], found["rooms"], found["sums"], found["health"]) == (None, None, 0, EMPTY, [])


def test_rooms_one_by_one(world):
    found = person(world.ann).get("api-report-rooms", world.contoso.tenant.pk, days=7, page_size=1).json()
    assert found["next"] is not None
    assert found["items"] == [
        {
            "id": world.contoso.rooms[0].pk,
            "display_name": "Contoso room 0",
            "watched_days": 7,
            "unhealthy_days": 0,
            "reliability_percent": 100.0,
            "unhealthy_minutes": 0,
            "used_days": 1,
            "booked_hours": 4.0,
            "usage_percent": 50.0,
            "calls": 4,
            "poor_calls": 0,
            "poor_calls_percent": 0.0,
        }
    ]


@pytest.mark.parametrize(("name", "statements"), [("api-report-figures", 10), ("api-report-rooms", 6)])
def test_statements_do_not_grow_with_the_rooms(world, django_assert_num_queries, name, statements):
    admin = person(world.contoso.admin)
    for gone in (0, 2):
        Room.objects.filter(pk__in=[room.pk for room in world.contoso.rooms[:gone]]).update(state="onboarding")
        with django_assert_num_queries(statements):
            admin.get(name, world.contoso.tenant.pk)
