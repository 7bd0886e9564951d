"""Who can do what, and why: the same answer as the decision, in names."""

import random
from datetime import timedelta

import pytest

from audit.clock import now
from partners.services import relationships
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, User
from rbac.services import assignments
from rooms import explanations
from rooms.explanations import explain, explain_all, explain_person
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.world import World, assign, custom_role, join, make, over, room_group, security_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def random_world(world: World, seed: int) -> None:
    """Roles, scopes, groups, dates and partners, thrown together."""
    dice = random.Random(seed)
    contoso = world.contoso
    relationship, _ = join(contoso, world.fabrikam, "ann", "bob", scope=_scope(world, dice))
    rooms = room_group(contoso.tenant, "Some", *dice.sample(contoso.rooms, 2))
    for number in range(8):
        is_partners = dice.random() < 0.4
        home = world.fabrikam if is_partners else contoso
        people = [home.person(name) for name in dice.sample(["amy", "ben", "carl", "dee"], 2)]
        role = custom_role(
            contoso.tenant,
            *dice.sample(list(Permission), dice.randint(1, 5)),
            delegation=relationship.delegation if is_partners else None,
        )
        scope = Scope(groups=frozenset({rooms.pk})) if dice.random() < 0.3 else _scope(world, dice)
        dates = dice.choice(
            [{}, {}, {"valid_until": now() - timedelta(days=1)}, {"valid_from": now() + timedelta(days=1)}]
        )
        made = assign(role, people[0], scope, **dates)
        made.security_groups.add(security_group(home.tenant, f"Group {number}", people[1]))
    User.objects.filter(upn__startswith="dee@").update(is_active=dice.random() < 0.5)
    if dice.random() < 0.2:
        relationships.suspend(relationship, by=contoso.admin)


def _scope(world: World, dice: random.Random) -> Scope:
    if dice.random() < 0.3:
        return Scope(all_rooms=True)
    return over(*dice.sample(world.contoso.rooms, dice.randint(1, 3)))


@pytest.mark.parametrize("seed", range(8))
def test_explanation_is_the_decision(world, seed):
    """For everybody, room by room and all at once: the reasons' permissions are those of the decision, no more, no less."""
    random_world(world, seed)
    rooms, people = list(Room.objects.order_by("pk")), list(User.objects.order_by("pk"))
    for room in rooms:
        together = explain_all(people, room)
        for user in people:
            decided = access.permissions_on(user, [room])[room.pk]
            alone = explain(user, room)
            assert alone == together[user.pk]
            assert frozenset().union(*(one.permissions for one in alone)) == decided
            for reason in alone:
                assert reason.is_direct or reason.groups
                assert reason.all_rooms or reason.is_single or reason.room_groups
    for user in people:
        reasons = explain_person(user, world.contoso.tenant)
        held = frozenset().union(*(one.permissions for one in reasons))
        assert held == access.effective(user, world.contoso.tenant.pk)


def test_the_control_would_notice(world):
    """A reason that is left out is a difference: the comparison above is no tautology."""
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    room = world.contoso.rooms[0]
    assert (
        frozenset().union(*(one.permissions for one in explain(lea, room)[1:]))
        != access.permissions_on(lea, [room])[room.pk]
    )


def test_reasons_have_names(world):
    contoso = world.contoso
    germany = room_group(contoso.tenant, "Germany", *contoso.german)
    amy, ben = contoso.person("amy"), contoso.person("ben")
    role = custom_role(contoso.tenant, Permission.ROOMS_MODIFY)
    made = assign(role, amy, Scope(rooms=frozenset({contoso.rooms[0].pk}), groups=frozenset({germany.pk})))
    made.security_groups.add(security_group(contoso.tenant, "Office", amy, ben))

    (reason,) = explain(amy, contoso.rooms[0])
    assert (reason.role, reason.assignment) == (role, made)
    assert reason.permissions == (Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY)
    assert (reason.is_direct, reason.groups) == (True, ("Office",))
    assert (reason.all_rooms, reason.is_single, reason.room_groups) == (False, True, ("Germany",))
    (by_group,) = explain(ben, contoso.rooms[1])
    assert (by_group.is_direct, by_group.is_single, by_group.room_groups) == (False, False, ("Germany",))
    assert explain(amy, contoso.rooms[2]) == []


def test_customer_reads_names_of_partners_groups_not_their_people(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    carl, admin, room = world.fabrikam.person("carl"), world.contoso.admin, world.contoso.german[0]
    group = security_group(world.fabrikam.tenant, "Desk", carl)
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    assignments.change_members(base, by=ann, add_groups=[group])
    held = access.rights(admin, world.contoso.tenant.pk)
    assert set(explanations.people_of(room, admin, held)) == {admin, ann}
    assert [(one.name, made.pk) for one, made in explanations.groups_of(room, admin, held)] == [("Desk", base.pk)]
    mine = access.rights(ann, world.contoso.tenant.pk)
    assert set(explanations.people_of(room, ann, mine)) == {ann, carl}
    assert explanations.groups_of(room, ann, mine) == []


def test_rival_partners_read_nothing_of_each_other(world):
    join(world.contoso, world.fabrikam, "ann")
    _, (nils,) = join(world.contoso, world.northwind, "nils")
    held = access.rights(nils, world.contoso.tenant.pk)
    assert set(explanations.people_of(world.contoso.german[0], nils, held)) == {nils}


def test_nothing_is_asked_twice(world, django_assert_num_queries):
    for name in ("amy", "ben", "carl"):
        world.contoso.member(BuiltIn.SITE_TECH, name, over(world.contoso.rooms[0]))
    people = list(User.objects.order_by("-pk"))
    for some in (people[:1], people):
        with django_assert_num_queries(7):
            explain_all(some, world.contoso.rooms[0])
