"""What stands around every operation: sessions and their CSRF token, how often one may ask, languages, headers, codes."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from rbac.catalogue import Permission
from tests.factories.callers import BACKEND, Caller, changed, code, person, token, tool
from tests.factories.evidence import mark
from tests.factories.world import found_customer, join, make
from trm_portal.api_views import document
from trm_portal.errors import GENERAL

PROBLEMS = Path(__file__).parents[2] / "docs" / "problems.md"


@pytest.fixture
def contoso(db):
    return found_customer("Contoso", rooms=1)


@pytest.fixture(autouse=True)
def fresh_counts():
    """No test pays for the requests of another."""
    caches["default"].clear()


@pytest.fixture
def room(contoso):
    return [contoso.tenant.pk, contoso.rooms[0].pk]


def test_session_changes_nothing_without_the_pages_token(contoso, room):
    caller = Caller(Client(enforce_csrf_checks=True))
    caller.client.force_login(contoso.admin, backend=BACKEND)
    assert caller.get("api-room", *room).status_code == 200
    evidence = mark()
    for headers in ({}, {"X-CSRFToken": "x"}, {"X-CSRFToken": "x" * 64}):
        assert code(caller.patch("api-room", *room, body={"capacity": 1}, headers=headers)) == (403, "csrf_failed")
    assert changed(evidence) == set()
    caller.client.get("/api/v1/docs/")
    theirs = {"X-CSRFToken": caller.client.cookies["csrftoken"].value}
    assert caller.patch("api-room", *room, body={"capacity": 1}, headers=theirs).status_code == 200


@pytest.mark.django_db
def test_token_needs_no_csrf_token():
    world = make()
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_MODIFY))
    caller.client = Client(enforce_csrf_checks=True)
    place = [world.contoso.tenant.pk, world.contoso.german[0].pk]
    assert caller.patch("api-room", *place, body={"capacity": 1}).status_code == 200


def test_session_that_is_too_old_is_nobodys(contoso):
    caller = person(contoso.admin)
    session = caller.client.session
    session["began_at"] = (timezone.now() - timedelta(hours=12, seconds=1)).isoformat()
    session.save()
    assert code(caller.get("api-me")) == (401, "not_authenticated")


def test_every_answer_tells_how_many_requests_are_left(contoso, room, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    caller = person(contoso.admin)
    answers = [caller.get("api-room", *room) for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert [one.headers["RateLimit-Remaining"] for one in answers] == ["2", "1", "0", "0", "0"]
    assert {one.headers["RateLimit-Limit"] for one in answers} == {"3"}
    assert code(answers[3]) == (429, "throttled")
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert answers[3].headers["RateLimit-Reset"] == answers[3].headers["Retry-After"]
    assert person(found_customer("Tailwind", rooms=0).admin).get("api-me").status_code == 200


@pytest.mark.django_db
def test_person_and_each_token_are_counted_apart(settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    world = make()
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    callers = [person(ann), *(tool(token(relationship, ann, Permission.ROOMS_VIEW)) for _ in range(2))]
    assert [one.get("api-me").status_code for one in callers] == [200, 200, 200]
    assert [one.get("api-me").status_code for one in callers] == [429, 429, 429]


def test_refused_requests_count_and_change_nothing(contoso, room, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    caller = person(contoso.admin)
    assert caller.patch("api-room", *room, body={"zzz": 1}).status_code == 400
    evidence = mark()
    assert caller.patch("api-room", *room, body={"capacity": 1}).status_code == 429
    assert changed(evidence) == set()


def test_cache_that_does_not_answer_holds_nobody_up(contoso, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 0.2},
        }
    }
    settings.API_REQUESTS_PER_MINUTE = 1
    caller = person(contoso.admin)
    assert [caller.get("api-me").status_code for _ in range(3)] == [200, 200, 200]


def test_problems_are_told_in_the_language_of_the_request(contoso, room):
    german = {"Accept-Language": "de"}
    assert Caller(headers=german).get("api-me").json()["detail"].startswith("Melden Sie sich an")
    contoso.admin.language = "de"
    contoso.admin.save()
    chosen = person(contoso.admin).get("api-room", *room, headers={"Accept-Language": "en"}, zzz=1).json()
    assert chosen["code"] == "invalid_parameters"
    assert chosen["errors"][0]["detail"] != "There is no such parameter."


def test_answers_stay_out_of_caches_and_carry_the_portals_headers(contoso):
    for answer in (person(contoso.admin).get("api-me"), person(contoso.admin).get("api-me", zzz=1)):
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_documentation_page_brings_all_it_needs_and_nothing_inline(client):
    answer = client.get("/api/v1/docs/")
    page = answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=", page)
    assert set(re.findall(r'(?:src|href)="(https?:)?//', page)) == set()
    assert '<a href="/api/v1/schema/">' in page


def test_every_code_of_the_document_is_explained():
    listed = set(re.findall(r"^\| \d{3} \| `(\w+)` \|", PROBLEMS.read_text(), re.MULTILINE))
    named = set(re.findall(r"Problem: ((?:`\w+`(?:, )?)+)", document("json").decode()))
    codes = {one for group in named for one in re.findall(r"\w+", group)}
    assert {"invalid", "stale_version", "invitation_expired", "terms_changed"} <= codes
    assert codes <= listed
    assert set(GENERAL) <= listed
