"""Filters that people keep: by name, one default, nobody else's."""

import pytest
from django.core.exceptions import ValidationError

from rbac.catalogue import BuiltIn
from rooms.errors import FilterNameTaken, TooManyFilters
from rooms.services import saved_filters
from tests.factories.evidence import leaves
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def save(world, name="Berlin", query="city=Berlin", **options):
    return saved_filters.save(world.contoso.tenant, name, query, by=world.contoso.admin, **options)


def test_a_filter_is_kept_in_its_one_form_and_leaves_no_line(world):
    with leaves():
        made = save(world, "  Large   rooms ", "?q=a&city=Berlin&cursor=x&region=")
    assert (made.name, made.query, made.is_default) == ("Large rooms", "city=Berlin&q=a", False)


def test_filters_are_their_persons_own(world):
    made = save(world)
    other = world.contoso.member(BuiltIn.MMR_ADMIN, "max")
    assert list(saved_filters.own(world.contoso.tenant, world.contoso.admin)) == [made]
    assert list(saved_filters.own(world.contoso.tenant, other)) == []
    assert list(saved_filters.own(world.tailwind.tenant, world.contoso.admin)) == []


@pytest.mark.parametrize("query", ["", "?", "cursor=x", "nonsense=1", "q=a%00b", "q=" + "x" * 1000])
def test_what_is_no_filter_is_not_kept(world, query):
    with pytest.raises(ValidationError):
        save(world, query=query)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_a_name_that_is_none_is_refused(world, name):
    with pytest.raises(ValidationError):
        save(world, name)


def test_a_name_stands_for_one_filter(world):
    save(world)
    other = save(world, "Munich")
    with pytest.raises(FilterNameTaken):
        save(world)
    with pytest.raises(FilterNameTaken):
        saved_filters.rename(other, "Berlin")


def test_the_list_opens_with_one_or_none(world):
    first, second = save(world, is_default=True), save(world, "Munich", is_default=True)
    own = saved_filters.own(world.contoso.tenant, world.contoso.admin)
    assert list(own.filter(is_default=True)) == [second]
    saved_filters.open_with(second, is_default=False)
    assert not own.filter(is_default=True).exists()
    saved_filters.delete(first)
    assert list(own) == [second]


def test_nobody_keeps_more_than_thirty(world):
    for number in range(saved_filters.MOST):
        save(world, f"Filter {number}")
    with pytest.raises(TooManyFilters):
        save(world, "One more")
