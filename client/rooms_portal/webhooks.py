"""The check that every delivery of a webhook has to pass (docs/webhooks.md of the portal; Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import TypedDict

from rooms_portal.errors import PortalError

TOLERANCE = 5 * 60  # seconds between the portal's clock and ours
_PREFIX = "whsec_"


class Rejected(PortalError):
    """Not the portal's, altered on the way, or too old: answer 4xx, and do nothing."""


class EventObject(TypedDict):
    """What an event is about; `url` is where the API shows it, None where it shows you nothing."""

    type: str
    id: int | str
    url: str | None


class EventCustomer(TypedDict):
    """The customer that an event happened at."""

    id: str


class Event(TypedDict):
    """What a delivery says. Fields that are new are there too, whatever this type knows."""

    id: str
    type: str
    created_at: str
    customer: EventCustomer
    relationship: str | None
    object: EventObject
    sequence: int


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], *, now: float | None = None) -> Event:
    """The event in `body`, exactly as it came, if one of `secrets` has signed it within TOLERANCE of `now` (our clock).

    Keep the ids of the events that you took, and do nothing for one that you know: a delivery may come twice. Raises
    Rejected for everything else, ValueError for a secret that is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (moment.isascii() and moment.isdigit()):
        raise Rejected("no time")
    if abs((time.time() if now is None else now) - int(moment)) > TOLERANCE:
        raise Rejected("too old, or from the future")
    signed = f"{event_id}.{moment}.".encode() + body
    signatures = given.get("webhook-signature", "").split()
    right = [_signature(secret, signed) for secret in secrets]  # all of them, so that time tells nothing
    if not any(hmac.compare_digest(one.encode(), given.encode()) for one in right for given in signatures):
        raise Rejected("forged or altered")
    try:
        event: Event = json.loads(body)
        is_same = event["id"] == event_id
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected("no event") from error
    if not is_same:
        raise Rejected("another event than the header says")
    return event


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not a secret of a webhook") from error
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
