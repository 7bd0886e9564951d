"""One request to a receiver: to an address that was judged, in a few seconds, without following anything.

The standard library's client, told which addresses to connect to: it uses no proxy of the environment, follows no redirect,
keeps no cookie. TLS is verified against the name, with the machine's authorities (SSL_CERT_FILE adds one's own).
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from partners.addresses import NotAllowed, Target, resolve
from partners.failures import Failure

CONNECT_SECONDS = 5.0
SECONDS = 10.0  # for everything after the name was resolved
MOST_READ = 64 * 1024
MOST_ADDRESSES = 2  # of a name that are tried
AGENT = "rooms-portal-webhooks/1"


@dataclass(frozen=True)
class Answer:
    """What the receiver said: a status, or 0; `failure` says what went wrong beside that."""

    status: int
    failure: str = ""

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


class _Pinned(http.client.HTTPConnection):
    """A connection to a judged address, whatever the name would resolve to now; all of it ends at the deadline."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self._target = target
        self._alarm = threading.Timer(SECONDS, self._ring)
        self._alarm.daemon = True
        self._raw: socket.socket | None = None
        self.is_late = False

    def connect(self) -> None:
        """Raises OSError; ssl.SSLError for a certificate that is not the name's is one."""
        self._alarm.start()
        self.sock = self._raw = self._connected()
        if self._target.is_secure:
            context = ssl.create_default_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self.sock = self._raw = context.wrap_socket(
                self._raw, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self._raw.do_handshake()
        self.sock.settimeout(SECONDS)

    def _connected(self) -> socket.socket:
        """By the first of the judged addresses that answers. Raises OSError."""
        *tried_first, last = self._target.addresses[:MOST_ADDRESSES]
        for address in tried_first:
            with suppress(OSError):
                return socket.create_connection((str(address), self._target.port), CONNECT_SECONDS / MOST_ADDRESSES)
        return socket.create_connection((str(last), self._target.port), CONNECT_SECONDS)

    def close(self) -> None:
        self._alarm.cancel()
        super().close()

    def _ring(self) -> None:
        """Whoever reads or writes gets an error: a receiver that sends a byte now and then holds nobody."""
        self.is_late = True
        if self._raw is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._raw, socket.SHUT_RDWR)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """What the receiver at `url` answers to `body`; never raises for what lies with the receiver."""
    try:
        target = resolve(url)
    except NotAllowed as error:
        return Answer(0, error.failure)
    connection = _Pinned(target)
    sent = {"Host": target.authority, "Content-Type": "application/json", "User-Agent": AGENT, **headers}
    try:
        connection.request("POST", target.path, body, sent)
        answer = connection.getresponse()
        answer.read(MOST_READ)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(0, Failure.NO_ANSWER if connection.is_late else _meaning_of(error))
    finally:
        connection.close()
    if connection.is_late:
        return Answer(0, Failure.NO_ANSWER)
    is_redirect = 300 <= answer.status < 400
    return Answer(answer.status, Failure.REDIRECT if is_redirect else "")


def _meaning_of(error: Exception) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure.NO_CONNECTION
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure.CERTIFICATE
    return Failure.REFUSED if isinstance(error, ConnectionRefusedError) else Failure.BROKEN
