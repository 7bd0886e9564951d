"""Where a webhook may go: public addresses only, on the ports that are meant for it.

A name is resolved once, every address it has is judged, and the connection goes to an address that was judged: a
name that answers otherwise a moment later gains nothing. WEBHOOK_ALLOWED_NETWORKS opens single networks (a receiver in
one's own house, a test on this machine), and in those every port.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from partners.failures import Failure

Address = IPv4Address | IPv6Address

LONGEST_URL = 500
# Global unicast that is no single host on the Internet, or carries another address inside, or answers to clouds' machines.
_REFUSED = [
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments (RFC 6890), a cloud's platform among them
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "168.63.129.16/32",  # the platform of Azure, seen from its machines
        "2001::/23",  # protocol assignments, Teredo among them (RFC 2928)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation (RFC 9637)
    )
]
_GLOBAL_UNICAST = ip_network(
    "2000::/3"
)  # NAT64, mapped, compatible, link-local, unique-local and multicast lie outside


class NotAllowed(Exception):
    """The portal sends nothing there; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True)
class Target:
    """Where a request goes: the addresses to connect to, in this order, and what the receiver is called."""

    addresses: tuple[Address, ...]
    port: int
    host: str
    path: str
    is_secure: bool

    @property
    def authority(self) -> str:
        """What the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    """Whether `address` is one host on the Internet, and no way round to another one."""
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_opened(address: Address) -> bool:
    """Whether the operator has opened a network with `address` in it."""
    networks = [ip_network(text) for text in settings.WEBHOOK_ALLOWED_NETWORKS]
    return any(address in network for network in networks if network.version == address.version)


def check(url: str) -> str:
    """`url` as it is kept. Raises NotAllowed for what is wrong whatever its name resolves to; asks no name server."""
    parts = _parsed(url)
    host = parts.hostname or ""
    if (literal := _literal(host)) is not None:
        _judge(literal, parts)
    elif parts.scheme != "https" and not _is_own_name(host):
        raise NotAllowed(Failure.HTTPS_NEEDED)
    elif not _is_name(host) and not _is_own_name(host):
        raise NotAllowed(Failure.NOT_PUBLIC)
    elif (
        _port(parts) not in settings.WEBHOOK_PORTS and not _is_own_name(host) and not settings.WEBHOOK_ALLOWED_NETWORKS
    ):
        raise NotAllowed(Failure.PORT_NOT_OPEN)
    return url


def resolve(url: str) -> Target:
    """Where a request to `url` goes now. Raises NotAllowed unless every address of its name may be used."""
    parts = _parsed(url)
    host, port = parts.hostname or "", _port(parts)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise NotAllowed(Failure.NOT_RESOLVED) from error
    addresses = tuple(dict.fromkeys(_address(place[0]) for *_, place in found))
    for address in addresses:
        _judge(address, parts)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(addresses, port, host, path, parts.scheme == "https")


def _judge(address: Address, parts: SplitResult) -> None:
    """Pass if a request may go to `address`, so and on this port. Raises NotAllowed."""
    if is_opened(address):
        if parts.scheme == "https" or address.is_loopback:
            return
        raise NotAllowed(Failure.HTTPS_NEEDED)
    if not is_public(address):
        raise NotAllowed(Failure.NOT_PUBLIC)
    if parts.scheme != "https":
        raise NotAllowed(Failure.HTTPS_NEEDED)
    if _port(parts) not in settings.WEBHOOK_PORTS:
        raise NotAllowed(Failure.PORT_NOT_OPEN)


def _parsed(url: str) -> SplitResult:
    """Raises NotAllowed for what is no address of a receiver."""
    if len(url) > LONGEST_URL or not url.isascii() or any(sign <= " " or sign in '\\"<>^`{|}\x7f' for sign in url):
        raise NotAllowed(Failure.NO_ADDRESS)
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError as error:
        raise NotAllowed(Failure.NO_ADDRESS) from error
    if parts.scheme not in ("https", "http") or not parts.hostname or "%" in parts.netloc:
        raise NotAllowed(Failure.HTTPS_NEEDED)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise NotAllowed(Failure.USER_IN_ADDRESS)
    if parts.fragment or "#" in url:
        raise NotAllowed(Failure.NO_ADDRESS)
    return parts


def _port(parts: SplitResult) -> int:
    port = parts.port
    if port == 0:
        raise NotAllowed(Failure.NO_ADDRESS)
    return port or (443 if parts.scheme == "https" else 80)


def _literal(host: str) -> Address | None:
    """The address that `host` is, in whichever notation the machine understands (127.1, 0x7f000001); None for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return _address(found[0][4][0])


def _address(text: str | int) -> Address:
    """The address, of a mapped one the IPv4 address that it means: `is_public` refuses what stays IPv6."""
    address = ip_address(str(text).partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_name(host: str) -> bool:
    """Whether `host` can be a public name: with a dot, and no number at its end."""
    labels = host.removesuffix(".").split(".")
    fits = all(0 < len(one) <= 63 and one.replace("-", "").replace("_", "").isalnum() for one in labels)
    return fits and len(labels) > 1 and not labels[-1].isdigit() and len(host) <= 253


def _is_own_name(host: str) -> bool:
    """Whether `host` is this machine, and the operator has opened it."""
    return host == "localhost" and is_opened(ip_address("127.0.0.1"))
