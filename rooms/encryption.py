"""What the database keeps but must not be able to read: encrypted under secrets that stand outside it.

Each purpose has keys of its own, derived from ENROLLMENT_KEY_SECRETS: what is moved from one column to another opens
nothing.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def fernets(purpose: str) -> MultiFernet:
    """By the first secret is encrypted, by each of them decrypted."""
    return MultiFernet([Fernet(_derived(purpose, one)) for one in settings.ENROLLMENT_KEY_SECRETS])


def _derived(purpose: str, text: str) -> bytes:
    """A Fernet key of a random text, whatever its length."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"{purpose}:{text}".encode()).digest())
