"""What ends soon over all customers: of whom, when, in which order; nothing that the customers' pages would not show."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from audit.clock import now
from partners.services import relationships, tokens
from rbac.catalogue import Permission
from rbac.models import Assignment, Delegation
from tests.factories.browsing import browser, links, text
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.world import found_customer, invite, waiting
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db
URL = "/all/expiring/"


def ends(days):
    return now() + timedelta(days=days)


@pytest.fixture
def day():
    """One of each kind for Ann, on five days; and as much of others that is none of hers."""
    day = Day()
    found = day.world.fabrikam
    invite(day.tailwind, day.ann.upn)  # 14 days
    invite(day.contoso, "joe@fabrikam.example")
    Delegation.objects.filter(pk=day.second.delegation_id).update(valid_until=ends(20))
    Delegation.objects.exclude(tenant__in=[day.contoso.tenant, day.wingtip.tenant]).update(valid_until=ends(1))
    day.assigned = day.role(day.ben, Permission.ROOMS_VIEW, Permission.TICKETS_VIEW)
    Assignment.objects.filter(pk=day.assigned.pk).update(valid_until=ends(25), name="Holiday cover")
    day.token, _ = tokens.issue(
        day.ours.delegation, "bridge", by=day.ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=3)
    )
    tokens.issue(day.ours.delegation, "Ben's", by=day.ben, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=3))
    revoked, _ = tokens.issue(
        day.ours.delegation, "revoked", by=day.ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=3)
    )
    tokens.revoke(revoked, by=day.ann)
    day.request = waiting(day.ours, day.contoso.rooms[0], day.ann)  # 7 days
    assert found.tenant
    return day


def rows(answer):
    return re.findall(r'class="row-link"[^>]*>([^<]*)</a>', answer.content.decode())


EVERYTHING = ["bridge", "Contoso room 0", "Tailwind", "Wingtip", "Holiday cover"]


def test_what_ends_first_comes_first_and_leads_to_its_customer(day):
    answer = browser(day.ann).get(URL)
    assert rows(answer) == EVERYTHING
    contoso, base = day.contoso.tenant.pk, day.assigned
    assert {
        reverse("customer_tokens", args=[contoso]),
        reverse("approval", args=[contoso, day.request.pk]),
        reverse("customer", args=[day.wingtip.tenant.pk]),
        reverse("assignment", args=[contoso, base.role_id, base.pk]),
    } <= links(answer)
    assert reverse("invitation", args=[day.tailwind.tenant.invitations.get(upn=day.ann.upn).pk]) in links(answer)


def test_others_see_their_own(day):
    assert rows(browser(day.ben).get(URL)) == ["Ben&#x27;s", "Holiday cover"]
    assert reverse("assignment", args=[day.contoso.tenant.pk, day.assigned.role_id, day.assigned.pk]) not in links(
        browser(day.ben).get(URL)
    )
    assert "Nothing ends soon" in text(browser(day.cora).get(URL))
    assert [browser(one).get(URL).status_code for one in (day.contoso.admin, day.world.fabrikam.person("joe"))] == [
        404,
        404,
    ]
    assert browser().get(URL).status_code == 302


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?within=7", ["bridge", "Contoso room 0"]),
        ("?within=90", EVERYTHING),
        ("?within=all", EVERYTHING),
        ("?kind=token", ["bridge"]),
        ("?kind=invitation", ["Tailwind"]),
        ("?customer={wingtip}", ["Wingtip"]),
        ("?customer={contoso}&within=30", ["bridge", "Contoso room 0", "Holiday cover"]),
        ("?kind=approval&customer={wingtip}", []),
    ],
)
def test_the_list_is_filtered(day, query, expected):
    query = query.format(wingtip=day.wingtip.tenant.pk, contoso=day.contoso.tenant.pk)
    assert rows(browser(day.ann).get(URL + query)) == expected


@pytest.mark.parametrize("query", ["?nonsense=1", "?kind=room", "?within=8", "?customer={foreign}", "?cursor=x"])
def test_what_cannot_be_asked_is_a_bad_request(day, query):
    query = query.format(foreign=day.tailwind.tenant.pk)
    assert browser(day.ann).get(URL + query).status_code == 400
    assert code(person(day.ann).client.get("/api/v1" + URL + query)) == (400, "invalid_parameters")


def test_what_is_over_and_what_was_taken_away_is_gone(day, clock):
    relationships.suspend(day.ours, by=day.contoso.admin)
    assert rows(browser(day.ann).get(URL)) == ["Tailwind", "Wingtip"]
    relationships.resume(day.ours, by=day.contoso.admin)
    clock.move(timedelta(days=15))
    assert rows(browser(day.ann).get(URL)) == ["Wingtip", "Holiday cover"]


def test_pages_go_through_all_kinds_once_and_back(day):
    caller, found, cursors = person(day.ann), [], []
    query = {"page_size": 2, "within": "all"}
    while True:
        answer = caller.get("api-all-expiring", **query).json()
        found += [one["name"] for one in answer["items"]]
        if answer["next"] is None:
            break
        query["cursor"] = re.search(r"cursor=([^&]+)", answer["next"])[1]
        cursors.append(query["cursor"])
    assert found == EVERYTHING
    assert len(cursors) == 2
    back = re.search(r"cursor=([^&]+)", answer["previous"])[1]
    again = caller.get("api-all-expiring", page_size=2, within="all", cursor=back).json()
    assert [one["name"] for one in again["items"]] == EVERYTHING[2:4]


def test_many_at_the_same_moment_are_told_once_each(day):
    moment = ends(10)
    for number in range(5):
        one = day.role(day.ben, Permission.ROOMS_VIEW)
        Assignment.objects.filter(pk=one.pk).update(valid_until=moment, name=f"Cover {number}")
    Delegation.objects.filter(pk=day.second.delegation_id).update(valid_until=moment)
    found, query = [], {"page_size": 2, "within": "all"}
    while True:
        answer = person(day.ann).get("api-all-expiring", **query).json()
        found += [(one["kind"], one["key"]) for one in answer["items"]]
        if answer["next"] is None:
            break
        query["cursor"] = re.search(r"cursor=([^&]+)", answer["next"])[1]
    assert len(found) == len(set(found)) == 10


def test_the_api_says_what_the_page_says(day):
    items = person(day.ann).get("api-all-expiring").json()["items"]
    assert [one["name"] for one in items] == EVERYTHING
    assert [one["kind"] for one in items] == ["token", "approval", "invitation", "relationship", "assignment"]
    assert items[0]["customer"] == {"id": str(day.contoso.tenant.pk), "name": "Contoso"}
    assert items[0]["key"] == day.token.token_key


def test_a_tool_is_told_of_its_one_customer_and_of_no_tokens(day):
    secret = token(day.ours, day.ann, *[Permission.ROLES_VIEW, Permission.ROOMS_VIEW])
    items = tool(secret).get("api-all-expiring", within="all").json()["items"]
    assert [one["name"] for one in items] == ["Contoso room 0", "Holiday cover"]
    other = tool(secret).get("api-all-expiring", customer=day.wingtip.tenant.pk)
    assert wrong(other) == [("customer", "invalid_choice")]


@pytest.mark.parametrize("count", [1, 3])
def test_it_costs_the_same_for_many(day, django_assert_num_queries, count):
    for number in range(count):
        customer = day.another(f"Customer{number}")
        Delegation.objects.filter(tenant=customer.tenant).update(valid_until=ends(2))
        invite(found_customer(f"Prospect{number}"), day.ann.upn)
    client = browser(day.ann)
    with django_assert_num_queries(9):
        client.get(URL)
    with django_assert_num_queries(8):
        client.get("/api/v1" + URL)
