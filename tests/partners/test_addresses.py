"""Where webhooks may go: the rule as a function, over what names resolve to, and over what this machine answers itself."""

from ipaddress import ip_address

import pytest

from partners import addresses, posting
from partners.addresses import NotAllowed
from tests.foundation.receiver import Receiver, raw_drip, raw_flood, raw_hang

PUBLIC = ["93.184.216.34", "8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"]
REFUSED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
# What a browser, or a machine, takes for an address of this machine or of its network.
LITERALS = [
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "169.254.169.254",
    "2852039166",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[fe80::1]",
    "[2002:7f00:1::1]",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_hosts_on_the_internet_are_public(text):
    assert addresses.is_public(ip_address(text))


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_not(text):
    assert not addresses.is_public(ip_address(text))


@pytest.mark.parametrize("host", LITERALS)
def test_literals_are_refused_when_they_are_entered_and_when_they_are_used(host):
    url = f"https://{host}/hook"
    for ask in (addresses.check, addresses.resolve):
        with pytest.raises(NotAllowed):
            ask(url)
    assert posting.post(url, b"{}", {}).status == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST"])
def test_names_are_judged_by_what_this_machine_resolves_them_to(host):
    with pytest.raises(NotAllowed, match="not_public"):
        addresses.resolve(f"https://{host}/hook")
    with pytest.raises(NotAllowed):
        addresses.check(f"https://{host}/hook")


def test_a_name_that_nobody_knows_is_refused():
    assert posting.post("https://nobody.invalid/", b"{}", {}).failure == "not_resolved"


def test_a_mapped_address_is_the_address_that_it_means():
    assert addresses.resolve("https://8.8.8.8/x?y=1").addresses == (ip_address("8.8.8.8"),)
    assert addresses.resolve("https://[::ffff:8.8.8.8]/").addresses == (ip_address("8.8.8.8"),)
    with pytest.raises(NotAllowed):
        addresses.resolve("https://[::ffff:10.0.0.8]/")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com:22/",
        "https://8.8.8.8:8443/",
        "http://8.8.8.8/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://u@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://127.0.0.1#@hooks.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://127.0.0.1%2f.example.com/",
        "https://hooks.example.com/\r\nHost: x",
        "https://höoks.example.com/",
        "https://[::1/",
        "https:///hook",
        "//hooks.example.com/",
        "gopher://hooks.example.com/",
    ],
)
def test_tricks_of_addresses_are_refused(url):
    with pytest.raises(NotAllowed):
        addresses.check(url)


def test_ports_and_networks_are_opened_by_settings(settings):
    settings.WEBHOOK_PORTS = [443, 8443]
    assert addresses.check("https://hooks.example.com:8443/")
    settings.WEBHOOK_ALLOWED_NETWORKS = ["10.1.0.0/16"]
    assert addresses.resolve("https://10.1.2.3:9000/").port == 9000
    for url in ("https://10.2.0.1/", "http://10.1.2.3/", "https://127.0.0.1/", "http://localhost/"):
        with pytest.raises(NotAllowed):
            addresses.resolve(url)
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    assert addresses.check("http://127.0.0.1:8000/")
    assert addresses.check("http://localhost:8000/")


# --- One request --------------------------------------------------------------------------------


def test_a_request_says_what_it_has_to_and_nothing_of_ours(receiver: Receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # a proxy would be a way round the rule
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    answer = posting.post(receiver.url, b'{"a": 1}', {"webhook-id": "1"})

    assert (answer.status, answer.is_taken) == (204, True)
    [one] = receiver.received
    assert (one.path, one.said) == ("/hooks?key=a-key-in-the-address", {"a": 1})
    assert one.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "accept-encoding": "identity",
        "content-length": "8",
        "content-type": "application/json",
        "user-agent": "rooms-portal-webhooks/1",
        "webhook-id": "1",
    }


def test_redirects_are_not_followed(receiver: Receiver):
    def raw_redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answer = raw_redirect
    answer = posting.post(receiver.url, b"{}", {})
    assert (answer.status, answer.is_taken, answer.failure) == (302, False, "redirect")
    assert len(receiver.received) == 1


@pytest.mark.parametrize("answer", [raw_hang, raw_drip])
def test_who_does_not_come_to_an_end_is_left_at_the_deadline(receiver: Receiver, monkeypatch, answer):
    monkeypatch.setattr(posting, "SECONDS", 1.0)
    receiver.answer = answer
    found = posting.post(receiver.url, b"{}", {})
    assert (found.status, found.failure) == (0, "no_answer")


def test_long_answers_are_not_read(receiver: Receiver):
    receiver.answer = raw_flood
    assert posting.post(receiver.url, b"{}", {}).is_taken


def test_nobody_there(receiver: Receiver):
    receiver.stop()
    assert posting.post(receiver.url, b"{}", {}).failure == "connection_refused"
