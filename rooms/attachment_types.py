"""What may be attached to a ticket: a closed list of types, told by the content as well as by the name."""

from collections.abc import Callable
from pathlib import PurePosixPath

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
PDF, ZIP, JSON, CSV, TEXT = "application/pdf", "application/zip", "application/json", "text/csv", "text/plain"
TYPES = (PNG, JPEG, GIF, WEBP, PDF, ZIP, JSON, CSV, TEXT)

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# Texts hold no control characters but these, and nothing a browser could take for a page.
_ALLOWED_CONTROLS = frozenset(b"\t\n\r\f\x1b")
_MARKUP = (b"<!doctype", b"<html", b"<script", b"<svg", b"<?xml", b"<body", b"<iframe")


def _is_text(content: bytes) -> bool:
    """UTF-8 (or the UTF-16 that Windows tools write) without control characters, that is no page."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeError:
            return False
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if any(byte < 32 and byte not in _ALLOWED_CONTROLS for byte in content):
        return False
    return not content.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP)


_EXTENSIONS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "png": (PNG, lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),
    "jpg": (JPEG, lambda content: content.startswith(b"\xff\xd8\xff")),
    "jpeg": (JPEG, lambda content: content.startswith(b"\xff\xd8\xff")),
    "gif": (GIF, lambda content: content.startswith((b"GIF87a", b"GIF89a"))),
    "webp": (WEBP, lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP"),
    "pdf": (PDF, lambda content: content.startswith(b"%PDF-")),
    "zip": (ZIP, lambda content: content.startswith(_ZIP_STARTS)),
    "json": (JSON, lambda content: _is_text(content) and content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")),
    "csv": (CSV, _is_text),
    "txt": (TEXT, _is_text),
    "log": (TEXT, _is_text),
}
EXTENSIONS = tuple(_EXTENSIONS)


def type_of(file_name: str, content: bytes) -> str | None:
    """The type from TYPES that both name and content say; None if they disagree, or say anything else."""
    extension = PurePosixPath(file_name).suffix.removeprefix(".").lower()
    known = _EXTENSIONS.get(extension)
    if known is None or not content:
        return None
    content_type, fits = known
    return content_type if fits(content) else None
