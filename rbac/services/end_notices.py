"""Who is told before an end, once for each end and threshold; of relationships and of assignments alike.

Of several thresholds that have passed only the nearest counts: whoever learns late that five days are left needs no mail
about thirty. So an end that is set five days ahead is told of at once.
"""

from datetime import timedelta
from typing import TypeVar

from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When

from audit.clock import Now
from rbac.end_notice import EndNotice
from rbac.models import Assignment, Delegation

DAYS = (1, 7, 30)  # product contract §3

T = TypeVar("T", Delegation, Assignment)


def due(things: QuerySet[T]) -> QuerySet[T]:
    """Those of `things` that end within one of DAYS, if that has not been told yet; with `notice_days`, the threshold."""
    passed = [When(valid_until__lte=Now() + timedelta(days=days), then=Value(days)) for days in DAYS]
    ending = things.filter(valid_until__gt=Now(), valid_until__lte=Now() + timedelta(days=DAYS[-1]))
    told = EndNotice.objects.filter(
        **{_field(things.model): OuterRef("pk")}, ends_at=OuterRef("valid_until"), days__lte=OuterRef("notice_days")
    )
    return ending.annotate(notice_days=Case(*passed, output_field=IntegerField())).filter(~Exists(told))


def note(thing: Delegation | Assignment) -> int:
    """The threshold of which `thing`, found by `due` and held, is told now, and never again; 0 if it has been told."""
    until, days = thing.valid_until, thing.notice_days  # type: ignore[union-attr]
    assert until is not None
    of = {_field(type(thing)): thing}
    _, is_new = EndNotice.objects.get_or_create(**of, ends_at=until, days=days, defaults={"told_at": Now()})
    return days if is_new else 0


def _field(model: type[Delegation | Assignment]) -> str:
    return model._meta.model_name or ""
