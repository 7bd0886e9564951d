"""What requests and answers about customers look like; checked against the document by a test."""

from drf_spectacular.utils import OpenApiExample

_CONTOSO = {
    "id": "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11",
    "name": "Contoso",
    "is_home": False,
    "time_zone": "Europe/Berlin",
}
_RELATIONSHIP = {
    "state": "active",
    "linked_at": "2026-01-12T09:30:00Z",
    "valid_until": None,
    "access_until": None,
    "needs_primary_admin": False,
    "room_count": 114,
    "open_ticket_count": 3,
    "missing": [],
}
CUSTOMERS = OpenApiExample(
    "One customer",
    value={"items": [_CONTOSO | {"relationship": _RELATIONSHIP}], "next": None, "previous": None},
    response_only=True,
)
CUSTOMER = OpenApiExample(
    "A partner’s view",
    value=_CONTOSO
    | {
        "relationship": _RELATIONSHIP
        | {
            "assignments": [{"role": "Primary admin", "assignment": "Invited admins", "valid_until": None}],
            "primary_admins": [{"name": "Ann", "upn": "ann@fabrikam.example"}],
            "change_control": {"rooms.modify": "auto"},
            "terms": {
                "version": 1,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "accepted_at": "2026-01-12T08:00:00Z",
            },
        },
        "permissions": {"rooms.view": "in_scope", "rooms.reset_key": "nowhere"},
    },
    response_only=True,
)
COLLEAGUES = OpenApiExample(
    "One who is known, one who is not",
    value={
        "people": [{"upn": "bob@fabrikam.example"}, {"name": "Nora", "upn": "nora@fabrikam.example"}],
        "days": 14,
    },
    request_only=True,
)
ADDED = OpenApiExample(
    "One more, one invited",
    value={
        "primary_admins": [
            {"name": "Ann", "upn": "ann@fabrikam.example"},
            {"name": "Bob", "upn": "bob@fabrikam.example"},
        ],
        "invited": ["nora@fabrikam.example"],
    },
    response_only=True,
    status_codes=["201"],
)
_MANAGER = {
    "id": 42,
    "name": "Tia",
    "upn": "tia@fabrikam.example",
    "is_active": True,
    "appointed_by": "owner@fabrikam.example",
    "created_at": "2026-01-12T08:00:00Z",
}
MANAGERS = OpenApiExample(
    "One tenant manager", value={"items": [_MANAGER], "next": None, "previous": None}, response_only=True
)
MANAGER_WANTED = OpenApiExample("A person", value={"upn": "tia@fabrikam.example"}, request_only=True)
MANAGER = OpenApiExample("A tenant manager", value=_MANAGER, response_only=True, status_codes=["200", "201"])
