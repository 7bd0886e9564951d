"""A real mail server on loopback, that takes mails, refuses them, or says nothing."""

from __future__ import annotations

import asyncio
import email
import email.policy
import enum
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from trm_portal.development import ports


class Behaviour(enum.Enum):
    """What the server does with a mail that is offered."""

    ACCEPT = "250 OK"
    REFUSE_FOR_NOW = "451 Try again later"
    REFUSE = "550 No such mailbox"
    SILENT = ""


class SmtpSink:
    """A mail server that keeps what it took. `stop` and `start` may follow each other; the port stays."""

    def __init__(self) -> None:
        self.port = ports.any_free()
        self.behaviour = Behaviour.ACCEPT
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.attempts = 0
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://{ports.LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Afterwards it takes connections."""
        self._controller = Controller(self, hostname=ports.LOOPBACK, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Afterwards connections are refused."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def wait_for(self, count: int, timeout: float = 20) -> list[EmailMessage]:
        """The messages, as soon as there are that many. Raises AssertionError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while len(self.messages) < count:
            assert time.monotonic() < end, f"{len(self.messages)} mails in {timeout} s, expected {count}"
            time.sleep(0.05)
        return list(self.messages)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient, as the behaviour says."""
        self.attempts += 1
        if self.behaviour is Behaviour.SILENT:
            await asyncio.sleep(3600)
        if self.behaviour is Behaviour.ACCEPT:
            envelope.rcpt_tos.append(address)
        return self.behaviour.value

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail."""
        assert isinstance(envelope.content, bytes)
        content = envelope.content.replace(b"\r\n", b"\n")
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.recipients.append(list(envelope.rcpt_tos))
        self.messages.append(message)
        return "250 Kept"


@pytest.fixture
def smtp_sink(settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpSink]:
    """A running mail server; the test's own code and the portal's processes send their mails to it."""
    sink = SmtpSink()
    sink.start()
    monkeypatch.setenv("EMAIL_URL", sink.url)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = ports.LOOPBACK, sink.port
    yield sink
    sink.stop()
