"""Programs that call the API: as nobody, as a person with a session, or with a token."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from partners.models import PartnerRelationship
from partners.services import tokens
from rbac.catalogue import Permission
from rbac.models import User
from tests.factories.evidence import Evidence

BACKEND = "rbac.backends.LocalAccounts"


@dataclass
class Caller:
    """Calls addresses by name: `caller.get("api-room", tenant.pk, room.pk)`; bodies are JSON."""

    client: Client = field(default_factory=Client)
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, *args: Any, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """GET, with `query` as the parameters."""
        return self.client.get(reverse(name, args=args), query, headers=self.headers | (headers or {}))

    def post(self, name: str, *args: Any, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self._send("post", name, args, body, headers or {})

    def patch(self, name: str, *args: Any, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self._send("patch", name, args, body, headers or {})

    def delete(self, name: str, *args: Any, headers: dict[str, str] | None = None) -> Any:
        return self.client.delete(reverse(name, args=args), headers=self.headers | (headers or {}))

    def _send(self, method: str, name: str, args: Any, body: Any, headers: dict[str, str]) -> Any:
        send = getattr(self.client, method)
        address, headers = reverse(name, args=args), self.headers | headers
        content = "" if body is None else json.dumps(body)
        return send(address, content, content_type="application/json", headers=headers)


def nobody() -> Caller:
    return Caller()


def person(user: User) -> Caller:
    """`user`, signed in."""
    caller = Caller()
    caller.client.force_login(user, backend=BACKEND)
    return caller


def tool(secret: str) -> Caller:
    """A program with this token and nothing else."""
    return Caller(headers={"Authorization": f"Token {secret}"})


def token(relationship: PartnerRelationship, holder: User, *scopes: Permission, days: int = 30) -> str:
    """The secret of a new token of `holder`."""
    _, secret = tokens.issue(relationship.delegation, "bridge", by=holder, scopes=scopes, lifetime=timedelta(days=days))
    return secret


def code(answer: Any) -> tuple[int, str]:
    """Status and code of a problem, which it must be."""
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (body["type"], body["status"]) == ("about:blank", answer.status_code)
    return answer.status_code, body["code"]


def wrong(answer: Any) -> list[tuple[str, str]]:
    """Where and what is wrong, by a problem's `errors`."""
    return [(one.get("pointer", one.get("parameter")), one["code"]) for one in answer.json()["errors"]]


def changed(evidence: Evidence) -> set[str]:
    """The tables that a call has changed; that a session was used again is none of its doing."""
    return evidence.changed() - {"django_session"}
