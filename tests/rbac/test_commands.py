"""What operators do at the command line: found a tenant, open and close accounts of support staff."""

import io
import sys
import uuid
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command

from rbac.backends import LocalAccounts
from rbac.errors import AccountExists, AlreadyFounded, UnknownAccount, UnknownLanguage, UnknownZone, WrongState
from rbac.models import PendingClaim, Tenant, User
from rbac.services import accounts, tenants
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
UPN = "jo@operator.example"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def jo() -> User:
    return accounts.open_support_account(UPN, PASSWORD, name="Jo", by=None)


def call(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def type_in(monkeypatch: pytest.MonkeyPatch, *passwords: str) -> None:
    """At a terminal, one password after the other."""
    answers = iter(passwords)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_found_tenant_says_what_happens_next(settings):
    tid = uuid.uuid4()
    arguments = ("--admin", "Amy@Adatum.example", "--domain", "adatum.example", "--domain", "adatum.test")

    said = call("found_tenant", "Adatum", *arguments, "--entra-tid", str(tid), "--time-zone", "Europe/Berlin")

    tenant = Tenant.objects.get()
    assert (tenant.name, tenant.entra_tid, tenant.time_zone, tenant.language) == ("Adatum", tid, "Europe/Berlin", "en")
    assert {one.domain for one in tenant.domains.all()} == {"adatum.example", "adatum.test"}
    assert PendingClaim.objects.get().upn == "amy@adatum.example"
    assert f"Adatum is founded. Its id: {tenant.pk}" in said
    assert f"amy@adatum.example becomes its first MMR Admin by signing in at {settings.PUBLIC_URL}" in said
    assert "Entra tenant id is not known" not in said
    assert "no verified domain" not in said


def test_found_tenant_says_what_is_missing():
    said = call("found_tenant", "Adatum", "--admin", "amy@adatum.example")

    assert "Entra tenant id is not known" in said
    assert "no verified domain" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("--admin", "amy"),
        ("--admin", "amy@adatum.example", "--domain", "no domain"),
        ("--admin", "amy@adatum.example", "--domain", "contoso.example"),
        ("--admin", "amy@adatum.example", "--time-zone", "Berlin"),
        ("--admin", "amy@adatum.example", "--language", "fr"),
    ],
)
def test_found_tenant_refuses_and_founds_nothing(world, arguments):
    with pytest.raises(CommandError, match=r"\w"):
        call("found_tenant", "Adatum", *arguments)

    assert not Tenant.objects.filter(name="Adatum").exists()


@pytest.mark.parametrize(
    ("field", "error"), [({"time_zone": "Mars/Base"}, UnknownZone), ({"language": "fr"}, UnknownLanguage)]
)
def test_founding_knows_zone_and_language(field, error):
    line = f"platform: Settings/Create Adatum Failed({error.code}) system"
    refused(error, lambda: tenants.found("Adatum", admin_upn="amy@adatum.example", by=None, **field), line)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_founding_needs_a_name_that_fits(name):
    with pytest.raises(ValidationError):
        tenants.found(name, admin_upn="amy@adatum.example", by=None)
    assert not Tenant.objects.exists()


def test_identify_lets_people_of_the_entra_tenant_in(jo):
    tenant = tenants.found("Adatum", admin_upn="amy@adatum.example", by=None)
    tid = uuid.uuid4()

    with leaves(f"platform: Settings/Update Adatum Successful {UPN}") as evidence:
        tenants.identify(tenant, tid, by=jo, reason="They told us by phone.")

    assert Tenant.objects.get(pk=tenant.pk).entra_tid == tid
    assert evidence.events[0].after == {
        "tenant_id": str(tenant.pk),
        "entra_tid": str(tid),
        "reason": "They told us by phone.",
    }


def test_identify_refuses_another_tenants_identity_a_second_one_and_strangers(world, jo):
    tenant = tenants.found("Adatum", admin_upn="amy@adatum.example", by=None)
    taken = world.contoso.tenant.entra_tid

    def line(code: str, who: str = UPN, name: str = "Adatum") -> str:
        return f"platform: Settings/Update {name} Failed({code}) {who}"

    refused(AlreadyFounded, lambda: tenants.identify(tenant, taken, by=jo), line("already_founded"))
    refused(
        WrongState,
        lambda: tenants.identify(world.contoso.tenant, uuid.uuid4(), by=jo),
        line("wrong_state", name="Contoso"),
    )
    refused(
        PermissionDenied,
        lambda: tenants.identify(tenant, uuid.uuid4(), by=world.contoso.admin),
        line("permission_denied", world.contoso.admin.upn),
    )


