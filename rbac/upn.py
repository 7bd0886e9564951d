"""User principal names: `local@domain`, ASCII, compared in lower case. Never an e-mail claim, never a group.

Allowed characters and lengths are Entra ID's for user principal names: letters, digits and ' . - _ ! # ^ ~ before the
sign, at most 64 characters; a domain of at most 48 after it; 113 in all. The database checks the same (PATTERN).
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 113
PATTERN = r"^[a-z0-9'._!#^~-]{1,64}@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"
_ALLOWED = re.compile(r"[A-Za-z0-9'._!#^~@-]")
_WHOLE = re.compile(PATTERN)
_GUEST = "#ext#"


def normalise(text: str) -> str:
    """`text` as a UPN in lower case, without surrounding blanks.

    Raises ValidationError (code `upn_character`, `upn_form` or `upn_guest`), naming the first character that is refused.
    """
    upn = text.strip()
    for character in upn:  # before lower(): that would turn the Kelvin sign into an ASCII k, another person's
        if not _ALLOWED.match(character):
            raise ValidationError(
                _("“%(character)s” is not allowed in a user principal name."),
                code="upn_character",
                params={"character": character if character.isprintable() else f"U+{ord(character):04X}"},
            )
    upn = upn.lower()
    if len(upn) > MAX_LENGTH or not _WHOLE.match(upn) or len(upn.rpartition("@")[2]) > 48:
        raise ValidationError(
            _("Enter a user principal name like name@example.com."), code="upn_form", params={"value": upn}
        )
    if _GUEST in upn:
        raise ValidationError(
            _("This is a guest account. Enter the name the person has in their own organisation."), code="upn_guest"
        )
    return upn


def domain_of(upn: str) -> str:
    """The part after the sign."""
    return upn.rpartition("@")[2]
