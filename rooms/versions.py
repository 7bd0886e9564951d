"""Versions of the devices' app, compared as numbers: 5.10 comes after 5.9.

The database has the same rule as `trm_version_order`, for questions about many rooms; a test compares the two.
"""

import re

# Up to four numbers; the widths make every version fit into one bigint without touching its neighbour.
PATTERN = re.compile(r"[0-9]{1,3}(\.[0-9]{1,5}){0,3}", re.ASCII)
_PLACES = (10**15, 10**10, 10**5, 1)
UNREADABLE = -1


def order_of(version: str) -> int:
    """A number that is higher for a later version; UNREADABLE (lower than all others) for what is no version."""
    if PATTERN.fullmatch(version) is None:
        return UNREADABLE
    parts = [int(part) for part in version.split(".")]
    return sum(part * place for part, place in zip(parts, _PLACES, strict=False))
