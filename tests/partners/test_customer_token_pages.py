"""One's own API tokens for a customer, in pages: issued, shown once, listed, revoked."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.clock import now
from partners.models import ApiToken
from partners.services import relationships
from rbac.catalogue import Permission
from tests.factories.browsing import browser, text, told
from tests.factories.callers import token, tool
from tests.factories.evidence import mark
from tests.factories.world import World, assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db

WANTED = {"name": "Ticket bridge", "scopes": ["rooms.view", "tickets.view"], "days": "90"}


@pytest.fixture
def world() -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


def url(world: Any, name: str = "customer_tokens", *more: str) -> str:
    return reverse(name, args=[world.contoso.tenant.pk, *more])


def issue(world: Any, **data: Any) -> Any:
    return browser(world.ann).post(url(world), WANTED | data)


def test_secret_is_on_the_answer_and_nowhere_else(world):
    evidence = mark()
    answer = issue(world)
    [secret] = re.findall(r"trm_[0-9a-f]{64}", answer.content.decode())
    assert evidence.lines == ["Contoso: User/Update Ticket bridge Successful ann@fabrikam.example"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Copy it now" in text(answer)
    stored = ApiToken.objects.get()
    assert (stored.name, stored.scopes) == ("Ticket bridge", ["rooms.view", "tickets.view"])
    assert secret not in browser(world.ann).get(url(world)).content.decode()
    assert tool(secret).get("api-rooms", world.contoso.tenant.pk).status_code == 200


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "two\u2028lines"}, "Enter one line of plain text."),
        ({"scopes": []}, "Choose at least one permission."),
        ({"scopes": ["rooms.reset_key"]}, "not one of the available choices"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "366"}, "less than or equal to 365"),
        ({"days": "soon"}, "Enter a whole number."),
    ],
)
def test_what_does_not_fit_is_said_at_the_field_and_kept(world, data, words):
    answer = issue(world, **data)
    assert words in text(answer)
    assert ApiToken.objects.count() == 0
    if data.get("name") is None:
        assert 'value="Ticket bridge"' in answer.content.decode()


def test_offered_is_only_what_one_holds(world):
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.TICKETS_UPDATE, delegation=world.relationship.delegation)
    assign(role, carl, over(world.contoso.german[0]))
    page = browser(carl).get(url(world))
    offered = [value for value, _ in page.context["form"].fields["scopes"].choices]
    assert offered == ["tickets.view", "tickets.update"]
    assert "not one of the available choices" in text(browser(carl).post(url(world), WANTED))


def test_list_shows_ones_own_tokens_and_their_state(world):
    token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    ApiToken.objects.update(expiry=now())
    bob = world.fabrikam.person("bob")
    world.relationship.delegation.roles.get().assignments.get().memberships.create(user=bob)
    assert "bridge" in text(browser(world.ann).get(url(world)))
    assert "Expired" in text(browser(world.ann).get(url(world)))
    assert "No token yet" in text(browser(bob).get(url(world)))


def test_revoking_asks_first_and_ends_it(world):
    secret = token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    client = browser(world.ann)
    address = url(world, "customer_token_revoke", secret[:15])
    assert "Revoke the token “bridge”" in text(client.get(address))
    assert tool(secret).get("api-me").status_code == 200
    answer = client.post(address)
    assert answer.url == url(world)
    assert told(answer) == ["The token “bridge” opens nothing any more."]
    assert tool(secret).get("api-me").status_code == 401
    assert "Revoked" in text(client.get(url(world)))


def test_other_peoples_tokens_are_not_there(world):
    secret = token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    bob = world.fabrikam.person("bob")
    world.relationship.delegation.roles.get().assignments.get().memberships.create(user=bob)
    for person in (bob, world.contoso.admin, world.tailwind.admin):
        assert browser(person).get(url(world, "customer_token_revoke", secret[:15])).status_code == 404
        assert browser(person).post(url(world, "customer_token_revoke", secret[:15])).status_code == 404
    assert browser(world.ann).get(url(world, "customer_token_revoke", "trm_none")).status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_while_suspended_none_is_issued_but_one_can_be_revoked(world):
    secret = token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    relationships.suspend(world.relationship, by=world.contoso.admin)
    page = browser(world.ann).get(url(world))
    assert "no token opens anything until it is resumed" in text(page)
    assert "Issue token" not in text(page)
    assert issue(world).status_code == 404
    assert browser(world.ann).post(url(world, "customer_token_revoke", secret[:15])).status_code == 302
    assert ApiToken.objects.get().revoked_at is not None


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_as_much_for_one_as_for_three(world, number):
    for _ in range(number):
        token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    client = browser(world.ann)
    client.get(url(world))
    with CaptureQueriesContext(connection) as captured:
        page = client.get(url(world))
    assert len(page.context["rows"]) == number
    assert len(captured) == 7
