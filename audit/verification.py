"""Whether the audit log is as it was written: every chain from its first link to its head, and published heads.

A chain shows every row that was altered, removed or inserted, but not that its end was cut off: what is left is whole.
That is what published heads are for: each is a line of JSON, kept outside the database, that the chain must still hold.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Model, OuterRef

from audit.chain import FIRST, digest_of, link_digest
from audit.heads import Head
from audit.models import AuditEvent, ChainLink

CHUNK = 2000  # rows held at a time
_NEVER = UUID(int=2**128 - 1)
EVENT = "audit_head"


def as_json(head: Head) -> str:
    """`head` as the line that the daily job publishes (schedule.py)."""
    fields = {"tenant_id": str(head.tenant_id), "seq": head.seq, "digest": head.digest.hex(), "at": head.at.isoformat()}
    return json.dumps({"event": EVENT, **fields})


def from_json(line: str) -> Head | None:
    """The head that a line of a log publishes, whatever a log store put before or after it; None if it publishes none.

    Raises ValueError for a head that cannot be read.
    """
    if f'"{EVENT}"' not in line:
        return None
    try:
        data = json.loads(line[line.index("{") : line.rindex("}") + 1])
        at = datetime.fromisoformat(data["at"])
        return Head(UUID(data["tenant_id"]), int(data["seq"]), bytes.fromhex(data["digest"]), at)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a head of the audit log") from error


def chains() -> Iterator[UUID]:
    """Whose chains there are, in order: every tenant with lines or links."""
    last: UUID | None = None
    while True:
        following = min(_next(AuditEvent, last), _next(ChainLink, last))
        if following == _NEVER:
            return
        yield following
        last = following


def _next(model: type[Model], last: UUID | None) -> UUID:
    """The tenant after `last` that has rows; jumps along the index instead of reading all of it."""
    rows = model._default_manager.order_by("tenant_id").values_list("tenant_id", flat=True)
    return (rows if last is None else rows.filter(tenant_id__gt=last)).first() or _NEVER


def head_of(tenant_id: UUID) -> Head | None:
    """The last link of the tenant's chain; None without one."""
    link = ChainLink.objects.filter(tenant_id=tenant_id).order_by("-seq").first()
    return _head(link) if link is not None else None


def _head(link: ChainLink) -> Head:
    return Head(link.tenant_id, link.seq, bytes(link.digest), link.at)


def compare(published: Head) -> str:
    """What is wrong with the chain of `published`, or nothing (an empty text) if it still holds that link."""
    link = ChainLink.objects.filter(tenant_id=published.tenant_id, seq=published.seq).first()
    if link is None:
        head = head_of(published.tenant_id)
        end = f"ends at link {head.seq}" if head is not None else "has no link"
        return f"the chain {end}, but link {published.seq} was published: its end was removed"
    if bytes(link.digest) != published.digest:
        return f"link {published.seq} (row {link.pk}) is not the one that was published: the chain was rewritten"
    return ""


def verify(tenant_id: UUID, on_link: Callable[[Head], None] = lambda head: None) -> str:
    """The first thing that is wrong in the chain of `tenant_id`, or nothing (an empty text) if it is whole.

    `on_link` is told of each link that holds. What is written meanwhile is left out. Memory does not grow with the
    length of the chain.
    """
    with transaction.atomic():  # keeps the cursors open on the server
        head = head_of(tenant_id)
        last = head.seq if head is not None else 0
        return _first_fault(tenant_id, last, on_link) or _loose_line(tenant_id, last)


def _first_fault(tenant_id: UUID, last: int, on_link: Callable[[Head], None]) -> str:
    events = AuditEvent.objects.filter(tenant_id=tenant_id, seq__lte=last).order_by("seq", "position")
    by_seq = groupby(events.iterator(chunk_size=CHUNK), key=lambda event: event.seq)
    seq, lines = next(by_seq, (None, iter(())))
    previous, expected = FIRST, 1
    for link in ChainLink.objects.filter(tenant_id=tenant_id, seq__lte=last).order_by("seq").iterator(CHUNK):
        if seq is not None and seq < expected:
            return f"{_name(next(lines))} was inserted: it belongs to no link"
        if link.seq != expected:
            return f"link {expected} was removed: link {link.seq} (row {link.pk}) follows link {expected - 1}"
        digests = []
        if seq == link.seq:
            for event in lines:
                digest = digest_of(event)
                if digest != bytes(event.digest):
                    return f"{_name(event)} was altered"
                digests.append(digest)
            seq, lines = next(by_seq, (None, iter(())))
        if fault := _fault_of(link, previous, digests):
            return fault
        previous, expected = bytes(link.digest), link.seq + 1
        on_link(_head(link))
    return ""


def _fault_of(link: ChainLink, previous: bytes, digests: list[bytes]) -> str:
    """What is wrong with `link`, which is to follow `previous` and hold lines with `digests`."""
    if len(digests) != link.lines:
        change = "removed" if len(digests) < link.lines else "inserted"
        return f"lines were {change}: link {link.seq} (row {link.pk}) has {len(digests)} instead of {link.lines}"
    if bytes(link.previous) != previous:
        return f"link {link.seq} (row {link.pk}) does not follow link {link.seq - 1}: one of them was altered"
    if link_digest(previous, link.seq, digests) != bytes(link.digest):
        return f"link {link.seq} (row {link.pk}) or one of its lines was altered"
    return ""


def _loose_line(tenant_id: UUID, last: int) -> str:
    """A line after the last link that belongs to none; asked in one statement, so that new ones are seen with theirs."""
    link = ChainLink.objects.filter(tenant_id=OuterRef("tenant_id"), seq=OuterRef("seq"))
    later = AuditEvent.objects.filter(~Exists(link), tenant_id=tenant_id, seq__gt=last)
    event = later.order_by("seq", "position").first()
    return f"{_name(event)} was inserted: it belongs to no link" if event is not None else ""


def _name(event: AuditEvent) -> str:
    what = f"{event.category} {event.operation} {event.object_name}"
    return f"line {event.seq}.{event.position} (row {event.pk}, {event.at.isoformat()}, {what})"
