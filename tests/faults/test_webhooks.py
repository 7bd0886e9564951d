"""A receiver, as a process of its own behind TLS, that is away, fails, hangs, says yes too late; and workers that die.

It takes every event exactly once by its id, in order for each object, by the check of docs/webhooks.md.
"""

import json
import os
import ssl
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from audit.events import EventType
from partners import signatures
from partners.services import webhooks
from partners.services.webhooks import Owner
from partners.webhooks import DeliveryState, WebhookDelivery
from rooms.models import ClosingReason
from rooms.services import tickets
from tests.factories.world import World, invite, join
from tests.faults.scene import wait_until
from tests.foundation.clock import Clock
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal
from trm_portal.development import ports


class Tool:
    """The receiver's process and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, ports.any_free()
        self.url = f"https://localhost:{self.port}/hooks"
        self.secret = ""
        self._child: subprocess.Popen[bytes] | None = None
        self._moved = 0.0
        certify(folder)
        self.behave("ok")

    def behave(self, answer: str) -> None:
        """From its next request on it answers so."""
        text = json.dumps({"answer": answer, "moved": self._moved})
        (self.folder / "mode.new").write_text(text)
        (self.folder / "mode.new").rename(self.folder / "mode")
        self._answer = answer

    def follow(self, clock: Clock, by: timedelta) -> None:
        """The portal's clock, and this one with it, are later by so much: what was put off is due."""
        self._moved += by.total_seconds()
        self.behave(self._answer)
        clock.move(by)

    def start(self) -> None:
        """Afterwards it listens."""
        command = [
            sys.executable,
            "-m",
            "tests.foundation.webhook_process",
            str(self.folder),
            str(self.port),
            self.secret,
        ]
        self._child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def _listens(self) -> bool:
        try:
            return requests.get(self.url, verify=str(self.folder / "cert.pem"), timeout=2).status_code == 204
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """It is away, as after a power cut."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def post(self, headers: dict[str, str], body: bytes) -> int:
        """What it answers to somebody who is not the portal."""
        return requests.post(
            self.url, body, headers=headers, verify=str(self.folder / "cert.pem"), timeout=5
        ).status_code

    @property
    def taken(self) -> list[Any]:
        path = self.folder / "taken"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def certify(folder: Path) -> None:
    """A certificate for `localhost`, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)


@pytest.fixture
def tool(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tool]:
    folder = tmp_path / "tool"
    folder.mkdir()
    made = Tool(folder)
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
    assert "SSL_CERT_FILE" in os.environ
    assert ssl.get_default_verify_paths().openssl_cafile_env == "SSL_CERT_FILE"
    yield made
    made.kill()


def make(world: World, tool: Tool) -> tuple[Any, Any]:
    """Fabrikam's webhook for Contoso to the tool; who keeps it, and who works at Contoso."""
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    owner = Owner(world.contoso.tenant, relationship.delegation_id)
    _, tool.secret = webhooks.create(owner, tool.url, by=ann, events=list(EventType))
    return ann, world.contoso.admin


def life(world: World, by: Any, messages: int) -> int:
    """A ticket that is opened, talked about and closed; how many events that makes."""
    room = world.contoso.rooms[0].pk
    ticket = tickets.report(world.contoso.tenant, by=by, title="No picture", rooms=[room])
    for number in range(messages):
        tickets.write(ticket, by=by, text=f"Message {number}")
    tickets.close(ticket, by=by, reason=ClosingReason.FIXED)
    return messages + 2


def failed(times: int) -> bool:
    return WebhookDelivery.objects.filter(attempts__gte=times).exists()


def settled() -> bool:
    """Everything has arrived."""
    return not WebhookDelivery.objects.exclude(state=DeliveryState.DELIVERED).exists()


def assert_taken_once_in_order(tool: Tool, events: int) -> None:
    assert len(tool.taken) == len({one["id"] for one in tool.taken}) == events
    by_object = defaultdict(list)
    for one in tool.taken:
        by_object[one["object"]["type"], one["object"]["id"]].append(one)
    for told in by_object.values():
        assert [one["sequence"] for one in told] == sorted(one["sequence"] for one in told)
        kinds = [one["type"] for one in told]
        assert kinds == ["ticket.opened", *["ticket.updated"] * (len(kinds) - 2), "ticket.closed"]


def test_away_failing_hanging_and_late_it_takes_every_event_once_and_in_order(
    tool: Tool, portal: Portal, world: World, clock: Clock, smtp_sink: SmtpSink
):
    _, admin = make(world, tool)
    portal.worker(concurrency=2)
    portal.beat()
    events = sum(life(world, admin, messages) for messages in (1, 3))  # nobody is there
    wait_until(lambda: failed(1))
    assert set(WebhookDelivery.objects.exclude(error="").values_list("error", flat=True)) == {"connection_refused"}

    tool.behave("fail")
    tool.start()
    tool.follow(clock, timedelta(minutes=1))
    wait_until(lambda: WebhookDelivery.objects.filter(status=500).count() >= 2)
    assert tool.taken == []

    tool.behave("hang")
    tool.follow(clock, timedelta(minutes=5))
    invite(world.tailwind, "zed@northwind.example")  # a mail does not wait for who hangs
    begun = time.monotonic()
    wait_until(lambda: "zed@northwind.example" in {one for to in smtp_sink.recipients for one in to}, timeout=9)
    assert time.monotonic() - begun < 9
    wait_until(lambda: WebhookDelivery.objects.filter(error="no_answer").exists())

    tool.behave("late")  # takes it, and fails before it has said so
    tool.follow(clock, timedelta(minutes=30))
    wait_until(lambda: len(tool.taken) >= 2)
    tool.kill()
    tool.behave("ok")
    tool.start()
    events += life(world, admin, 2)
    for _ in range(20):
        tool.follow(clock, timedelta(minutes=5))
        time.sleep(1)
        if settled():
            break

    assert settled()
    assert_taken_once_in_order(tool, events)


def test_a_worker_that_dies_while_it_sends(tool: Tool, portal: Portal, world: World, clock: Clock):
    _, admin = make(world, tool)
    tool.behave("hang")
    tool.start()
    first = portal.worker()
    events = life(world, admin, 1)
    wait_until(lambda: webhooks.Webhook.objects.filter(busy_until__isnull=False).exists())
    first.kill()

    tool.behave("ok")
    portal.worker()
    portal.beat()
    tool.follow(clock, timedelta(minutes=2))  # the dead one's hold is over
    wait_until(settled)
    assert_taken_once_in_order(tool, events)


def test_who_is_not_the_portal_is_refused(tool: Tool, portal: Portal, world: World):
    _, admin = make(world, tool)
    tool.start()
    portal.worker()
    events = life(world, admin, 0)
    wait_until(settled)
    body = json.dumps(tool.taken[0], separators=(",", ":")).encode()
    event_id, moment = tool.taken[0]["id"], int(time.time())

    assert tool.post(signatures.headers("new", moment, body, [signatures.new_secret()]), body) == 400
    assert tool.post(signatures.headers(event_id, moment - 600, body, [tool.secret]), body) == 400
    assert tool.post(signatures.headers(event_id, moment, body, [tool.secret]), body + b" ") == 400
    assert tool.post({}, body) == 400
    assert tool.post(signatures.headers(event_id, moment, body, [tool.secret]), body) == 204  # again: yes, and nothing
    assert_taken_once_in_order(tool, events)
