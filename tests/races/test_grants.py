"""What is granted, changed and taken away at the same moment."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from partners.models import ApiToken, PartnerRelationship
from partners.services import invitations, relationships, tokens
from rbac import access, grants
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import LastPrimaryAdmin
from rbac.models import Assignment, AssignmentGroup, AssignmentMember, Role, SecurityGroup, User
from rbac.partner_access import NOTHING
from rbac.services import assignments
from rooms import change_control, scopes
from rooms.models import RoomGrantRow, RoomGroup, RoomGroupMember
from rooms.scopes import Scope
from tests import invariants
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.world import World, assign, invite, over, room_group, security_group
from tests.races.guards import no_row_locks, rewritten
from tests.races.harness import Race

COUNTING = "trm_check_admins(bigint)"


def linger(*_: Any) -> None:
    """For the controls: a moment in which the other contender may pass, so that a race is lost soon."""
    time.sleep(random.uniform(0, 0.02))


@dataclass
class Case:
    """A linked partner of its own for each round, with two primary admins."""

    world: World
    relationship: PartnerRelationship
    ann: User
    bob: User
    base: Assignment
    groups: list[SecurityGroup] = field(default_factory=list)
    room_group: RoomGroup | None = None

    @property
    def admin(self) -> User:
        return self.world.contoso.admin

    def admins(self) -> set[str]:
        direct = set(AssignmentMember.objects.filter(assignment=self.base).values_list("user__upn", flat=True))
        groups = AssignmentGroup.objects.filter(assignment=self.base).values("group")
        return direct | set(User.objects.filter(security_groups__in=groups).values_list("upn", flat=True))


def case_of(world: World, scope: Scope | None = None) -> Case:
    partner = TenantFactory()
    domain = f"p{partner.pk.hex[:8]}.example"
    ann, bob = (UserFactory(tenant=partner, upn=f"{name}@{domain}") for name in ("ann", "bob"))
    relationship, sent = invite(world.contoso, ann.upn, bob.upn, scope=scope)
    for invitation, person in zip(sent, (ann, bob), strict=True):
        invitations.accept(invitation, by=person)
    base = Assignment.objects.select_related("role__delegation", "tenant").get(
        role__delegation=relationship.delegation_id
    )
    relationship = PartnerRelationship.objects.select_related("delegation").get(pk=relationship.pk)
    return Case(world, relationship, ann, bob, base)


def remove_partner(case: Case) -> None:
    relationships.remove(case.relationship, by=case.admin)


# --- The last two admins ------------------------------------------------------------------------


def leaves(who: str) -> Callable[[Case], None]:
    """The person takes himself out of the assignment."""

    def contender(case: Case) -> None:
        person = getattr(case, who)
        assignments.change_members(case.base, by=person, remove=[person])

    return contender


def one_stays(case: Case, names: list[str]) -> None:
    assert sorted(names) == ["last_primary_admin", "ok"]
    assert len(case.admins()) == 1


@pytest.fixture
def uncounted(owner_connection):
    """The trigger counts without holding the delegation's row first, and neither index row nor version makes one wait."""
    lingers = mock.patch.object(grants, "project_members", side_effect=linger)
    unversioned = mock.patch.object(assignments, "_count_version")
    with no_row_locks(), rewritten(owner_connection, COUNTING, "FOR UPDATE", ""), lingers, unversioned:
        yield


def both_leave(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [leaves("ann"), leaves("bob")], one_stays)


def test_last_two_primary_admins_do_not_both_leave(world):
    both_leave(world).must_win()


def test_control_last_two_primary_admins(world, uncounted):
    both_leave(world).must_lose()


def in_two_groups(world: World) -> Case:
    """The admins are members by a security group each, and not directly."""
    case = case_of(world)
    for person in (case.ann, case.bob):
        group = security_group(person.tenant, person.upn, person)
        case.groups.append(group)
        AssignmentGroup.objects.create(assignment=case.base, group=group)
    with transaction.atomic():
        AssignmentMember.objects.filter(assignment=case.base).delete()
        grants.project_members(case.base)
    return case


def group_leaves(case: Case) -> None:
    assignments.change_members(case.base, by=case.bob, remove_groups=[case.groups[1]])


