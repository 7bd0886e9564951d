"""Signing in, not being let in, signing out: on record where the person is at home, in the whole log alone."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit import export, extended_export
from audit.clock import now
from audit.models import AuditEvent
from rbac.models import PersonSession, User
from rbac.services import accounts
from tests.factories.evidence import leaves
from tests.factories.world import World, join, make

pytestmark = pytest.mark.django_db

UPN, PASSWORD = "jo@operator.example", "a long password of Jo"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def lea(world: World) -> User:
    """Of Contoso, with a local account."""
    person = world.contoso.person("lea")
    person.username = person.upn
    person.set_password(PASSWORD)
    person.save(update_fields=["username", "password"])
    return person


@pytest.fixture
def jo() -> User:
    """Of support staff."""
    return accounts.open_support_account(UPN, PASSWORD, name="Jo", by=None)


def enter(client: Client, upn: str, password: str = PASSWORD) -> int:
    return client.post(reverse("sign_in"), {"username": upn, "password": password}).status_code


def signed_in(client: Client) -> bool:
    return client.get(reverse("sessions")).status_code == 200


@pytest.mark.parametrize(("who", "log", "out"), [("lea", "Contoso", "sign_out"), ("jo", "platform", "admin:logout")])
def test_signing_in_and_out_leaves_a_line_each(request, client, who, log, out):
    upn = request.getfixturevalue(who).upn
    with leaves(f"{log}: Session/Create {upn} Successful {upn}") as evidence:
        assert enter(client, upn) == 302
    [line] = evidence.events
    assert (line.before, line.after, line.ip) == (None, {"how": "password"}, "127.0.0.1")
    assert PASSWORD not in str(vars(line))
    with leaves(f"{log}: Session/Delete {upn} Successful {upn}"):
        assert client.post(reverse(out))["Location"] == reverse("sign_in")
    assert not PersonSession.objects.filter(user__upn=upn).exists()
    with leaves():
        assert client.post(reverse("sign_out")).status_code == 302


def test_who_signs_in_anew_has_left_before(client, lea, jo):
    enter(client, lea.upn)
    with leaves(
        f"Contoso: Session/Delete {lea.upn} Successful {lea.upn}", f"platform: Session/Create {UPN} Successful {UPN}"
    ):
        enter(client, UPN)


def test_session_and_its_line_are_there_together_or_not_at_all(client, lea, owner_connection):
    """The database takes no line: then nobody is signed in."""
    role = connection.settings_dict["USER"]
    client.raise_request_exception = False
    with owner_connection.cursor() as cursor:
        cursor.execute(f'REVOKE INSERT ON audit_auditevent FROM "{role}"')
        try:
            assert enter(client, lea.upn) == 500
        finally:
            cursor.execute(f'GRANT INSERT ON audit_auditevent TO "{role}"')
    assert not PersonSession.objects.filter(user=lea).exists()
    assert not signed_in(client)
    assert enter(client, lea.upn) == 302
    assert signed_in(client)


def test_wrong_password_of_somebody_is_on_record_where_he_is_at_home(client, lea, jo):
    with leaves(
        f"Contoso: Session/Create {lea.upn} Failed(wrong_password) {lea.upn}",
        f"platform: Session/Create {UPN} Failed(wrong_password) {UPN}",
    ) as evidence:
        assert [enter(client, upn, "wrong") for upn in (lea.upn.upper(), UPN)] == [200, 200]
    assert {line.ip for line in evidence.events} == {"127.0.0.1"}
    assert not signed_in(client)


def test_name_that_nobody_has_leaves_no_line(client, caplog):
    with leaves() as evidence, caplog.at_level(logging.INFO, "trm.security"):
        assert enter(client, "eve@evil.example") == 200
    assert evidence.changed() - {"axes_accessattempt"} == set()
    assert "sign-in refused: nobody is called so" in caplog.text


def test_who_goes_on_trying_while_he_has_to_wait_fills_no_log(client, jo):
    with leaves(*[f"platform: Session/Create {UPN} Failed(wrong_password) {UPN}"] * 5):
        answers = [enter(client, UPN, "wrong") for _ in range(8)]
    assert answers == [200] * 4 + [429] * 4
    with leaves():
        assert enter(client, UPN) == 429


def test_right_password_of_a_closed_account_is_on_record_too(client, jo, lea, settings):
    User.objects.filter(pk=jo.pk).update(is_active=False)
    settings.LOCAL_SIGN_IN = False
    with leaves(
        f"platform: Session/Create {UPN} Failed(closed) {UPN}",
        f"Contoso: Session/Create {lea.upn} Failed(closed) {lea.upn}",
    ):
        assert [enter(client, upn) for upn in (UPN, lea.upn)] == [200, 200]


def test_customer_one_works_for_reads_nothing_of_it(world, client):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ann.username = ann.upn
    ann.set_password(PASSWORD)
    ann.save(update_fields=["username", "password"])
    with leaves(f"Fabrikam: Session/Create {ann.upn} Successful {ann.upn}"):
        enter(client, ann.upn)


def test_published_file_has_no_sessions_and_the_whole_one_has(client, world, lea):
    enter(client, lea.upn, "wrong")
    enter(client, lea.upn)
    tenant, day = world.contoso.tenant.pk, timedelta(days=1)
    published = b"".join(export.lines(tenant, now() - day, now() + day)).decode()
    assert "User,lea@contoso.example,Create" in published
    assert "Session" not in published
    whole = b"".join(extended_export.csv_lines(AuditEvent.objects.filter(tenant_id=tenant))).decode()
    assert whole.count(",Session,Create,lea@contoso.example,") == 2


@pytest.fixture(autouse=True)
def _local(settings: Any) -> None:
    settings.LOCAL_SIGN_IN = True
