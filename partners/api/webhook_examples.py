"""What requests and answers about webhooks look like; checked against the document by a test."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def _answer(name: str, value: Any, status: str = "200") -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[status])


def _page(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None, "previous": None}


_SECRET = "whsec_" + "RXhhbXBsZSBvZiBhIHNlY3JldCwgbm90IG9uZSE="
_WEBHOOK = {
    "id": "5f0a3c7e-2a41-4d0e-8f57-6c1d9f0e7b21",
    "url": "https://desk.fabrikam.example/hooks/rooms",
    "events": ["approval.executed", "ticket.opened", "ticket.updated"],
    "description": "Service desk",
    "on": True,
    "off_reason": None,
    "version": 1,
    "created_at": "2026-01-12T10:00:00Z",
    "created_by": "ann@fabrikam.example",
    "rotated_at": "2026-01-12T10:00:00Z",
    "failing_since": None,
}
_DELIVERY = {
    "id": "0c2d6a1e-8a5f-4a37-9d4b-3f8f2f6f9a10",
    "type": "ticket.opened",
    "object": {"type": "ticket", "id": "4711"},
    "state": "delivered",
    "created_at": "2026-01-13T09:00:00Z",
    "attempts": 1,
    "tried_at": "2026-01-13T09:00:01Z",
    "next_at": None,
    "settled_at": "2026-01-13T09:00:01Z",
    "status": 204,
    "error": "",
}
_WAITING = _DELIVERY | {
    "state": "waiting",
    "attempts": 0,
    "tried_at": None,
    "next_at": "2026-01-13T09:00:00Z",
    "settled_at": None,
    "status": None,
}
MANY = _answer("One webhook", _page(_WEBHOOK))
ONE = _answer("A webhook", _WEBHOOK)
WANTED = OpenApiExample(
    "For a service desk",
    value={
        "url": "https://desk.fabrikam.example/hooks/rooms",
        "events": ["ticket.opened", "ticket.updated", "approval.executed"],
        "description": "Service desk",
    },
    request_only=True,
)
MADE = _answer("The secret, shown once", _WEBHOOK | {"secret": _SECRET}, "201")
CHANGED = OpenApiExample("Turn it off", value={"on": False}, request_only=True)
ROTATION = OpenApiExample("A day for the receiver to follow", value={"grace_hours": 24}, request_only=True)
ROTATED = _answer("Another secret, shown once", _WEBHOOK | {"version": 2, "secret": _SECRET})
TEST = _answer(
    "On its way",
    _WAITING | {"type": "webhook.test", "object": {"type": "webhook", "id": "5f0a3c7e-2a41-4d0e-8f57-6c1d9f0e7b21"}},
)
DELIVERIES = _answer("One delivery", _page(_DELIVERY))
DELIVERY = _answer("A delivery", _DELIVERY)
REDELIVERED = _answer("Waits again", _WAITING)
