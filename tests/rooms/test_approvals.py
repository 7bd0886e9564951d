"""Manual approval: what is asked for is frozen, decided once by the customer, and done with everything checked again."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from partners.services import relationships
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import User
from rbac.services import assignments, delegations
from rooms import change_control, scopes
from rooms.change_control import approve, ask_again
from rooms.errors import CommentRequired, OwnRequest, RequestOver
from rooms.models import ApprovalRequest, Room
from rooms.services import approvals, policies
from rooms.services import rooms as room_service
from tests import invariants
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import World, ask_first, asked, join, make, over

pytestmark = pytest.mark.django_db

MODIFY = Permission.ROOMS_MODIFY


class Scene:
    """Contoso approves what Fabrikam's Ann and Bob change; Ann has asked to call the first room otherwise."""

    def __init__(self) -> None:
        self.world: World = make()
        self.contoso, self.admin = self.world.contoso, self.world.contoso.admin
        self.relationship, (self.ann, self.bob) = join(self.contoso, self.world.fabrikam, "ann", "bob")
        ask_first(self.relationship)
        self.room = self.contoso.rooms[0]
        self.request = self.ask()

    def ask(self, by: User | None = None, room: Room | None = None, name: str = "Alps") -> ApprovalRequest:
        target = Room.objects.get(pk=(room or self.room).pk)
        version, who = target.version, by or self.ann
        changes = {"display_name": name}
        return asked(lambda: change_control.submit(MODIFY, target, by=who, changes=changes, version=version))

    @property
    def name(self) -> str:
        return Room.objects.get(pk=self.room.pk).display_name

    def state(self, request: ApprovalRequest | None = None) -> str:
        return ApprovalRequest.objects.get(pk=(request or self.request).pk).state


def failed(code: str, by: User) -> str:
    return f"Contoso: Approval/Update Contoso room 0 Failed({code}) {by.upn}"


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- Asking -------------------------------------------------------------------------------------


def test_request_holds_what_was_asked_frozen_and_readable(scene):
    found = scene.request
    assert (found.event, found.action, found.target_type, found.target_id, found.target_name) == (
        "rooms.modify",
        "modify",
        "rooms.room",
        str(scene.room.pk),
        "Contoso room 0",
    )
    assert found.params == {"changes": {"display_name": "Alps"}, "version": 1}
    assert found.changes == [
        {
            "category": "Room",
            "object": "Contoso room 0",
            "before": {"display_name": "Contoso room 0"},
            "after": {"display_name": "Alps"},
        }
    ]
    assert (found.rooms, found.target_version, found.requested_upn) == ([scene.room.pk], 1, scene.ann.upn)
    assert found.digest == approvals.digest_of(found)
    assert found.expires_at - found.requested_at == timedelta(days=7)
    assert scene.name == "Contoso room 0"


def test_what_would_be_refused_today_is_refused_at_once(scene):
    american = scene.contoso.rooms[2]
    evidence = mark()
    refused(
        PermissionDenied,
        lambda: change_control.submit(MODIFY, american, by=scene.ann, changes={"city": "Bonn"}),
        "Contoso: Approval/Create Contoso room 2 Failed(permission_denied) ann@fabrikam.example",
        "Contoso: Room/Update Contoso room 2 Failed(permission_denied) ann@fabrikam.example",
    )
    assert evidence.changed() == set()


@pytest.mark.parametrize("column", ["params", "event", "target_id", "digest", "requested_upn", "expires_at", "changes"])
def test_what_was_asked_never_changes(scene, column):
    values = {"params": "'{}'", "changes": "'[]'", "expires_at": "now() + interval '9 days'", "event": "'roles.modify'"}
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE rooms_approvalrequest SET {column} = {values.get(column, chr(39) + 'x' + chr(39))}")


# --- Deciding -----------------------------------------------------------------------------------


