"""Enrolments as services: which room it becomes, which token opens, what is on record."""

from datetime import timedelta

import pytest

from audit.models import AuditEvent
from rbac import access
from rbac.catalogue import Permission
from rbac.models import Tenant
from rbac.services import delegations
from rooms import scopes
from rooms.errors import DeviceRefused
from rooms.models import Device, HealthSignal, Room, RoomActivity, RoomGroup, RoomState, UpdateRing
from rooms.scopes import Scope
from rooms.services import enrolments, keys, telemetry
from tests.factories import join
from tests.factories.devices import bad, enroll, introduction, key_of, report
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def kinds(room: Room) -> list[str]:
    return list(RoomActivity.objects.filter(room=room).order_by("pk").values_list("kind", flat=True))


def test_an_unknown_account_becomes_a_room_in_onboarding(world):
    contoso, key = world.contoso, key_of(world.contoso)
    before = Tenant.objects.get(pk=contoso.tenant.pk).room_count
    said = introduction("new@contoso.example", display_name="Room New", time_zone="Europe/Berlin")
    with leaves("Contoso: Room/Create Room New Successful system") as evidence:
        device, token = enrolments.enroll(key, said)

    room = Room.objects.get(resource_account="new@contoso.example")
    assert (room.tenant, room.state, room.health) == (contoso.tenant, "onboarding", "unmonitored")
    assert (room.display_name, room.time_zone, room.host_name) == ("Room New", "Europe/Berlin", "MTR-1")
    assert (room.app_version, room.os_version, room.serial_number) == ("5.0.0", "11", "S-1")
    assert room.ring == UpdateRing.objects.get(tenant=contoso.tenant, is_default=True)
    assert list(room.groups.all()) == [RoomGroup.objects.get(tenant=contoso.tenant, is_default=True)]
    assert Tenant.objects.get(pk=contoso.tenant.pk).room_count == before + 1
    assert kinds(room) == ["added", "device_enrolled"]
    assert (device.room, device.key_version, device.revoked_at) == (room, 1, None)
    assert token.startswith(device.token_prefix)
    assert token.startswith("trmd_")
    assert evidence.events[0].after["device"] == device.token_prefix


def test_without_a_name_a_new_room_is_called_by_its_account(world):
    device, _ = enrolments.enroll(key_of(world.contoso), introduction("zugspitze@contoso.example"))
    assert device.room.display_name == "zugspitze"


def test_the_token_is_stored_as_a_digest_only(world):
    device, token = enroll(world.contoso, world.contoso.rooms[0])
    assert telemetry.device_of(token) == device
    assert telemetry.device_of(device.token_prefix) is None
    assert token not in str(list(Device.objects.values()))
    assert token not in str(list(AuditEvent.objects.values()))


def test_a_known_room_keeps_what_the_inventory_says(world):
    room = world.contoso.rooms[0]
    said, key = introduction(room.resource_account, display_name="Other", host_name="MTR-9"), key_of(world.contoso)
    with leaves("Contoso: Room/Update Contoso room 0 Successful system"):
        enrolments.enroll(key, said)
    room.refresh_from_db()
    assert (room.display_name, room.host_name, room.state, room.version) == ("Contoso room 0", "MTR-9", "onboarding", 1)


def test_an_unenrolled_room_comes_back_to_onboarding(world):
    room = world.contoso.rooms[0]
    Room.objects.filter(pk=room.pk).update(state=RoomState.UNENROLLED)
    enroll(world.contoso, room, is_monitored=False)
    room.refresh_from_db()
    assert (room.state, room.version) == ("onboarding", 2)


@pytest.mark.parametrize("state", ["enrolled", "suppressed", "onboarding"])
def test_another_device_takes_over_and_the_state_is_kept(world, state):
    room = world.contoso.rooms[0]
    old, old_token = enroll(world.contoso, room)
    report(old, bad())
    Room.objects.filter(pk=room.pk).update(state=state)
    new, new_token = enroll(world.contoso, room, is_monitored=False)

    room.refresh_from_db()
    assert room.state == state
    assert telemetry.device_of(old_token) is None
    assert telemetry.device_of(new_token) == new
    assert list(Device.objects.filter(room=room, revoked_at=None)) == [new]
    assert not HealthSignal.objects.filter(room=room).exists()
    assert kinds(room)[-2:] == ["device_revoked", "device_enrolled"]
    with pytest.raises(DeviceRefused):
        report(old)


def test_a_new_room_in_a_partners_group_is_the_partners_at_once(world):
    contoso = world.contoso
    relationship, (ann,) = join(contoso, world.fabrikam, "ann")
    default = RoomGroup.objects.get(tenant=contoso.tenant, is_default=True)
    scopes.change(
        delegations.base_assignment(relationship.delegation), Scope(groups=frozenset({default.pk})), by=contoso.admin
    )
    device, _ = enrolments.enroll(key_of(contoso), introduction("new@contoso.example"))
    assert list(access.visible(ann, Permission.ROOMS_VIEW, Room.objects.all())) == [device.room]


def test_the_same_account_at_another_customer_is_another_room(world):
    account = world.tailwind.rooms[0].resource_account
    device, _ = enrolments.enroll(key_of(world.contoso), introduction(account))
    assert device.room.tenant == world.contoso.tenant
    assert Room.objects.filter(resource_account=account).count() == 2
    assert not Device.objects.filter(room=world.tailwind.rooms[0]).exists()


@pytest.mark.parametrize("wrong", ["", "trmk_x", "trmk_" + "x" * 43, "\ud800"])
def test_an_unknown_key_enrols_nobody_and_leaves_nothing(world, wrong):
    key_of(world.contoso)
    refused(DeviceRefused, lambda: enrolments.enroll(wrong, introduction("new@contoso.example")), code="device_refused")


def test_an_old_key_enrols_until_its_grace_is_over_and_devices_go_on(world, clock):
    contoso, old = world.contoso, key_of(world.contoso)
    device, token = enroll(contoso, contoso.rooms[0])
    keys.reset(contoso.tenant, by=contoso.admin, grace=timedelta(hours=2))
    assert enrolments.enroll(old, introduction("new@contoso.example"))[0].key_version == 1
    clock.move(timedelta(hours=2))
    refused(DeviceRefused, lambda: enrolments.enroll(old, introduction("late@contoso.example")))
    assert telemetry.device_of(token) == device
    assert enrolments.enroll(key_of(contoso), introduction("late@contoso.example"))[0].key_version == 2


def test_revoke_ends_the_devices_of_the_rooms(world):
    contoso = world.contoso
    tokens = [enroll(contoso, room)[1] for room in contoso.rooms]
    assert enrolments.revoke([contoso.rooms[0].pk, contoso.rooms[1].pk]) == 2
    assert [telemetry.device_of(token) is None for token in tokens] == [True, True, False]
    assert enrolments.revoke([contoso.rooms[0].pk]) == 0
