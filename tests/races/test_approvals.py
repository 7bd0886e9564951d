"""Decisions about a partner's request that meet at the same moment, and what may come between."""

from unittest import mock

import pytest

from rbac.models import Assignment
from rooms import change_control, scopes
from rooms.models import ApprovalRequest, Room
from rooms.services import approvals
from tests.factories.rows import RoomFactory
from tests.factories.world import World, ask_first, asked, over
from tests.races.guards import no_row_locks
from tests.races.harness import Race
from tests.races.test_grants import Case, case_of, linger, remove_partner

NEW = "Alps"


class Asked(Case):
    """A partner whose Ann has asked to rename a room of her own scope, and waits."""

    room: Room
    request: ApprovalRequest


def prepare(world: World, number: int) -> Asked:
    room = RoomFactory(tenant=world.contoso.tenant, display_name="Plain", resource_account=f"r{number}@contoso.example")
    made = case_of(world, over(room, world.contoso.rooms[0]))
    ask_first(made.relationship)
    found = Asked(**{name: getattr(made, name) for name in ("world", "relationship", "ann", "bob", "base")})
    found.room = room
    found.request = asked(
        lambda: change_control.submit(
            change_control.Permission.ROOMS_MODIFY,
            room,
            by=made.ann,
            changes={"display_name": NEW},
            version=room.version,
        )
    )
    return found


def approve(case: Asked) -> str:
    return change_control.approve(ApprovalRequest.objects.get(pk=case.request.pk), by=case.admin).state


def reject(case: Asked) -> None:
    approvals.reject(ApprovalRequest.objects.get(pk=case.request.pk), by=case.admin, comment="No")


def withdraw(case: Asked) -> None:
    approvals.withdraw(ApprovalRequest.objects.get(pk=case.request.pk), by=case.ann)


def unassign(case: Asked) -> None:
    base = Assignment.objects.select_related("role__delegation", "tenant").get(pk=case.base.pk)
    scopes.change(base, over(case.world.contoso.rooms[0]), by=case.admin)


def outcome(case: Asked) -> tuple[str, str, int]:
    """State of the request, name of the room, and how often the room was written."""
    room = Room.objects.get(pk=case.room.pk)
    return ApprovalRequest.objects.get(pk=case.request.pk).state, room.display_name, room.version - 1


def judge_decided_once(case: Asked, names: list[str]) -> None:
    """One of approve, approve, reject, withdraw counts; the others learn that it is over."""
    assert sorted(names) == ["ok", "request_over", "request_over", "request_over"], names
    assert outcome(case) in {("executed", NEW, 1), ("rejected", "Plain", 0), ("withdrawn", "Plain", 0)}


def judge_removed(case: Asked, names: list[str]) -> None:
    assert names[1] == "ok"
    assert outcome(case) in {("executed", NEW, 1), ("cancelled", "Plain", 0)}, names


DECIDED = [approve, approve, reject, withdraw]


def test_one_decision_counts(world):
    Race(lambda number: prepare(world, number), DECIDED, judge_decided_once).must_win()


def test_control_one_decision_counts(world):
    """Nobody compares, so a second decision passes."""

    def careless(request, state, *, by, comment="", failure_code=""):
        linger()
        fields = {"state": state, "failure_code": failure_code}
        ApprovalRequest.objects.filter(pk=request.pk, state__in=["pending", "approved"]).update(
            **fields, decided_by=by, decided_upn=by.upn, decided_at=request.requested_at, comment=comment or "x"
        )
        request.state = state

    with no_row_locks(), mock.patch.object(approvals, "close", careless):
        Race(lambda number: prepare(world, number), DECIDED, judge_decided_once).must_lose()


def test_approval_comes_before_the_removal_or_not_at_all(world):
    Race(lambda number: prepare(world, number), [approve, remove_partner], judge_removed).must_win()


def test_approval_of_a_room_comes_before_it_is_taken_away_or_not_at_all(world):
    Race(lambda number: prepare(world, number), [approve, unassign], judge_removed).must_win()


@pytest.mark.parametrize("other", [remove_partner, unassign])
def test_control_approval_meets_what_takes_the_rights_away(world, other):
    with no_row_locks():
        Race(lambda number: prepare(world, number), [approve, other], judge_removed).must_lose()