def test_approved_is_done_in_the_requesters_name(scene):
    with leaves(
        "Contoso: Approval/Update Contoso room 0 Successful admin@contoso.example",
        "Contoso: Room/Update Contoso room 0 Successful ann@fabrikam.example",
    ) as evidence:
        decided = approve(scene.request, by=scene.admin, comment="Fine")
    assert (decided.state, decided.comment, decided.decided_upn) == ("executed", "Fine", scene.admin.upn)
    assert scene.name == "Alps"
    of_approval, of_room = evidence.events
    assert (of_room.approver, of_room.before, of_room.after) == (
        scene.admin.upn,
        {"display_name": "Contoso room 0"},
        {"display_name": "Alps"},
    )
    assert of_approval.relationship_id == scene.relationship.delegation_id
    refused(RequestOver, lambda: approve(scene.request, by=scene.admin), failed("request_over", scene.admin))


def test_rejection_needs_a_reason_and_changes_nothing(scene):
    evidence = mark()
    with pytest.raises(CommentRequired):
        approvals.reject(scene.request, by=scene.admin, comment=" ")
    assert (evidence.lines, evidence.changed()) == ([failed("comment_required", scene.admin)], set())
    with leaves("Contoso: Approval/Update Contoso room 0 Successful admin@contoso.example"):
        decided = approvals.reject(scene.request, by=scene.admin, comment="Not now")
    assert (decided.state, decided.comment, scene.name) == ("rejected", "Not now", "Contoso room 0")


def test_only_the_customers_admins_decide(scene):
    lead = scene.contoso.member(BuiltIn.SITE_LEAD, "lea")
    for person in (scene.ann, scene.bob, lead, scene.world.tailwind.admin):
        for decide in (
            lambda person=person: approve(scene.request, by=person),
            lambda person=person: approvals.reject(scene.request, by=person, comment="x"),
        ):
            with pytest.raises(PermissionDenied):
                decide()
    assert (scene.state(), scene.name) == ("pending", "Contoso room 0")


def test_nobody_decides_his_own(scene):
    """Not by any path of the portal, nor in the database: somebody who was of the partner, and is the customer's now."""
    ApprovalRequest.objects.filter(pk=scene.request.pk).delete()
    mine = ApprovalRequest.objects.create(
        **{
            one.attname: getattr(scene.request, one.attname)
            for one in ApprovalRequest._meta.concrete_fields
            if one.name not in ("requested_by", "requested_upn")
        },
        requested_by=scene.admin,
        requested_upn=scene.admin.upn,
    )
    refused(OwnRequest, lambda: approve(mine, by=scene.admin), failed("own_request", scene.admin))
    with pytest.raises(IntegrityError, match="approval_decided_by_another"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=mine.pk).update(
            state="approved", decided_by=scene.admin, decided_upn=scene.admin.upn, decided_at=mine.requested_at
        )


def test_requester_withdraws_and_nobody_else(scene):
    for person in (scene.bob, scene.admin):
        with pytest.raises(PermissionDenied):
            approvals.withdraw(scene.request, by=person)
    assert approvals.withdraw(scene.request, by=scene.ann).state == "withdrawn"
    refused(RequestOver, lambda: approve(scene.request, by=scene.admin), failed("request_over", scene.admin))
    assert scene.name == "Contoso room 0"


def test_time_is_over_that_second_whether_or_not_the_clock_ran(scene, clock):
    clock.move(timedelta(days=7))
    refused(RequestOver, lambda: approve(scene.request, by=scene.admin), failed("request_over", scene.admin))
    refused(RequestOver, lambda: approvals.withdraw(scene.request, by=scene.ann), failed("request_over", scene.ann))
    with leaves("Contoso: Approval/Update Contoso room 0 Successful system"):
        assert approvals.expire_due() == 1
    assert approvals.expire_due() == 0
    assert scene.state() == "expired"


# --- Carrying out -------------------------------------------------------------------------------


