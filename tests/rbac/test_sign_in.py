import uuid

import pytest

from rbac import access
from rbac.catalogue import Permission
from rbac.models import AssignmentMember, PendingClaim, Tenant, TenantStatus, User
from rbac.services import tenants
from rbac.sign_in import Identity, SignInRefused, arrive
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import World, make, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def nobody(upn: str) -> bool:
    return False


def everybody(upn: str) -> bool:
    return True


def identity(tenant: Tenant, upn: str, **fields: object) -> Identity:
    given = {"tid": tenant.entra_tid, "oid": uuid.uuid4(), "upn": upn, "name": "Ann"}
    return Identity(**given | fields)


def test_first_arrival_of_a_known_tenant_makes_the_account(world):
    who = identity(world.fabrikam.tenant, "Ann@Fabrikam.example")
    with leaves("Fabrikam: User/Create ann@fabrikam.example Successful ann@fabrikam.example"):
        ann = arrive(who, is_awaited=nobody)
    assert (ann.tenant, ann.upn, ann.entra_tid, ann.entra_oid, ann.username) == (
        world.fabrikam.tenant,
        "ann@fabrikam.example",
        who.tid,
        who.oid,
        f"{who.tid}:{who.oid}",
    )
    assert not ann.has_usable_password()
    assert access.rights(ann) == ()


def test_next_arrival_finds_the_account_by_its_identity_and_leaves_nothing(world):
    who = identity(world.fabrikam.tenant, "ann@fabrikam.example")
    ann = arrive(who, is_awaited=nobody)
    with leaves() as evidence:
        assert arrive(who, is_awaited=nobody) == ann
    assert evidence.changed() == set()


def test_same_upn_with_another_identity_is_another_person(world):
    """A directory gave the name to somebody else: the earlier person keeps his account and loses the name."""
    earlier = sign_in(world.contoso.tenant, "lea@contoso.example")
    assert sign_in(world.contoso.tenant, "admin@contoso.example") == world.contoso.admin
    later = arrive(identity(world.contoso.tenant, "lea@contoso.example"), is_awaited=nobody)
    earlier.refresh_from_db()
    assert later.pk != earlier.pk
    assert (later.upn, earlier.upn) == ("lea@contoso.example", f"former-{earlier.pk}@contoso.example")


def test_new_holder_of_an_admins_name_inherits_nothing(world):
    later = arrive(identity(world.contoso.tenant, "admin@contoso.example"), is_awaited=nobody)
    world.contoso.admin.refresh_from_db()
    assert access.rights(later) == ()
    assert access.can(world.contoso.admin, Permission.SETTINGS_VIEW, world.contoso.tenant)


def test_renamed_person_takes_a_name_that_another_had(world):
    ann = identity(world.fabrikam.tenant, "ann@fabrikam.example")
    arrive(ann, is_awaited=nobody)
    former = sign_in(world.fabrikam.tenant, "anne@fabrikam.example")
    renamed = Identity(ann.tid, ann.oid, "anne@fabrikam.example", "Anne")
    with leaves("Fabrikam: User/Update anne@fabrikam.example Successful ann@fabrikam.example"):
        arrive(renamed, is_awaited=nobody)
    former.refresh_from_db()
    assert former.upn == f"former-{former.pk}@fabrikam.example"
    assert User.objects.get(entra_oid=ann.oid).upn == "anne@fabrikam.example"


def test_long_names_are_cut(world):
    who = identity(world.fabrikam.tenant, "ann@fabrikam.example", name="x" * 256)
    assert arrive(who, is_awaited=nobody).display_name == "x" * 200


def test_stranger_of_an_unknown_tenant_leaves_no_row(world):
    who = Identity(uuid.uuid4(), uuid.uuid4(), "eve@evil.example")
    refused(SignInRefused, lambda: arrive(who, is_awaited=nobody))


def test_awaited_person_of_an_unknown_tenant_arrives_with_it(world):
    who = Identity(uuid.uuid4(), uuid.uuid4(), "eve@adatum.example")
    with leaves("adatum.example: User/Create eve@adatum.example Successful eve@adatum.example"):
        eve = arrive(who, is_awaited=everybody)
    assert (eve.tenant.entra_tid, eve.tenant.status, eve.tenant.is_known) == (who.tid, TenantStatus.ARRIVED, False)


def test_awaited_guest_of_an_unknown_tenant_leaves_no_row(world):
    who = Identity(uuid.uuid4(), uuid.uuid4(), "eve@adatum.example", is_home_member=False)
    refused(SignInRefused, lambda: arrive(who, is_awaited=everybody))


NOT_LET_IN = "Fabrikam: Session/Create ann@fabrikam.example Failed(closed) ann@fabrikam.example"


