"""A partner's primary admin adds colleagues: known ones are members, others invited; by change control."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from partners.errors import (
    AlreadyInvited,
    AlreadyPrimaryAdmin,
    DailyLimit,
    DuplicateContact,
    InvalidLifetime,
    NoContact,
    NotAColleague,
)
from partners.models import Invitation
from partners.services import colleagues, invitations, relationships
from partners.services.colleagues import ACTION
from rbac.access import Limits
from rbac.catalogue import CEILING, Permission
from rbac.models import TenantDomain, User
from rooms import change_control
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import World, ask_first, asked, assign, contact, custom_role, join, make, over

pytestmark = pytest.mark.django_db
ANN = "ann@fabrikam.example"
LINE = "Contoso: PartnerInvitation/Create fabrikam.example"
NEW = {"name": "Nora New", "upn": "Nora@Fabrikam.example"}


@pytest.fixture
def world() -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    world.base = world.relationship.delegation.roles.get().assignments.get()
    return world


def admins(world: World) -> list[str]:
    return list(world.base.people.order_by("upn").values_list("upn", flat=True))


def add(world: World, *people: dict[str, str], by: User | None = None, **more: int) -> list[str]:
    return colleagues.add(world.base, by=by or world.ann, people=people, **more)


def test_a_known_colleague_is_a_primary_admin_at_once(world):
    bob = world.fabrikam.person("bob")
    with leaves(
        f"{LINE} Successful {ANN}",
        f"Contoso: Assignment/Update Primary admin / Invited admins Successful {ANN}",
    ):
        assert add(world, {"upn": bob.upn}) == []
    assert admins(world) == [ANN, bob.upn]
    assert Invitation.objects.filter(state="pending").count() == 0


def test_one_who_never_signed_in_gets_an_invitation_the_customer_can_withdraw(world):
    with leaves(
        f"{LINE} Successful {ANN}",
        f"Contoso: PartnerInvitation/Create nora@fabrikam.example Successful {ANN}",
    ) as evidence:
        assert add(world, NEW, days=7) == ["nora@fabrikam.example"]
    [(kind, _, _)] = evidence.messages
    invitation = Invitation.objects.get(upn="nora@fabrikam.example")
    assert (kind, invitation.by_partner, invitation.invited_by) == ("partners.invitation", True, ANN)
    assert (invitation.contact_name, (invitation.expires_at - invitation.created_at).days) == ("Nora New", 7)
    assert invitations.revoke(invitation, by=world.contoso.admin).state == "revoked"


def test_the_invited_colleague_accepts_like_everybody(world):
    add(world, NEW)
    nora = world.fabrikam.person("nora")
    invitations.accept(Invitation.objects.get(upn=nora.upn), by=nora)
    assert admins(world) == [ANN, nora.upn]


def test_both_kinds_at_once_or_nobody(world):
    bob = world.fabrikam.person("bob")
    with pytest.raises(NotAColleague):
        add(world, {"upn": bob.upn}, {"upn": "max@northwind.example"})
    assert admins(world) == [ANN]
    assert add(world, {"upn": bob.upn}, NEW) == ["nora@fabrikam.example"]
    assert admins(world) == [ANN, bob.upn]


@pytest.mark.parametrize(
    ("people", "error"),
    [
        ([], NoContact),
        ([NEW, {"upn": "nora@fabrikam.example"}], DuplicateContact),
        ([{"upn": "max@northwind.example"}], NotAColleague),
        ([{"upn": "max@nobodys.example"}], NotAColleague),
        ([{"upn": "admin@contoso.example"}], NotAColleague),
        ([{"upn": ANN}], AlreadyPrimaryAdmin),
        ([{"upn": "no upn"}], ValidationError),
    ],
)
def test_who_cannot_be_added_is_said(world, people, error):
    evidence = mark()
    with pytest.raises(error):
        add(world, *people)
    assert evidence.changed() == set()
    assert [line.rpartition(" ")[0].partition("(")[0] for line in evidence.lines] == [f"{LINE} Failed"]


def test_an_unverified_domain_does_not_count(world):
    TenantDomain.objects.filter(tenant=world.fabrikam.tenant).update(verified_at=None)
    with pytest.raises(NotAColleague):
        add(world, NEW)


def test_one_who_is_invited_already_is_not_invited_again(world):
    invitations.invite(world.relationship, [contact("nora@fabrikam.example")], by=world.contoso.admin)
    with pytest.raises(AlreadyInvited):
        add(world, NEW)
    with pytest.raises(InvalidLifetime):
        add(world, {"upn": "new@fabrikam.example"}, days=31)


def test_a_partner_cannot_flood_anybody(world):
    add(world, *({"upn": f"n{number}@fabrikam.example"} for number in range(20)))
    with pytest.raises(DailyLimit):
        add(world, NEW)


@pytest.mark.parametrize("who", ["desk", "colleague", "customer"])
def test_only_primary_admins_add_some(world, who):
    desk = world.fabrikam.person("desk")
    role = custom_role(world.contoso.tenant, *CEILING, delegation=world.relationship.delegation)
    assign(role, desk, over(*world.contoso.german))
    people = {"desk": desk, "colleague": world.fabrikam.person("bob"), "customer": world.contoso.admin}
    refused(
        PermissionDenied,
        lambda: add(world, NEW, by=people[who]),
        f"{LINE} Failed(permission_denied) {people[who].upn}",
    )


def test_not_while_suspended(world):
    relationships.suspend(world.relationship, by=world.contoso.admin)
    with pytest.raises(PermissionDenied):
        add(world, NEW)


def test_a_tool_of_a_primary_admin_can_within_its_scopes(world):
    world.ann.limits = Limits(world.relationship.delegation_id, frozenset({Permission.ROOMS_VIEW}))
    with pytest.raises(PermissionDenied):
        add(world, NEW)
    world.ann.limits = Limits(world.relationship.delegation_id, CEILING)
    assert add(world, NEW) == ["nora@fabrikam.example"]


def test_manual_approval_asks_the_customer_first(world):
    bob = world.fabrikam.person("bob")
    ask_first(world.relationship, Permission.ROLES_MODIFY)
    people = [{"name": "Bob", "upn": bob.upn}, NEW]
    request = asked(
        lambda: change_control.submit(
            Permission.ROLES_MODIFY, world.base, by=world.ann, action=ACTION, people=people, days=14
        )
    )
    assert (admins(world), Invitation.objects.filter(state="pending").count()) == ([ANN], 0)
    change_control.approve(request, by=world.contoso.admin)
    assert admins(world) == [ANN, bob.upn]
    assert Invitation.objects.get(state="pending").upn == "nora@fabrikam.example"
