"""The lists over all customers for people's programs and for tools."""

import pytest

from rbac.catalogue import Permission
from rooms.services import approvals
from tests.factories.callers import code, nobody, person, token, tool, wrong
from tests.factories.world import ticket, waiting
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db

NAMES = ("api-all-rooms", "api-all-tickets", "api-all-approvals")


@pytest.fixture
def day():
    return Day()


def items(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


@pytest.mark.parametrize("name", NAMES)
def test_gates(day, name):
    assert code(nobody().get(name)) == (401, "not_authenticated")
    assert code(person(day.contoso.admin).get(name)) == (404, "not_found")
    allowed = 200 if name == "api-all-approvals" else 403
    assert person(day.cora).get(name).status_code == allowed


def test_lists_are_those_of_the_customers(day):
    day.tickets()
    caller = person(day.ann)
    for name, one in (("api-all-rooms", "api-rooms"), ("api-all-tickets", "api-tickets")):
        together = [
            {"customer": {"id": str(customer.tenant.pk), "name": customer.tenant.name}} | item
            for customer in (day.contoso, day.wingtip)
            for item in items(caller.get(one, customer.tenant.pk))
        ]
        assert sorted(items(caller.get(name)), key=lambda item: item["id"]) == sorted(
            together, key=lambda item: item["id"]
        )


def test_approvals_are_those_of_the_customers(day):
    first = waiting(day.ours, day.contoso.rooms[0], day.ann)
    waiting(day.second, day.wingtip.rooms[0], day.ann)
    caller = person(day.ann)
    found = items(caller.get("api-all-approvals"))
    assert [(one["customer"]["name"], one["object"]) for one in found] == [
        ("Wingtip", "Wingtip room 0"),
        ("Contoso", "Contoso room 0"),
    ]
    approvals.withdraw(first, by=day.ann)
    assert len(items(caller.get("api-all-approvals", state="pending", event="rooms.modify"))) == 1
    assert len(items(caller.get("api-all-approvals", customer=day.contoso.tenant.pk, state="withdrawn"))) == 1
    assert items(caller.get("api-all-approvals", customer=day.contoso.tenant.pk, state="pending")) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("query", [{"nonsense": "1"}, {"state": "nonsense"}, {"customer": "foreign"}, {"cursor": "x"}])
def test_what_cannot_be_asked_is_said(day, name, query):
    if query.get("customer"):
        query = {"customer": str(day.tailwind.tenant.pk)}
    answer = person(day.ann).get(name, **query)
    assert code(answer) == (400, "invalid_parameters")
    assert [where for where, _ in wrong(answer)] == list(query)


def test_groups_are_no_filter_here(day):
    assert wrong(person(day.ann).get("api-all-rooms", group="1")) == [("group", "unknown_parameter")]


def test_a_tool_sees_its_one_customer(day):
    day.tickets()
    caller = tool(token(day.ours, day.ann, Permission.ROOMS_VIEW))
    assert {one["customer"]["name"] for one in items(caller.get("api-all-rooms"))} == {"Contoso"}
    assert code(caller.get("api-all-tickets")) == (403, "permission_denied")
    assert wrong(caller.get("api-all-rooms", customer=day.wingtip.tenant.pk)) == [("customer", "invalid_choice")]


@pytest.mark.parametrize("sort", ["customer", "-customer", "name"])
def test_pages_hold_every_room_once(day, sort):
    found, query = [], {"page_size": 2, "sort": sort}
    while True:
        answer = person(day.ann).get("api-all-rooms", **query).json()
        found += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"].partition("cursor=")[2]
    assert sorted(found) == sorted(room.pk for room in day.visible)
    assert len(found) == 5


@pytest.mark.parametrize("customers", [2, 4])
@pytest.mark.parametrize(("name", "expected"), [("api-all-rooms", 5), ("api-all-tickets", 6), ("api-all-approvals", 6)])
def test_many_customers_are_asked_for_as_one(day, django_assert_num_queries, name, expected, customers):
    for number in range(customers - 2):
        day.another(f"Customer{number}")
    for customer in (day.contoso, day.wingtip):
        ticket(customer.rooms[0])
    waiting(day.ours, day.contoso.rooms[0], day.ann)
    caller = person(day.ann)
    with django_assert_num_queries(expected):
        caller.get(name)
