"""Going from one tenant to another: by name, to the same kind of page; and what stands in the address decides."""

import re

import pytest
from django.urls import reverse

from rbac.models import Tenant
from rooms.models import Room, Ticket
from tests.factories.browsing import browser, links, text
from tests.factories.world import ticket
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db


@pytest.fixture
def day():
    return Day()


def panel(answer):
    """The addresses in the top bar's menu."""
    body = answer.content.decode()
    menu = body[body.index("tenant-menu-list") :]
    return re.findall(r'<a href="([^"]*)"', menu[: menu.index("</div>")])


def urls(name, *customers):
    return [reverse(name, args=[one.pk]) for one in customers]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rooms", "rooms"),
        ("tickets", "tickets"),
        ("reports", "reports"),
        ("approvals", "approvals"),
        ("roles", "roles"),
        ("overview", "overview"),
    ],
)
def test_the_switcher_leads_to_the_same_kind_of_page(day, name, expected):
    here = day.contoso.tenant
    answer = browser(day.ann).get(reverse(name, args=[here.pk]))
    home = reverse("overview", args=[day.world.fabrikam.tenant.pk])  # Ann has no role at home
    assert panel(answer) == [home, *urls(expected, here, day.wingtip.tenant)]


def test_from_one_object_it_leads_to_the_others_list(day):
    made = ticket(day.contoso.rooms[0])
    room = day.contoso.rooms[0]
    client = browser(day.ann)
    for name, pk, expected in (
        ("room", room.pk, "rooms"),
        ("room_edit", room.pk, "rooms"),
        ("ticket", made.pk, "tickets"),
    ):
        answer = client.get(reverse(name, args=[day.contoso.tenant.pk, pk]))
        assert urls(expected, day.wingtip.tenant)[0] in panel(answer)


def test_where_one_may_not_open_it_there_it_leads_to_the_overview(day):
    """Ben sees Contoso's rooms; at Wingtip he holds nothing like it."""
    answer = browser(day.ben).get("/switch/?kind=partners")
    assert urls("overview", day.contoso.tenant)[0] in links(answer)
    assert urls("partners", day.contoso.tenant)[0] not in links(answer)
    assert urls("rooms", day.contoso.tenant)[0] in links(browser(day.ben).get("/switch/?kind=rooms"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("all_rooms", "rooms"), ("all_tickets", "tickets"), ("all_approvals", "approvals"), ("all_expiring", "overview")],
)
def test_from_a_view_over_all_it_leads_to_the_customers_own(day, name, expected):
    assert urls(expected, day.contoso.tenant)[0] in panel(browser(day.ann).get(reverse(name)))


def test_the_customer_is_named_in_its_colour_on_its_pages(day):
    client = browser(day.ann)
    for name in ("overview", "rooms", "tickets", "rings", "reports", "approvals", "roles"):
        body = client.get(reverse(name, args=[day.contoso.tenant.pk])).content.decode()
        assert f'foreign-band tenant-{day.contoso.tenant.pk.int % 8}"' in body
        assert "You are working in <strong>Contoso</strong>" in body


# --- The page -----------------------------------------------------------------------------------------------------------
def found(answer):
    body = answer.content.decode()
    listed = body[body.index('id="switch-list"') :]
    return re.findall(r'menu-main">([^<]*)<', listed[: listed.index("</div>")])


def test_the_page_searches_by_name(day):
    client = browser(day.ann)
    assert found(client.get("/switch/")) == ["Contoso", "Fabrikam", "Wingtip"]
    assert found(client.get("/switch/?q=TOSO")) == ["Contoso"]
    assert found(client.get("/switch/?q=wing+tip")) == ["Wingtip"]
    assert "No organisation of this name." in text(client.get("/switch/?q=tailwind"))
    assert reverse("rooms", args=[day.wingtip.tenant.pk]) in links(client.get("/switch/?q=wing&kind=rooms"))


