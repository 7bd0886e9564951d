"""Business days: Monday to Friday, whole days of 24 hours by the clock on the wall in one time zone."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5
_DAY = timedelta(days=1)


def silent_since(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The latest moment from which `days` business days have passed at `now`, both aware.

    A weekend does not count: from Friday 15:00 on, three days have passed on Wednesday at 15:00; whatever was said at the
    weekend counts from Monday 00:00, so that three days have passed on Thursday at 00:00.
    """
    local = now.astimezone(zone).replace(tzinfo=None)
    while local.weekday() >= _SATURDAY:  # what is over at the weekend was over when it began
        local = datetime.combine(local.date(), time.min) - timedelta(microseconds=1)
    for _ in range(days):
        local -= _DAY
        while local.weekday() >= _SATURDAY:
            local -= _DAY
    return local.replace(tzinfo=zone)
