"""Settings > Partners > partner > Time limit, and how pages say what is left, on both sides."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from audit.clock import now
from partners.models import PartnerRelationship
from partners.schedule import end_relationships
from partners.services import invitations, relationships, terms, time_limits
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, Delegation, Tenant
from rooms.scopes import Scope
from tests.factories.browsing import browser, links, text, told
from tests.factories.callers import changed, code, person
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, assign, custom_role, found_partner, invite, join, make, over

pytestmark = pytest.mark.django_db
ADMIN = "admin@contoso.example"
BERLIN = ZoneInfo("Europe/Berlin")
SUMMER = datetime(2031, 7, 1, tzinfo=BERLIN)  # the moment after the 30th of June


@pytest.fixture
def world() -> World:
    world = make()
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(time_zone="Europe/Berlin")
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


@pytest.fixture
def client(world) -> Any:
    return browser(world.contoso.admin)


def url(relationship: PartnerRelationship, name: str = "partner_limit") -> str:
    return reverse(name, args=[relationship.tenant_id, relationship.pk])


def until_of(relationship: PartnerRelationship) -> datetime | None:
    return Delegation.objects.get(relationship=relationship).valid_until


def ends_in(relationship: PartnerRelationship, days: float) -> None:
    """A quarter of an hour before the days are full, so that a slow test counts the same."""
    end = now() + timedelta(days=days, minutes=-15)
    Delegation.objects.filter(relationship=relationship).update(valid_until=end)


# --- The page -------------------------------------------------------------------------------------------------------


def test_last_day_is_whole_in_the_customers_time_zone(world, client):
    shown = text(client.get(url(world.relationship)))
    assert "As it is now, the partnership has no end." in shown
    assert "Access ends at midnight after this day, in Europe/Berlin." in shown
    with leaves(f"Contoso: PartnerInvitation/Update fabrikam.example Successful {ADMIN}"):
        answer = client.post(url(world.relationship), {"last_day": "2031-06-30"}, follow=True)
    assert answer.redirect_chain == [(url(world.relationship, "partner"), 302)]
    assert told(answer) == ["The last day of fabrikam.example is June 30, 2031."]
    assert until_of(world.relationship) == SUMMER
    assert 'value="2031-06-30"' in client.get(url(world.relationship)).content.decode()


def test_emptied_it_has_no_end(world, client):
    time_limits.limit(world.relationship, SUMMER, by=world.contoso.admin)
    answer = client.post(url(world.relationship), {"last_day": ""}, follow=True)
    assert told(answer) == ["fabrikam.example has no time limit."]
    assert until_of(world.relationship) is None


def test_an_end_within_a_day_stays_if_the_day_does(world, client):
    noon = SUMMER - timedelta(hours=12)
    time_limits.limit(world.relationship, noon, by=world.contoso.admin)
    with leaves():
        client.post(url(world.relationship), {"last_day": "2031-06-30"})
    assert until_of(world.relationship) == noon


def test_today_can_be_the_last_day_and_yesterday_cannot(world, client):
    today = now().astimezone(BERLIN).date()
    client.post(url(world.relationship), {"last_day": str(today)})
    end = until_of(world.relationship)
    assert end is not None
    assert end.astimezone(BERLIN).date() == today + timedelta(days=1)
    for wrong, words in (
        (str(today - timedelta(days=1)), "The end has to be in the future."),
        (str(today.replace(day=1, year=today.year + 11)), "The end can be at most ten years from now."),
        ("9999-12-31", "Enter a day between 2000 and 9998."),
        ("0001-01-01", "Enter a day between 2000 and 9998."),
        ("tomorrow", "Enter a valid date."),
    ):
        answer = client.post(url(world.relationship), {"last_day": wrong})
        assert answer.status_code == 200
        assert words in text(answer)
        assert f'value="{wrong}"' in answer.content.decode()
    assert until_of(world.relationship) == end


def test_new_terms_are_asked_for_and_nothing_is_lost(world, client):
    time_limits.limit(world.relationship, SUMMER, by=world.contoso.admin)
    terms.publish("Wash your hands.", "Waschen Sie sich die Hände.", by=None)
    asked = client.post(url(world.relationship), {"last_day": "2031-07-30"})
    assert asked.status_code == 409
    assert "Wash your hands." in text(asked)
    assert 'name="last_day" value="2031-07-30"' in asked.content.decode()
    assert until_of(world.relationship) == SUMMER


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_find_nothing_and_colleagues_may_not(world, method):
    foreign, _ = join(world.tailwind, world.northwind, "eve")
    viewer = world.contoso.person("vera")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW), viewer, Scope(all_rooms=True))
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    entered = {"last_day": "2031-06-30"} if method == "post" else {}
    answers = {
        "stranger": getattr(browser(world.tailwind.admin), method)(url(world.relationship), entered),
        "other": getattr(browser(world.contoso.admin), method)(
            reverse("partner_limit", args=[world.contoso.tenant.pk, foreign.pk]), entered
        ),
        "viewer": getattr(browser(viewer), method)(url(world.relationship), entered),
        "lead": getattr(browser(lea), method)(url(world.relationship), entered),
        "partner": getattr(browser(world.ann), method)(url(world.relationship), entered),
    }
    assert {who: answer.status_code for who, answer in answers.items()} == {
        "stranger": 404,
        "other": 404,
        "viewer": 403,
        "lead": 403,
        "partner": 403,
    }
    assert until_of(world.relationship) is None


def test_what_has_ended_has_no_such_page(world, client):
    relationships.remove(world.relationship, by=world.contoso.admin)
    assert client.get(url(world.relationship)).status_code == 410
    assert client.post(url(world.relationship), {"last_day": ""}).status_code == 410


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_the_page_do_not_grow(world, client, django_assert_num_queries, count):
    for number in range(count):
        join(world.contoso, found_partner(f"Partner{number}"), "ann", "bob")
    ends_in(world.relationship, 5)
    with django_assert_num_queries(6):
        client.get(url(world.relationship))


# --- What the customer sees -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "Ends in 1 day"),
        (5, "Ends in 5 days"),
        (7, "Ends in 7 days"),
        (8, "Ends in 8 days"),
        (30, "Ends in 30 days"),
    ],
)
def test_list_and_detail_say_what_is_left(world, client, days, words):
    ends_in(world.relationship, days)
    for page in (
        client.get(reverse("partners", args=[world.contoso.tenant.pk])),
        client.get(url(world.relationship, "partner")),
    ):
        kind = "warning" if days <= 7 else "info"
        assert words in text(page)
        assert f'class="status status-{kind}"' in page.content.decode()


def test_far_ends_and_none_stay_quiet_in_the_list(world, client):
    other, _ = join(world.contoso, world.northwind, "eve")
    ends_in(other, 31)
    assert "Ends in" not in text(client.get(reverse("partners", args=[world.contoso.tenant.pk])))
    shown = client.get(url(world.relationship, "partner"))
    assert "Time limit no end date Set a time limit" in text(shown)
    assert url(world.relationship) in links(shown)
    assert "Change the time limit" in text(client.get(url(other, "partner")))


def test_what_is_past_its_end_says_so_before_and_after_it_is_marked(world, client, clock):
    time_limits.limit(world.relationship, now() + timedelta(days=2), by=world.contoso.admin)
    invitations.invite(
        world.relationship, [invitations.Contact("Cy", "cy@fabrikam.example")], by=world.contoso.admin, days=30
    )
    clock.move(timedelta(days=2))
    page = client.get(url(world.relationship, "partner"))
    assert "the partner’s people have no access any more" in text(page)
    assert url(world.relationship, "partner_remove") in links(page)
    for gone in ("Suspend", "Rename", "Change the time limit", "Resend", "Add or remove"):
        assert gone not in text(page)
    assert "Time limit reached" in text(client.get(reverse("partners", args=[world.contoso.tenant.pk])))
    end_relationships()
    shown = text(client.get(url(world.relationship, "partner")))
    assert "Ended" in shown
    assert "The time limit was reached." in shown


def test_who_may_only_look_finds_no_way_to_the_page(world):
    viewer = world.contoso.person("vera")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW), viewer, Scope(all_rooms=True))
    ends_in(world.relationship, 5)
    page = browser(viewer).get(url(world.relationship, "partner"))
    assert "Ends in 5 days" in text(page)
    assert url(world.relationship) not in links(page)


def test_lapsed_partner_has_no_way_to_the_page(world, client):
    lapsed, (sent,) = invite(world.contoso, "x@northwind.example")
    assert url(lapsed) in links(client.get(url(lapsed, "partner")))
    invitations.revoke(sent, by=world.contoso.admin)
    assert url(lapsed) not in links(client.get(url(lapsed, "partner")))
    assert client.post(url(lapsed), {"last_day": "2031-06-30"}).status_code == 409


# --- What the partner sees ------------------------------------------------------------------------------------------


def test_partner_reads_what_is_left_in_list_and_detail(world):
    ends_in(world.relationship, 5)
    client = browser(world.ann)
    assert "Ends in 5 days" in text(client.get(reverse("customers")))
    shown = text(client.get(reverse("customer", args=[world.contoso.tenant.pk])))
    assert "Ends in 5 days" in shown
    assert "Contoso can give the partnership more time." in shown


# --- Assignments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "kind"), [(5, "warning"), (25, "info")])
def test_assignments_say_what_is_left(world, client, days, kind):
    desk = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW)
    end = now() + timedelta(days=days, minutes=-15)
    assigned = assign(desk, world.contoso.person("dora"), over(*world.contoso.german), valid_until=end)
    listed = client.get(reverse("role", args=[world.contoso.tenant.pk, desk.pk]) + "?tab=assignments")
    assert f"Ends in {days} days" in text(listed)
    assert f'class="status status-{kind}"' in listed.content.decode()
    page = client.get(reverse("assignment", args=[world.contoso.tenant.pk, desk.pk, assigned.pk]))
    assert f'class="notice notice-{kind}"' in page.content.decode()
    Assignment.objects.filter(pk=assigned.pk).update(valid_until=now())
    listed = client.get(reverse("role", args=[world.contoso.tenant.pk, desk.pk]) + "?tab=assignments")
    assert "Time limit reached" in text(listed)


# --- The API --------------------------------------------------------------------------------------------------------


def test_tools_set_an_exact_moment_and_take_it_away(world):
    place = "api-partner", world.contoso.tenant.pk, world.relationship.pk
    caller, noon = person(world.contoso.admin), "2031-06-30T12:00:00Z"
    with leaves(f"Contoso: PartnerInvitation/Update fabrikam.example Successful {ADMIN}"):
        answer = caller.patch(*place, body={"valid_until": noon})
    assert (answer.status_code, answer.json()["valid_until"]) == (200, noon)
    assert until_of(world.relationship) == datetime.fromisoformat(noon)
    assert caller.patch(*place, body={"label": "Fab"}).json()["valid_until"] == noon
    assert caller.patch(*place, body={"valid_until": None}).json()["valid_until"] is None


def test_tools_add_a_partner_with_its_end(world):
    body = {
        "contacts": [{"name": "Max", "upn": "max@northwind.example"}],
        "scope": {"all_rooms": True},
        "terms": {"version": 1, "agrees": True},
    }
    caller, place = person(world.contoso.admin), ("api-partners", world.contoso.tenant.pk)
    past = caller.post(*place, body=body | {"valid_until": "2020-01-01T00:00:00Z"})
    assert code(past) == (400, "end_in_past")
    answer = caller.post(*place, body=body | {"valid_until": "2031-06-30T12:00:00Z"})
    assert (answer.status_code, answer.json()["valid_until"]) == (201, "2031-06-30T12:00:00Z")
    assert caller.post(*place, body=body | {"valid_until": None}).json()["valid_until"] is None


def test_tools_hear_what_is_wrong_with_an_end(world):
    place = "api-partner", world.contoso.tenant.pk, world.relationship.pk
    caller = person(world.contoso.admin)
    evidence = mark()
    for end, problem in (
        ("2020-01-01T00:00:00Z", "end_in_past"),
        ("2099-01-01T00:00:00Z", "end_too_far"),
        ("9999-12-31T23:59:59-12:00", "invalid"),
        ("0001-01-01T00:00:00+12:00", "invalid"),
        ("soon", "invalid"),
        (7, "invalid"),
    ):
        assert code(caller.patch(*place, body={"valid_until": end})) == (400, problem)
    assert changed(evidence) == set()


def test_tools_do_not_overwrite_an_end_they_have_not_read(world):
    place = "api-partner", world.contoso.tenant.pk, world.relationship.pk
    caller = person(world.contoso.admin)
    read = caller.get(*place).headers["ETag"]
    first = caller.patch(*place, body={"valid_until": "2031-06-30T12:00:00Z"}, headers={"If-Match": read})
    assert first.status_code == 200
    late = caller.patch(*place, body={"valid_until": None}, headers={"If-Match": read})
    assert code(late) == (412, "stale_version")
    late = caller.patch(*place, body={"valid_until": None}, headers={"If-Match": first.headers["ETag"]})
    assert late.status_code == 200


def test_partner_reads_the_end_and_sets_none(world):
    ends_in(world.relationship, 5)
    found = person(world.ann).get("api-customer", world.contoso.tenant.pk).json()
    assert date.fromisoformat(found["relationship"]["valid_until"][:10]) > now().date()
    answer = person(world.ann).patch(
        "api-partner", world.contoso.tenant.pk, world.relationship.pk, body={"valid_until": None}
    )
    assert answer.status_code == 403
