"""The secret in an invitation mail: nothing to store, nothing to steal from a backup.

HMAC-SHA-256 over (invitation id, rotation) under INVITATION_LINK_KEY, which lives outside the database. A resend raises
the rotation, and every older link is dead. The link grants nothing: it opens a page, after sign-in.
"""

import base64
import hashlib
import hmac

from django.conf import settings
from django.urls import reverse

from partners.models import Invitation


def secret_of(invitation: Invitation) -> str:
    """The current secret, 32 characters that are safe in an address (192 bits)."""
    message = f"{invitation.pk}:{invitation.rotation}".encode()
    digest = hmac.new(settings.INVITATION_LINK_KEY.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def is_secret_of(invitation: Invitation, secret: str) -> bool:
    """Whether `secret` is the current one; takes the same time for every wrong one."""
    return hmac.compare_digest(secret_of(invitation).encode(), secret.encode("utf-8", "replace"))


def url_of(invitation: Invitation) -> str:
    """The address in the mail; built from PUBLIC_URL, never from what a request says of its host."""
    return settings.PUBLIC_URL + reverse("invitation_link", args=[invitation.pk, secret_of(invitation)])