@pytest.mark.parametrize("query", ["?nonsense=1", "?kind=nonsense", "?kind=room", "?cursor=x", "?q=" + "x" * 101])
def test_what_cannot_be_asked_is_a_bad_request(day, query):
    assert browser(day.ann).get("/switch/" + query).status_code == 400


def test_anonymous_signs_in_first(day):
    assert browser().get("/switch/").url.startswith("/sign-in/")


def test_many_customers_come_in_pages_and_can_be_searched_in_the_bar(day, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("trm_portal.views.SWITCHED", 2)
    client = browser(day.ann)
    first = client.get("/switch/?kind=rooms")
    assert found(first) == ["Contoso", "Fabrikam"]
    second = client.get("/switch/" + first.context["page"]["next_url"])
    assert found(second) == ["Wingtip"]
    assert reverse("rooms", args=[day.wingtip.tenant.pk]) in links(second)
    assert found(client.get("/switch/" + second.context["page"]["previous_url"])) == ["Contoso", "Fabrikam"]
    assert "tenant-menu-q" not in first.content.decode()  # three are found at a glance
    for number in range(3):
        day.another(f"Customer{number}")
    assert "tenant-menu-q" in client.get("/switch/").content.decode()
    monkeypatch.setattr("trm_portal.navigation.SWITCHER_LENGTH", 2)
    assert "and 4 more organisations" in text(client.get("/switch/"))
    with django_assert_num_queries(5):
        client.get("/switch/?q=c")


# --- A stale tab ---
def test_a_form_of_a_stale_tab_acts_on_the_customer_in_its_address(day):
    """The form of Contoso's room is open; meanwhile, in another tab, Wingtip is. What is sent is Contoso's."""
    client = browser(day.ann)
    room, other = day.contoso.rooms[0], day.wingtip.rooms[0]
    form = client.get(reverse("room_edit", args=[day.contoso.tenant.pk, room.pk]))
    client.get(reverse("rooms", args=[day.wingtip.tenant.pk]))
    said = {name: field.value() for name, field in ((one.name, one) for one in form.context["form"])}
    said = {name: value for name, value in said.items() if value is not None} | {"display_name": "Contoso hall"}
    answer = client.post(reverse("room_edit", args=[day.contoso.tenant.pk, room.pk]), said)
    assert answer.status_code == 302, text(answer)
    changed = Room.objects.filter(display_name="Contoso hall")
    assert [one.pk for one in changed] == [room.pk]
    assert Room.objects.get(pk=other.pk).display_name == "Wingtip room 0"


def test_ids_of_one_customer_under_the_address_of_another_do_not_exist(day):
    client = browser(day.ann)
    made = ticket(day.contoso.rooms[0])
    there = day.wingtip.tenant.pk
    room = day.contoso.rooms[0].pk
    posts = [
        (reverse("room_edit", args=[there, room]), {"display_name": "Taken"}),
        (reverse("room_suppress", args=[there, room]), {"ends": "open"}),
        (reverse("room_enroll", args=[there, room]), {}),
        (reverse("ticket", args=[there, made.pk]), {"text": "Hello"}),
        (reverse("ticket_state", args=[there, made.pk]), {"state": "investigating", "version": 1}),
        (reverse("ticket_close", args=[there, made.pk]), {"reason": "fixed", "version": 1}),
    ]
    before = (Room.objects.filter(pk=room).values().get(), Ticket.objects.filter(pk=made.pk).values().get())
    assert [client.post(url, said).status_code for url, said in posts] == [404] * len(posts)
    assert (Room.objects.filter(pk=room).values().get(), Ticket.objects.filter(pk=made.pk).values().get()) == before
    chosen = client.post(reverse("rooms_bulk", args=[there]), {"pick": [room]}, follow=True)
    assert "Tick the rooms first." in text(chosen)
    assert Tenant.objects.get(pk=there).rooms.count() == 3
