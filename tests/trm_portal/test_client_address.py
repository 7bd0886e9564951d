"""The address of whoever asks: said by proxies we trust, made up by nobody else, and the same for everybody who wants it."""

from typing import Any

import pytest
import structlog
from axes.models import AccessAttempt
from django.conf import settings as current
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from audit.models import AuditEvent
from rbac.models import PersonSession, User
from rbac.services import accounts, sessions
from tests.factories.world import make
from trm_portal.client_address import ClientAddress

PROXY, CLIENT = "10.0.0.2", "203.0.113.9"
TRUSTED = ["10.0.0.0/24", "fd00::/8", "192.0.2.77"]
UPN, PASSWORD = "jo@operator.example", "a long password of Jo"


@pytest.fixture(autouse=True)
def trusted(settings: Any) -> None:
    settings.TRUSTED_PROXIES = TRUSTED


def seen(peer: str, forwarded: str | None = None) -> str:
    """The address that everything after the middleware sees."""
    found: list[str] = []

    def answer(request: HttpRequest) -> HttpResponse:
        found.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    ClientAddress(answer)(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))
    return found[0]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (CLIENT, CLIENT),
        (f" {CLIENT}\t", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("2001:DB8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        (f"::ffff:{CLIENT}", CLIENT),
        (f"[::FFFF:{CLIENT}]:4711", CLIENT),
    ],
)
def test_trusted_proxy_says_who_asks_in_any_spelling(forwarded, address):
    assert seen(PROXY, forwarded) == address


@pytest.mark.parametrize("peer", ["10.0.0.255", "192.0.2.77", "fd00::1", f"::ffff:{PROXY}"])
def test_each_trusted_network_is_believed(peer):
    assert seen(peer, CLIENT) == CLIENT


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("10.0.1.2", "10.0.1.2"),
        ("198.51.100.5", "198.51.100.5"),
        ("2001:db8::5", "2001:db8::5"),
        ("::ffff:198.51.100.5", "198.51.100.5"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_anybody_else_is_not_believed_and_is_who_he_is(peer, address):
    for forwarded in (CLIENT, f"{CLIENT}, {PROXY}", "nonsense", None):
        assert seen(peer, forwarded) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (f"192.0.2.1, {CLIENT}", CLIENT),
        (f"10.0.0.9, {CLIENT}", CLIENT),  # who pretends to be one of our own proxies
        (f"192.0.2.1, {CLIENT}, 10.0.0.3", CLIENT),
        (f"192.0.2.1,{CLIENT}:1,[fd00::1]:2 , 10.0.0.3", CLIENT),
        (f"nonsense, {CLIENT}, 10.0.0.3", CLIENT),
        (f"{CLIENT}, 198.51.100.5", "198.51.100.5"),
        (", ".join(["192.0.2.1"] * 1000 + [CLIENT]), CLIENT),
        ("x" * 8000 + f", {CLIENT}", CLIENT),
    ],
)
def test_what_the_client_sent_before_it_counts_for_nothing(forwarded, address):
    assert seen(PROXY, forwarded) == address


def test_chain_of_our_own_proxies_ends_at_the_furthest():
    assert seen(PROXY, "10.0.0.9, 10.0.0.3") == "10.0.0.9"


@pytest.mark.parametrize(
    "forwarded",
    [
        None,
        "",
        ",",
        f"{CLIENT}, ",
        f"{CLIENT},, 10.0.0.3",
        f"{CLIENT}, nonsense",
        f"{CLIENT}, nonsense, 10.0.0.3",
        "unknown",
        "203.0.113",
        "203.0.113.999",
        "203.0.113.09",
        "203.0.113.0/24",
        f"{CLIENT}:",
        f"{CLIENT}:http",
        f"{CLIENT}:123456",
        f"{CLIENT} {CLIENT}",
        f'"{CLIENT}"',
        f"for={CLIENT}",
        "[2001:db8::9",
        "2001:db8::9]:80",
        "2001:db8:::9",
        "fe80::1%eth0",
        "[]",
        "٢٠٣.0.113.9",  # digits, but no ASCII
        "-1",
        "3405803785",
        "localhost",
        "x" * 8000,
        "1" * 8000,
        ":" * 8000,
    ],
)
def test_what_is_no_address_leaves_the_peer(forwarded):
    assert seen(PROXY, forwarded) == PROXY


