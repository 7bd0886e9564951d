"""Keyset pages: the same at any depth, whatever comes and goes, and nothing a reader can make them trip over."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from django.core.exceptions import BadRequest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rbac.models import User
from rbac.paging import page
from rooms.models import Room
from tests.factories import RoomFactory, TenantFactory, UserFactory

pytestmark = pytest.mark.django_db

NAMES = ["Ada", "Bohr", "Curie", "Curie", "Dirac", "Euler", "Fermi"]
BY_NAME, BY_NAME_DOWN = ("display_name", "id"), ("-display_name", "-id")


@pytest.fixture
def rooms():
    """Seven rooms of one tenant, two of the same name, and a foreign one between them."""
    tenant = TenantFactory()
    RoomFactory(display_name="Bose")
    for name in NAMES:
        RoomFactory(tenant=tenant, display_name=name)
    return Room.objects.filter(tenant=tenant)


def forwards(queryset, **options):
    """All pages from the first to the last."""
    cursor, found = None, []
    while cursor or not found:
        one = page(queryset, cursor=cursor, **options)
        found.append(one)
        cursor = one.next
    return found


def ids(pages):
    return [[room.pk for room in one.items] for one in pages]


def in_a_row(pages):
    return [pk for page_ids in ids(pages) for pk in page_ids]


@pytest.mark.parametrize("order", [BY_NAME, BY_NAME_DOWN, ("city", "display_name", "id"), ("id",)])
def test_pages_hold_every_row_once_in_the_order_of_the_list(rooms, order):
    pages = forwards(rooms, order=order, size=2)

    assert in_a_row(pages) == list(rooms.order_by(*order).values_list("pk", flat=True))
    assert [len(one.items) for one in pages] == [2, 2, 2, 1]


@pytest.mark.parametrize("order", [BY_NAME, BY_NAME_DOWN])
def test_going_back_shows_the_same_pages(rooms, order):
    pages = forwards(rooms, order=order, size=2)
    cursor, back = pages[-1].previous, []

    while cursor:
        one = page(rooms, order=order, size=2, cursor=cursor)
        back.append(one)
        cursor = one.previous

    assert ids(back) == ids(pages)[-2::-1]


def test_the_first_page_has_nothing_before_it_and_the_last_nothing_after(rooms):
    pages = forwards(rooms, size=4)

    assert [(one.previous is None, one.next is None) for one in pages] == [(True, False), (False, True)]


def test_a_full_last_page_has_no_next(rooms):
    assert page(rooms, size=7).next is None
    assert page(rooms, size=6).next is not None


def test_a_row_that_came_before_the_cursor_moves_nothing(rooms):
    first = page(rooms, size=3)
    RoomFactory(tenant=rooms[0].tenant, display_name="Aalto")

    second = page(rooms, size=3, cursor=first.next)

    assert [room.display_name for room in second.items] == NAMES[3:6]


def test_a_cursor_whose_row_is_gone_still_knows_its_place(rooms):
    first = page(rooms, size=3)
    first.items[-1].delete()

    assert [room.display_name for room in page(rooms, size=3, cursor=first.next).items] == NAMES[3:6]


def test_past_the_end_the_last_page_is_answered(rooms):
    cursor = page(rooms, size=4).next
    rooms.filter(display_name__in=["Dirac", "Euler", "Fermi"]).delete()
    rooms.order_by("-pk").first().delete()

    found = page(rooms, size=2, cursor=cursor)

    assert [room.display_name for room in found.items] == ["Bohr", "Curie"]
    assert found.next is None
    assert [room.display_name for room in page(rooms, size=2, cursor=found.previous).items] == ["Ada", "Bohr"]


def test_before_the_beginning_the_first_page_is_answered(rooms):
    cursor = page(rooms, size=3, cursor=page(rooms, size=3).next).previous
    rooms.filter(display_name__in=["Ada", "Bohr"]).delete()

    found = page(rooms, size=3, cursor=cursor)

    assert [room.display_name for room in found.items] == ["Curie", "Curie", "Dirac"]
    assert found.previous is None


def test_values_are_paged_like_instances(rooms):
    pages = forwards(rooms.values("id", "display_name"), size=3)

    assert [row["display_name"] for one in pages for row in one.items] == NAMES


def test_a_field_of_a_related_row_can_be_the_key():
    people = [UserFactory(tenant=TenantFactory(name=name)) for name in ("B", "A", "C")]

    pages = forwards(User.objects.select_related("tenant"), order=("tenant__name", "id"), size=1)

    assert ids(pages) == [[people[1].pk], [people[0].pk], [people[2].pk]]


def test_a_moment_is_a_key_to_the_microsecond(rooms):
    pages = forwards(rooms, order=("created_at", "id"), size=2)

    assert in_a_row(pages) == list(rooms.order_by("created_at", "id").values_list("pk", flat=True))


@pytest.mark.parametrize("cursor_of", [None, 3])
def test_a_page_is_one_query_with_a_row_comparison(rooms, cursor_of):
    cursor = page(rooms, size=cursor_of).next if cursor_of else None

    with CaptureQueriesContext(
        connection,
    ) as caught:
        page(rooms, size=3, cursor=cursor)

    (query,) = [one["sql"] for one in caught.captured_queries]
    assert "OFFSET" not in query
    assert "COUNT" not in query
    assert ('("rooms_room"."display_name", "rooms_room"."id") > (' in query) == (cursor is not None)


def test_a_page_is_never_larger_than_200(rooms):
    RoomFactory.create_batch(200, tenant=rooms[0].tenant)

    assert len(page(rooms, size=10_000).items) == 200
    assert len(page(rooms, size=0).items) == 1


def test_an_order_of_two_directions_is_a_mistake(rooms):
    with pytest.raises(ValueError, match="one direction"):
        page(rooms, order=("display_name", "-id"))


def written(*content):
    return urlsafe_b64encode(json.dumps(content).encode()).decode()


NAME = "display_name,id"
NONSENSE = {
    "not base64": "%%%",
    "not ascii": "ü",
    "not json": urlsafe_b64encode(b"{").decode(),
    "no list": written(),
    "a number": urlsafe_b64encode(b"1").decode(),
    "deep": urlsafe_b64encode(b"[" * 1400).decode(),
    "long": "A" * 3000,
    "other direction": written("x", NAME, "Ada", 1),
    "other sort": written("a", "city,id", "Berlin", 1),
    "turned round": written("a", "-" + NAME, "Ada", 1),
    "too short": written("a", NAME, "Ada"),
    "too long": written("a", NAME, "Ada", 1, 2),
    "null": written("a", NAME, None, 1),
    "list": written("a", NAME, ["Ada"], 1),
    "object": written("a", NAME, {"a": 1}, 1),
    "text for a number": written("a", NAME, "Ada", "x"),
    "fraction": urlsafe_b64encode(b'["a","display_name,id","Ada",1.5]').decode(),
    "infinite": urlsafe_b64encode(b'["a","display_name,id","Ada",1e999]').decode(),
    "beyond the column": written("a", NAME, "Ada", 2**63),
    "endless number": urlsafe_b64encode(b'["a","display_name,id","Ada",' + b"9" * 1400 + b"]").decode(),
    "nul": written("a", NAME, "A\0", 1),
    "half a character": urlsafe_b64encode(b'["a","display_name,id","\\ud800",1]').decode(),
    "bytes": urlsafe_b64encode(b"\xff\xfe").decode(),
}


@pytest.mark.parametrize("cursor", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_cursor_that_cannot_be_read_is_a_bad_request(rooms, cursor):
    with pytest.raises(BadRequest):
        page(rooms, cursor=cursor)


@pytest.mark.parametrize("moment", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "9999999-01-01T00:00:00Z"])
def test_a_moment_that_is_none_is_a_bad_request(rooms, moment):
    with pytest.raises(BadRequest):
        page(rooms, order=("created_at", "id"), cursor=written("a", "created_at,id", moment, 1))


def test_a_cursor_says_only_what_its_reader_has_seen(rooms):
    first = page(rooms, size=3)
    cursor = first.next + "=" * (-len(first.next) % 4)

    assert json.loads(urlsafe_b64decode(cursor)) == ["a", NAME, "Curie", first.items[-1].pk]