def test_deactivated_account_does_not_come_back(world):
    who = identity(world.fabrikam.tenant, "ann@fabrikam.example")
    User.objects.filter(pk=arrive(who, is_awaited=nobody).pk).update(is_active=False)
    refused(SignInRefused, lambda: arrive(who, is_awaited=everybody), NOT_LET_IN)


def test_nobody_signs_in_at_a_closed_tenant(world):
    who = identity(world.fabrikam.tenant, "ann@fabrikam.example")
    arrive(who, is_awaited=nobody)
    Tenant.objects.filter(pk=world.fabrikam.tenant.pk).update(status=TenantStatus.CLOSED)
    other = identity(world.fabrikam.tenant, "bob@fabrikam.example")
    refused(SignInRefused, lambda: arrive(who, is_awaited=everybody), NOT_LET_IN)
    refused(SignInRefused, lambda: arrive(other, is_awaited=everybody))


@pytest.mark.parametrize("upn", ["ann", "änn@fabrikam.example", "ann_x#EXT#@fabrikam.example"])
def test_upn_that_is_none_is_refused(world, upn):
    refused(SignInRefused, lambda: arrive(identity(world.fabrikam.tenant, upn), is_awaited=everybody))


def test_known_person_whose_upn_has_become_unfit_is_on_record(world):
    who = identity(world.fabrikam.tenant, "ann@fabrikam.example")
    arrive(who, is_awaited=nobody)
    unfit = Identity(who.tid, who.oid, "änn@fabrikam.example", "Ann")
    line = "Fabrikam: Session/Create ann@fabrikam.example Failed(upn_unfit) ann@fabrikam.example"
    refused(SignInRefused, lambda: arrive(unfit, is_awaited=everybody), line)


# --- Pending claims -----------------------------------------------------------------------------


def claim(upn: str) -> Tenant:
    return tenants.found("Adatum", admin_upn=upn, entra_tid=uuid.uuid4(), by=None)


def is_admin(user: User, tenant: Tenant) -> bool:
    return access.can(user, Permission.SETTINGS_MODIFY, tenant)


def test_claim_is_consumed_once_at_the_first_sign_in_at_home():
    tenant = claim("Amy@adatum.example")
    assert not User.objects.filter(tenant=tenant).exists()
    with leaves(
        "Adatum: User/Create amy@adatum.example Successful amy@adatum.example",
        "Adatum: Assignment/Update MMR Admin / Founding admins Successful amy@adatum.example",
    ):
        amy = arrive(identity(tenant, "amy@adatum.example"), is_awaited=nobody)
    assert is_admin(amy, tenant)
    assert not PendingClaim.objects.exists()
    second = arrive(identity(tenant, "amy@adatum.example"), is_awaited=nobody)
    assert not is_admin(second, tenant)


def test_claim_of_one_tenant_is_nothing_at_another(world):
    tenant = claim("ann@fabrikam.example")
    ann = arrive(identity(world.fabrikam.tenant, "ann@fabrikam.example"), is_awaited=nobody)
    assert access.rights(ann) == ()
    assert PendingClaim.objects.filter(tenant=tenant).exists()


def test_guest_consumes_no_claim():
    tenant = claim("amy@adatum.example")
    guest = arrive(identity(tenant, "amy@adatum.example", is_home_member=False), is_awaited=nobody)
    assert not is_admin(guest, tenant)
    assert PendingClaim.objects.count() == 1


def test_claim_made_after_the_first_sign_in_is_consumed_at_the_next(world):
    who = Identity(uuid.uuid4(), uuid.uuid4(), "amy@adatum.example", "Amy")
    amy = arrive(who, is_awaited=everybody)
    tenants.found("Adatum", admin_upn="amy@adatum.example", entra_tid=who.tid, by=None)
    amy.refresh_from_db()
    with leaves(
        "Adatum: User/Update amy@adatum.example Successful amy@adatum.example",
        "Adatum: Assignment/Update MMR Admin / Founding admins Successful amy@adatum.example",
    ):
        arrive(who, is_awaited=nobody)
    assert is_admin(amy, amy.tenant)
    assert AssignmentMember.objects.filter(user=amy).count() == 1


def test_arrival_in_two_tenants_makes_two_people(world):
    oid = uuid.uuid4()
    first = arrive(identity(world.fabrikam.tenant, "ann@fabrikam.example", oid=oid), is_awaited=nobody)
    second = arrive(identity(world.northwind.tenant, "ann@northwind.example", oid=oid), is_awaited=nobody)
    assert first != second
    evidence = mark()
    assert (
        arrive(Identity(world.fabrikam.tenant.entra_tid, oid, "ann@fabrikam.example", "Ann"), is_awaited=nobody)
        == first
    )
    assert evidence.lines == []