def test_other_headers_are_not_read():
    request = RequestFactory().get(
        "/",
        headers={"X-Real-IP": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X-Client-IP": "192.0.2.1"},
        REMOTE_ADDR=PROXY,
    )
    ClientAddress(lambda _: HttpResponse())(request)
    assert request.META["REMOTE_ADDR"] == PROXY


@pytest.mark.parametrize(("peer", "address"), [("", ""), ("unix:", "")])
def test_unix_socket_has_no_address_and_is_believed_only_if_named(settings, peer, address):
    assert seen(peer, CLIENT) == address
    settings.TRUSTED_PROXIES = ["unix"]
    assert seen(peer, CLIENT) == CLIENT
    assert seen(peer, f"192.0.2.1, {CLIENT}") == CLIENT
    assert seen(peer, "nonsense") == seen(peer) == address
    assert seen(PROXY, CLIENT) == PROXY
    settings.TRUSTED_PROXIES = [" unix ", "", *TRUSTED]
    assert seen(peer, f"{CLIENT}, {PROXY}") == seen(PROXY, CLIENT) == CLIENT


def test_without_the_setting_nobody_is_believed(settings):
    settings.TRUSTED_PROXIES = []
    for peer in (PROXY, "127.0.0.1", "::1"):
        assert seen(peer, CLIENT) == peer


@pytest.mark.parametrize("name", ["everybody", "10.0.0.1/24", "10.0.0.0/33", "*", "10.0.0.0-10.0.0.9", "proxy.example"])
def test_network_that_is_none_stops_the_start(settings, name):
    settings.TRUSTED_PROXIES = ["10.0.0.0/24", name]
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        ClientAddress(lambda _: HttpResponse())


def test_goes_before_all_others():
    assert current.MIDDLEWARE[0] == "trm_portal.client_address.ClientAddress"


# --- Everybody who wants to know it gets the same -------------------------------------------------------------------


def behind(client: str, peer: str = PROXY) -> Client:
    """The browser of somebody at `client`, who sends a made-up address himself, as the proxy hands it on."""
    return Client(REMOTE_ADDR=peer, headers={"X-Forwarded-For": f"192.0.2.1, {client}", "X-Real-IP": "192.0.2.2"})


@pytest.fixture
def jo() -> User:
    return accounts.open_support_account(UPN, PASSWORD, name="Jo", by=None)


def enter(client: Client, password: str = PASSWORD) -> int:
    return client.post("/sign-in/", {"username": UPN, "password": password}).status_code


@pytest.mark.django_db
def test_sessions_and_the_audit_log_have_the_clients_address(jo):
    browser = behind(CLIENT)
    assert enter(browser) == 302
    assert PersonSession.objects.get(user=jo).ip == CLIENT
    assert CLIENT in browser.get("/sessions/").content.decode()
    [own] = sessions.of(jo)
    browser.post(f"/sessions/{own.public_id}/end/")
    assert AuditEvent.objects.latest("id").ip == CLIENT


@pytest.mark.django_db
def test_wrong_passwords_are_counted_by_the_clients_address(jo):
    assert [enter(behind(CLIENT), "wrong") for _ in range(5)][-1] == 429
    assert enter(behind(CLIENT)) == 429
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {CLIENT}
    assert enter(behind("203.0.113.10")) == 302


@pytest.mark.django_db
def test_wrong_passwords_are_counted_over_a_socket_that_nobody_trusts(jo):
    assert [enter(behind(CLIENT, peer=""), "wrong") for _ in range(5)][-1] == 429
    assert enter(behind("203.0.113.10", peer="")) == 429


@pytest.mark.django_db
def test_request_log_has_the_clients_address_and_reads_no_header_of_its_own(jo):
    for browser, address in ((behind(CLIENT), CLIENT), (behind(CLIENT, peer="198.51.100.5"), "198.51.100.5")):
        with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            browser.get("/sign-in/")
        assert {str(line["ip"]) for line in lines if line["event"] == "request_finished"} == {address}


@pytest.mark.django_db
def test_enrolments_are_counted_by_the_clients_address(settings):
    make()
    settings.ENROLLMENTS_PER_MINUTE = 1

    def enrol(client: Client) -> int:
        return client.post("/api/agent/v1/enroll", {}, content_type="application/json").status_code

    assert [enrol(behind(one)) for one in (CLIENT, CLIENT, "203.0.113.10")] == [400, 429, 400]
