"""How often somebody has asked this minute, counted in the cache.

A cache that does not answer lets everybody through: this protects the machine, not anybody's data. Nothing here may
import a view: DRF reads it before there are any.
"""

import logging
import time

from django.core.cache import cache

log = logging.getLogger("trm.api")

WINDOW = 60  # seconds


def count(who: str) -> int:
    """How many requests of `who` there were in this minute of the clock, this one included; 0 if nobody can tell."""
    key = f"api:{who}:{int(time.time() // WINDOW)}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW)
        return int(cache.incr(key))
    except Exception:
        log.warning("requests cannot be counted", exc_info=True)
        return 0


def until_next() -> int:
    """Seconds until the next minute of the clock begins."""
    return WINDOW - int(time.time() % WINDOW)