def test_create_support_account_asks_twice(monkeypatch):
    type_in(monkeypatch, PASSWORD, PASSWORD)

    with leaves(f"platform: User/Create {UPN} Successful system"):
        said = call("create_support_account", "Jo@Operator.example", "--name", "Jo")

    user = User.objects.get()
    assert (user.upn, user.username, user.display_name) == (UPN, UPN, "Jo")
    assert (user.is_staff, user.is_superuser, user.tenant, user.entra_tid) == (True, False, None, None)
    assert LocalAccounts().authenticate(None, username=UPN, password=PASSWORD) == user
    assert PASSWORD not in said


def test_create_support_account_reads_a_pipe(monkeypatch):
    pipe(monkeypatch, f"{PASSWORD}\nignored\n")

    call("create_support_account", UPN)

    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("typed", [(PASSWORD, "another one entirely"), ("", "")])
def test_create_support_account_refuses_what_was_mistyped(monkeypatch, typed):
    type_in(monkeypatch, *typed)

    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        call("create_support_account", UPN)

    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234"])
def test_support_account_needs_a_good_password(password):
    refused(
        ValidationError,
        lambda: accounts.open_support_account(UPN, password, by=None),
        f"platform: User/Create {UPN} Failed(invalid) system",
    )


def test_support_account_is_refused_where_the_name_is_taken(world, jo):
    for upn in (UPN, world.contoso.admin.upn):
        refused(
            AccountExists,
            lambda upn=upn: accounts.open_support_account(upn, PASSWORD, by=jo),
            f"platform: User/Create {upn} Failed(account_exists) {UPN}",
        )


def test_only_support_staff_open_and_close_accounts(world, jo):
    admin = world.contoso.admin
    refused(
        PermissionDenied,
        lambda: accounts.open_support_account("kim@operator.example", PASSWORD, by=admin),
        f"platform: User/Create kim@operator.example Failed(permission_denied) {admin.upn}",
    )
    refused(
        PermissionDenied,
        lambda: accounts.close_support_account(UPN, by=admin),
        f"platform: User/Delete {UPN} Failed(permission_denied) {admin.upn}",
    )


def test_closed_account_signs_in_no_more(client, jo):
    client.force_login(jo, backend="rbac.backends.LocalAccounts")
    assert client.get("/admin/").status_code == 200

    with leaves(f"platform: User/Delete {UPN} Successful system"):
        call("close_support_account", UPN)

    assert client.get("/admin/").status_code == 302
    assert LocalAccounts().authenticate(None, username=UPN, password=PASSWORD) is None
    with pytest.raises(CommandError, match="no open account"):
        call("close_support_account", UPN)


def test_close_leaves_other_people_alone(world):
    refused(
        UnknownAccount,
        lambda: accounts.close_support_account(world.contoso.admin.upn, by=None),
        f"platform: User/Delete {world.contoso.admin.upn} Failed(unknown_account) system",
    )


def test_changepassword_ends_sessions_and_is_on_record(monkeypatch, client, jo):
    client.force_login(jo, backend="rbac.backends.LocalAccounts")
    type_in(monkeypatch, "another horse, another day", "another horse, another day")

    with leaves(f"platform: User/Update {UPN} Successful system"):
        call("changepassword", UPN)

    assert client.get("/admin/").status_code == 302
    assert LocalAccounts().authenticate(None, username=UPN, password="another horse, another day") == jo


def test_changepassword_refuses_strangers_and_bad_passwords(monkeypatch, world, jo):
    with pytest.raises(CommandError, match="no account of support staff"):
        call("changepassword", world.contoso.admin.upn)
    pipe(monkeypatch, "short\n")
    with pytest.raises(CommandError, match="too short"):
        call("changepassword", UPN)
    assert User.objects.get(pk=jo.pk).check_password(PASSWORD)
    kim = accounts.open_support_account("kim@operator.example", PASSWORD, by=None)
    refused(
        PermissionDenied,
        lambda: accounts.change_password(kim, "another horse, another day", by=jo),
        f"platform: User/Update kim@operator.example Failed(permission_denied) {UPN}",
    )
    refused(
        UnknownAccount,
        lambda: accounts.change_password(world.contoso.admin, PASSWORD, by=None),
        f"platform: User/Update {world.contoso.admin.upn} Failed(unknown_account) system",
    )
