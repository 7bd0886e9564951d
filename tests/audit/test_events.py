"""Events: handed to whoever listens, inside the change and in its order; never outside of one."""

import uuid

import pytest

from audit import events
from audit.events import About, Event, EventType, listens, tell
from audit.log import recording

pytestmark = pytest.mark.django_db

TENANT = uuid.UUID(int=7)


def event(number: int) -> Event:
    return Event(EventType.TICKET_UPDATED, TENANT, About.TICKET, number)


@pytest.fixture
def heard(monkeypatch):
    """What one more listener hears, a list for each time that something is told."""
    told: list[list[int]] = []
    monkeypatch.setattr(events, "_listeners", [])

    def listen(given):
        told.append([one.object_id for one in given])

    listens(listen)
    listens(listen)  # once is enough
    return told


def test_a_set_is_told_as_a_set_in_its_order(heard):
    with recording("Ticket", "Update", "x", tenant=TENANT, by=None):
        tell(event(2), event(1))
        tell()
        tell(event(3))
    assert heard == [[2, 1], [3]]


def test_nothing_is_told_outside_a_change(heard):
    with pytest.raises(RuntimeError):
        tell(event(1))
    assert heard == []


def test_who_listens_and_fails_stops_the_change(heard):
    def fail(given):
        raise ZeroDivisionError

    def change():
        with recording("Ticket", "Update", "x", tenant=TENANT, by=None):
            tell(event(1))

    listens(fail)
    with pytest.raises(ZeroDivisionError):
        change()


def test_names_have_their_form():
    """A kind, a dot, what happened: names never change once they are published."""
    assert all(one.value.count(".") == 1 and one.value.replace(".", "").isalpha() for one in EventType)
    assert len(EventType) == 23
