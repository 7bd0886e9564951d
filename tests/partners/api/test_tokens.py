"""Tokens of a partner's tools: issued, used, revoked; what they open, and when they stop."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from knox.models import AuthToken

from audit.clock import now
from partners.models import ApiToken
from partners.services import invitations, tokens
from rbac.access import Limits
from rbac.catalogue import CEILING, Permission
from rbac.models import AssignmentMember, Delegation, User
from tests.factories import world as build
from tests.factories.callers import Caller, changed, code, person, token, tool, wrong
from tests.factories.evidence import mark
from tests.factories.world import custom_role, join, make, over

pytestmark = pytest.mark.django_db

WANTED = {"name": "Ticket bridge", "scopes": ["rooms.view", "rooms.modify"], "days": 90}


@pytest.fixture
def world():
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


@pytest.fixture
def contoso(world):
    return world.contoso.tenant.pk


@pytest.fixture
def ann(world):
    return person(world.ann)


def test_secret_is_told_once_and_stored_as_a_hash(world, ann, contoso):
    evidence = mark()
    answer = ann.post("api-tokens", contoso, body=WANTED)
    secret, stored = answer.json()["token"], ApiToken.objects.get()
    assert answer.status_code == 201
    assert secret.startswith("trm_")
    assert len(secret) == 68
    assert answer.json()["prefix"] == stored.token_key == secret[:15]
    assert answer.headers["Location"] == f"http://testserver/api/v1/customers/{contoso}/tokens/{secret[:15]}/"
    assert "no-store" in answer.headers["Cache-Control"]
    assert evidence.lines == ["Contoso: User/Update Ticket bridge Successful ann@fabrikam.example"]
    rest = secret[15:]
    with connection.cursor() as cursor:
        for table in ("partners_apitoken", "audit_auditevent", "audit_outboxmessage", "django_session"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{rest}%"])
            assert cursor.fetchone() == (0,)
    listed = [ann.get("api-tokens", contoso).content, ann.get("api-token", contoso, secret[:15]).content]
    assert all(rest.encode() not in one and stored.digest.encode() not in one for one in listed)


def test_token_lists_and_shows_what_it_is(ann, contoso):
    made = ann.post("api-tokens", contoso, body=WANTED).json()
    secret = made.pop("token")
    assert made == {
        "prefix": secret[:15],
        "name": "Ticket bridge",
        "scopes": ["rooms.modify", "rooms.view"],
        "created_at": made["created_at"],
        "expires_at": made["expires_at"],
        "last_used_at": None,
        "revoked_at": None,
    }
    assert ann.get("api-token", contoso, secret[:15]).json() == made
    assert ann.get("api-tokens", contoso).json()["items"] == [made]
    lifetime = ApiToken.objects.get().expiry - now()
    assert timedelta(days=89, hours=23) < lifetime <= timedelta(days=90)


def test_token_does_what_its_holder_may_narrowed_to_its_scopes(world, contoso):
    room = world.contoso.german[0].pk
    viewing = tool(token(world.relationship, world.ann, Permission.ROOMS_VIEW))
    changing = tool(token(world.relationship, world.ann, Permission.ROOMS_MODIFY))
    assert viewing.get("api-room", contoso, room).status_code == 200
    assert code(viewing.patch("api-room", contoso, room, body={"capacity": 1})) == (403, "permission_denied")
    assert changing.patch("api-room", contoso, room, body={"capacity": 1}).status_code == 200
    permissions = viewing.get("api-customer", contoso).json()["permissions"]
    assert [name for name, reach in permissions.items() if reach != "nowhere"] == ["rooms.view"]
    assert viewing.get("api-me").json()["token"]["scopes"] == ["rooms.view"]


def test_token_never_reaches_beyond_what_its_holder_still_has(world, contoso):
    """The holder loses a room: so does his token, at once."""
    program = tool(token(world.relationship, world.ann, *CEILING))
    assert len(program.get("api-rooms", contoso).json()["items"]) == 2
    AssignmentMember.objects.create(assignment=_invited_admins(world), user=world.fabrikam.person("bob"))
    AssignmentMember.objects.filter(user=world.ann).delete()
    assert program.get("api-rooms", contoso).status_code == 404
    assert program.get("api-customers").json()["items"] == []


def _invited_admins(world):
    return world.relationship.delegation.roles.get().assignments.get()


def test_token_does_not_reach_what_the_holder_has_elsewhere(world, contoso):
    """The holder works for two customers, and at home; the token opens one of them."""
    join(world.tailwind, world.fabrikam, "ann")
    home = custom_role(world.fabrikam.tenant, Permission.ROOMS_VIEW)
    build.assign(home, world.ann, build.Scope(all_rooms=True))
    assert len(person(world.ann).get("api-customers").json()["items"]) == 3
    program = tool(token(world.relationship, world.ann, *CEILING))
    assert [one["id"] for one in program.get("api-customers").json()["items"]] == [str(contoso)]
    for other in (world.tailwind.tenant.pk, world.fabrikam.tenant.pk):
        assert program.get("api-rooms", other).status_code == 404


DEAD = {
    "revoked": lambda world: tokens.revoke(ApiToken.objects.get(), by=world.ann),
    "expired": lambda world: ApiToken.objects.update(expiry=now()),
    "relationship ended": lambda world: Delegation.objects.filter(pk=world.relationship.delegation_id).update(
        state="ended", ended_at=now()
    ),
    "relationship suspended": lambda world: Delegation.objects.filter(pk=world.relationship.delegation_id).update(
        state="suspended"
    ),
    "relationship out of time": lambda world: Delegation.objects.filter(pk=world.relationship.delegation_id).update(
        valid_until=now()
    ),
    "holder inactive": lambda world: User.objects.filter(pk=world.ann.pk).update(is_active=False),
    "holder moved": lambda world: User.objects.filter(pk=world.ann.pk).update(tenant=world.northwind.tenant),
}


@pytest.mark.parametrize("why", DEAD)
def test_dead_token_is_refused_on_the_next_request_like_an_unknown_one(world, why):
    secret = token(world.relationship, world.ann, *CEILING)
    program = tool(secret)
    assert program.get("api-me").status_code == 200
    DEAD[why](world)
    with CaptureQueriesContext(connection) as dead:
        answer = program.get("api-me")
    with CaptureQueriesContext(connection) as unknown:
        other = tool("trm_" + "0" * 64).get("api-me")
    assert code(answer) == (401, "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.content == other.content
    assert len(dead) == len(unknown) == 1


def test_expiry_is_judged_by_the_databases_clock(world, clock):
    program = tool(token(world.relationship, world.ann, Permission.ROOMS_VIEW, days=3))
    clock.move(timedelta(days=3, seconds=-20))
    assert program.get("api-me").status_code == 200
    clock.move(timedelta(seconds=20))
    assert code(program.get("api-me")) == (401, "authentication_failed")


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token ",
        "Token a b",
        "Token trm_",
        "Token " + "a" * 8000,
        "Token trm_\u00e9",
        "token x",
        "Token trm_%00",
        "Bearer trm_x",
        "Basic YTpi",
        "x",
    ],
)
def test_headers_that_are_no_token_are_refused(header):
    assert Caller(headers={"Authorization": header}).get("api-me").status_code == 401


def test_use_is_written_down_once_a_minute(world, clock):
    program = tool(token(world.relationship, world.ann, Permission.ROOMS_VIEW))
    assert ApiToken.objects.get().last_used_at is None
    program.get("api-me")
    first = ApiToken.objects.get().last_used_at
    with CaptureQueriesContext(connection) as captured:
        program.get("api-me")
    assert ApiToken.objects.get().last_used_at == first
    assert not [one for one in captured if one["sql"].startswith("UPDATE")]
    clock.move(timedelta(seconds=61))
    program.get("api-me")
    assert ApiToken.objects.get().last_used_at > first + timedelta(seconds=60)


def test_revoking_is_on_record_once(world, ann, contoso):
    prefix = token(world.relationship, world.ann, Permission.ROOMS_VIEW)[:15]
    evidence = mark()
    assert ann.delete("api-token", contoso, prefix).status_code == 204
    revoked_at = ann.get("api-token", contoso, prefix).json()["revoked_at"]
    assert revoked_at is not None
    assert ann.delete("api-token", contoso, prefix).status_code == 204
    assert ann.get("api-token", contoso, prefix).json()["revoked_at"] == revoked_at
    assert evidence.lines == ["Contoso: User/Update bridge Successful ann@fabrikam.example"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"scopes": []}, [("/scopes", "empty")]),
        ({"scopes": ["settings.view"]}, [("/scopes/0", "invalid_choice")]),
        ({"scopes": "rooms.view"}, [("/scopes", "not_a_list")]),
        ({"scopes": ["rooms.view"] * 20}, [("/scopes", "max_length")]),
        ({"days": 0}, [("/days", "min_value")]),
        ({"days": 366}, [("/days", "max_value")]),
        ({"name": ""}, [("/name", "blank")]),
        ({"name": "a\nb"}, [("/name", "single_line")]),
        ({"name": "x" * 101}, [("/name", "max_length")]),
        ({"user": 1}, [("/user", "unknown_field")]),
    ],
)
def test_tokens_that_do_not_fit_are_named(ann, contoso, fields, problem):
    evidence = mark()
    answer = ann.post("api-tokens", contoso, body=WANTED | fields)
    assert code(answer) == (400, "invalid")
    assert wrong(answer) == problem
    assert changed(evidence) == set()


def test_nobody_gives_a_token_what_he_does_not_hold(world, contoso):
    """A help desk of the partner that only looks at rooms cannot make a tool that changes them."""
    desk = world.fabrikam.person("desk")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=world.relationship.delegation)
    build.assign(role, desk, over(world.contoso.german[0]))
    caller, evidence = person(desk), mark()
    assert code(caller.post("api-tokens", contoso, body=WANTED)) == (403, "permission_denied")
    assert changed(evidence) == set()
    assert evidence.lines == ["Contoso: User/Update Ticket bridge Failed(permission_denied) desk@fabrikam.example"]
    assert caller.post("api-tokens", contoso, body=WANTED | {"scopes": ["rooms.view"]}).status_code == 201


def test_services_refuse_tokens_even_where_no_view_stands_before_them(world):
    """A tool makes no tools, revokes none, and answers no invitations: not by any later door either."""

    secret = token(world.relationship, world.ann, *CEILING)
    holder = User.objects.get(pk=world.ann.pk)

    holder.limits = Limits(world.relationship.delegation_id, CEILING)
    with pytest.raises(PermissionDenied):
        tokens.issue(world.relationship.delegation, "x", by=holder, scopes=CEILING, lifetime=timedelta(days=1))
    with pytest.raises(PermissionDenied):
        tokens.revoke(ApiToken.objects.get(token_key=secret[:15]), by=holder)
    assert list(tokens.held_by(holder, world.relationship.delegation_id)) == []
    _, (invitation,) = build.invite(world.tailwind, world.ann.upn)
    with pytest.raises(Http404):
        invitations.accept(invitation, by=holder)
    with pytest.raises(Http404):
        invitations.deny(invitation, by=holder)
    assert list(invitations.open_for(holder)) == []


def test_token_beats_a_session_that_is_sent_along(world, contoso):
    """Whoever sends both asks as the token: nothing is added up."""
    caller = person(world.contoso.admin)
    caller.headers = tool(token(world.relationship, world.ann, Permission.ROOMS_VIEW)).headers
    assert caller.get("api-me").json()["upn"] == "ann@fabrikam.example"
    assert code(caller.get("api-partners", contoso)) == (403, "permission_denied")


def test_knox_own_addresses_and_table_are_not_in_use(world):
    token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    assert AuthToken._meta.swapped == "partners.ApiToken"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM knox_authtoken")
        assert cursor.fetchone() == (0,)
    modules = json.dumps([str(one.callback) for one in _all(get_resolver().url_patterns)])
    assert "knox" not in modules


def _all(patterns):
    for one in patterns:
        if hasattr(one, "url_patterns"):
            yield from _all(one.url_patterns)
        else:
            yield one


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_as_much_for_one_token_as_for_three(world, ann, contoso, number):
    for _ in range(number):
        token(world.relationship, world.ann, Permission.ROOMS_VIEW)
    with CaptureQueriesContext(connection) as captured:
        assert len(ann.get("api-tokens", contoso).json()["items"]) == number
    assert len(captured) == 5


def test_newest_come_first_page_by_page(world, ann, contoso):
    prefixes = [token(world.relationship, world.ann, Permission.ROOMS_VIEW)[:15] for _ in range(3)]
    first = ann.get("api-tokens", contoso, page_size=2).json()
    last = ann.client.get(first["next"]).json()
    assert [one["prefix"] for page in (first, last) for one in page["items"]] == prefixes[::-1]
