"""Support staff prove who they are twice; nothing of the back office opens before, and wrong codes make one wait."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from rbac.models import PersonSession, User
from rbac.services import accounts, second_factor
from tests.factories.browsing import text
from tests.factories.evidence import leaves
from tests.factories.world import make

pytestmark = pytest.mark.django_db

UPN, PASSWORD = "jo@operator.example", "a long password of Jo"
PAGE = "/admin/second-factor/"


@pytest.fixture
def jo(settings: Any) -> User:
    settings.SUPPORT_SECOND_FACTOR = True
    return accounts.open_support_account(UPN, PASSWORD, name="Jo", by=None)


@pytest.fixture
def browser(jo: User) -> Client:
    """Jo, signed in with the password alone."""
    client = Client()
    assert client.post(reverse("sign_in"), {"username": UPN, "password": PASSWORD}).status_code == 302
    return client


def code(device: TOTPDevice, later: int = 0) -> str:
    """The code of this moment, or of so many steps later."""
    return f"{totp(device.bin_key, step=device.step, t0=device.t0, drift=later):06}"


def enrolled(jo: User) -> TOTPDevice:
    return second_factor.confirm(jo, code(second_factor.prepare(jo)))


def test_password_alone_opens_nothing_of_the_back_office(browser):
    for path in ("/admin/", "/admin/audit/auditevent/", "/admin/rbac/tenant/?q=x"):
        answer = browser.get(path)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, PAGE)
        assert browser.post(path).status_code == 302


def test_first_visit_sets_it_up_and_goes_on_where_one_wanted(browser, jo):
    page = browser.get(f"{PAGE}?next=/admin/rbac/tenant/")
    device = TOTPDevice.objects.get(user=jo, confirmed=False)
    assert "Set up your second factor" in text(page)
    assert "<svg" in page.content.decode()
    assert browser.get(PAGE).context["secret"] == page.context["secret"]
    before = browser.session.session_key
    with leaves(f"platform: User/Update {UPN} Successful {UPN}"):
        answer = browser.post(PAGE, {"code": code(device), "next": "/admin/rbac/tenant/"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/rbac/tenant/")
    assert browser.session.session_key != before
    assert browser.get("/admin/").status_code == 200
    assert browser.session.get_expiry_age() <= 15 * 60
    assert PersonSession.objects.filter(user=jo).count() == 1


def test_next_sign_in_asks_for_a_code_and_shows_no_secret(browser, jo):
    device = enrolled(jo)
    page = browser.get(PAGE)
    assert "Enter the code of your app" in text(page)
    assert "secret" not in page.context
    with leaves(f"platform: Session/Update {UPN} Successful {UPN}") as evidence:
        answer = browser.post(PAGE, {"code": code(device, later=1), "next": "https://evil.example/admin/"})
    assert evidence.events[0].after == {"second_factor": "shown"}
    assert answer["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_code_is_used_once(jo, browser):
    device = enrolled(jo)
    again = code(TOTPDevice.objects.get(pk=device.pk))
    assert browser.post(PAGE, {"code": again}).status_code == 400


def test_wrong_code_is_refused_and_makes_the_right_one_wait(browser, jo):
    device = enrolled(jo)
    right = code(device, later=1)
    wrong = "000000" if right != "000000" else "000001"
    with leaves(f"platform: Session/Update {UPN} Failed(wrong_code) {UPN}"):
        answer = browser.post(PAGE, {"code": wrong})
    assert answer.status_code == 400
    assert "not the code of this moment" in text(answer)
    with leaves():  # not looked at: whoever tries on fills no log
        assert browser.post(PAGE, {"code": right}).status_code == 400
        assert browser.post(PAGE, {"code": "abcdef"}).status_code == 400
    TOTPDevice.objects.filter(pk=device.pk).update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert browser.post(PAGE, {"code": right}).status_code == 302


def test_each_wrong_code_makes_one_wait_twice_as_long(browser, jo):
    device, wrong = enrolled(jo), "000000"
    for number in range(1, 4):
        TOTPDevice.objects.filter(pk=device.pk).update(throttling_failure_timestamp=timezone.now() - timedelta(days=1))
        assert browser.post(PAGE, {"code": wrong}).status_code == 400
        device.refresh_from_db()
        assert device.throttling_failure_count == number
        is_allowed, why = device.verify_is_allowed()
        assert not is_allowed
        assert why["locked_until"] - device.throttling_failure_timestamp == timedelta(seconds=2 ** (number - 1))


def test_wrong_code_while_setting_up_is_on_record(browser, jo):
    browser.get(PAGE)
    device = TOTPDevice.objects.get(user=jo)
    wrong = "000000" if code(device) != "000000" else "000001"
    with leaves(f"platform: User/Update {UPN} Failed(wrong_code) {UPN}"):
        assert browser.post(PAGE, {"code": wrong}).status_code == 400
    device.refresh_from_db()
    assert (device.confirmed, device.throttling_failure_count) == (False, 1)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "٠١٢٣٤٥", "-12345"])
def test_what_is_no_code_is_refused(browser, jo, typed):
    enrolled(jo)
    assert browser.post(PAGE, {"code": typed}).status_code == 400


def test_page_is_for_support_staff_only(browser, settings):
    world = make()
    client = Client()
    client.force_login(world.contoso.admin, backend="rbac.backends.LocalAccounts")
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {"code": "123456"}).status_code == 404
    assert Client().get(PAGE).status_code == 302
    assert not TOTPDevice.objects.exists()


def test_second_factor_of_one_is_none_of_another(browser, jo):
    other = accounts.open_support_account("max@operator.example", PASSWORD, name="Max", by=None)
    device = enrolled(other)
    enrolled(jo)
    assert browser.post(PAGE, {"code": code(device, later=1)}).status_code == 400


def test_lost_telephone_is_forgotten_by_the_command_and_open_sessions_with_it(browser, jo):
    device = enrolled(jo)
    browser.post(PAGE, {"code": code(device, later=1)})
    assert browser.get("/admin/").status_code == 200
    with leaves(f"platform: User/Update {UPN} Successful system"):
        call_command("reset_second_factor", UPN, verbosity=0)
    assert browser.get("/admin/").status_code == 302
    assert "Set up your second factor" in text(browser.get(PAGE))
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody@operator.example")
    with pytest.raises(ValidationError):
        second_factor.forget("nobody@operator.example", by=None)


def began(browser: Client, ago: timedelta) -> None:
    """As if the sign-in had been so long ago."""
    session = browser.session
    session["began_at"] = (timezone.now() - ago).isoformat()
    session.save()


def test_session_ends_after_four_hours_however_busy_it_was(browser, jo, settings):
    device = enrolled(jo)
    browser.post(PAGE, {"code": code(device, later=1)})
    for ago, status in ((timedelta(hours=3, minutes=59), 200), (timedelta(hours=4, minutes=1), 302)):
        began(browser, ago)
        assert browser.get("/admin/").status_code == status
    assert not PersonSession.objects.filter(user=jo).exists()


def test_installation_may_choose_another_limit(browser, jo, settings):
    settings.SUPPORT_SESSION_ABSOLUTE_AGE = timedelta(hours=1)
    began(browser, timedelta(minutes=61))
    assert browser.get(PAGE)["Location"] == reverse("sign_in")


def test_people_of_organisations_stay_for_twelve_hours(settings):
    lea = make().contoso.person("lea")
    lea.username = lea.upn
    lea.set_password(PASSWORD)
    lea.save(update_fields=["username", "password"])
    client = Client()
    client.post(reverse("sign_in"), {"username": lea.upn, "password": PASSWORD})
    assert client.session.get_expiry_age() == 60 * 60
    for ago, status in ((timedelta(hours=11, minutes=59), 200), (timedelta(hours=12, minutes=1), 302)):
        began(client, ago)
        assert client.get(reverse("sessions")).status_code == status


@pytest.mark.parametrize("hours", ["0", "-1", "13"])
def test_limit_beyond_that_of_others_stops_the_start(hours):
    environment = os.environ | {"SUPPORT_SESSION_HOURS": hours}
    started = subprocess.run(
        [sys.executable, "-c", "import trm_portal.settings"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert "SUPPORT_SESSION_HOURS: from 1 to 12" in started.stderr


def test_password_alone_is_idle_for_fifteen_minutes_too(browser, jo):
    assert browser.session.get_expiry_age() == 15 * 60


def test_demo_asks_for_none(settings, jo):
    settings.SUPPORT_SECOND_FACTOR = False
    client = Client()
    client.post(reverse("sign_in"), {"username": UPN, "password": PASSWORD})
    assert client.get("/admin/").status_code == 200