def test_stale_is_failed_on_both_sides_and_asked_again(scene):
    room_service.modify(scene.room, by=scene.admin, changes={"capacity": 9})
    assert approve(scene.request, by=scene.admin).state == "failed"
    assert (scene.name, ApprovalRequest.objects.get(pk=scene.request.pk).failure_code) == (
        "Contoso room 0",
        "stale_version",
    )
    again = asked(lambda: ask_again(scene.request, by=scene.ann))
    assert approve(again, by=scene.admin).state == "executed"
    assert scene.name == "Alps"


def test_lost_right_fails_without_a_trace(scene):
    User.objects.filter(pk=scene.ann.pk).update(is_active=False)
    evidence = mark()
    assert approve(scene.request, by=scene.admin).failure_code == "permission_denied"
    assert evidence.changed() == {"rooms_approvalrequest"}


def test_room_that_left_the_scope_between_is_refused_and_nothing_half_done(scene):
    """The cancellation is a courtesy; what counts is asked again when it is carried out."""
    base = delegations.base_assignment(scene.relationship.delegation)
    scopes.choose(base, over(scene.contoso.rooms[1]))
    scopes.apply(base)
    decided = approve(scene.request, by=scene.admin)
    assert (decided.state, decided.failure_code, scene.name) == ("failed", "permission_denied", "Contoso room 0")
    failed = AuditEvent.objects.get(category="Room", result="Failed")
    assert (failed.user_id, failed.approver, failed.code) == (scene.ann.upn, scene.admin.upn, "permission_denied")


# --- What ends them -----------------------------------------------------------------------------


def test_removal_cancels_what_waits_in_the_same_transaction(scene):
    relationships.remove(scene.relationship, by=scene.admin)
    assert scene.state() == "cancelled"
    refused(RequestOver, lambda: approve(scene.request, by=scene.admin), failed("request_over", scene.admin))
    invariants.check()


def test_rooms_taken_away_cancel_what_was_asked_about_them(scene):
    other = scene.ask(room=scene.contoso.rooms[1])
    base = delegations.base_assignment(scene.relationship.delegation)
    scopes.change(base, over(scene.contoso.rooms[1]), by=scene.admin)
    assert (scene.state(), scene.state(other)) == ("cancelled", "pending")


def test_rights_taken_away_cancel_what_their_holder_asked(scene):
    others = scene.ask(by=scene.bob, room=scene.contoso.rooms[1])
    base = delegations.base_assignment(scene.relationship.delegation)
    assignments.change_members(base, by=scene.admin, remove=[scene.ann])
    assert (scene.state(), scene.state(others)) == ("cancelled", "pending")


def test_policy_touches_later_changes_only(scene):
    automatic = dict.fromkeys(policies.modes_of(scene.relationship.delegation_id), policies.ControlMode.AUTO)
    with leaves("Contoso: Settings/Update fabrikam Successful admin@contoso.example") as evidence:
        policies.change(scene.relationship.delegation, automatic, by=scene.admin, label="fabrikam")
    assert evidence.events[0].before["rooms.modify"] == "manual"
    assert scene.state() == "pending"
    changed = change_control.submit(MODIFY, scene.contoso.rooms[1], by=scene.ann, changes={"city": "Ulm"})
    assert changed.city == "Ulm"


# --- Who sees what ------------------------------------------------------------------------------


def test_requests_are_seen_by_the_customer_and_by_their_own_delegation(scene):
    _, (nils,) = join(scene.contoso, scene.world.northwind, "nils")

    def seen(person: User) -> set:
        held = tuple(one for one in access.rights(person) if one.tenant_id == scene.contoso.tenant.pk)
        return set(approvals.seen_by(person, scene.contoso.tenant, held))

    assert seen(scene.admin) == seen(scene.ann) == seen(scene.bob) == {scene.request}
    assert seen(nils) == seen(scene.contoso.member(BuiltIn.SITE_LEAD, "lea")) == set()
    assert seen(scene.world.tailwind.admin) == set()
