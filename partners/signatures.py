"""How a receiver knows that a delivery is the portal's, new and whole: Standard Webhooks (standardwebhooks.com), as it is.

`webhook-signature` holds one signature for each valid secret, over id, moment and body. docs/webhooks.md has the check for
receivers.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
BYTES = 32


def new_secret() -> str:
    """A secret as it is shown to who makes a webhook."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def headers(event_id: str, moment: int, body: bytes, secrets_: Iterable[str]) -> dict[str, str]:
    """What is sent with `body` at `moment` (seconds since 1970), signed with each of `secrets_`."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signature(event_id, moment, body, one) for one in secrets_),
    }


def signature(event_id: str, moment: int, body: bytes, secret: str) -> str:
    """`v1,` and the HMAC-SHA256 of id, moment and body under `secret`, in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event_id}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
