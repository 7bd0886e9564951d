"""Many rooms, one change: a fate for each, nothing half done, rights asked anew for each."""

from datetime import timedelta

import pytest

from audit.clock import now
from partners.services import relationships
from rbac.catalogue import BuiltIn, Permission
from rooms import change_control, schedule
from rooms.errors import ImportOver
from rooms.models import (
    ApprovalRequest,
    BulkAction,
    BulkChange,
    ControlMode,
    ControlPolicy,
    Room,
    RoomState,
    UpdateRing,
    WorkState,
)
from rooms.services import bulk, bulk_changes
from tests.factories.evidence import leaves
from tests.factories.world import World, assign, custom_role, join, make, over, room_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def each(world, by, action, rooms=None, submit=change_control.submit, **params):
    picked = [room.pk for room in (world.contoso.rooms if rooms is None else rooms)]
    fates = bulk.each(world.contoso.tenant, picked, BulkAction(action), params, by=by, submit=submit)
    return [(fate.outcome.value, fate.code) for fate in fates]


DONE, SAME = ("done", ""), ("unchanged", "")


def refused(code):
    return ("refused", code)


def test_every_room_is_edited_with_a_line_of_its_own_and_a_second_time_nothing_changes(world):
    admin = world.contoso.admin
    Room.objects.filter(pk=world.contoso.rooms[0].pk).update(tags=["old", "kept"])
    said = {"campus": "North", "add_tags": ["video", "kept"], "remove_tags": ["old"]}
    lines = [f"Contoso: Room/Update Contoso room {number} Successful {admin.upn}" for number in range(3)]
    with leaves(*lines):
        assert each(world, admin, "edit", **said) == [DONE] * 3
    found = Room.objects.filter(tenant=world.contoso.tenant).order_by("pk").values_list("campus", "tags", "version")
    assert list(found) == [("North", ["kept", "video"], 2), *[("North", ["video", "kept"], 2)] * 2]
    assert each(world, admin, "edit", **said) == [SAME] * 3


def test_what_is_refused_for_one_room_stops_no_other(world):
    ours = world.contoso.rooms
    Room.objects.filter(pk=ours[1].pk).update(state=RoomState.ENROLLED)
    assert each(world, world.contoso.admin, "suppress") == [refused("state_forbids"), DONE, refused("state_forbids")]
    assert each(world, world.contoso.admin, "enroll") == [DONE, SAME, DONE]
    assert each(world, world.contoso.admin, "unsuppress") == [SAME, DONE, SAME]


def test_unknown_foreign_and_out_of_scope_rooms_look_the_same(world):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))
    gone = Room(pk=10**9)
    rooms = [world.contoso.rooms[0], world.contoso.rooms[1], world.tailwind.rooms[0], gone]
    assert each(world, tess, "enroll", rooms) == [DONE, *[refused("not_found")] * 3]


def test_who_may_only_see_a_room_is_told_so(world):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))
    assign(custom_role(world.contoso.tenant, Permission.ROOMS_VIEW), tess, over(world.contoso.rooms[1]))
    assert each(world, tess, "edit", campus="North") == [DONE, refused("permission_denied"), refused("not_found")]


def test_a_partner_goes_through_the_door_and_loses_it_in_the_middle(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=world.contoso.rooms)

    def submit(*args, **params):
        answer = change_control.submit(*args, **params)
        relationships.remove(relationship, by=world.contoso.admin)
        return answer

    assert each(world, ann, "enroll", submit=submit) == [DONE, refused("not_found"), refused("not_found")]
    assert [room.state for room in Room.objects.filter(tenant=world.contoso.tenant).order_by("pk")] == [
        "enrolled",
        "onboarding",
        "onboarding",
    ]


