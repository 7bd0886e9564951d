"""Rooms, tickets and approvals over all customers: exactly what the customers' own pages show together."""

import csv
import io
import re

import pytest
from django.urls import reverse

from partners.services import relationships
from rbac.catalogue import Permission
from rbac.models import Tenant, TenantStatus
from rooms import scopes
from rooms.exports import COLUMNS, TICKET_COLUMNS
from rooms.models import Ticket
from rooms.services import approvals
from tests.factories.browsing import browser, links, text
from tests.factories.world import over, ticket, waiting
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db

PAGES = ("all_rooms", "all_tickets", "all_approvals")
FILES = ("all_rooms_export", "all_tickets_export")


@pytest.fixture
def day():
    return Day()


def rows(answer):
    return re.findall(r'class="row-link"[^>]*>([^<]*)</a>', answer.content.decode())


def get(person, name, query=""):
    return browser(person).get(reverse(name) + query)


def names(rooms):
    return sorted(room.display_name for room in rooms)


def lines(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode().lstrip("\ufeff"))))


# --- Gates ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [*PAGES, *FILES])
def test_anonymous_signs_in_first(name):
    answer = get(None, name)
    assert (answer.status_code, answer.url.split("?")[0]) == (302, "/sign-in/")


@pytest.mark.parametrize("name", [*PAGES, *FILES])
def test_who_works_for_nobody_finds_nothing(day, name):
    people = (day.contoso.admin, day.world.fabrikam.person("joe"), day.world.northwind.person("owner"))
    assert [get(person, name).status_code for person in people] == [404, 404, 404]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all_rooms", [200, 200, 403]),
        ("all_rooms_export", [200, 200, 403]),
        ("all_tickets", [200, 403, 403]),
        ("all_tickets_export", [200, 403, 403]),
        ("all_approvals", [200, 200, 200]),
    ],
)
def test_what_is_held_for_no_customer_is_refused(day, name, expected):
    assert [get(person, name).status_code for person in (day.ann, day.ben, day.cora)] == expected


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("query", ["?nonsense=1", "?customer=nonsense", "?customer={foreign}", "?customer={home}"])
def test_what_cannot_be_asked_is_a_bad_request(day, name, query):
    query = query.format(foreign=day.tailwind.tenant.pk, home=day.world.fabrikam.tenant.pk)
    answer = get(day.ann, name, query)
    assert answer.status_code == 400
    assert "ailwind" not in text(answer)


# --- What is in them -----------------------------------------------------------------------------------------------------
def test_rooms_are_those_of_the_customers_lists(day):
    answer = get(day.ann, "all_rooms")
    assert rows(answer) == names(day.visible)
    together = [
        name for one in (day.contoso, day.wingtip) for name in rows(browser(day.ann).get(f"/c/{one.tenant.pk}/rooms/"))
    ]
    assert sorted(rows(answer)) == sorted(together)
    wingtip = day.wingtip.rooms[0]
    assert reverse("room", args=[wingtip.tenant_id, wingtip.pk]) in links(answer)
    assert rows(get(day.ben, "all_rooms")) == ["Contoso room 0"]


def test_tickets_are_those_of_the_customers_lists(day):
    made = day.tickets()
    answer = get(day.ann, "all_tickets")
    assert rows(answer) == ["Wingtip room 2 hums", "Wingtip room 0 hums", "Contoso room 0 hums"]
    assert reverse("ticket", args=[day.wingtip.tenant.pk, made["Wingtip room 0"]]) in links(answer)


def test_a_ticket_names_only_rooms_that_its_reader_sees(day):
    ticket(*day.contoso.rooms, title="All hum")
    said = text(get(day.ann, "all_tickets"))
    assert "Contoso room 0, Contoso room 1" in said
    assert "Contoso room 2" not in said
    file = lines(get(day.ann, "all_tickets_export"))
    assert [(one["customer"], one["rooms"]) for one in file] == [("Contoso", "Contoso room 0, Contoso room 1")]


