"""Whose address a request has: the client's, also behind reverse proxies that we trust (TRUSTED_PROXIES).

Every proxy appends to X-Forwarded-For who connected to it. So the list is read from its end: as long as an address is
that of a trusted proxy, what stands before it is that proxy's word. Whatever stands further left anybody can make up.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from trm_portal.middleware import Answer, Middleware

Address = IPv4Address | IPv6Address

UNIX = "unix"
# An address, alone or with a port as some proxies write it: 192.0.2.1:80, [2001:db8::1], [2001:db8::1]:443.
_SAID = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}|([0-9A-Fa-f:.]+)")


@dataclass(frozen=True)
class Proxies:
    """The peers whose word is believed: `networks`, and whoever comes over a Unix socket, which has no address."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    is_unix: bool = False

    @classmethod
    def named(cls, names: Iterable[str]) -> "Proxies":
        """As the setting names them: networks, single addresses, the word `unix`. Raises ImproperlyConfigured."""
        wanted = [name.strip() for name in names if name.strip()]
        try:
            networks = tuple(ip_network(name) for name in wanted if name != UNIX)
        except ValueError as error:
            raise ImproperlyConfigured(f"TRUSTED_PROXIES: {error}.") from error
        return cls(networks, UNIX in wanted)

    def have(self, peer: Address | None) -> bool:
        """Whether `peer` is one of them; None: no address, as on a Unix socket."""
        return self.is_unix if peer is None else any(peer in network for network in self.networks)

    def client_of(self, peer: Address | None, forwarded: str) -> Address | None:
        """Who asks, by the word of `peer` about those before it, `forwarded`: the nearest that is no proxy of ours.

        The furthest one if all of them are ours; `peer` itself if it is none of ours, says nothing, or if one of them
        says what is no address.
        """
        found = peer
        for said in reversed(forwarded.split(",")):
            if not self.have(found):
                return found
            found = read(said.strip(" \t"))
            if found is None:
                return peer
        return found


class ClientAddress(Middleware):
    """REMOTE_ADDR is the client's address for all that comes after, in one spelling; empty if nobody knows it."""

    def __init__(self, get_response: Answer) -> None:
        super().__init__(get_response)
        self.proxies = Proxies.named(settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = read(request.META.get("REMOTE_ADDR", "").partition("%")[0])  # fe80::1%eth0: a zone is only ours
        client = self.proxies.client_of(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""))
        request.META["REMOTE_ADDR"] = str(client or "")
        return self.get_response(request)


def read(text: str) -> Address | None:
    """The address that `text` is, an IPv4 address in IPv6's clothes (::ffff:192.0.2.1) as what it is; None for none."""
    said = _SAID.fullmatch(text)
    try:
        found = ip_address(next(filter(None, said.groups()))) if said else None
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