def test_what_the_customer_wants_to_approve_waits_for_each_room(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ControlPolicy.objects.filter(event=Permission.ROOMS_MODIFY).update(mode=ControlMode.MANUAL)
    assert each(world, ann, "enroll", world.contoso.german) == [("waiting", "")] * 2
    assert ApprovalRequest.objects.waiting().count() == 2


def test_values_that_do_not_fit_and_an_end_that_is_over_are_told_for_each_room(world):
    admin = world.contoso.admin
    Room.objects.update(state=RoomState.ENROLLED)
    past = (now() - timedelta(seconds=1)).isoformat()
    assert each(world, admin, "suppress", until=past) == [refused("suppression_out_of_range")] * 3
    assert each(world, admin, "edit", time_zone="Mars/Olympus") == [refused("invalid")] * 3
    full = [f"tag {number}" for number in range(50)]
    Room.objects.update(tags=full)
    assert each(world, admin, "edit", add_tags=["one more"]) == [refused("invalid")] * 3


def test_rooms_come_into_a_group_for_who_may_modify_it(world):
    group = room_group(world.contoso.tenant, "Ground floor", world.contoso.rooms[0])
    assert each(world, world.contoso.admin, "group", group=group.pk) == [SAME, DONE, DONE]
    assert group.memberships.count() == 3
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    assert each(world, ann, "group", world.contoso.german, group=group.pk) == [refused("permission_denied")] * 2
    foreign = room_group(world.tailwind.tenant, "Theirs", world.tailwind.rooms[0])
    assert each(world, world.contoso.admin, "group", group=foreign.pk) == [refused("unknown_group")] * 3


def test_rooms_move_to_a_ring_of_the_customer_only(world):
    ring = UpdateRing.objects.get(tenant=world.contoso.tenant, key="staging")
    Room.objects.filter(pk=world.contoso.rooms[0].pk).update(ring=ring)
    assert each(world, world.contoso.admin, "ring", ring=ring.pk) == [SAME, DONE, DONE]
    foreign = UpdateRing.objects.get(tenant=world.tailwind.tenant, key="staging")
    assert each(world, world.contoso.admin, "ring", ring=foreign.pk) == [refused("unknown_ring")] * 3


# --- On its way ---------------------------------------------------------------------------------
def prepare(world, action="enroll", by=None, **params):
    found = bulk_changes.prepare(
        world.contoso.tenant, [room.pk for room in world.contoso.rooms], by=by or world.contoso.admin
    )
    if action:
        bulk_changes.describe(found, BulkAction(action), params)
        found.refresh_from_db()
    return found


def test_a_confirmed_change_is_carried_out_and_reported_once(world):
    found = prepare(world)
    bulk_changes.confirm(found, submit=change_control.submit)
    found.refresh_from_db()
    assert (found.state, found.done, found.total) == (WorkState.DONE, 3, 3)
    assert [fate[2] for fate in found.report] == ["done"] * 3
    with pytest.raises(ImportOver), leaves():
        bulk_changes.confirm(found, submit=change_control.submit)
    with pytest.raises(ImportOver):
        bulk_changes.describe(found, BulkAction.UNSUPPRESS, {})


def test_nothing_is_carried_out_that_was_not_described(world):
    with pytest.raises(ImportOver):
        bulk_changes.confirm(prepare(world, action=""), submit=change_control.submit)


def test_a_change_is_its_persons_own_and_a_new_one_forgets_the_last(world):
    first = prepare(world)
    second = prepare(world)
    other = world.contoso.member(BuiltIn.MMR_ADMIN, "max")
    assert list(bulk_changes.own(world.contoso.tenant, world.contoso.admin)) == [second]
    assert list(bulk_changes.own(world.contoso.tenant, other)) == []
    assert not BulkChange.objects.filter(pk=first.pk).exists()


def test_what_nobody_foresaw_fails_as_a_whole_and_can_be_tried_again(world, caplog):
    found = prepare(world)

    def breaks(*args, **params):
        raise ZeroDivisionError

    bulk_changes.confirm(found, submit=breaks)
    found.refresh_from_db()
    assert (found.state, found.failure) == (WorkState.FAILED, "error")
    bulk_changes.confirm(found, submit=change_control.submit)
    found.refresh_from_db()
    assert found.state == WorkState.DONE


def test_a_change_of_many_rooms_waits_for_a_worker(world, monkeypatch):
    told = []
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 2)
    monkeypatch.setattr("rooms.services.work.tell_a_worker", lambda task: told.append(task) or True)
    found = prepare(world)
    bulk_changes.confirm(found, submit=change_control.submit)
    found.refresh_from_db()
    assert (found.state, told) == (WorkState.QUEUED, [bulk_changes.TASK])
    schedule.carry_out_bulk_changes()
    found.refresh_from_db()
    assert found.state == WorkState.DONE