@pytest.mark.parametrize("name", ["all_rooms", "all_tickets"])
def test_every_row_names_its_customer_in_its_colour(day, name):
    day.tickets()
    body = get(day.ann, name).content.decode()
    for one, count in (
        (day.contoso, {"all_rooms": 2, "all_tickets": 1}),
        (day.wingtip, {"all_rooms": 3, "all_tickets": 2}),
    ):
        colour = one.tenant.pk.int % 8
        mark = f'customer-mark"><span class="tenant-dot tenant-{colour}"></span>{one.tenant.name}</span>'
        assert body.count(mark) == 2 * count[name]  # in its column, and where that is folded


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=room+0", ["Contoso room 0", "Wingtip room 0"]),
        ("?customer={wingtip}", ["Wingtip room 0", "Wingtip room 1", "Wingtip room 2"]),
        ("?customer={contoso}&city=Berlin", ["Contoso room 0", "Contoso room 1"]),
        ("?city=Seattle", ["Wingtip room 2"]),
        ("?sort=-customer&country=DE", ["Wingtip room 1", "Wingtip room 0", "Contoso room 1", "Contoso room 0"]),
        ("?state=enrolled", []),
    ],
)
def test_rooms_are_filtered_and_sorted(day, query, expected):
    query = query.format(wingtip=day.wingtip.tenant.pk, contoso=day.contoso.tenant.pk)
    assert rows(get(day.ann, "all_rooms", query)) == expected
    assert [one["display_name"] for one in lines(get(day.ann, "all_rooms_export", query))] == expected


def test_a_place_of_another_customer_is_let_go(day):
    query = f"?customer={day.contoso.tenant.pk}&city=Seattle"
    answer = get(day.ann, "all_rooms", query)
    assert (answer.status_code, answer.url) == (302, f"/all/rooms/?customer={day.contoso.tenant.pk}")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?customer={contoso}", ["Contoso room 0 hums"]),
        ("?q=wingtip&sort=opened", ["Wingtip room 0 hums", "Wingtip room 2 hums"]),
        ("?sort=customer", ["Contoso room 0 hums", "Wingtip room 0 hums", "Wingtip room 2 hums"]),
        ("?severity=critical", []),
        ("?state=closed", []),
        ("?assigned=nobody&q=contoso", ["Contoso room 0 hums"]),
    ],
)
def test_tickets_are_filtered_and_sorted(day, query, expected):
    day.tickets()
    query = query.format(contoso=day.contoso.tenant.pk)
    assert rows(get(day.ann, "all_tickets", query)) == expected
    assert [one["title"] for one in lines(get(day.ann, "all_tickets_export", query))] == expected


def test_a_day_begins_where_the_customer_is(day):
    """As in each customer's own list: 23:30 UTC of the first is the second in Berlin, and the first in London."""
    Tenant.objects.filter(pk=day.contoso.tenant.pk).update(time_zone="Europe/Berlin")
    day.tickets()
    Ticket.objects.update(opened_at="2026-01-01T23:30Z", touched_at="2026-01-01T23:30Z")
    for query, expected in (
        ("?opened_from=2026-01-02", ["Contoso"]),
        ("?opened_until=2026-01-01", ["Wingtip", "Wingtip"]),
        ("?opened_from=0001-01-01&opened_until=9999-12-31", ["Wingtip", "Wingtip", "Contoso"]),
    ):
        assert [row.split()[0] for row in rows(get(day.ann, "all_tickets", query + "&sort=-opened"))] == expected
        own = [
            row.split()[0]
            for one in (day.wingtip, day.contoso)
            for row in rows(browser(day.ann).get(f"/c/{one.tenant.pk}/tickets/{query}"))
        ]
        assert own == expected


def test_files_have_the_customers_columns_and_the_customer(day):
    day.tickets()
    assert list(lines(get(day.ann, "all_rooms_export"))[0]) == ["customer", *COLUMNS]
    assert list(lines(get(day.ann, "all_tickets_export"))[0]) == ["customer", *TICKET_COLUMNS]
    assert get(day.ann, "all_tickets_export", "?nonsense=1").url == "/all/tickets/?"


def test_rings_are_named_to_those_who_may_see_them(day):
    assert "General" in text(get(day.ann, "all_rooms"))
    assert "General" not in text(get(day.ben, "all_rooms"))
    assert {one["ring"] for one in lines(get(day.ben, "all_rooms_export"))} == {""}


