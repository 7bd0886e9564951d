"""What requests and answers about tickets look like; checked against the document by a test."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from rooms.attachment_types import TYPES

_ITEM = {
    "id": 311,
    "title": "No sound in video calls",
    "kind": "customer",
    "state": "investigating",
    "severity": "important",
    "is_high_impact": False,
    "signal_category": "",
    "opened_by": "lena@contoso.example",
    "opened_by_organisation": "Contoso",
    "assigned_upn": "ann@fabrikam.example",
    "opened_at": "2026-02-03T08:58:00Z",
    "touched_at": "2026-02-03T14:05:00Z",
    "closed_at": None,
    "version": 4,
}
_ROOM = {"id": 1042, "display_name": "Room Zugspitze"}
_DETAIL = _ITEM | {
    "description": "Since this morning.",
    "justification": "",
    "signal_name": "",
    "closing_reason": "",
    "closing_note": "",
    "rooms": [_ROOM],
    "permissions": ["tickets.view", "tickets.update"],
    "is_whole": True,
}
_ENTRY = {
    "id": 9001,
    "kind": "message",
    "at": "2026-02-03T14:05:00Z",
    "by": "ann@fabrikam.example",
    "organisation": "Fabrikam",
    "text": "We are on it.",
    "detail": {},
    "attachment": None,
}
_FILE = {
    "id": "8f14e45f-ceea-467f-ab3c-2d6c1c1f0a11",
    "file_name": "audio.log",
    "content_type": "text/plain",
    "size": 1284,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_PERSON = {"id": 17, "upn": "ann@fabrikam.example", "name": "Ann Keller", "organisation": "Fabrikam"}


def _answer(name: str, value: Any, *statuses: str) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=list(statuses))


def _page(name: str, item: Any) -> OpenApiExample:
    return _answer(name, {"items": [item], "next": None, "previous": None}, "200")


TICKETS = _page("One ticket", _ITEM | {"rooms": ["Room Zugspitze"]})
TICKET = _answer("A ticket", _DETAIL, "200", "201")
ENTRIES = _page("One message", _ENTRY)
ENTRY = _answer("A message", _ENTRY, "201")
ATTACHED = _answer(
    "An attachment",
    _ENTRY | {"kind": "attachment", "detail": {"file": "audio.log", "size": 1284}, "attachment": _FILE},
    "201",
)
PEOPLE = _answer("One person", {"items": [_PERSON]}, "200")
REPORT = OpenApiExample(
    "High impact",
    value={
        "title": "No sound in video calls",
        "description": "Since this morning.",
        "rooms": [1042],
        "is_high_impact": True,
        "justification": "The board meets here at nine.",
    },
    request_only=True,
)
MESSAGE = OpenApiExample("A message", value={"text": "We are on it."}, request_only=True)
STATE = OpenApiExample("On it", value={"state": "investigating"}, request_only=True)
PERSON = OpenApiExample("To Ann", value={"person": 17}, request_only=True)
CLOSE = OpenApiExample("Fixed", value={"reason": "fixed", "note": "A cable was loose."}, request_only=True)
FILE = OpenApiExample(
    "A log with a word",
    value={"file": "(bytes)", "text": "Channel 3 is silent."},
    request_only=True,
    media_type="multipart/form-data",
)
CONTENTS = [
    OpenApiExample(f"A file of type {one}", value="(bytes)", response_only=True, status_codes=["200"], media_type=one)
    for one in TYPES
]