def person_leaves_group(case: Case) -> None:
    """As a directory would tell us: nothing but the row goes, so nothing but the trigger guards."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM rbac_securitygroupmember WHERE group_id = %s", [case.groups[0].pk])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            grants.project_members(case.base)
    except IntegrityError as error:
        if "The last admin stays" in str(error):
            raise LastPrimaryAdmin from error
        raise


def groups_leave(world: World) -> Race[Case]:
    return Race(lambda number: in_two_groups(world), [person_leaves_group, group_leaves], one_stays)


def test_last_two_primary_admins_do_not_both_leave_by_their_groups(world):
    groups_leave(world).must_win()


def test_control_last_two_primary_admins_by_their_groups(world, uncounted):
    groups_leave(world).must_lose()


@dataclass
class Office:
    """A customer with two MMR admins."""

    admin: User
    deputy: User
    assignments: list[Assignment]


def office(world: World, number: int) -> Office:
    role = Role.objects.get(tenant=world.tailwind.tenant, key=BuiltIn.MMR_ADMIN)
    with transaction.atomic():
        kept = list(role.assignments.all())
        people = [
            UserFactory(tenant=world.tailwind.tenant, upn=f"{name}{number}@tailwind.example") for name in ("amy", "ben")
        ]
        made = [assign(role, person, Scope(all_rooms=True)) for person in people]
        for assignment in kept:
            assignments.delete(assignment, by=None)
    return Office(people[0], people[1], made)


def resigns(index: int) -> Callable[[Office], None]:
    def contender(case: Office) -> None:
        person = (case.admin, case.deputy)[index]
        assignments.change_members(case.assignments[index], by=person, remove=[person])

    return contender


def one_remains(case: Office, names: list[str]) -> None:
    assert sorted(names) == ["last_mmr_admin", "ok"]


def both_resign(world: World) -> Race[Office]:
    return Race(lambda number: office(world, number), [resigns(0), resigns(1)], one_remains)


def test_last_two_mmr_admins_do_not_both_leave(world):
    both_resign(world).must_win()


def test_control_last_two_mmr_admins(world, uncounted):
    both_resign(world).must_lose()


# --- Granting and removing ----------------------------------------------------------------------


def widen(case: Case) -> None:
    scopes.change(case.base, over(*case.world.contoso.rooms), by=case.admin)


def nothing_left(case: Case, names: list[str]) -> None:
    assert names[1] == "ok"
    assert names[0] in ("ok", "404")
    assert not RoomGrantRow.objects.filter(group_id=case.base.group_id).exists()
    assert not Assignment.objects.filter(role__delegation=case.relationship.delegation_id).exists()
    for person in (case.ann, case.bob):
        assert access.rights(person) == ()
    invariants.check()


def widen_or_remove(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [widen, remove_partner], nothing_left)


def test_scope_changed_while_the_partner_is_removed_leaves_nothing(world):
    widen_or_remove(world).must_win()


def test_control_scope_changed_while_the_partner_is_removed(world):
    with no_row_locks():
        widen_or_remove(world).must_lose()


def add_carl(case: Case) -> None:
    carl = User.objects.get(upn=case.ann.upn.replace("ann@", "carl@"))
    assignments.change_members(case.base, by=case.ann, add=[carl])


def with_carl(world: World) -> Case:
    case = case_of(world)
    UserFactory(tenant=case.ann.tenant, upn=case.ann.upn.replace("ann@", "carl@"))
    return case


def admit_or_remove(world: World) -> Race[Case]:
    return Race(lambda number: with_carl(world), [add_carl, remove_partner], nothing_left)


def test_member_added_while_the_partner_is_removed_leaves_nothing(world):
    admit_or_remove(world).must_win()


def test_control_member_added_while_the_partner_is_removed(world):
    with no_row_locks(), mock.patch.object(assignments, "require_held", side_effect=linger):
        admit_or_remove(world).must_lose()


def make_token(case: Case) -> None:
    tokens.issue(
        case.relationship.delegation,
        "tool",
        by=case.ann,
        scopes=[Permission.ROOMS_VIEW],
        lifetime=timedelta(days=1),
    )


def no_token_left(case: Case, names: list[str]) -> None:
    assert names[1] == "ok"
    assert names[0] in ("ok", "404")
    assert not ApiToken.objects.filter(delegation=case.relationship.delegation_id).exists()


def token_or_remove(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [make_token, remove_partner], no_token_left)


def test_token_made_while_the_partner_is_removed_is_gone(world):
    token_or_remove(world).must_win()


def test_control_token_made_while_the_partner_is_removed(world):
    def slowly(*args: Any) -> access.Rights:
        held = access.rights(*args)
        linger()
        return held

    with no_row_locks(), mock.patch.object(tokens, "rights", slowly):
        token_or_remove(world).must_lose()


# --- Groups whose rooms follow ------------------------------------------------------------------


def with_group(world: World) -> Case:
    case = case_of(world)
    case.room_group = room_group(world.contoso.tenant, f"Group {case.relationship.pk}", world.contoso.rooms[0])
    return case


def put_room_in(case: Case) -> None:
    """As a change of a group does it: the row, then whoever's scope names the group follows."""
    room = case.world.contoso.rooms[2]
    with transaction.atomic():
        RoomGroupMember.objects.create(tenant=room.tenant, room_group=case.room_group, room=room)
        scopes.follow_groups([case.room_group.pk])


