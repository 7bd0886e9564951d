"""A tenant keeps an MMR Admin who covers all of it: one over some rooms could not open its settings any more."""

import pytest

from rbac.catalogue import BuiltIn
from rbac.errors import LastMmrAdmin
from rbac.models import Assignment, AssignmentKey
from rbac.services import assignments
from rooms import scopes
from rooms.scopes import Scope
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def founders(world: World) -> Assignment:
    return Assignment.objects.get(tenant=world.contoso.tenant, key=AssignmentKey.FOUNDERS)


def test_the_last_tenant_wide_assignment_is_not_narrowed(world: World) -> None:
    contoso = world.contoso
    second = contoso.member(BuiltIn.MMR_ADMIN, "second")  # so that somebody else may try
    scopes.change(founders(world), Scope(rooms=frozenset({contoso.rooms[0].pk})), by=second)
    other = Assignment.objects.exclude(key=AssignmentKey.FOUNDERS).get(tenant=contoso.tenant, people=second)
    third = contoso.member(BuiltIn.MMR_ADMIN, "third")
    own = Assignment.objects.get(tenant=contoso.tenant, people=third)
    scopes.change(other, Scope(rooms=frozenset({contoso.rooms[0].pk})), by=third)

    assignments.change_members(own, by=third, add=[second])
    with pytest.raises(LastMmrAdmin):
        assignments.change_members(own, by=third, remove=[second, third])
    assert own.people.count() == 2


def test_members_over_some_rooms_do_not_count(world: World) -> None:
    contoso = world.contoso
    contoso.member(BuiltIn.MMR_ADMIN, "local", Scope(rooms=frozenset({contoso.rooms[0].pk})))
    with pytest.raises(LastMmrAdmin):
        assignments.change_members(founders(world), by=contoso.admin, remove=[contoso.admin])
    assert founders(world).people.get() == contoso.admin
