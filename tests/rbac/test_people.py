"""Support staff deactivate people of organisations and activate them again; whom that leaves without a primary admin."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from audit.clock import now
from partners.models import Invitation
from partners.schedule import end_relationships
from partners.services import colleagues, invitations, relationships
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import AlreadyActive, AlreadyDeactivated, LastPrimaryAdmin, NotOfOrganisation
from rbac.models import Assignment, AssignmentKey, AssignmentMember, Delegation, PersonSession, User
from rbac.services import accounts, assignments, delegations, people
from rbac.sign_in import Identity, arrive
from rooms.models import ApprovalRequest, ApprovalState, Room
from tests import invariants
from tests.factories.browsing import browser
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, contact, join, make, over, security_group, waiting

pytestmark = pytest.mark.django_db

ANN, BOB, JO = "ann@fabrikam.example", "bob@fabrikam.example", "jo@operator.example"
HERS = f"Fabrikam: User/Update {ANN} Successful {JO}"
MARKED = f"Contoso: Role/Update Primary admin Successful {JO}"
MAILS = ["partners.no_admin", "partners.customer_no_admin"]


@pytest.fixture
def world() -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    world.jo = accounts.open_support_account(JO, "correct horse battery staple", by=None)
    return world


def is_marked(world: World) -> bool:
    return Delegation.objects.get(pk=world.relationship.delegation_id).needs_primary_admin


def sees(person: User) -> bool:
    return access.visible(person, Permission.ROOMS_VIEW, Room.objects.all()).exists()


def base_of(world: World) -> Assignment:
    return delegations.base_assignment(Delegation.objects.get(pk=world.relationship.delegation_id))


def deactivate(world: World, person: User | None = None) -> User:
    return people.deactivate(person or world.ann, by=world.jo, reason="Stolen")


# --- The person -----------------------------------------------------------------------------------


def test_nothing_opens_and_no_session_goes_on(world):
    bob = _second_admin(world)
    client = browser(world.ann)
    asked = waiting(world.relationship, world.contoso.rooms[0], world.ann)

    with leaves(HERS, f"Contoso: Approval/Update {asked.target_name} Successful {JO}") as evidence:
        deactivate(world)

    [line] = [one for one in evidence.events if one.category == "User"]
    assert line.before == {"active": True}
    assert line.after == {"active": False, "sessions_ended": 1, "reason": "Stolen"}
    assert not PersonSession.objects.filter(user=world.ann).exists()
    assert client.get("/").status_code == 302
    assert not sees(User.objects.get(pk=world.ann.pk))
    assert ApprovalRequest.objects.get(pk=asked.pk).state == ApprovalState.CANCELLED
    assert sees(bob)
    assert not is_marked(world)
    assert evidence.kinds == []


def _second_admin(world: World) -> User:
    bob = world.fabrikam.person("bob")
    assignments.admit(base_of(world), bob, by=world.ann)
    return bob


def test_memberships_stay_and_work_again_once_activated(world):
    deactivate(world)
    assert AssignmentMember.objects.filter(user=world.ann).exists()

    with leaves(HERS, MARKED) as evidence:
        people.activate(world.ann, by=world.jo, reason="Found again")

    [line] = [one for one in evidence.events if one.category == "User"]
    assert (line.before, line.after) == ({"active": False}, {"active": True, "reason": "Found again"})
    assert sees(User.objects.get(pk=world.ann.pk))
    assert not is_marked(world)
    assert evidence.kinds == []


def test_only_support_staff_and_the_command_line_may(world):
    for who in (world.contoso.admin, world.ann):
        line = f"Fabrikam: User/Update {ANN} Failed(permission_denied) {who.upn}"
        for change in (people.deactivate, people.activate):
            refused(PermissionDenied, lambda who=who, change=change: change(world.ann, by=who), line)
    people.deactivate(world.ann, by=None)
    people.activate(world.ann, by=None)


def test_what_is_so_already_is_refused(world):
    failed = f"Fabrikam: User/Update {ANN} Failed(%s) {JO}"
    refused(AlreadyActive, lambda: people.activate(world.ann, by=world.jo), failed % "already_active")
    deactivate(world)
    refused(AlreadyDeactivated, lambda: deactivate(world), failed % "already_deactivated")


def test_accounts_of_support_staff_have_their_own_way(world):
    line = f"platform: User/Update {JO} Failed(not_of_organisation) {JO}"
    for change in (people.deactivate, people.activate):
        refused(NotOfOrganisation, lambda change=change: change(world.jo, by=world.jo), line)


def test_the_last_mmr_admin_is_deactivated_and_the_line_says_so(world):
    admin = world.contoso.admin
    with leaves(f"Contoso: User/Update {admin.upn} Successful {JO}") as evidence:
        deactivate(world, admin)
    assert evidence.events[0].after["last_mmr_admin"] is True

    people.activate(admin, by=world.jo)
    world.contoso.member(BuiltIn.MMR_ADMIN, "amy")
    with leaves(f"Contoso: User/Update {admin.upn} Successful {JO}") as evidence:
        deactivate(world, admin)
    assert "last_mmr_admin" not in evidence.events[0].after


def test_an_mmr_admin_of_some_rooms_only_is_none_that_is_left(world):
    world.contoso.member(BuiltIn.MMR_ADMIN, "amy", over(*world.contoso.german))
    with connection.cursor() as cursor:  # as if that were another transaction
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    with leaves(f"Contoso: User/Update {world.contoso.admin.upn} Successful {JO}") as evidence:
        deactivate(world, world.contoso.admin)
    assert evidence.events[0].after["last_mmr_admin"] is True


# --- The mark -------------------------------------------------------------------------------------


def test_the_last_primary_admin_leaves_a_mark_a_line_and_two_mails(world):
    other, _ = join(world.tailwind, world.fabrikam, "ann", "bob")

    with leaves(HERS, MARKED) as evidence:
        deactivate(world)

    [line] = [one for one in evidence.events if one.category == "Role"]
    assert (line.before, line.after) == ({"needs_primary_admin": False}, {"needs_primary_admin": True})
    assert line.relationship_id == world.relationship.delegation_id
    assert [(kind, about) for kind, about, _ in evidence.messages] == [
        (kind, str(world.relationship.pk)) for kind in MAILS
    ]
    assert is_marked(world)
    assert not Delegation.objects.get(pk=other.delegation_id).needs_primary_admin
    invariants.check()


def test_of_a_suspended_partner_too_and_of_one_that_is_over_not(world):
    relationships.suspend(world.relationship, by=world.contoso.admin)
    ended, _ = join(world.tailwind, world.fabrikam, "ann")
    relationships.remove(ended, by=world.tailwind.admin)
    deactivate(world)
    assert is_marked(world)
    assert not Delegation.objects.get(pk=ended.delegation_id).needs_primary_admin


def test_by_a_group_counts_as_well(world):
    bob = world.fabrikam.person("bob")
    desk = security_group(world.fabrikam.tenant, "Desk", bob)
    assignments.change_members(base_of(world), by=world.ann, add_groups=[desk])
    deactivate(world)
    assert not is_marked(world)
    deactivate(world, bob)
    assert is_marked(world)


def test_a_guest_and_a_member_of_another_role_do_not_count(world):
    bob = _second_admin(world)
    User.objects.filter(pk=bob.pk).update(is_home_member=False)
    deactivate(world)
    assert is_marked(world)


def test_nothing_is_marked_if_the_change_fails(world, monkeypatch):
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("rbac.services.primary_admins._when_none_is_left", [fail])
    lines = [line.replace("Successful", "Failed(error)") for line in (MARKED, HERS)]
    with leaves(*lines) as evidence, pytest.raises(ZeroDivisionError):
        deactivate(world)
    assert evidence.changed() == set()


def by_invitation(world: World) -> None:
    bob = world.fabrikam.person("bob")
    [sent] = invitations.invite(world.relationship, [contact(bob.upn)], by=world.contoso.admin)
    assert is_marked(world)
    invitations.accept(sent, by=bob)


def by_activation(world: World) -> None:
    people.activate(world.ann, by=world.jo)


def by_membership(world: World) -> None:
    assignments.admit(base_of(world), world.fabrikam.person("bob"), by=None)


def by_the_day_that_comes(world: World) -> None:
    """Another assignment of the role begins."""
    base = base_of(world)
    assign(base.role, world.fabrikam.person("bob"), over(*world.contoso.german), valid_from=now() + timedelta(days=1))
    end_relationships()
    assert is_marked(world)
    Assignment.objects.filter(role=base.role, key="").update(valid_from=now() - timedelta(seconds=1))
    with leaves("Contoso: Role/Update Primary admin Successful system"):
        end_relationships()


def by_arriving_at_home(world: World) -> None:
    """The one who was a guest is none any more."""
    people.activate(world.ann, by=world.jo)
    _arrive_as(world, ANN, is_home_member=False)
    assert is_marked(world)
    _arrive_as(world, ANN, is_home_member=True)


def _arrive_as(world: World, upn: str, *, is_home_member: bool) -> None:
    tid = world.fabrikam.tenant.entra_tid
    identity = Identity(tid, uuid.uuid5(tid, upn), upn, upn.partition("@")[0].title(), is_home_member)
    arrive(identity, is_awaited=invitations.is_awaited)


WAYS = [by_invitation, by_activation, by_membership, by_arriving_at_home, by_the_day_that_comes]


@pytest.mark.parametrize("way", WAYS)
def test_the_mark_goes_with_whoever_is_primary_admin_again(world, way):
    deactivate(world)
    assert is_marked(world)
    way(world)
    assert not is_marked(world)
    invariants.check()


def test_a_colleague_whom_the_partner_adds_takes_his_place(world):
    """Ann adds Bob, who accepts after she was deactivated."""
    assert colleagues.add(base_of(world), by=world.ann, people=[{"name": "Bob", "upn": BOB}]) == [BOB]
    deactivate(world)
    invitations.accept(Invitation.objects.get(upn=BOB), by=world.fabrikam.person("bob"))
    assert not is_marked(world)


def test_somebody_who_cannot_act_takes_no_mark_away(world):
    bob = world.fabrikam.person("bob")
    deactivate(world)
    deactivate(world, bob)
    assignments.admit(base_of(world), bob, by=None)
    assert is_marked(world)


def test_a_guest_from_now_on_leaves_the_mark_on_his_own_record(world):
    with leaves(
        f"Fabrikam: User/Update {ANN} Successful {ANN}", f"Contoso: Role/Update Primary admin Successful {ANN}"
    ) as evidence:
        _arrive_as(world, ANN, is_home_member=False)
    assert evidence.kinds == MAILS
    assert is_marked(world)


def test_while_marked_nobody_leaves(world):
    """What is counted is the same for the mark and for the refusal."""
    bob = _second_admin(world)
    deactivate(world)
    with pytest.raises(LastPrimaryAdmin):
        assignments.leave(base_of(world), by=bob)
    assert base_of(world).key == AssignmentKey.INVITED_ADMINS
    assert not is_marked(world)
