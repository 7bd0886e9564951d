"""How long something lasts: what is over, what ends soon, and of which end somebody has still to be told.

An end is true the second it comes (`trm_rights`, migration 0005), whether or not anything has marked it since.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from audit.clock import Now

HINT_DAYS = 30  # from here on lists say what is left,
NEAR_DAYS = 7  # and from here on they warn


def over(delegation: str = "") -> Q:
    """A delegation (at that path) that has ended, or whose time is over though no job has marked it."""
    path = f"{delegation}__" if delegation else ""
    return Q(**{f"{path}state": "ended"}) | Q(**{f"{path}valid_until__lte": Now()})


@dataclass(frozen=True)
class TimeLeft:
    """What is left until an end: days, a begun one counted as a whole one."""

    days: int

    @property
    def is_over(self) -> bool:
        return self.days <= 0

    @property
    def is_near(self) -> bool:
        return self.days <= NEAR_DAYS


def left(until: datetime | None, at: datetime) -> TimeLeft | None:
    """What is left at the moment `at` of something that lasts `until`; None for what has no end."""
    return None if until is None else TimeLeft(math.ceil((until - at) / timedelta(days=1)))
