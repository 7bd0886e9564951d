"""What requests and answers about roles look like; checked against the document by a test."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def _answer(name: str, value: Any, *codes: str) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=list(codes) or ["200"])


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"items": [item], "next": None, "previous": None}


_ROLE = {
    "id": 12,
    "key": "",
    "name": "Help desk",
    "description": "Answers incidents",
    "owner": "partner",
    "partner": "Fabrikam AV Services",
    "permissions": ["rooms.view", "tickets.update"],
    "effective": ["rooms.view", "tickets.view", "tickets.update"],
    "version": 3,
}
_ITEM = {
    "id": 31,
    "role": 12,
    "key": "",
    "name": "First line",
    "description": "",
    "sends_email": True,
    "valid_from": None,
    "valid_until": "2027-01-01T00:00:00Z",
    "version": 1,
}
_SCOPE = {"all_rooms": False, "rooms": [1042, 1043], "groups": [4]}
_NEW = {
    "name": "First line",
    "members": ["carl@fabrikam.example"],
    "scope": {"rooms": [1042, 1043], "groups": [4]},
    "valid_until": "2027-01-01T00:00:00Z",
}
_MEMBERS = {
    "items": [
        {"kind": "group", "id": 3, "name": "Night shift"},
        {"kind": "person", "upn": "carl@fabrikam.example"},
        {"kind": "claim", "upn": "new@fabrikam.example"},
    ]
}

ROLES = _answer("One role", _page(_ROLE))
ROLE = _answer("A partner’s help desk", _ROLE, "200", "201")
NEW_ROLE = OpenApiExample(
    "A help desk with its first assignment",
    value={"name": "Help desk", "permissions": ["rooms.view", "tickets.update"], "assignment": _NEW},
    request_only=True,
)
ROLE_CHANGES = OpenApiExample("Other permissions", value={"permissions": ["rooms.view"]}, request_only=True)
ASSIGNMENTS = _answer("One assignment", _page(_ITEM))
ASSIGNMENT = _answer("An assignment that ends", _ITEM | {"scope": _SCOPE}, "200", "201")
NEW_ASSIGNMENT = OpenApiExample("Two rooms and a group", value=_NEW, request_only=True)
ASSIGNMENT_CHANGES = OpenApiExample("Without end", value={"valid_until": None}, request_only=True)
SCOPE = OpenApiExample("One room", value={"rooms": [1042]}, request_only=True)
MEMBERS = _answer("A group, a person, somebody who has not signed in yet", _MEMBERS)
IN_AND_OUT = OpenApiExample(
    "One in, one out",
    value={"add": ["new@fabrikam.example"], "remove": ["carl@fabrikam.example"]},
    request_only=True,
)

_GROUP = {"id": 3, "name": "Night shift", "people_total": 4, "version": 2}
GROUPS = _answer("One group", _page(_GROUP))
GROUP = _answer("A security group", _GROUP, "200", "201")
GROUP_NAME = OpenApiExample("A name", value={"name": "Night shift"}, request_only=True)
PEOPLE = _answer("One person", _page({"id": 77, "upn": "carl@contoso.example", "name": "Carl", "is_active": True}))
PEOPLE_IN_AND_OUT = OpenApiExample("One in", value={"add": ["carl@contoso.example"]}, request_only=True)
_REASON = {
    "permissions": ["rooms.view", "tickets.update"],
    "role": {"id": 12, "name": "Help desk"},
    "assignment": {"id": 31, "name": "First line"},
    "is_direct": True,
    "groups": [],
    "all_rooms": False,
    "is_single": True,
    "room_groups": [],
    "valid_from": None,
    "valid_until": "2027-01-01T00:00:00Z",
}
_PERSON = {"id": 78, "upn": "carl@fabrikam.example", "name": "Carl"}
ROOM_ACCESS = _answer("One person", _page({"person": _PERSON, "reasons": [_REASON]}))
PERSON_ACCESS = _answer("A person", {"person": _PERSON, "reasons": [_REASON]})