def test_approvals_are_those_of_the_customers_lists(day):
    first = waiting(day.ours, day.contoso.rooms[0], day.ann)
    other = waiting(day.second, day.wingtip.rooms[1], day.ann)
    answer = get(day.ann, "all_approvals")
    assert rows(answer) == ["Contoso room 0", "Wingtip room 1"]
    assert reverse("approval", args=[day.wingtip.tenant.pk, other.pk]) in links(answer)
    assert rows(get(day.ben, "all_approvals")) == []  # another's, and no right to see the roles
    assert rows(get(day.ann, "all_approvals", f"?customer={day.contoso.tenant.pk}&event=rooms.modify")) == [
        "Contoso room 0"
    ]
    approvals.withdraw(first, by=day.ann)
    assert rows(get(day.ann, "all_approvals")) == ["Wingtip room 1"]
    assert rows(get(day.ann, "all_approvals", "?tab=decided")) == ["Contoso room 0"]


def test_an_approval_out_of_scope_says_nothing_of_its_object(day):
    waiting(day.ours, day.contoso.rooms[0], day.ann)
    base = day.ours.delegation.roles.get(key="partner_admin").assignments.get()
    scopes.change(base, over(day.contoso.rooms[1]), by=day.contoso.admin)
    assert rows(get(day.ann, "all_approvals", "?tab=decided")) == ["Not in your scope any more"]


# --- At once ---------------------------------------------------------------------------------------------------------------
def test_a_suspended_or_removed_partner_sees_nothing_at_the_next_click(day):
    day.tickets()
    client = browser(day.ann)
    relationships.suspend(day.ours, by=day.contoso.admin)
    assert rows(client.get("/all/rooms/")) == names(day.wingtip.rooms)
    assert rows(client.get("/all/tickets/")) == ["Wingtip room 2 hums", "Wingtip room 0 hums"]
    relationships.resume(day.ours, by=day.contoso.admin)
    assert len(rows(client.get("/all/rooms/"))) == 5
    relationships.remove(day.second, by=day.wingtip.admin)
    assert rows(client.get("/all/rooms/")) == names(day.contoso.german)
    relationships.remove(day.ours, by=day.contoso.admin)
    assert [client.get(reverse(name)).status_code for name in PAGES] == [404, 404, 404]


def test_a_closed_customer_is_absent(day):
    Tenant.objects.filter(pk=day.wingtip.tenant.pk).update(status=TenantStatus.CLOSED)
    assert rows(get(day.ann, "all_rooms")) == names(day.contoso.german)


def test_ones_own_organisation_is_not_among_the_customers(day):
    """Fabrikam is a customer as well: its own rooms are managed at home."""
    from tests.factories import RoomFactory  # noqa: PLC0415

    own = RoomFactory(tenant=day.world.fabrikam.tenant, display_name="Fabrikam room")
    owner = day.world.fabrikam.person("owner")
    assert get(owner, "all_rooms").status_code == 404
    day.role(owner, Permission.ROOMS_VIEW)
    assert rows(get(owner, "all_rooms")) == ["Contoso room 0"]
    assert own.display_name in text(browser(owner).get(f"/c/{own.tenant_id}/rooms/"))


# --- Pages and prices -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sort", ["name", "-name", "customer", "-customer", "city"])
def test_pages_show_every_room_once(day, monkeypatch, sort):
    monkeypatch.setattr("rbac.paging.page.__kwdefaults__", {"order": ("id",), "cursor": None, "size": 2})
    seen, url = [], f"/all/rooms/?sort={sort}"
    while url:
        answer = browser(day.ann).get(url)
        seen += rows(answer)
        following = answer.context["page"]["next_url"]
        url = f"/all/rooms/{following}" if following else None
    assert sorted(seen) == names(day.visible)


@pytest.mark.parametrize("customers", [2, 4])
@pytest.mark.parametrize(
    ("name", "expected"),
    [("all_rooms", 8), ("all_tickets", 7), ("all_approvals", 8), ("all_rooms_export", 5), ("all_tickets_export", 5)],
)
def test_many_customers_are_asked_for_as_one(day, django_assert_num_queries, name, expected, customers):
    for number in range(customers - 2):
        day.another(f"Customer{number}")
    for customer in (day.contoso, day.wingtip):
        ticket(customer.rooms[0])
    waiting(day.ours, day.contoso.rooms[0], day.ann)
    client = browser(day.ann)
    with django_assert_num_queries(expected):
        answer = client.get(reverse(name))
        if answer.streaming:
            b"".join(answer.streaming_content)
