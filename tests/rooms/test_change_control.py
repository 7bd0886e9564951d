"""The one door for a partner's changes: his customer's policy decides, and no policy means no."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from rbac.catalogue import CONTROLLED_EVENTS, BuiltIn, Permission
from rbac.models import Delegation, User
from rooms import change_control
from rooms.models import ApprovalState, ControlMode, ControlPolicy, Room
from rooms.services import policies
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, asked, invite, join, make, over

pytestmark = pytest.mark.django_db

MODIFY = Permission.ROOMS_MODIFY


@pytest.fixture
def world() -> World:
    return make()


def submit(room: Room, by: User, city: str = "Bonn") -> Room:
    return change_control.submit(MODIFY, room, by=by, changes={"city": city})


def test_auto_is_done_at_once_and_named_as_the_partners(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    room = world.contoso.german[0]
    with leaves(f"Contoso: Room/Update {room.display_name} Successful ann@fabrikam.example") as evidence:
        assert submit(room, ann).city == "Bonn"
    [event] = evidence.events
    assert (event.before, event.after, event.user_tenant_id) == (
        {"city": "Berlin"},
        {"city": "Bonn"},
        world.fabrikam.tenant.pk,
    )
    assert relationship.delegation.policies.count() == len(CONTROLLED_EVENTS)


@pytest.mark.parametrize("policy", ["manual", "none"])
def test_without_auto_the_partner_asks_and_changes_nothing(world, policy):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    own = ControlPolicy.objects.filter(delegation=relationship.delegation, event=MODIFY)
    own.update(mode=ControlMode.MANUAL) if policy == "manual" else own.delete()
    with leaves("Contoso: Approval/Create Contoso room 0 Successful ann@fabrikam.example") as evidence:
        assert asked(lambda: submit(world.contoso.german[0], ann)).state == ApprovalState.PENDING
    assert evidence.changed() == {"rooms_approvalrequest"}


def test_policy_of_one_partner_is_nothing_to_another(world):
    first, _ = join(world.contoso, world.fabrikam, "ann")
    _, (nils,) = join(world.contoso, world.northwind, "nils", rooms=world.contoso.rooms)
    ControlPolicy.objects.filter(delegation=first.delegation).update(mode=ControlMode.MANUAL)
    assert submit(world.contoso.rooms[0], nils).city == "Bonn"


def test_customers_own_people_go_straight_through(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    ControlPolicy.objects.filter(delegation=relationship.delegation).update(mode=ControlMode.MANUAL)
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))
    assert submit(world.contoso.rooms[0], tess).city == "Bonn"


def test_service_asks_for_the_permission_itself(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    american = next(room for room in world.contoso.rooms if room.country == "US")
    for room, who in (
        (american, ann),
        (world.tailwind.rooms[0], ann),
        (world.contoso.rooms[0], world.contoso.person("nobody")),
    ):
        owner = "Contoso" if room.tenant_id == world.contoso.tenant.pk else "Tailwind"
        refused(
            PermissionDenied,
            lambda room=room, who=who: submit(room, who),
            f"{owner}: Room/Update {room.display_name} Failed(permission_denied) {who.upn}",
        )


def test_only_controlled_events_have_this_door(world):
    with pytest.raises(AssertionError):
        change_control.submit(Permission.ROOMS_UNENROLL, world.contoso.rooms[0], by=world.contoso.admin)


def test_new_partner_has_auto_for_every_event(world):
    relationship, _ = invite(world.contoso, "ann@fabrikam.example")
    for event in CONTROLLED_EVENTS:
        assert policies.mode_of(relationship.delegation_id, event) is ControlMode.AUTO


def test_unknown_policy_is_manual(world):
    relationship, _ = invite(world.contoso, "ann@fabrikam.example")
    ControlPolicy.objects.all().delete()
    assert policies.mode_of(relationship.delegation_id, MODIFY) is ControlMode.MANUAL


@pytest.mark.parametrize("event", CONTROLLED_EVENTS)
def test_manual_is_kept_where_it_is_chosen(world, event):
    delegation = Delegation.objects.create(tenant=world.contoso.tenant)
    policies.set_up(delegation, {event: ControlMode.MANUAL})
    assert policies.modes_of(delegation.pk) == {
        one: ControlMode.MANUAL if one is event else ControlMode.AUTO for one in CONTROLLED_EVENTS
    }


def test_room_that_is_gone_is_not_changed(world):
    room = world.contoso.rooms[0]
    stale = Room.objects.get(pk=room.pk)
    room.delete()
    with pytest.raises((PermissionDenied, Http404)):
        submit(stale, world.contoso.admin)
