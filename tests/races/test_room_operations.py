"""Room operations at the same moment as each other, or as the removal of the partner who does them."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from partners.models import PartnerRelationship
from partners.services import invitations, relationships
from rbac.catalogue import Permission
from rbac.models import User
from rooms import change_control
from rooms.models import BulkAction, HealthPeriod, Room, RoomState
from rooms.services import bulk, monitoring
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.world import World, invite, make
from tests.races.harness import Race

ROUNDS = 10


@pytest.fixture
def world(committed_db: None) -> World:
    return make()


@dataclass
class Case:
    """A monitored room, and a partner of its own for each round."""

    world: World
    room: Room
    relationship: PartnerRelationship | None = None
    ann: User | None = None

    @property
    def admin(self) -> User:
        return self.world.contoso.admin

    def state(self) -> str:
        return Room.objects.values_list("state", flat=True).get(pk=self.room.pk)


def case_of(world: World, *, partner: bool = False) -> Case:
    room = world.contoso.rooms[0]
    Room.objects.filter(pk__in=[one.pk for one in world.contoso.rooms]).update(
        state=RoomState.ENROLLED, suppressed_until=None
    )
    case = Case(world, Room.objects.get(pk=room.pk))
    if partner:
        tenant = TenantFactory()
        case.ann = UserFactory(tenant=tenant, upn=f"ann@p{tenant.pk.hex[:8]}.example")
        case.relationship, (sent,) = invite(world.contoso, case.ann.upn, rooms=world.contoso.rooms)
        invitations.accept(sent, by=case.ann)
    return case


def suppress(case: Case) -> Any:
    return change_control.submit(
        Permission.ROOMS_MODIFY, case.room, by=case.ann or case.admin, action="suppress", reason="Carpet"
    )


def unenroll(case: Case) -> Any:
    return monitoring.unenroll(case.room, by=case.admin)


def remove(case: Case) -> Any:
    assert case.relationship is not None
    return relationships.remove(case.relationship, by=case.admin)


def test_suppress_and_unenrol_never_leave_a_suppressed_room_that_is_not_monitored(world):
    def judge(case: Case, outcomes: list[str]) -> None:
        # First suppressed, then unenrolled; or unenrolled, and then there is nothing to suppress.
        assert outcomes in (["ok", "ok"], ["state_forbids", "ok"])
        assert case.state() == "unenrolled"
        assert Room.objects.get(pk=case.room.pk).suppressed_until is None
        assert not HealthPeriod.objects.filter(room=case.room, ended_at=None).exists()

    race = Race(lambda _: case_of(world), [suppress, unenroll], judge)
    race.must_win(ROUNDS)


def test_unenrolling_and_removing_the_partner_both_happen(world):
    def judge(case: Case, outcomes: list[str]) -> None:
        assert outcomes == ["ok", "ok"]
        assert case.state() == "unenrolled"

    Race(lambda _: case_of(world, partner=True), [unenroll, remove], judge).must_win(ROUNDS)


def test_a_bulk_change_ends_where_the_partner_is_removed(world):
    def lift_all(case: Case) -> list[str]:
        assert case.ann is not None
        rooms = [room.pk for room in world.contoso.rooms]
        fates = bulk.each(
            world.contoso.tenant, rooms, BulkAction.SUPPRESS, {}, by=case.ann, submit=change_control.submit
        )
        return [fate.code for fate in fates]

    codes: list[list[str]] = []

    def do(case: Case) -> None:
        codes.append(lift_all(case))

    def judge(case: Case, outcomes: list[str]) -> None:
        assert outcomes == ["ok", "ok"]
        told = codes.pop()
        done = [code == "" for code in told]
        assert done == sorted(done, reverse=True), told  # once refused, refused to the end
        assert set(told) <= {"", "not_found", "permission_denied"}
        states = Room.objects.filter(tenant=world.contoso.tenant).order_by("pk").values_list("state", flat=True)
        assert [state == "suppressed" for state in states] == done  # what was told is what was done

    Race(lambda _: case_of(world, partner=True), [do, remove], judge).must_win(ROUNDS)
    connection.close()
