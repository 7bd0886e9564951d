"""Days as people enter them, and the moments they stand for: from midnight to midnight in the customer's time zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST, LAST = date(2000, 1, 1), date(9998, 1, 1)  # what every calendar, zone and database can count with


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which `day` begins."""
    return datetime.combine(day, time.min, tzinfo=zone)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which `day` is over: what is valid until then is valid all of that day."""
    return start_of(day + timedelta(days=1), zone)


def first_day(start: datetime, zone: ZoneInfo) -> date:
    """The day on which something that begins at `start` is valid first."""
    return start.astimezone(zone).date()


def last_day(end: datetime, zone: ZoneInfo) -> date:
    """The day on which something that ends at `end` is valid last."""
    return (end - timedelta(microseconds=1)).astimezone(zone).date()
