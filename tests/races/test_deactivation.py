"""A person is deactivated while others change who is left."""

from collections.abc import Callable
from unittest import mock

from partners.models import PartnerRelationship
from partners.services import invitations
from rbac import grants
from rbac.models import AssignmentMember, Delegation, User
from rbac.services import people, primary_admins
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.world import World, invite
from tests.races.guards import no_row_locks
from tests.races.harness import Race
from tests.races.test_grants import Case, case_of, leaves, linger


def deactivates(who: str) -> Callable[[Case], None]:
    def contender(case: Case) -> None:
        people.deactivate(getattr(case, who), by=None)

    return contender


def is_marked(relationship: PartnerRelationship) -> bool:
    return Delegation.objects.get(pk=relationship.delegation_id).needs_primary_admin


def mark_is_true(case: Case, names: list[str]) -> None:
    """Either the other one had left before, and nobody is left; or he came too late, and stays."""
    assert names in (["ok", "ok"], ["ok", "last_primary_admin"])
    members = AssignmentMember.objects.filter(assignment=case.base, user__is_active=True)
    assert is_marked(case.relationship) is not members.exists()


def one_is_deactivated_the_other_leaves(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [deactivates("ann"), leaves("bob")], mark_is_true)


def test_who_leaves_while_the_other_one_is_deactivated(world):
    one_is_deactivated_the_other_leaves(world).must_win()


def test_control_leaving_while_the_other_one_is_deactivated(world):
    lingers = mock.patch.object(grants, "project_members", side_effect=linger)
    with no_row_locks(), lingers:
        one_is_deactivated_the_other_leaves(world).must_lose()


def both_are_deactivated(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [deactivates("ann"), deactivates("bob")], marked_once)


def marked_once(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert is_marked(case.relationship)


def test_both_are_deactivated_at_once(world):
    both_are_deactivated(world).must_win()


def test_control_both_are_deactivated_at_once(world):
    settle = primary_admins.settle

    def late(*args: object, **kwargs: object) -> None:
        settle(*args, **kwargs)  # type: ignore[arg-type]
        linger()

    with no_row_locks(), mock.patch.object(primary_admins, "settle", late):
        both_are_deactivated(world).must_lose()


def invited(world: World) -> Case:
    """Ann is invited, and would be the first one."""
    partner = TenantFactory()
    ann = UserFactory(tenant=partner, upn=f"ann@p{partner.pk.hex[:8]}.example")
    relationship, (sent,) = invite(world.contoso, ann.upn)
    case = Case(world, relationship, ann, ann, relationship.delegation.roles.get().assignments.get())
    case.invitation = sent  # type: ignore[attr-defined]
    return case


def accepts(case: Case) -> None:
    invitations.accept(case.invitation, by=case.ann)  # type: ignore[attr-defined]


def first_one_is_gone(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert not User.objects.get(pk=case.ann.pk).is_active
    assert is_marked(case.relationship)


def deactivated_while_accepting(world: World) -> Race[Case]:
    return Race(lambda number: invited(world), [deactivates("ann"), accepts], first_one_is_gone)


def test_who_accepts_while_he_is_deactivated(world):
    deactivated_while_accepting(world).must_win()


def test_control_accepting_while_deactivated(world):
    lingers = mock.patch.object(grants, "project_members", side_effect=linger)
    with no_row_locks(), lingers:
        deactivated_while_accepting(world).must_lose()
