"""*Remove customer*: a primary admin of the partner ends the relationship; nobody else of it can."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from partners.models import ApiToken, Invitation
from partners.services import invitations, relationships, tokens
from rbac import access
from rbac.catalogue import CEILING, Permission
from rbac.errors import DelegationOver
from rbac.models import AssignmentMember, Delegation, DelegationState, Role, User
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, ask_first, assign, contact, custom_role, join, make, over, security_group

pytestmark = pytest.mark.django_db
ANN = "ann@fabrikam.example"
DELETE = "Contoso: PartnerInvitation/Delete fabrikam.example"


@pytest.fixture
def world() -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


def test_everything_ends_and_the_customer_is_told(world):
    relationship = world.relationship
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    assign(role, carl, over(world.contoso.german[0]))
    (open_one,) = invitations.invite(relationship, [contact("eve@fabrikam.example")], by=world.contoso.admin)
    tokens.issue(relationship.delegation, "bridge", by=world.ann, scopes=CEILING, lifetime=timedelta(days=1))
    with leaves(
        f"{DELETE} Successful {ANN}",
        f"Contoso: PartnerInvitation/Update eve@fabrikam.example Successful {ANN}",
        f"Contoso: Assignment/Delete Primary admin / Invited admins Successful {ANN}",
        f"Contoso: Role/Delete Primary admin Successful {ANN}",
        f"Contoso: Assignment/Delete rooms.view / rooms.view of carl@fabrikam.example Successful {ANN}",
        f"Contoso: Role/Delete rooms.view Successful {ANN}",
    ) as evidence:
        relationships.leave(relationship, by=world.ann)
    assert Delegation.objects.get(pk=relationship.delegation_id).state == DelegationState.ENDED
    assert not Role.objects.filter(delegation=relationship.delegation_id).exists()
    assert not ApiToken.objects.exists()
    assert Invitation.objects.get(pk=open_one.pk).state == "revoked"
    for person in (world.ann, carl):
        assert access.effective(person, world.contoso.tenant.pk) == frozenset()
    assert [kind for kind, _, _ in evidence.messages] == ["partners.removed", "partners.ended"]
    assert evidence.events[0].after == {"state": "ended", "by_partner": True}


def test_a_suspended_customer_can_be_left_too(world):
    relationships.suspend(world.relationship, by=world.contoso.admin)
    relationships.leave(world.relationship, by=world.ann)
    assert Delegation.objects.get(pk=world.relationship.delegation_id).state == DelegationState.ENDED


def test_policy_of_the_customer_does_not_keep_anybody(world):
    ask_first(world.relationship)
    relationships.leave(world.relationship, by=world.ann)
    assert Delegation.objects.get(pk=world.relationship.delegation_id).state == DelegationState.ENDED


def test_a_primary_admin_by_a_group_can_too(world):
    gus = world.fabrikam.person("gus")
    group = security_group(world.fabrikam.tenant, "Leads", gus)
    base = world.relationship.delegation.roles.get().assignments.get()
    base.group_memberships.create(group=group)
    relationships.leave(world.relationship, by=gus)
    assert Delegation.objects.get(pk=world.relationship.delegation_id).state == DelegationState.ENDED


@pytest.mark.parametrize("who", ["colleague", "desk", "customer", "rival", "inactive", "tool"])
def test_nobody_else_can(world, who):
    desk = world.fabrikam.person("desk")
    role = custom_role(world.contoso.tenant, *CEILING, delegation=world.relationship.delegation)
    assign(role, desk, over(*world.contoso.german))
    _, (eve,) = join(world.tailwind, world.northwind, "eve")
    people = {
        "colleague": world.fabrikam.person("bob"),
        "desk": desk,
        "customer": world.contoso.admin,
        "rival": eve,
        "inactive": world.ann,
        "tool": world.ann,
    }
    person = people[who]
    if who == "inactive":
        User.objects.filter(pk=person.pk).update(is_active=False)
        person.refresh_from_db()
    if who == "tool":
        person.limits = access.Limits(world.relationship.delegation_id, CEILING)
    refused(
        PermissionDenied,
        lambda: relationships.leave(world.relationship, by=person),
        f"{DELETE} Failed(permission_denied) {person.upn}",
    )


def test_ended_is_ended(world):
    relationships.remove(world.relationship, by=world.contoso.admin)
    refused(
        DelegationOver,
        lambda: relationships.leave(world.relationship, by=world.ann),
        f"{DELETE} Failed(relationship_over) {ANN}",
    )
    assert not AssignmentMember.objects.filter(user=world.ann).exists()
