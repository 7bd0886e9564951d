"""One question, one statement: it says what the list says, in worlds of any kind."""

import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from audit.clock import Now, now
from rbac import access, grants
from rbac.access import Limits
from rbac.catalogue import BuiltIn, Permission
from rbac.models import AssignmentGroup, Delegation, Tenant, TenantStatus, User
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.rows import RoomFactory
from tests.factories.world import Customer, assign, custom_role, join, make, over, room_group, security_group
from tests.rbac import oracle

pytestmark = pytest.mark.django_db

OF_ROOMS = (Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY, Permission.TICKETS_VIEW, Permission.ROOMS_UNENROLL)
OF_TENANTS = (Permission.SETTINGS_VIEW, Permission.SETTINGS_MODIFY, Permission.ROLES_VIEW, Permission.ROOMS_VIEW)
GIVEN = (
    Permission.ROOMS_VIEW,
    Permission.ROOMS_MODIFY,
    Permission.TICKETS_UPDATE,
    Permission.SETTINGS_MODIFY,
    Permission.ROLES_VIEW,
)


def some_scope(chance: random.Random, customer: Customer) -> Scope:
    rooms = chance.sample(customer.rooms, chance.randint(1, len(customer.rooms)))
    if chance.random() < 0.3:
        return Scope(all_rooms=True)
    if chance.random() < 0.3:
        group = room_group(customer.tenant, str(chance.random()), *rooms)
        return Scope(groups=frozenset({group.pk}))
    return over(*rooms)


def some_world(chance: random.Random) -> None:
    """Two customers and two partners with built-in and custom roles, bounds, groups, dates, ends and closures."""
    world = make()
    for customer, partner in ((world.contoso, world.fabrikam), (world.tailwind, world.northwind)):
        customer.member(BuiltIn.SITE_TECH, "tess", some_scope(chance, customer))
        customer.member(BuiltIn.SITE_LEAD, "lea")
        relationship, (ann,) = join(customer, partner, "ann", scope=some_scope(chance, customer))
        carl, dora = partner.person("carl"), partner.person("dora")
        desk = security_group(partner.tenant, "Desk", dora)
        for holder in (ann, carl, customer.person("max")):
            is_partners = holder.tenant_id == partner.tenant.pk
            role = custom_role(
                customer.tenant,
                *chance.sample(GIVEN, chance.randint(1, 3)),
                delegation=relationship.delegation if is_partners else None,
            )
            hour, second = now() + timedelta(hours=1), now() + timedelta(seconds=1)
            dates = chance.choice([{}, {}, {"valid_from": hour}, {"valid_until": second}, {"valid_until": hour}])
            given = assign(role, holder, some_scope(chance, customer), **dates)
            if is_partners and chance.random() < 0.5:
                AssignmentGroup.objects.create(assignment=given, group=desk)
                with transaction.atomic():
                    grants.project_members(given)
        what = chance.random()
        if what < 0.2:
            Delegation.objects.filter(pk=relationship.delegation_id).update(valid_until=Now() - timedelta(seconds=1))
        elif what < 0.4:
            Tenant.objects.filter(pk=customer.tenant.pk).update(status=TenantStatus.CLOSED)
        elif what < 0.5:
            User.objects.filter(pk=carl.pk).update(is_home_member=False)


@pytest.mark.parametrize("seed", range(8))
def test_question_and_list_agree_for_everybody(seed, clock):
    chance = random.Random(seed)
    some_world(chance)
    clock.move(timedelta(seconds=2))
    rooms, tenants, seen = list(Room.objects.all()), list(Tenant.objects.all()), oracle.dump()
    delegations = list(Delegation.objects.all())
    for user in User.objects.all():
        for permission in OF_ROOMS:
            listed = set(access.visible(user, permission, Room.objects.all()))
            assert {room.pk for room in listed} == oracle.rooms_seen(seen, user.pk, permission.value)
            assert {room for room in rooms if access.can(user, permission, room)} == listed
        for permission in OF_TENANTS:
            listed = set(access.visible(user, permission, Tenant.objects.all()))
            assert {tenant for tenant in tenants if access.can(user, permission, tenant)} == listed
        user.limits = Limits(chance.choice(delegations).pk, frozenset(chance.sample(GIVEN, 2)))
        for permission in OF_ROOMS:
            listed = set(access.visible(user, permission, Room.objects.all()))
            assert {room for room in rooms if access.can(user, permission, room)} == listed


def test_question_is_about_the_row_not_about_what_the_caller_says_of_it():
    world = make()
    foreign = world.tailwind.rooms[0]
    foreign.tenant_id = world.contoso.tenant.pk
    assert not access.can(world.contoso.admin, Permission.ROOMS_MODIFY, foreign)
    gone = RoomFactory.build(tenant=world.contoso.tenant, pk=2**40)
    assert not access.can(world.contoso.admin, Permission.ROOMS_MODIFY, gone)
    assert not access.can(world.contoso.admin, Permission.SETTINGS_VIEW, world.contoso.rooms[0])
    assert not access.can(AnonymousUser(), Permission.ROOMS_VIEW, world.contoso.rooms[0])
    assert not access.can(AnonymousUser(), Permission.SETTINGS_VIEW, world.contoso.tenant)


@pytest.mark.parametrize("pick", ["room", "tenant"])
def test_a_question_is_one_statement(pick, django_assert_num_queries):
    world = make()
    target = {"room": world.contoso.rooms[0], "tenant": world.contoso.tenant}[pick]
    access.row_id(Permission.ROOMS_MODIFY)
    with django_assert_num_queries(1):
        assert access.can(world.contoso.admin, Permission.ROOMS_MODIFY, target)
