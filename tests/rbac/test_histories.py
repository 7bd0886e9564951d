"""Random histories: after every step the portal's answers are those of the independent oracle, and its index is right.

Invitations, answers, removals, scopes, members, groups, dates and deactivations come in any order. Every refusal is
fine; what counts is that list, single answer, matrix and the oracle agree afterwards, for everybody.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit.clock import Now, now
from partners.models import Invitation, PartnerRelationship
from partners.services import invitations, relationships
from rbac import access, grants
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.models import Assignment, Delegation, Role, SecurityGroup, SecurityGroupMember, User
from rbac.services import assignments, security_groups
from rooms import scopes
from rooms.models import Room, RoomGroup
from rooms.scopes import Scope
from rooms.services import groups, roles
from rooms.services.roles import Proposed
from tests import invariants
from tests.factories.world import (
    Customer,
    World,
    assign,
    contact,
    custom_role,
    found_customer,
    invite,
    join,
    make,
    room_group,
    security_group,
    sign_in,
)
from tests.foundation.clock import Clock
from tests.rbac import oracle

pytestmark = pytest.mark.django_db

ASKED = (Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY, Permission.GROUPS_VIEW, Permission.ROOMS_UNENROLL)
NAMES = ("ann", "bob", "eve")
REFUSALS = (PermissionDenied, ValidationError, Http404)
picks = st.integers(0, 10**6)
# Which of five kinds (one of them: all rooms), which of a customer's three rooms, which of its two groups.
Chosen = tuple[int, set[int], set[int]]
ALL_ROOMS = 4
some_scope = st.tuples(st.integers(0, ALL_ROOMS), st.sets(st.integers(0, 2)), st.sets(st.integers(0, 1)))
some_permissions = st.sets(st.sampled_from([*ASKED, Permission.GROUPS_MODIFY]), min_size=1, max_size=3)
any_dates = st.integers(0, 2)
some_names = st.sets(st.sampled_from(NAMES), min_size=1)


class Histories(RuleBasedStateMachine):
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)
        self.clock.restore()

    @initialize(seed=picks)
    def begin(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world: World = make()
        self.customers: list[Customer] = [self.world.contoso, self.world.tailwind]
        self.partners = [self.world.fabrikam, self.world.northwind]
        for customer in self.customers:
            first, second, _ = customer.rooms
            room_group(customer.tenant, "Berlin", first)
            room_group(customer.tenant, "both", first, second)
            customer.member(BuiltIn.SITE_TECH, "tess", Scope(rooms=frozenset({first.pk})))
            customer.member(BuiltIn.SITE_LEAD, "lea")
        self.people = {partner.domain: [partner.person(name) for name in NAMES] for partner in self.partners}
        for partner in self.partners:
            security_group(partner.tenant, "Desk", self.people[partner.domain][2])
        both = RoomGroup.objects.get(tenant=self.world.contoso.tenant, name="both")
        join(self.world.contoso, self.world.fabrikam, "ann", "bob", scope=Scope(groups=frozenset({both.pk})))
        join(self.world.tailwind, self.world.northwind, "ann", scope=Scope(all_rooms=True))

    # --- What happens ---------------------------------------------------------------------------

    def attempt(self, step: Callable[[], Any]) -> None:
        """Carried out or refused, but never anything else."""
        try:
            with transaction.atomic():
                step()
        except REFUSALS:
            pass

    def one_of(self, pick: int, found: Any) -> Any:
        rows = list(found)
        return rows[pick % len(rows)] if rows else None

    def scope(self, customer: Customer, chosen: Chosen) -> Scope:
        kind, rooms, groups_chosen = chosen
        own = list(RoomGroup.objects.filter(tenant=customer.tenant).order_by("pk"))
        return Scope(
            kind == ALL_ROOMS,
            frozenset(customer.rooms[index].pk for index in rooms),
            frozenset(own[index].pk for index in groups_chosen),
        )

    def customer_of(self, tenant_id: Any) -> Customer:
        return next(one for one in self.customers if one.tenant.pk == tenant_id)

    @rule(customer=st.integers(0, 1), partner=st.integers(0, 1), names=some_names, chosen=some_scope)
    def add_partner(self, customer: int, partner: int, names: set[str], chosen: Chosen) -> None:
        inviter, upns = self.customers[customer], [f"{name}@{self.partners[partner].domain}" for name in sorted(names)]
        self.attempt(lambda: invite(inviter, *upns, scope=self.scope(inviter, chosen), days=1))

    @rule(pick=picks, name=st.sampled_from(NAMES))
    def invite_more(self, pick: int, name: str) -> None:
        relationship = self.one_of(pick, PartnerRelationship.objects.order_by("created_at", "pk"))
        if relationship is not None:
            upn = f"{name}@{self.partners[pick % 2].domain}"
            admin = self.customer_of(relationship.tenant_id).admin
            self.attempt(lambda: invitations.invite(relationship, [contact(upn)], by=admin, days=1))

    @rule(pick=picks, answer=st.sampled_from(["accept", "accept", "accept", "deny", "revoke", "resend"]))
    def answer(self, pick: int, answer: str) -> None:
        found = Invitation.objects.order_by("created_at", "upn")
        invitation = self.one_of(pick, found.filter(state="pending") or found)
        if invitation is None:
            return
        step = getattr(invitations, answer)
        invited = User.objects.filter(upn=invitation.upn).first()
        by = self.customer_of(invitation.tenant_id).admin if answer in ("revoke", "resend") else invited
        self.attempt(lambda: step(invitation, by=by))

    @rule(pick=picks, step=st.sampled_from([relationships.remove, relationships.suspend, relationships.resume]))
    def change_relationship(self, pick: int, step: Callable[..., None]) -> None:
        relationship = self.one_of(pick, PartnerRelationship.objects.order_by("created_at", "pk"))
        if relationship is not None:
            self.attempt(lambda: step(relationship, by=self.customer_of(relationship.tenant_id).admin))

    @rule(pick=picks, chosen=some_scope)
    def change_scope(self, pick: int, chosen: Chosen) -> None:
        assignment = self.one_of(pick, Assignment.objects.exclude(key="founders").order_by("pk"))
        customer = self.customer_of(assignment.tenant_id) if assignment and self._is_customers(assignment) else None
        if customer is not None:
            self.attempt(lambda: scopes.change(assignment, self.scope(customer, chosen), by=customer.admin))

    def _is_customers(self, assignment: Assignment) -> bool:
        return any(one.tenant.pk == assignment.tenant_id for one in self.customers)

    @rule(pick=picks, chosen=some_scope, codes=some_permissions, is_partners=st.booleans(), dated=st.integers(0, 3))
    def give_custom_role(
        self, pick: int, chosen: Chosen, codes: set[Permission], is_partners: bool, dated: int
    ) -> None:
        """The customer's own, or a partner's (whose permissions may even lie above the ceiling)."""
        linked = Delegation.objects.exclude(held_by=None).exclude(state="ended")
        delegation = self.one_of(pick, linked.order_by("linked_at")) if is_partners else None
        customer = self.customers[pick % 2] if delegation is None else self.customer_of(delegation.tenant_id)
        home = customer.tenant if delegation is None else delegation.held_by
        person = self.one_of(pick, User.objects.filter(tenant=home).order_by("pk"))
        role = custom_role(customer.tenant, *codes, delegation=delegation)
        start = now() + timedelta(hours=12) if dated == 1 else None
        end = now() + timedelta(hours=36) if dated == 2 else None
        scope = self.scope(customer, chosen)
        if not scope.is_empty:
            assign(role, person, scope, valid_from=start, valid_until=end)

    @rule(pick=picks, who=picks, adds=st.booleans(), by_group=st.booleans(), by_partner=st.booleans())
    def change_members(self, pick: int, who: int, adds: bool, by_group: bool, by_partner: bool) -> None:
        assignment = self.one_of(pick, Assignment.objects.select_related("role__delegation").order_by("pk"))
        if not self._is_customers(assignment):
            return
        delegation = assignment.role.delegation
        home = assignment.tenant_id if delegation is None else delegation.held_by_id
        model = SecurityGroup if by_group else User
        member = self.one_of(who, model.objects.filter(tenant=home).order_by("pk"))
        by = self.customer_of(assignment.tenant_id).admin
        if by_partner and delegation is not None:
            by = assignment.people.first() or by
        if member is not None:
            name = ("add" if adds else "remove") + ("_groups" if by_group else "")
            self.attempt(lambda: assignments.change_members(assignment, by=by, **{name: [member]}))

    @rule(pick=picks, who=picks, by_directory=st.booleans())
    def change_security_group(self, pick: int, who: int, by_directory: bool) -> None:
        """By a keeper of roles; or as a directory tells it: the rows, then the index of every assignment that names it."""
        group = self.one_of(pick, SecurityGroup.objects.order_by("pk"))
        person = self.one_of(who, User.objects.filter(tenant=group.tenant_id).order_by("pk"))
        is_in = group.memberships.filter(user=person).exists()
        if not by_directory:
            by = self.one_of(who, User.objects.filter(tenant=group.tenant_id, assignments__tenant=group.tenant_id))
            change = {"remove" if is_in else "add": [person]}
            self.attempt(lambda: security_groups.change_people(group, by=by or person, **change))
            return
        with transaction.atomic():
            if is_in:
                group.memberships.filter(user=person).delete()
            else:
                SecurityGroupMember.objects.create(group=group, user=person, tenant_id=group.tenant_id)
            for assignment in group.assignments.all():
                grants.project_members(assignment)

    def keeper_of(self, tenant_id: Any, pick: int) -> User:
        """Who asks: mostly an MMR admin or somebody of the partner, sometimes anybody."""
        admin = self.customer_of(tenant_id).admin
        people = [admin, *User.objects.filter(assignments__tenant=tenant_id).order_by("pk").distinct()]
        return people[pick % len(people)]

    @rule(customer=st.integers(0, 1), pick=picks, who=picks, codes=some_permissions, chosen=some_scope, dated=any_dates)
    def make_role(self, customer: int, pick: int, who: int, codes: set[Permission], chosen: Chosen, dated: int) -> None:
        """By the service, for whoever asks: a member who exists, and one who has never signed in."""
        asked = self.customers[customer]
        by = self.keeper_of(asked.tenant.pk, pick)
        member = self.one_of(who, User.objects.filter(tenant=by.tenant_id).order_by("pk"))
        end = now() + timedelta(hours=20) if dated == 1 else None
        first = Proposed("First", members=(member.upn, f"new{who % 3}@{member.upn.partition('@')[2]}"), valid_until=end)
        data = first.as_data() | {"scope": self.scope(asked, chosen).as_data()}
        name = f"Role {pick % 50}"
        self.attempt(
            lambda: roles.create(
                asked.tenant, by=by, name=name, permissions=[one.value for one in codes], assignment=data
            )
        )

    @rule(pick=picks, who=picks, codes=some_permissions, step=st.sampled_from(["modify", "modify", "delete", "assign"]))
    def change_role(self, pick: int, who: int, codes: set[Permission], step: str) -> None:
        found = Role.objects.filter(tenant__in=[one.tenant.pk for one in self.customers], key="")
        role = self.one_of(pick, found.order_by("pk"))
        if role is None:
            return
        by = self.keeper_of(role.tenant_id, who)
        if step == "modify":
            self.attempt(lambda: roles.modify(role, by=by, permissions=[one.value for one in codes]))
        elif step == "delete":
            self.attempt(lambda: roles.delete(role, by=by))
        else:
            room = self.customer_of(role.tenant_id).rooms[who % 3]
            more = Proposed("More", members=(by.upn,), scope=Scope(rooms=frozenset({room.pk})))
            self.attempt(lambda: roles.assign(role, by=by, assignment=more.as_data()))

    @rule(pick=picks, who=picks, hours=st.integers(-20, 30), step=st.sampled_from(["end", "begin", "delete", "leave"]))
    def change_assignment(self, pick: int, who: int, hours: int, step: str) -> None:
        own = Assignment.objects.filter(tenant__in=[one.tenant.pk for one in self.customers])
        assignment = self.one_of(pick, own.select_related("role__delegation", "tenant").order_by("pk"))
        by = self.keeper_of(assignment.tenant_id, who)
        moment = (now() + timedelta(hours=hours)).isoformat()
        if step == "leave":
            self.attempt(lambda: assignments.leave(assignment, by=by))
        elif step == "delete":
            self.attempt(lambda: roles.delete_assignment(assignment, by=by))
        else:
            dates = {"valid_until" if step == "end" else "valid_from": moment}
            self.attempt(lambda: roles.modify_assignment(assignment, by=by, dates=dates))

    @rule(partner=st.booleans(), pick=picks)
    def somebody_new_signs_in(self, partner: bool, pick: int) -> None:
        """Whoever was named before becomes a member at that moment."""
        place = self.partners[pick % 2] if partner else self.customers[pick % 2]
        domain = place.domain
        self.attempt(lambda: sign_in(place.tenant, f"new{pick % 3}@{domain}"))

    @rule(pick=picks, room=picks, adds=st.booleans())
    def change_room_group(self, pick: int, room: int, adds: bool) -> None:
        own = [customer.tenant.pk for customer in self.customers]
        group = self.one_of(pick, RoomGroup.objects.filter(tenant__in=own).order_by("pk"))
        customer = self.customer_of(group.tenant_id)
        chosen = {"add" if adds else "remove": [customer.rooms[room % 3].pk]}
        self.attempt(lambda: groups.change_rooms(group, by=customer.admin, **chosen))

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.clock.move(timedelta(hours=hours))

    @rule()
    def job_runs(self) -> None:
        invitations.expire_due(Invitation.objects.all())

    @rule(pick=picks, field=st.sampled_from(["is_active", "is_home_member"]), value=st.booleans())
    def directory_changes_person(self, pick: int, field: str, value: bool) -> None:
        kept = [customer.admin.pk for customer in self.customers]
        person = self.one_of(pick, User.objects.exclude(pk__in=kept).order_by("pk"))
        User.objects.filter(pk=person.pk).update(**{field: value})

    @rule(pick=picks, hours=st.integers(-1, 30))
    def delegation_gets_an_end(self, pick: int, hours: int) -> None:
        delegation = self.one_of(pick, Delegation.objects.order_by("pk"))
        if delegation is not None:
            Delegation.objects.filter(pk=delegation.pk).update(valid_until=Now() + timedelta(hours=hours))

    # --- What holds -----------------------------------------------------------------------------

    @invariant()
    def answers_are_the_oracles(self) -> None:
        world = oracle.dump()
        rooms = list(Room.objects.order_by("pk"))
        for user in User.objects.order_by("pk"):
            matrix = access.permissions_on(user, rooms)
            for permission in ASKED:
                expected = oracle.rooms_seen(world, user.pk, permission.value)
                visible = access.visible(user, permission, Room.objects.all())
                assert set(visible.values_list("pk", flat=True)) == expected, (user, permission)
                assert {pk for pk, held in matrix.items() if permission in held} == expected, (user, permission)
            one, asked = self.random.choice(rooms), self.random.choice(ASKED)
            assert access.can(user, asked, one) is (asked in matrix[one.pk]), (user, asked, one)

    @invariant()
    def rows_are_in_order(self) -> None:
        """A directory may take the last primary admin away; nothing else may be out of order, ever."""
        invariants.check(besides={invariants.NO_PRIMARY_ADMIN})

    @invariant()
    def partners_stay_below_the_ceiling(self) -> None:
        for user in User.objects.all():
            for held in access.rights(user):
                assert held.delegation_id is None or held.permissions <= CEILING


def test_answers_agree_with_the_oracle_after_any_history(clock):
    Histories.clock = clock
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # to make a failing history shorter takes minutes
        ),
    )


def test_another_customer_is_no_part_of_it(clock):
    """The oracle itself sees a leak: a stray row in another tenant's index is a difference."""
    world = make()
    other = found_customer("Wingtip")
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", Scope(rooms=frozenset({world.contoso.rooms[0].pk})))
    assignment = Assignment.objects.get(people=tess)
    assert oracle.rooms_seen(oracle.dump(), tess.pk, "rooms.view") == {world.contoso.rooms[0].pk}
    assignment.scoped_rooms.create(tenant=world.contoso.tenant, room=world.contoso.rooms[1])
    assert oracle.rooms_seen(oracle.dump(), tess.pk, "rooms.view") != set(
        access.visible(tess, Permission.ROOMS_VIEW, Room.objects.all()).values_list("pk", flat=True)
    )
    assert not oracle.rooms_seen(oracle.dump(), other.admin.pk, "rooms.view") & {
        room.pk for room in world.contoso.rooms
    }
    assert Role.objects.filter(tenant=other.tenant).count() == 3
