"""Filters that people keep of the lists over all customers: by list, by name, one default each, nobody else's."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from partners.expiries import ExpiryFilter
from rooms.errors import FilterNameTaken
from rooms.models import FilterView, SavedFilter
from rooms.services import saved_filters
from tests.factories.browsing import browser, links, text
from tests.factories.callers import code, person, wrong
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db


@pytest.fixture
def day():
    return Day()


QUERIES = {
    "rooms": "state=enrolled",
    "tickets": "severity=critical",
    "approvals": "tab=decided",
    "expiring": "kind=token",
}


@pytest.mark.parametrize("view", FilterView.values)
def test_a_filter_is_kept_opens_its_list_and_is_gone(day, view):
    client, query = browser(day.ann), QUERIES[view]
    address, kept = reverse(f"all_{view}"), reverse("all_filters", args=[view])
    assert f"{kept}?query={query.replace('=', '%3D')}" in links(client.get(f"{address}?{query}"))
    said = {"name": "Mine", "query": query, "is_default": "on"}
    page = client.post(kept, said, follow=True)
    assert page.redirect_chain == [(f"{address}?{query}", 302)]
    assert client.get(address).url == f"{address}?{query}"
    cleared = next(link for link in links(page) if link.startswith(address + "?") and link != f"{address}?{query}")
    assert client.get(cleared).status_code == 200

    made = SavedFilter.objects.get()
    assert (made.tenant, made.view, made.person) == (None, view, day.ann)
    client.post(reverse("all_filter", args=[view, made.pk]), {"name": "Other"})
    made.refresh_from_db()
    assert (made.name, made.is_default) == ("Other", False)
    assert "Other" in text(client.get(address))
    client.post(reverse("all_filter_delete", args=[view, made.pk]))
    assert not SavedFilter.objects.exists()


def test_a_name_stands_for_one_filter_of_each_list(day):
    for view in FilterView:
        saved_filters.save(None, "Mine", QUERIES[view.value], by=day.ann, view=view, is_default=True)
        with pytest.raises(FilterNameTaken):
            saved_filters.save(None, "Mine", QUERIES[view.value], by=day.ann, view=view)
    saved_filters.save(day.contoso.tenant, "Mine", "state=enrolled", by=day.ann, is_default=True)
    assert SavedFilter.objects.filter(is_default=True).count() == 5
    second = saved_filters.save(None, "Second", "kind=token", by=day.ann, view=FilterView.EXPIRING, is_default=True)
    assert list(saved_filters.own(None, day.ann, FilterView.EXPIRING).filter(is_default=True)) == [second]
    assert saved_filters.own(None, day.ben, FilterView.EXPIRING).count() == 0


@pytest.mark.parametrize(("view", "query"), [("rooms", "group=1"), ("tickets", "city=Berlin"), ("approvals", "q=a")])
def test_what_the_list_cannot_be_filtered_by_is_not_kept(day, view, query):
    with pytest.raises(ValidationError):
        saved_filters.save(None, "Mine", query, by=day.ann, view=FilterView(view))


def test_all_that_expiries_can_be_filtered_by_can_be_kept():
    assert saved_filters.names_of(None, FilterView.EXPIRING) == ExpiryFilter.NAMES


def test_filters_are_their_persons_own(day):
    made = saved_filters.save(None, "Mine", "state=enrolled", by=day.ann)
    for name, method in (("all_filter", "get"), ("all_filter", "post"), ("all_filter_delete", "post")):
        address = reverse(name, args=["rooms", made.pk])
        other = reverse(name, args=["tickets", made.pk])
        people = (day.ben, day.contoso.admin)
        assert [getattr(browser(one), method)(address).status_code for one in people] == [404, 404]
        assert getattr(browser(day.ann), method)(other).status_code == 404
    assert browser(day.ann).get(reverse("all_filters", args=["nonsense"])).status_code == 404
    assert browser(day.contoso.admin).get(reverse("all_filters", args=["rooms"])).status_code == 404
    assert "Mine" not in text(browser(day.ben).get(reverse("all_filters", args=["rooms"])))


def test_a_filter_of_a_lost_customer_grants_nothing(day):
    made = saved_filters.save(None, "Tailwind's", f"customer={day.tailwind.tenant.pk}", by=day.ann)
    answer = browser(day.ann).get(f"/all/rooms/?{made.query}")
    assert answer.status_code == 400
    assert "tailwind room" not in text(answer).lower()


# --- API -----------------------------------------------------------------------------------------------------------------
def test_the_api_keeps_filters(day):
    caller = person(day.ann)
    made = caller.post("api-all-filters", body={"view": "tickets", "name": "Urgent", "query": "severity=critical"})
    assert made.status_code == 201
    kept = made.json()
    assert kept == {
        "id": kept["id"],
        "view": "tickets",
        "name": "Urgent",
        "query": "severity=critical",
        "is_default": False,
    }
    assert caller.get("api-all-filters").json()["items"] == [kept]
    assert caller.get("api-all-filters", view="rooms").json()["items"] == []
    assert wrong(caller.get("api-all-filters", view="nonsense")) == [("view", "invalid_choice")]
    again = caller.post("api-all-filters", body={"view": "tickets", "name": "Urgent", "query": "severity=critical"})
    assert code(again) == (409, "filter_name_taken")
    assert caller.patch("api-all-filter", kept["id"], body={"is_default": True}).json()["is_default"] is True
    assert code(person(day.ben).patch("api-all-filter", kept["id"], body={"name": "x"})) == (404, "not_found")
    assert code(person(day.ben).delete("api-all-filter", kept["id"])) == (404, "not_found")
    assert caller.delete("api-all-filter", kept["id"]).status_code == 204
    assert not SavedFilter.objects.exists()
