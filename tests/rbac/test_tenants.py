import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from audit.models import AuditEvent
from rbac.catalogue import CUSTOMER_ROLES, BuiltIn, permissions_of
from rbac.errors import AlreadyFounded, DomainTaken, InvalidDomain
from rbac.models import Assignment, PendingClaim, Role, Tenant, TenantStatus, User
from rbac.services import tenants
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def staff() -> User:
    return User.objects.create(username="help", upn="help@portal.example", is_staff=True)


def test_founding_makes_roles_and_a_place_for_the_first_admin(staff):
    tid = uuid.uuid4()
    with leaves(
        "platform: Settings/Create Adatum Successful help@portal.example",
        "Adatum: Assignment/Create MMR Admin / Founding admins Successful help@portal.example",
    ):
        tenant = tenants.found(
            "Adatum", admin_upn="Amy@Adatum.example", domains=["Adatum.example"], entra_tid=tid, by=staff
        )
    assert (tenant.name, tenant.entra_tid, tenant.status) == ("Adatum", tid, TenantStatus.FOUNDED)
    assert [domain.domain for domain in tenant.domains.exclude(verified_at=None)] == ["adatum.example"]
    roles = {role.key: set(role.permissions) for role in Role.objects.filter(tenant=tenant)}
    assert roles == {key: set(permissions_of(key)) for key in CUSTOMER_ROLES}
    admins = Assignment.objects.get(tenant=tenant)
    assert (admins.role.key, admins.all_rooms) == (BuiltIn.MMR_ADMIN, True)
    assert list(PendingClaim.objects.values_list("tenant", "upn", "assignment", "named_by")) == [
        (tenant.pk, "amy@adatum.example", admins.pk, "help@portal.example")
    ]
    assert not User.objects.filter(tenant=tenant).exists()


def test_line_of_the_command_line_is_the_systems():
    with leaves(
        "platform: Settings/Create Adatum Successful system",
        "Adatum: Assignment/Create MMR Admin / Founding admins Successful system",
    ) as evidence:
        tenant = tenants.found("Adatum", admin_upn="amy@adatum.example", by=None)
    event = next(one for one in evidence.events if one.category == "Settings")
    assert (event.user_tenant_id, event.after) == (
        None,
        {"admin": "amy@adatum.example", "domains": [], "tenant_id": str(tenant.pk), "reason": ""},
    )


def test_arrived_tenant_is_founded_in_place():
    arrived = Tenant.objects.create(name="adatum.example", entra_tid=uuid.uuid4(), status=TenantStatus.ARRIVED)
    tenant = tenants.found("Adatum", admin_upn="amy@adatum.example", entra_tid=arrived.entra_tid, by=None)
    assert tenant == arrived
    assert (tenant.name, tenant.status) == ("Adatum", TenantStatus.FOUNDED)


def test_only_support_staff_found_tenants(world, staff):
    refused(
        PermissionDenied,
        lambda: tenants.found("Adatum", admin_upn="amy@adatum.example", by=world.contoso.admin),
        "platform: Settings/Create Adatum Failed(permission_denied) admin@contoso.example",
    )


def test_upn_that_is_none_is_refused(staff):
    refused(ValidationError, lambda: tenants.found("Adatum", admin_upn="amy", by=staff))


def test_tenant_is_founded_once(world, staff):
    tid = world.contoso.tenant.entra_tid
    refused(
        AlreadyFounded,
        lambda: tenants.found("Copy", admin_upn="amy@adatum.example", entra_tid=tid, by=staff),
        "platform: Settings/Create Copy Failed(already_founded) help@portal.example",
    )


@pytest.mark.parametrize(
    ("domain", "error", "code"),
    [
        ("contoso.example", DomainTaken, "domain_taken"),
        ("Contoso.EXAMPLE", DomainTaken, "domain_taken"),
        ("not a domain", InvalidDomain, "invalid_domain"),
    ],
)
def test_domain_of_another_or_none_is_refused(world, staff, domain, error, code):
    refused(
        error,
        lambda: tenants.found("Copy", admin_upn="amy@adatum.example", domains=[domain], by=staff),
        f"platform: Settings/Create Copy Failed({code}) help@portal.example",
    )


def test_failure_keeps_nothing_of_the_new_tenants_log(world, staff):
    with pytest.raises(DomainTaken):
        tenants.found("Copy", admin_upn="amy@adatum.example", domains=["contoso.example"], by=staff)
    known = set(Tenant.objects.values_list("pk", flat=True)) | {uuid.UUID(int=0)}
    assert set(AuditEvent.objects.values_list("tenant_id", flat=True)) <= known
