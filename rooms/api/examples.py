"""What requests and answers about rooms look like; checked against the document by a test."""

from drf_spectacular.utils import OpenApiExample

_ITEM = {
    "id": 1042,
    "display_name": "Room Zugspitze",
    "resource_account": "zugspitze@contoso.example",
    "state": "enrolled",
    "health": "healthy",
    "country": "DE",
    "region": "Bavaria",
    "city": "Munich",
    "building": "Munich 2",
    "floor": 3,
    "capacity": 12,
    "version": 7,
}
_DETAIL = _ITEM | {
    "street": "Beispielstraße 1",
    "postal_code": "80331",
    "campus": "",
    "floor_label": "",
    "label": "Conference room",
    "latitude": 48.1374,
    "longitude": 11.5755,
    "time_zone": "Europe/Berlin",
    "phone": "",
    "is_wheelchair_accessible": True,
    "tags": ["video"],
    "audio_device": "",
    "video_device": "",
    "display_device": "",
    "host_name": "MTR-ZUGSPITZE",
    "serial_number": "",
    "app_version": "",
    "os_version": "",
    "suppressed_until": None,
    "last_seen_at": "2026-02-03T15:00:00Z",
    "created_at": "2026-01-12T08:00:00Z",
    "changed_at": "2026-02-03T14:05:00Z",
    "ring": {"id": 2, "name": "General"},
    "groups": [{"id": 4, "name": "Germany"}],
    "permissions": ["rooms.view", "rooms.modify"],
}

ROOMS = OpenApiExample(
    "One room", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
ROOM = OpenApiExample("A room", value=_DETAIL, response_only=True, status_codes=["200"])
CHANGES = OpenApiExample(
    "More chairs, another name", value={"display_name": "Room Zugspitze", "capacity": 14}, request_only=True
)
