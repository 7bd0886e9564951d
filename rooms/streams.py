"""Files that people upload, read within a limit."""

from collections.abc import Iterator
from typing import BinaryIO

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from rooms.errors import UnreadableInventory

_START = 4096  # bytes looked at to tell what kind of file it is


class LimitedStream:
    """A stream of bytes, by lines or whole, that refuses to be longer than INVENTORY_MAX_BYTES."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._size = stream, 0
        self.start = self._piece(_START)

    def read(self) -> bytes:
        """All of it."""
        return self.start + b"".join(iter(self._piece, b""))

    def lines(self) -> Iterator[bytes]:
        """Line by line, with their ends."""
        rest = self.start
        for piece in iter(self._piece, b""):
            # The last line waits for the next piece, which may continue it (or bring the \n that belongs to its \r).
            *whole, rest = rest.splitlines(keepends=True) or [b""]
            yield from whole
            rest += piece
        yield from rest.splitlines(keepends=True)

    def _piece(self, size: int = 65_536) -> bytes:
        piece = self._stream.read(size)
        self._size += len(piece)
        if self._size > settings.INVENTORY_MAX_BYTES:
            raise UnreadableInventory(
                _("This file is larger than %(limit)s. Split it, and import one part after the other."),
                params={"limit": filesizeformat(settings.INVENTORY_MAX_BYTES)},
            )
        return piece
