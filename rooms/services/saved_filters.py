"""The filters that a person keeps, of the room list and of the lists over all customers. They name, they grant nothing:
who opens one sees what he may see.

Personal papers, like a draft: no line in the log.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rbac.models import Tenant, User
from rooms.aggregate_lists import AggregateRoomFilter, AggregateTicketFilter
from rooms.errors import FilterNameTaken, TooManyFilters
from rooms.lists import RoomFilter
from rooms.models import FilterView, SavedFilter
from rooms.values import is_readable

_OVER_ALL = {
    FilterView.ROOMS: AggregateRoomFilter.NAMES,
    FilterView.TICKETS: AggregateTicketFilter.NAMES,
    FilterView.APPROVALS: frozenset({"tab", "event", "customer"}),
    FilterView.EXPIRING: frozenset({"kind", "customer", "within"}),
}
MOST = 30
LONGEST_NAME = 60


def own(tenant: Tenant | None, person: User, view: FilterView = FilterView.ROOMS) -> QuerySet[SavedFilter]:
    """The filters of `view` that `person` keeps for `tenant`, or for the list over all customers (None), by name; nobody
    else sees them."""
    return SavedFilter.objects.filter(tenant=tenant, view=view, person=person).order_by("name", "pk")


def save(
    tenant: Tenant | None,
    name: str,
    query: str,
    *,
    by: User,
    view: FilterView = FilterView.ROOMS,
    is_default: bool = False,
) -> SavedFilter:
    """`query` (the list's own parameters) is kept as `name`.

    Raises FilterNameTaken, TooManyFilters, ValidationError for a name or a query that is none.
    """
    name, query = _name(name), canonical(query, names_of(tenant, view))
    with transaction.atomic():
        _hold(tenant, by)
        if own(tenant, by, view).count() >= MOST:
            raise TooManyFilters
        made = SavedFilter(tenant=tenant, view=view, person=by, name=name, query=query)
        _store(made)
        if is_default:
            open_with(made)
    return made


def _hold(tenant: Tenant | None, person: User) -> None:
    """Two at once are counted one after the other."""
    rows: QuerySet[Any] = User.objects.filter(pk=person.pk) if tenant is None else Tenant.objects.filter(pk=tenant.pk)
    rows.select_for_update(no_key=True).get()


def names_of(tenant: Tenant | None, view: FilterView) -> frozenset[str]:
    """What the list can be filtered by."""
    return RoomFilter.NAMES if tenant is not None else _OVER_ALL[view]


def rename(found: SavedFilter, name: str) -> None:
    """`found` is called `name`. Raises FilterNameTaken, ValidationError."""
    found.name = _name(name)
    _store(found)


def open_with(found: SavedFilter, *, is_default: bool = True) -> None:
    """The list opens with `found`, and with no other; or with none."""
    with transaction.atomic():
        own_ones = SavedFilter.objects.filter(tenant=found.tenant_id, view=found.view, person=found.person_id)
        list(own_ones.order_by("pk").select_for_update().values_list("pk"))
        own_ones.filter(is_default=True).update(is_default=False)
        if is_default:
            own_ones.filter(pk=found.pk).update(is_default=True)
    found.is_default = is_default


def delete(found: SavedFilter) -> None:
    """`found` is gone."""
    found.delete()


def canonical(query: str, names: frozenset[str] = RoomFilter.NAMES) -> str:
    """`query` in its one form, only with `names`, what the list can be filtered by. Raises ValidationError."""
    pairs = parse_qsl(query.removeprefix("?"), max_num_fields=30)
    kept = {name: value for name, value in pairs if value and name != "cursor"}
    if set(kept) - names or not kept or not all(map(is_readable, kept.values())):
        raise ValidationError({"query": ValidationError(_("There is no filter to keep."), code="invalid")})
    text = urlencode(sorted(kept.items()))
    if len(text) > 1000:
        raise ValidationError({"query": ValidationError(_("This filter is too long."), code="invalid")})
    return text


def _name(name: str) -> str:
    fit = " ".join(name.split())
    if not fit or len(fit) > LONGEST_NAME or not is_readable(fit):
        text = _("Enter a name of at most %(limit)s characters.")
        raise ValidationError({"name": ValidationError(text, code="invalid", params={"limit": LONGEST_NAME})})
    return fit


def _store(found: SavedFilter) -> None:
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:
        raise FilterNameTaken from error
