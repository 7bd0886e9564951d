"""Mails, one at a time over one connection, and what a mail server's refusal means.

Nothing is fixed to a mail server: whatever Django is configured with is used. Each letter carries a Message-ID made from
its key, so that a repetition (a worker that died between sending and remembering it) is recognised by mail systems.
"""

from contextlib import suppress
from dataclasses import dataclass
from email.utils import format_datetime, formataddr, parseaddr
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPResponseException
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email

from audit.clock import now

MAILS_PER_CONNECTION = 50  # many servers end a connection after a hundred
SERVICE_CLOSING = 421  # says nothing about the mail, in whichever step it comes


class Undeliverable(Exception):
    """This mail will never be taken for this recipient; the text says why."""


class NotNow(Exception):
    """This mail is not taken at the moment; the text says why."""


class Unreachable(NotNow):
    """No mail at all is taken at the moment: not this one's fault, and no use in offering another one now."""


@dataclass(frozen=True)
class Letter:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    html: str
    language: str
    sender_name: str = ""  # stands before the portal's own address


class Postman:
    """Sends letters over one connection, opened when the first one is sent and closed with the `with` block."""

    def __init__(self) -> None:
        self._connection = get_connection()
        self._sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    def send(self, letter: Letter, key: UUID) -> None:
        """The mail server has taken the letter. Raises Undeliverable, NotNow, Unreachable."""
        try:
            email = _written(letter, key)
            self._call()
            self._connection.send_messages([email])
        except ValidationError as error:
            raise Undeliverable(one_line(" ".join(error.messages))) from error
        except ValueError as error:  # a header that can't be written
            raise Undeliverable(one_line(str(error))) from error
        except OSError as error:  # smtplib's own errors are of this kind too
            failure = _meaning_of(error)
            if isinstance(failure, Unreachable):
                self._hang_up()
            raise failure from error
        self._sent += 1

    def _call(self) -> None:
        if self._sent and self._sent % MAILS_PER_CONNECTION == 0:
            self._hang_up()
        try:
            self._connection.open()
        except OSError as error:
            raise Unreachable(_text_of(error)) from error

    def _hang_up(self) -> None:
        with suppress(OSError):  # the other side may have hung up before
            self._connection.close()


def _written(letter: Letter, key: UUID) -> EmailMultiAlternatives:
    validate_email(letter.to)
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    email = EmailMultiAlternatives(
        subject=one_line(letter.subject),
        body=letter.text,
        from_email=_sender(letter.sender_name),
        to=[letter.to],
        headers={
            "Message-ID": f"<{key}@{host}>",
            "Date": format_datetime(now()),
            "Content-Language": letter.language,
            "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's out-of-office note answers it
            "X-Auto-Response-Suppress": "All",
        },
    )
    email.attach_alternative(letter.html, "text/html")
    return email


def _sender(name: str) -> str | None:
    """The portal's own address under `name`; None: as it is configured."""
    name = one_line(name)
    return formataddr((name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])) if name else None


def _meaning_of(error: OSError) -> Exception:
    """What the failure of one mail says: of its recipient, of this moment, or of the server."""
    code, text = _code_of(error), _text_of(error)
    is_about_this_mail = isinstance(error, SMTPRecipientsRefused | SMTPDataError) and code != SERVICE_CLOSING
    if not is_about_this_mail:
        return Unreachable(text)
    return Undeliverable(text) if code >= 500 else NotNow(text)


def _code_of(error: OSError) -> int:
    if isinstance(error, SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=SERVICE_CLOSING)
    return error.smtp_code if isinstance(error, SMTPResponseException) else 0


def _text_of(error: OSError) -> str:
    if isinstance(error, SMTPRecipientsRefused):
        replies = [f"{code} {_decoded(reply)}" for code, reply in error.recipients.values()]
        return one_line("; ".join(replies))
    if isinstance(error, SMTPResponseException):
        return one_line(f"{error.smtp_code} {_decoded(error.smtp_error)}")
    return one_line(str(error) or type(error).__name__)


def _decoded(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply


JOINERS = "\u200c\u200d"  # some scripts write no name without them


def one_line(text: str) -> str:
    """`text` without line breaks and control characters, those that turn the reading direction included."""
    return " ".join("".join(sign if sign.isprintable() or sign in JOINERS else " " for sign in text).split())