def name_group(case: Case) -> None:
    scopes.change(case.base, Scope(groups=frozenset({case.room_group.pk})), by=case.admin)


def scope_followed(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    rooms = set(RoomGrantRow.objects.filter(group_id=case.base.group_id).values_list("content_object", flat=True))
    assert rooms == {case.world.contoso.rooms[0].pk, case.world.contoso.rooms[2].pk}


def group_and_scope(world: World) -> Race[Case]:
    return Race(lambda number: with_group(world), [put_room_in, name_group], scope_followed)


def test_room_put_into_a_group_while_a_scope_names_it_is_seen(world):
    group_and_scope(world).must_win()


def test_control_room_put_into_a_group_while_a_scope_names_it(world):
    with no_row_locks():
        group_and_scope(world).must_lose()


def invited_by_group(world: World) -> Case:
    """Not linked yet: what is delegated is a group."""
    partner = TenantFactory()
    ann = UserFactory(tenant=partner, upn=f"ann@p{partner.pk.hex[:8]}.example")
    group = room_group(world.contoso.tenant, f"Group {partner.pk}", world.contoso.rooms[0])
    relationship, _ = invite(world.contoso, ann.upn, scope=Scope(groups=frozenset({group.pk})))
    base = Assignment.objects.get(role__delegation=relationship.delegation_id)
    return Case(world, relationship, ann, ann, base, room_group=group)


def accept(case: Case) -> None:
    invitations.accept(case.relationship.invitations.get(), by=case.ann)


def group_and_link(world: World) -> Race[Case]:
    return Race(lambda number: invited_by_group(world), [put_room_in, accept], scope_followed)


def test_room_put_into_a_group_while_the_partner_is_linked_is_seen(world):
    group_and_link(world).must_win()


def test_control_room_put_into_a_group_while_the_partner_is_linked(world):
    with no_row_locks():
        group_and_link(world).must_lose()


# --- A partner at work while he is removed ------------------------------------------------------


@dataclass
class Work:
    case: Case
    room: Any
    stop: threading.Event = field(default_factory=threading.Event)
    started_late: list[str] = field(default_factory=list)
    removed_at: float = float("inf")


def works(work: Work) -> None:
    """The partner changes the room again and again until he may not any more."""
    number = 0
    while not work.stop.is_set():
        number += 1
        began = time.monotonic()
        try:
            change_control.submit(
                Permission.ROOMS_MODIFY, work.room, by=work.case.ann, changes={"label": f"{work.case.ann.pk}.{number}"}
            )
        except PermissionDenied:
            return
        if began > work.removed_at:
            work.started_late.append(f"change {number}")


def removes(work: Work) -> None:
    time.sleep(0.03)
    remove_partner(work.case)
    work.removed_at = time.monotonic()
    time.sleep(0.02)
    work.stop.set()


def no_later_success(work: Work, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert work.started_late == []
    removed = AuditEvent.objects.get(
        relationship_id=work.case.relationship.delegation_id, category="PartnerInvitation", operation="Delete"
    )
    later = AuditEvent.objects.filter(
        tenant_id=removed.tenant_id, seq__gt=removed.seq, user_id=work.case.ann.upn, result="Successful"
    )
    assert not later.exists(), "a change of the partner stands after his removal in the log"


def work_or_remove(world: World) -> Race[Work]:
    def prepare(number: int) -> Work:
        case = case_of(world)
        return Work(case, world.contoso.german[0])

    return Race(prepare, [works, removes], no_later_success)


def test_partner_changes_nothing_after_his_removal(world):
    work_or_remove(world).must_win()


def test_control_partner_at_work_while_he_is_removed(world):
    """Without holding the delegation, a change that was asked before the removal is carried out after it."""
    slow = change_control.rooms.refuse_unfit

    def slowly(changes: Any) -> None:
        time.sleep(0.02)
        slow(changes)

    with (
        mock.patch.object(access, "_hold_delegation", return_value=NOTHING),
        mock.patch.object(change_control.rooms, "refuse_unfit", slowly),
    ):
        work_or_remove(world).must_lose()
