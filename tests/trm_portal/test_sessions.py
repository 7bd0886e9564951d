"""A session in use goes on, without being written by every request; an ended one is over with the next request."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from rbac.models import PersonSession, User
from tests.factories.evidence import leaves
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def browser(world, client) -> Client:
    client.force_login(world.contoso.admin)
    return client


def ask(browser: Client) -> tuple[int, int]:
    """The status of a page, and how often the session was written for it."""
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(reverse("home"), follow=True)
    written = [one for one in captured if one["sql"].startswith('UPDATE "django_session"')]
    is_in = answer.wsgi_request.user.is_authenticated
    return (answer.status_code if is_in else 401), len(written)


def last_click(ago: timedelta) -> None:
    """As if the last request that wrote the session had been so long ago."""
    PersonSession.objects.update(expire_date=F("expire_date") - ago)


def left() -> timedelta:
    return PersonSession.objects.get().expire_date - timezone.now()


def test_request_after_request_writes_no_session(browser):
    assert [ask(browser) for _ in range(3)] == [(200, 0)] * 3


@pytest.mark.parametrize(("minutes", "times"), [(4, 0), (6, 1), (59, 1)])
def test_session_in_use_is_written_at_most_every_five_minutes(browser, minutes, times):
    last_click(timedelta(minutes=minutes))
    assert ask(browser) == (200, times)
    assert ask(browser) == (200, 0)
    assert left() > timedelta(minutes=55)


def test_cookie_lives_as_long_as_the_session(browser):
    last_click(timedelta(minutes=6))
    answer = browser.get(reverse("home"))
    assert answer.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == settings.SESSION_COOKIE_AGE


def test_an_hour_without_a_click_ends_it(browser):
    last_click(timedelta(minutes=60))
    assert ask(browser)[0] == 401


def test_session_ended_elsewhere_ends_with_the_next_request(browser):
    assert ask(browser)[0] == 200
    PersonSession.objects.all().delete()
    assert ask(browser)[0] == 401
    assert not PersonSession.objects.exists()


def test_twelve_hours_end_it_however_busy_it_was(browser):
    session = browser.session
    session["began_at"] = "2020-01-01T00:00:00+00:00"
    session.save()
    assert ask(browser)[0] == 401


# --- Where one is signed in -----------------------------------------------------------------------------------------


def signed_in_as(upn: str, agent: str) -> Client:
    """A browser in which the person has signed in by the page, with a password."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR="198.51.100.7")
    answer = client.post(reverse("sign_in"), {"username": upn, "password": PASSWORD})
    assert answer.status_code == 302
    return client


PASSWORD = "a password of the tests"


@pytest.fixture
def lea(world: World) -> User:
    person = world.contoso.person("lea")
    person.username = person.upn
    person.set_password(PASSWORD)
    person.save(update_fields=["username", "password"])
    return person


def shown(client: Client) -> list[str]:
    return [one.agent for one, _ in client.get(reverse("sessions")).context["sessions"]]


def test_page_shows_ones_own_sessions_and_nobody_elses(world, lea, browser):
    first, second = signed_in_as(lea.upn, "Firefox at the desk"), signed_in_as(lea.upn, "Safari on the phone")
    assert shown(first) == ["Firefox at the desk", "Safari on the phone"]
    assert shown(second) == ["Safari on the phone", "Firefox at the desk"]
    page = first.get(reverse("sessions"))
    assert "198.51.100.7" in page.content.decode()
    assert "This browser" in page.content.decode()
    assert PersonSession.objects.filter(user=lea).count() == 2
    for key in PersonSession.objects.values_list("pk", flat=True):
        assert key not in page.content.decode()
    assert shown(browser) == [""]


MOZILLA = "Mozilla/5.0 "
AGENTS = {
    "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36": "Chrome on Windows",
    "(Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0": "Edge on Windows",
    "(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "(iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1": "Safari on iPhone",
    "(Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36": "Chrome on Android",
    "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18.0 Safari/605.1": "Safari on macOS",
    "<b>mine</b>": "Mozilla/5.0 <b>mine</b>",
}


@pytest.mark.parametrize(("agent", "name"), AGENTS.items())
def test_browsers_are_called_as_people_call_them(lea, agent, name):
    page = signed_in_as(lea.upn, MOZILLA + agent).get(reverse("sessions"))
    assert page.context["sessions"][0][1] == name
    assert escape(name) in page.content.decode()
    assert f'title="{escape(MOZILLA + agent)}"' in page.content.decode()


def test_ended_session_is_over_with_its_next_request_and_on_record(lea):
    first, second = signed_in_as(lea.upn, "one"), signed_in_as(lea.upn, "two")
    row = PersonSession.objects.get(user=lea, agent="two")
    with leaves("Contoso: Session/Delete lea@contoso.example Successful lea@contoso.example"):
        answer = first.post(reverse("session_end", args=[row.public_id]), follow=True)
    assert "The session is over" in answer.content.decode()
    assert ask(second)[0] == 401
    assert ask(first)[0] == 200


def test_ending_this_session_signs_out(lea):
    first = signed_in_as(lea.upn, "one")
    row = PersonSession.objects.get(user=lea)
    assert first.post(reverse("session_end", args=[row.public_id]))["Location"] == reverse("sign_in")
    assert ask(first)[0] == 401


def test_all_others_end_at_once(lea, browser):
    first, second, third = (signed_in_as(lea.upn, name) for name in ("one", "two", "three"))
    assert "2 other sessions are over." in first.post(reverse("sessions_end_others"), follow=True).content.decode()
    assert [ask(one)[0] for one in (first, second, third, browser)] == [200, 401, 401, 200]
    with leaves():
        first.post(reverse("sessions_end_others"))


def test_session_of_somebody_else_is_not_found(lea, browser):
    signed_in_as(lea.upn, "one")
    row = PersonSession.objects.get(user=lea)
    assert browser.post(reverse("session_end", args=[row.public_id])).status_code == 404
    assert PersonSession.objects.filter(pk=row.pk).exists()


def test_row_keeps_whose_it_is_when_the_session_is_written_again(lea):
    first = signed_in_as(lea.upn, "one")
    before = PersonSession.objects.get(user=lea)
    last_click(timedelta(minutes=6))
    assert ask(first) == (200, 1)
    after = PersonSession.objects.get(user=lea)
    assert (after.public_id, after.began_at, after.ip, after.agent) == (
        before.public_id,
        before.began_at,
        "198.51.100.7",
        "one",
    )


def test_signing_out_forgets_the_row(lea):
    first = signed_in_as(lea.upn, "one")
    first.post(reverse("sign_out"))
    assert not PersonSession.objects.filter(user=lea).exists()
