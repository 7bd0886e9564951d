"""The mails that were sent, each a file; nothing is ever deleted."""

from __future__ import annotations

import email
import email.policy
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

SENDER, RECIPIENTS = "X-Envelope-From", "X-Envelope-To"
NAME = re.compile(r"\d{20}-[0-9a-f]{8}")


@dataclass(frozen=True)
class KeptMail:
    """One mail, as it arrived."""

    name: str
    message: EmailMessage

    @property
    def received(self) -> datetime:
        """When it arrived, in the machine's own time."""
        return datetime.fromtimestamp(int(self.name.partition("-")[0]) / 1e9, tz=UTC).astimezone()

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @property
    def sender(self) -> str:
        return str(self.message.get("From", self.message.get(SENDER, "")))

    @property
    def recipients(self) -> str:
        """Who really got it, whatever its head says."""
        return str(self.message.get(RECIPIENTS, ""))

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return "" if part is None else str(part.get_content())


class MailFolder:
    """A folder of mails, written by one process and read by another."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, content: bytes, *, sender: str, recipients: Iterable[str]) -> str:
        """Afterwards the mail can be read under the name that is returned; it appears in one step."""
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        head = f"{SENDER}: {_line(sender)}\r\n{RECIPIENTS}: {_line(', '.join(recipients))}\r\n"
        fresh = self._path / f"{name}.new"
        fresh.write_bytes(head.encode() + content)
        fresh.replace(self._path / f"{name}.eml")
        return name

    def newest_first(self, limit: int) -> list[KeptMail]:
        """The newest mails, at most that many."""
        names = sorted((path.stem for path in self._path.glob("*.eml")), reverse=True)
        return [mail for mail in (self.find(name) for name in names[:limit]) if mail is not None]

    def find(self, name: str) -> KeptMail | None:
        """The mail of that name, if there is one."""
        path = self._path / f"{name}.eml"
        if not NAME.fullmatch(name) or not path.exists():
            return None
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        return KeptMail(name, message) if isinstance(message, EmailMessage) else None


def _line(value: str) -> str:
    return " ".join(value.split())
