import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from audit.models import PLATFORM, AuditEvent
from rbac.catalogue import CUSTOMER_ROLES, BuiltIn, permissions_of
from rbac.errors import (
    AlreadyFounded,
    DomainListed,
    DomainTaken,
    DomainVerified,
    InvalidDomain,
    InvalidName,
    TooManyDomains,
    UnknownLanguage,
    UnknownZone,
    WrongState,
)
from rbac.models import Assignment, PendingClaim, Role, Tenant, TenantDomain, TenantStatus, User
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


def test_name_language_and_zone_are_changed_and_on_record(world):
    contoso = world.contoso
    tenants.modify(contoso.tenant, by=contoso.admin, name=" Contoso\nAG ", language="de", time_zone="Europe/Berlin")
    tenant = Tenant.objects.get(pk=contoso.tenant.pk)
    assert (tenant.name, tenant.language, tenant.time_zone) == ("Contoso AG", "de", "Europe/Berlin")
    line = AuditEvent.objects.filter(tenant_id=tenant.pk, category="Settings").get()
    assert (line.operation, line.result, line.object_name) == ("Update", "Successful", "Contoso")
    assert line.before == {"name": "Contoso", "language": "en", "time_zone": "UTC"}
    assert line.after == {"name": "Contoso AG", "language": "de", "time_zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": " "}, InvalidName),
        ({"name": "x" * 201}, InvalidName),
        ({"language": "fr"}, UnknownLanguage),
        ({"time_zone": "Mars/Base"}, UnknownZone),
    ],
)
def test_what_does_not_fit_changes_nothing(world, fields, error):
    contoso = world.contoso
    with pytest.raises(error):
        tenants.modify(
            contoso.tenant, by=contoso.admin, **{"name": "N", "language": "de", "time_zone": "Asia/Tokyo"} | fields
        )
    assert Tenant.objects.get(pk=contoso.tenant.pk).name == "Contoso"
    assert AuditEvent.objects.filter(tenant_id=contoso.tenant.pk, category="Settings").get().result == "Failed"


def test_only_who_may_modify_settings_changes_a_tenant(world):
    lead = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    added = tenants.add_domain(world.contoso.tenant, "rooms.contoso.example", by=world.contoso.admin)
    for stranger in (lead, world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            tenants.modify(world.contoso.tenant, by=stranger, name="N", language="de", time_zone="UTC")
        with pytest.raises(PermissionDenied):
            tenants.add_domain(world.contoso.tenant, "x.example", by=stranger)
        with pytest.raises(PermissionDenied):
            tenants.remove_domain(added, by=stranger)
        with pytest.raises(PermissionDenied):
            tenants.verify_domain(added, by=stranger)
    assert Tenant.objects.get(pk=world.contoso.tenant.pk).name == "Contoso"
    assert [one.domain for one in TenantDomain.objects.filter(verified_at=None)] == ["rooms.contoso.example"]


def test_a_domain_counts_once_support_has_verified_it(world, staff):
    contoso, support = world.contoso, staff
    added = tenants.add_domain(contoso.tenant, " Rooms.Contoso.example ", by=contoso.admin)
    assert (added.domain, added.verified_at) == ("rooms.contoso.example", None)
    verified = tenants.verify_domain(added, by=support, reason="TXT record seen")
    assert verified.verified_at is not None
    line = AuditEvent.objects.filter(object_name="domain rooms.contoso.example", tenant_id=PLATFORM).get()
    assert line.after == {"tenant_id": str(contoso.tenant.pk), "verified": True, "reason": "TXT record seen"}
    with pytest.raises(WrongState):
        tenants.verify_domain(added, by=support)
    with pytest.raises(DomainVerified):
        tenants.remove_domain(added, by=contoso.admin)
    assert TenantDomain.objects.filter(pk=added.pk).exists()


def test_a_domain_of_another_tenant_is_entered_but_never_verified(world):
    added = tenants.add_domain(world.contoso.tenant, "tailwind.example", by=world.contoso.admin)
    with pytest.raises(DomainTaken):
        tenants.verify_domain(added, by=None)
    tenants.remove_domain(added, by=world.contoso.admin)
    with pytest.raises(Http404):
        tenants.remove_domain(added, by=world.contoso.admin)


def test_domains_that_do_not_fit_are_refused(world, monkeypatch):
    contoso = world.contoso
    for domain, error in (
        ("contoso.example", DomainListed),
        ("no domain", InvalidDomain),
        ("x" * 49 + ".de", InvalidDomain),
    ):
        with pytest.raises(error):
            tenants.add_domain(contoso.tenant, domain, by=contoso.admin)
    monkeypatch.setattr(tenants, "MOST_DOMAINS", 1)
    with pytest.raises(TooManyDomains):
        tenants.add_domain(contoso.tenant, "another.example", by=contoso.admin)
    assert contoso.tenant.domains.count() == 1
