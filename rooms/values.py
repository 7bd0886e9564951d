"""What the values of a room may be: the same for the page, the API and every inventory."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from rooms.places import country_codes, is_time_zone

# Floors below the street are negative. Capacities and floors beyond these are slips of the keyboard, not buildings.
RANGES: dict[str, tuple[int, int]] = {
    "floor": (-50, 300),
    "capacity": (0, 100_000),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}
MAX_TAGS = 50

_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def refuse_unfit(changes: Mapping[str, Any]) -> None:
    """Pass if `changes` (model fields and values) hold nothing that a room cannot have, whatever the columns allow.

    Raises ValidationError by field: one of `unreadable_character`, `unknown_country`, `unknown_time_zone`,
    `out_of_range`, `too_many_tags`. Types and lengths are the model's business.
    """
    errors = {}
    for field, value in changes.items():
        try:
            _refuse_unfit(field, value)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError(errors)


def is_readable(text: str) -> bool:
    """Whether `text` is what a person can read and a text column can hold: no control character, no half character."""
    return not _UNREADABLE.search(text)


def is_in_range(field: str, value: int | float | Decimal) -> bool:
    """Whether `value` is within the range of the number `field`."""
    least, most = RANGES[field]
    return least <= value <= most


def _refuse_unfit(field: str, value: Any) -> None:
    texts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(text, str) and not is_readable(text) for text in texts):
        raise ValidationError(_("This text holds a character that cannot be read."), code="unreadable_character")
    if field == "country" and value not in ("", *country_codes()):
        raise ValidationError(_("There is no country with this code."), code="unknown_country")
    if field == "time_zone" and value and not (isinstance(value, str) and is_time_zone(value)):
        raise ValidationError(_("There is no such time zone."), code="unknown_time_zone")
    if field == "tags" and isinstance(value, list | tuple) and len(value) > MAX_TAGS:
        message = _("A room has at most %(count)s tags.")
        raise ValidationError(message, code="too_many_tags", params={"count": MAX_TAGS})
    if field in RANGES and isinstance(value, int | Decimal) and not is_in_range(field, value):
        least, most = RANGES[field]
        message = _("Enter a number between %(least)s and %(most)s.")
        raise ValidationError(message, code="out_of_range", params={"least": least, "most": most})
