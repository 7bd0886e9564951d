"""The settings over the API: what is answered, what is changed, what is refused with which code."""

import pytest

from rbac.models import Tenant, TenantDomain
from rbac.services import branding
from rbac.services.branding import Branding
from tests.factories.callers import person, wrong
from tests.factories.world import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def admin(world):
    return person(world.contoso.admin)


def test_general_settings_are_read_and_changed(world, admin):
    place = world.contoso.tenant.pk
    before = admin.get("api-settings", place).json()
    assert [one["domain"] for one in before.pop("domains")] == ["contoso.example"]
    tid = str(world.contoso.tenant.entra_tid)
    assert before == {"name": "Contoso", "language": "en", "time_zone": "UTC", "entra_tid": tid}
    after = admin.patch("api-settings", place, body={"language": "de", "time_zone": "Europe/Berlin"}).json()
    assert (after["name"], after["language"], after["time_zone"]) == ("Contoso", "de", "Europe/Berlin")
    assert Tenant.objects.get(pk=place).language == "de"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"language": "fr"}, 400, "invalid"),
        ({"time_zone": "Mars/Base"}, 400, "unknown_zone"),
        ({"name": ""}, 400, "invalid"),
        ({"status": "closed"}, 400, "invalid"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_code(world, admin, body, status, code):
    answer = admin.patch("api-settings", world.contoso.tenant.pk, body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Tenant.objects.get(pk=world.contoso.tenant.pk).name == "Contoso"


def test_domains(world, admin):
    place = world.contoso.tenant.pk
    added = admin.post("api-domains", place, body={"domain": "New.example"})
    assert (added.status_code, added.json()["domain"], added.json()["verified_at"]) == (201, "new.example", None)
    again = admin.post("api-domains", place, body={"domain": "new.example"})
    assert (again.status_code, again.json()["code"]) == (409, "domain_listed")
    bad = admin.post("api-domains", place, body={"domain": "no domain"})
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_domain")
    verified = TenantDomain.objects.get(domain="contoso.example")
    kept = admin.delete("api-domain", place, verified.pk)
    assert (kept.status_code, kept.json()["code"]) == (409, "domain_verified")
    assert admin.delete("api-domain", place, added.json()["id"]).status_code == 204
    assert admin.delete("api-domain", place, added.json()["id"]).status_code == 404


def test_notifications(world, admin):
    place = world.contoso.tenant.pk
    body = {"events": {"key.reset": {"to_admins": False, "addresses": ["a@b.example"]}}}
    items = admin.patch("api-notifications", place, body=body).json()["items"]
    assert items == admin.get("api-notifications", place).json()["items"]
    reset = next(one for one in items if one["event"] == "key.reset")
    assert reset == {"event": "key.reset", "to_admins": False, "addresses": ["a@b.example"]}
    unknown = admin.patch("api-notifications", place, body={"events": {"key.lost": {"to_admins": True}}})
    assert unknown.status_code == 400
    assert wrong(unknown) == [("/events/key.lost", "unknown_field")]
    bad = admin.patch(
        "api-notifications", place, body={"events": {"key.reset": {"to_admins": True, "addresses": ["x"]}}}
    )
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_address")
    assert admin.post("api-notifications-test", place).status_code == 202


def test_the_look_of_mails(world, admin):
    place = world.contoso.tenant.pk
    assert admin.get("api-mail-look", place).json() == {"sender_name": "", "accent": "", "footer": ""}
    changed = admin.patch("api-mail-look", place, body={"accent": "#7a1f3d"})
    assert changed.json() == {"sender_name": "", "accent": "#7a1f3d", "footer": ""}
    low = admin.patch("api-mail-look", place, body={"accent": "#ffffff"})
    assert (low.status_code, low.json()["code"]) == (400, "low_contrast")
    assert branding.of(world.contoso.tenant) == Branding(accent="#7a1f3d")


@pytest.mark.parametrize(
    ("name", "queries"),
    [("api-settings", 5), ("api-notifications", 5), ("api-mail-look", 5), ("api-customer-terms", 6)],
)
def test_queries_do_not_grow_with_the_rows(world, admin, name, queries, django_assert_num_queries):
    for number in (1, 3):
        for one in range(number):
            world.contoso.tenant.domains.create(domain=f"d{number}{one}.example")
        with django_assert_num_queries(queries):
            assert admin.get(name, world.contoso.tenant.pk).status_code == 200
