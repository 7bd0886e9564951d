"""What requests and answers about partners look like; checked against the document by a test."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_CONTOSO = {"id": "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11", "name": "Contoso"}
_FABRIKAM = {"id": "b1d7a4f0-2f34-4b61-8f0a-6a2c8e0f7c22", "name": "Fabrikam"}
_ANN = {"name": "Ann", "upn": "ann@fabrikam.example", "delivery_address": ""}


def _answer(name: str, value: Any, status: str = "200") -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[status])


def _page(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None, "previous": None}


_PARTNER = {
    "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "label": "fabrikam.example",
    "state": "active",
    "partner": _FABRIKAM,
    "created_at": "2026-01-12T08:00:00Z",
    "linked_at": "2026-01-12T09:30:00Z",
    "ended_at": None,
    "valid_until": None,
    "needs_primary_admin": False,
    "all_rooms": False,
    "room_count": 114,
    "primary_admin_count": 2,
    "open_invitation_count": 0,
}
PARTNERS = _answer("One partner", _page(_PARTNER))
PARTNER_CHANGES = OpenApiExample(
    "Another name, and tickets without asking",
    value={"label": "Fabrikam", "change_control": {"tickets.update": "auto"}},
    request_only=True,
)
PARTNER_END = OpenApiExample("An end", value={"valid_until": "2030-01-01T00:00:00Z"}, request_only=True)
PARTNER = OpenApiExample(
    "A partner",
    value=_PARTNER
    | {
        "partner": _FABRIKAM | {"domains": ["fabrikam.example"]},
        "expected_tid": None,
        "scope": {"all_rooms": False, "rooms": [], "groups": [4]},
        "change_control": {"rooms.modify": "auto"},
        "primary_admins": [{"name": "Ann", "upn": "ann@fabrikam.example"}],
        "terms": {
            "version": 1,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "accepted_by": "admin@contoso.example",
            "accepted_at": "2026-01-12T08:00:00Z",
        },
    },
    response_only=True,
    status_codes=["200", "201"],
)
PROPOSAL = OpenApiExample(
    "Two people, one room group",
    value={
        "label": "Fabrikam Rooms",
        "contacts": [_ANN, {"name": "Bob", "upn": "bob@fabrikam.example"}],
        "days": 14,
        "change_control": {"rooms.modify": "auto"},
        "scope": {"groups": [4]},
        "terms": {"version": 1, "agrees": True},
    },
    request_only=True,
)

BY_DOMAIN = OpenApiExample(
    "A whole organisation",
    value={"domain": "fabrikam.example", "scope": {"all_rooms": True}, "terms": {"version": 1, "agrees": True}},
    request_only=True,
)

_INVITATION = {
    "id": "0b0e1f0c-53a4-4c53-9a0e-1d3f4b1c2d33",
    **_ANN,
    "domain": "",
    "by_partner": False,
    "state": "pending",
    "invited_by": "admin@contoso.example",
    "created_at": "2026-01-12T08:00:00Z",
    "expires_at": "2026-01-26T08:00:00Z",
    "decided_at": None,
}
_OVER = {"state": "revoked", "decided_at": "2026-01-13T10:00:00Z"}
INVITATIONS = _answer("One invitation", _page(_INVITATION))
INVITATION = _answer("An open invitation", _INVITATION)
REVOKED = _answer("A withdrawn invitation", _INVITATION | _OVER)
CONTACTS = OpenApiExample("One more person", value={"contacts": [_ANN], "days": 7}, request_only=True)
SENT = _answer("One invitation was sent", {"items": [_INVITATION]}, "201")

_MINE = {
    "id": "0b0e1f0c-53a4-4c53-9a0e-1d3f4b1c2d33",
    "customer": _CONTOSO,
    "domain": "",
    "state": "pending",
    "invited_by": "admin@contoso.example",
    "created_at": "2026-01-12T08:00:00Z",
    "expires_at": "2026-01-26T08:00:00Z",
    "decided_at": None,
    "may_undo": False,
}
_OFFER = {"needs_link": False, "all_rooms": False, "room_count": 114, "permissions": ["rooms.view", "rooms.modify"]}
_NOTHING = {"needs_link": False, "all_rooms": False, "room_count": 0, "permissions": []}
_DECIDED = {"decided_at": "2026-01-12T09:30:00Z"}
MY_INVITATIONS = _answer("One invitation", _page(_MINE))
MY_INVITATION = _answer("An open invitation", _MINE | _OFFER)
ACCEPT = OpenApiExample(
    "From an organisation nobody here knows", value={"secret": "t0YVxQ3bXo0mYb9sQm3k2w7n1u5p8r4e"}, request_only=True
)
ACCEPT_FOR_DOMAIN = OpenApiExample(
    "As tenant manager", value={"admins": ["ann@fabrikam.example", "bob@fabrikam.example"]}, request_only=True
)
ACCEPTED = _answer("Accepted", _MINE | _OFFER | {"state": "accepted"} | _DECIDED)
DENIED = _answer("Declined", _MINE | _NOTHING | {"state": "denied", "may_undo": True} | _DECIDED)
REOPENED = _answer("Waiting again", _MINE | _OFFER, "201")

_TOKEN = {
    "prefix": "trm_4f1c9a07b2e",
    "name": "Ticket bridge",
    "scopes": ["rooms.modify", "rooms.view"],
    "created_at": "2026-01-12T10:00:00Z",
    "expires_at": "2026-04-12T10:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}
TOKENS = _answer("One token", _page(_TOKEN))
TOKEN = _answer("A token", _TOKEN)
TOKEN_WANTED = OpenApiExample(
    "For a ticket bridge",
    value={"name": "Ticket bridge", "scopes": ["rooms.view", "rooms.modify"], "days": 90},
    request_only=True,
)
NEW_TOKEN = _answer("A new token", _TOKEN | {"token": "trm_4f1c9a07b2e…"}, "201")

ME = _answer(
    "A person of Fabrikam",
    {
        "upn": "ann@fabrikam.example",
        "name": "Ann",
        "home": _FABRIKAM,
        "token": None,
        "customers": [_FABRIKAM, _CONTOSO],
        "customers_url": "https://rooms.example/api/v1/customers/",
    },
)
TERMS = _answer(
    "The first version",
    {
        "version": 1,
        "text": "Be careful with the rooms.",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "published_at": "2026-01-01T00:00:00Z",
    },
)
