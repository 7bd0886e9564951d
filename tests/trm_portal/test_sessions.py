"""A session in use goes on, without being written by every request; an ended one is over with the next request."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

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
    Session.objects.update(expire_date=F("expire_date") - ago)


def left() -> timedelta:
    return Session.objects.get().expire_date - timezone.now()


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
    Session.objects.all().delete()
    assert ask(browser)[0] == 401
    assert not Session.objects.exists()


def test_twelve_hours_end_it_however_busy_it_was(browser):
    session = browser.session
    session["began_at"] = "2020-01-01T00:00:00+00:00"
    session.save()
    assert ask(browser)[0] == 401
