"""A file goes on while its reader holds what he was let in by; that is asked at intervals, not for each line."""

from collections.abc import Iterator

import pytest
from django.test import Client

from rbac import access, streams
from rbac.catalogue import Permission
from rbac.models import Role, User
from rbac.partner_access import Conditions, Evidence, Policy, Proof, evidence
from rbac.services import partner_access
from rbac.streams import AccessLost, while_held
from tests.factories.browsing import browser
from tests.factories.world import World, assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db

LINES = [b"one\n", b"two\n", b"three\n"]


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def vic(world: World) -> User:
    """Sees rooms and tickets of Contoso."""
    person = world.contoso.person("vic")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, Permission.TICKETS_VIEW)
    assign(role, person, over(*world.contoso.german))
    return person


@pytest.fixture
def client(vic: User) -> Client:
    return browser(vic)


def begin(vic: User, client: Client) -> Iterator[bytes]:
    """A file that vic is reading; the first line has come."""
    found = while_held(LINES, vic, client.session.session_key, access.rights(vic))
    assert next(found) == LINES[0]
    return found


@pytest.fixture
def asks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ASKED_AGAIN", 0.0)


def test_quick_reader_costs_no_question(vic, client, django_assert_num_queries):
    file = while_held(LINES, vic, client.session.session_key, access.rights(vic))
    with django_assert_num_queries(0):
        assert list(file) == LINES


def test_question_costs_two_statements(vic, client, asks_each_time, django_assert_num_queries):
    file = begin(vic, client)
    with django_assert_num_queries(2 * 2):
        assert list(file) == LINES[1:]


def test_slow_reader_is_asked_again_after_a_second(vic, client, monkeypatch):
    file, moment = begin(vic, client), streams.time.monotonic()
    User.objects.filter(pk=vic.pk).update(is_active=False)
    monkeypatch.setattr(streams.time, "monotonic", lambda: moment + 0.5)
    assert next(file) == LINES[1]
    monkeypatch.setattr(streams.time, "monotonic", lambda: moment + 1.5)
    with pytest.raises(AccessLost):
        next(file)


def test_more_rights_than_before_end_nothing(world, vic, client, asks_each_time):
    file = begin(vic, client)
    assign(custom_role(world.contoso.tenant, Permission.REPORTS_VIEW), vic, over(*world.contoso.rooms))
    Role.objects.filter(assignments__people=vic).update(permissions=["reports.view", "rooms.view", "tickets.view"])
    assert list(file) == LINES[1:]


def test_one_permission_less_ends_it(vic, client, asks_each_time):
    file = begin(vic, client)
    Role.objects.filter(assignments__people=vic).update(permissions=["rooms.view"])
    with pytest.raises(AccessLost):
        next(file)


def test_session_of_somebody_else_is_none(world, vic, client, asks_each_time):
    file = while_held(LINES, vic, browser(world.contoso.admin).session.session_key, ())
    with pytest.raises(AccessLost):
        list(file)


def test_who_was_let_in_by_no_right_needs_his_session_alone(vic, client, asks_each_time):
    file = while_held(LINES, vic, client.session.session_key, ())
    assert next(file) == LINES[0]
    client.logout()
    with pytest.raises(AccessLost):
        next(file)


def test_what_was_shown_in_the_request_counts_when_it_is_over(world, client, asks_each_time):
    """Contoso asks its partners' people for a second factor; Ann has shown one, and goes on reading."""
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    partner_access.change(world.contoso.tenant, Policy(always=Conditions(mfa=True)), by=world.contoso.admin)
    for methods, is_whole in ((frozenset({"mfa"}), True), (frozenset({"pwd"}), False)):
        held = access.rights(ann)
        token = evidence.set(Evidence(ann.pk, Proof(methods=methods)))
        file = while_held(LINES, ann, browser(ann).session.session_key, held)
        evidence.reset(token)
        if is_whole:
            assert list(file) == LINES
        else:
            with pytest.raises(AccessLost):
                list(file)
        assert evidence.get() is None
