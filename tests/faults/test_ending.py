"""A file on its way through the real web server breaks off when its reader's access ends; nobody else is running."""

import socket
import time
from collections.abc import Callable

import pytest
from django.urls import reverse

from partners.models import PartnerRelationship
from partners.services import relationships
from rbac.models import PersonSession
from rbac.streams import ASKED_AGAIN
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.rows import RoomFactory, default_ring
from tests.factories.world import World, join
from tests.faults.scene import Browser
from tests.foundation.portal import Portal, PortalProcess

ROOMS = 12_000  # with what they say, more than the buffers between server and reader hold
END = b"\r\n0\r\n\r\n"  # of what is sent in chunks; without it the reader knows that something is missing
CAUSES: dict[str, Callable[[PartnerRelationship, World], object]] = {
    "suspended": lambda relationship, world: relationships.suspend(relationship, by=world.contoso.admin),
    "signed out elsewhere": lambda relationship, world: PersonSession.objects.all().delete(),
}


def add_rooms(world: World) -> None:
    """Many rooms of Contoso with much to say."""
    said = {"street": "A very long street " * 10, "building": "A very long building " * 4}
    made = RoomFactory.build_batch(
        ROOMS,
        tenant=world.contoso.tenant,
        ring=default_ring(world.contoso.tenant),
        tags=["a long tag " * 5] * 10,
        **said,
    )
    Room.objects.bulk_create(made, batch_size=2_000)


class Reader:
    """Reads a file as slowly as he likes."""

    def __init__(self, web: PortalProcess, browser: Browser, path: str) -> None:
        host, _, port = web.url.removeprefix("http://").partition(":")
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # takes little before he reads it
        self._socket.settimeout(60)
        self._socket.connect((host, int(port)))
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n".encode())

    def begin(self) -> bytes:
        """The first bytes of the answer."""
        return self._socket.recv(1000)

    def rest(self) -> bytes:
        """All that still comes."""
        found = bytearray()
        while not found.endswith(END) and (part := self._socket.recv(1 << 16)):
            found += part
        self._socket.close()
        return bytes(found)


@pytest.mark.parametrize("name", CAUSES)
def test_running_file_breaks_off(world: World, portal: Portal, name: str) -> None:
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", scope=Scope(all_rooms=True))
    add_rooms(world)
    web, path = portal.web(), reverse("rooms_export", args=[world.contoso.tenant.pk])

    def read(meanwhile: Callable[[], object]) -> bytes:
        reader = Reader(web, Browser.of(ann, web), path)
        assert reader.begin().startswith(b"HTTP/1.1 200 OK")
        meanwhile()
        time.sleep(2 * ASKED_AGAIN)
        return reader.rest()

    whole = read(lambda: None)
    assert whole.endswith(END), "as long as nothing happens, a slow reader gets everything"
    part = read(lambda: CAUSES[name](relationship, world))
    assert not part.endswith(END)
    assert len(part) < len(whole)
