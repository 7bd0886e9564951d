"""Keyset paging: any page of any list at the same price, and no row twice or lost while others add and remove.

The place in the list is the sort key of a row, compared as one row value (`(name, id) > (…, …)`), which the index
serves at any depth; never OFFSET, never COUNT. A cursor is that key: it says where, never what one may see.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db.models import F, Field, IntegerField, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.timezone import is_naive

MAX_SIZE = 200  # rows; security: no request answers more
MAX_CURSOR = 2_000  # characters

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list: its rows, and the cursors of the pages after and before it (None: there is none)."""

    items: list[T] = field(default_factory=list)
    next: str | None = None
    previous: str | None = None


@dataclass(frozen=True)
class _Order:
    """The sort of a list: field names, all in one direction; the last one is unique."""

    names: tuple[str, ...]
    is_descending: bool

    @classmethod
    def of(cls, order: Sequence[str]) -> "_Order":
        descending = {name.startswith("-") for name in order}
        if len(descending) != 1:
            raise ValueError("a keyset runs in one direction: put “-” in front of all fields or of none")
        return cls(tuple(name.removeprefix("-") for name in order), descending.pop())

    def apply(self, parts: Sequence[QuerySet[Any]], *, backwards: bool) -> QuerySet[Any]:
        sign = "-" if self.is_descending != backwards else ""
        first, *others = parts
        whole = first.union(*others, all=True) if others else first
        return whole.order_by(*(f"{sign}{name}" for name in self.names))

    def beyond(self, queryset: QuerySet[Any], key: Sequence[Any], *, backwards: bool) -> QuerySet[Any]:
        lookup = TupleLessThan if self.is_descending != backwards else TupleGreaterThan
        return queryset.filter(lookup(Tuple(*map(F, self.names)), tuple(key)))

    def key_of(self, row: Any) -> list[Any]:
        return [_value(row, name) for name in self.names]


def page(
    queryset: QuerySet[Any] | Sequence[QuerySet[Any]],
    *,
    order: Sequence[str] = ("display_name", "id"),
    cursor: str | None = None,
    size: int = 50,
) -> Page[Any]:
    """The page of `queryset` at `cursor` (None: the first), sorted by `order`, of at most `size` rows; one query.

    Several querysets of `values()` with the same columns are one list, in which a row's key tells it from all others.

    `order` has “-” in front of all fields or of none, its last field is unique, none of them is ever NULL; rows may be
    instances or `values()`. Where everything beyond the cursor is gone meanwhile, the nearest page that exists is
    answered (a second query). Raises BadRequest for a cursor that cannot be read or belongs to another sort.
    """
    size = max(1, min(size, MAX_SIZE))
    sort = _Order.of(order)
    parts = [queryset] if isinstance(queryset, QuerySet) else list(queryset)
    if cursor is None:
        return _first(parts, sort, size)
    backwards, key = _read(cursor, sort, parts[0])
    beyond = [sort.beyond(one, key, backwards=backwards) for one in parts]
    found = list(sort.apply(beyond, backwards=backwards)[: size + 1])
    if backwards:
        return _before(found, sort, size) if len(found) >= size else _first(parts, sort, size)
    return _after(found, sort, size) if found else _last(parts, sort, size)


def _first(parts: Sequence[QuerySet[Any]], sort: _Order, size: int) -> Page[Any]:
    found = list(sort.apply(parts, backwards=False)[: size + 1])
    return Page(found[:size], next=_write(sort, found[size - 1], backwards=False) if len(found) > size else None)


def _after(found: list[Any], sort: _Order, size: int) -> Page[Any]:
    is_more = len(found) > size
    items = found[:size]
    following = _write(sort, items[-1], backwards=False) if is_more else None
    return Page(items, following, _write(sort, items[0], backwards=True))


def _before(found: list[Any], sort: _Order, size: int) -> Page[Any]:
    is_more = len(found) > size
    items = found[:size][::-1]
    previous = _write(sort, items[0], backwards=True) if is_more else None
    return Page(items, _write(sort, items[-1], backwards=False), previous)


def _last(parts: Sequence[QuerySet[Any]], sort: _Order, size: int) -> Page[Any]:
    found = list(sort.apply(parts, backwards=True)[: size + 1])
    items = found[:size][::-1]
    return Page(items, previous=_write(sort, items[0], backwards=True) if len(found) > size else None)


def _write(sort: _Order, row: Any, *, backwards: bool) -> str:
    content = ["b" if backwards else "a", _name(sort), *map(_plain, sort.key_of(row))]
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, sort: _Order, queryset: QuerySet[Any]) -> tuple[bool, list[Any]]:
    """Direction and key. Raises BadRequest."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError("too long")
        content = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        direction, name, *key = content
        if direction not in ("a", "b") or name != _name(sort) or len(key) != len(sort.names):
            raise ValueError("of another list")
        return direction == "b", [_typed(queryset, *pair) for pair in zip(sort.names, key, strict=True)]
    except (ValueError, TypeError, RecursionError, binascii.Error, ValidationError, OverflowError) as error:
        raise BadRequest("The cursor cannot be read.") from error


def _name(sort: _Order) -> str:
    return ("-" if sort.is_descending else "") + ",".join(sort.names)


def _value(row: Any, name: str) -> Any:
    if isinstance(row, dict):
        return row[name]
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def _plain(value: Any) -> Any:
    """`value` as JSON, nothing rounded."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value


def _typed(queryset: QuerySet[Any], name: str, value: Any) -> Any:
    """`value` as the field holds it. Raises ValueError, TypeError or ValidationError for what it never holds."""
    if not isinstance(value, str | int) or (isinstance(value, str) and not _is_storable(value)):
        raise ValueError("no value of a key")
    column = _field(queryset, name)
    typed = column.to_python(value)
    if isinstance(column, IntegerField):
        column.run_validators(typed)
    if isinstance(typed, datetime) and is_naive(typed):
        raise ValueError("no time zone")
    return typed


def _is_storable(text: str) -> bool:
    text.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    return "\x00" not in text


def _field(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    if name in queryset.query.annotations:
        return queryset.query.annotations[name].output_field
    options = queryset.model._meta
    *relations, last = name.split("__")
    for relation in relations:
        related = options.get_field(relation).related_model
        if related is None or isinstance(related, str):
            raise FieldDoesNotExist(name)
        options = related._meta
    return options.pk if last == "pk" else options.get_field(last)  # type: ignore[return-value]
