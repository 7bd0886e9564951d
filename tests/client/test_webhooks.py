"""The client's check of a delivery: what is the portal's passes, everything else is rejected."""

import base64
import hashlib
import hmac
import json

import pytest

from rooms_portal import Rejected, verify

SECRET, OLD = ("whsec_" + base64.b64encode(seed * 32).decode() for seed in (b"n", b"o"))
NOW = 1_768_294_800
EVENT = {"id": "e-1", "type": "ticket.opened", "object": {"type": "ticket", "id": 7, "url": None}, "sequence": 1}
BODY = json.dumps(EVENT).encode()


def signature(body: bytes = BODY, *, secret: str = SECRET, event: str = "e-1", at: int = NOW) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, f"{event}.{at}.".encode() + body, hashlib.sha256).digest()).decode()


def headers(**changed: str) -> dict[str, str]:
    usual = {"Webhook-Id": "e-1", "Webhook-Timestamp": str(NOW), "Webhook-Signature": signature()}
    return usual | {name.replace("_", "-"): value for name, value in changed.items()}


def test_delivery_of_the_portal_is_its_event():
    assert verify(headers(), BODY, [SECRET], now=NOW) == EVENT
    assert verify({name.lower(): value for name, value in headers().items()}, BODY, [SECRET], now=NOW + 300) == EVENT


def test_either_secret_passes_while_one_is_rotated():
    both = f"{signature(secret=OLD)} {signature()}"
    for known in ([OLD], [SECRET], [OLD, SECRET]):
        assert verify(headers(Webhook_Signature=both), BODY, known, now=NOW) == EVENT


@pytest.mark.parametrize(
    ("changed", "body", "late"),
    [
        pytest.param({"Webhook_Signature": signature(secret=OLD)}, BODY, 0, id="another secret"),
        pytest.param({"Webhook_Signature": ""}, BODY, 0, id="none"),
        pytest.param({"Webhook_Signature": "v1,é"}, BODY, 0, id="no signature at all"),
        pytest.param({"Webhook_Signature": signature().replace("v1,", "v2,")}, BODY, 0, id="another kind"),
        pytest.param({}, BODY.replace(b"opened", b"closed"), 0, id="altered"),
        pytest.param({"Webhook_Id": "e-2"}, BODY, 0, id="under another id"),
        pytest.param({"Webhook_Timestamp": str(NOW + 1)}, BODY, 0, id="another time"),
        pytest.param({"Webhook_Timestamp": "soon"}, BODY, 0, id="no time"),
        pytest.param({"Webhook_Timestamp": "²"}, BODY, 0, id="no number"),
        pytest.param({}, BODY, 301, id="replayed later"),
        pytest.param({}, BODY, -301, id="from the future"),
        pytest.param({"Webhook_Signature": signature(b"[]")}, b"[]", 0, id="no event"),
        pytest.param({"Webhook_Signature": signature(b"\xff")}, b"\xff", 0, id="no text"),
        pytest.param(
            {"Webhook_Id": "e-2", "Webhook_Signature": signature(event="e-2")}, BODY, 0, id="of another event"
        ),
    ],
)
def test_everything_else_is_rejected(changed, body, late):
    with pytest.raises(Rejected):
        verify(headers(**changed), body, [SECRET], now=NOW + late)


def test_secret_that_is_none_is_said():
    with pytest.raises(ValueError, match="not a secret"):
        verify(headers(), BODY, ["whsec_!"], now=NOW)
