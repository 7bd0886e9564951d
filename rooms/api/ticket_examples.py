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
_FILE = OpenApiExample(
    "A log with a word",
    value={"file": "(bytes)", "text": "Channel 3 is silent."},
    request_only=True,
    media_type="multipart/form-data",
)
CONTENTS = [
    OpenApiExample(f"A file of type {one}", value="(bytes)", response_only=True, status_codes=["200"], media_type=one)
    for one in TYPES
]
