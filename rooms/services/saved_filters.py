"""The filters of the room list that a person keeps. They name, they grant nothing: who opens one sees what he may see.

Personal papers, like a draft: no line in the log.
"""

from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rbac.models import Tenant, User
from rooms.errors import FilterNameTaken, TooManyFilters
from rooms.lists import RoomFilter
from rooms.models import SavedFilter
from rooms.values import is_readable

MOST = 30
LONGEST_NAME = 60


def own(tenant: Tenant, person: User) -> QuerySet[SavedFilter]:
    """The filters that `person` keeps for `tenant`, by name; nobody else sees them."""
    return SavedFilter.objects.filter(tenant=tenant, person=person).order_by("name", "pk")


def save(tenant: Tenant, name: str, query: str, *, by: User, is_default: bool = False) -> SavedFilter:
    """`query` (the list's own parameters) is kept as `name`.

    Raises FilterNameTaken, TooManyFilters, ValidationError for a name or a query that is none.
    """
    name, query = _name(name), canonical(query)
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)  # two at once are counted one after the other
        if own(tenant, by).count() >= MOST:
            raise TooManyFilters
        made = SavedFilter(tenant=tenant, person=by, name=name, query=query)
        _store(made)
        if is_default:
            open_with(made)
    return made


def rename(found: SavedFilter, name: str) -> None:
    """`found` is called `name`. Raises FilterNameTaken, ValidationError."""
    found.name = _name(name)
    _store(found)


def open_with(found: SavedFilter, *, is_default: bool = True) -> None:
    """The list opens with `found`, and with no other; or with none."""
    with transaction.atomic():
        own_ones = SavedFilter.objects.filter(tenant=found.tenant_id, person=found.person_id)
        list(own_ones.order_by("pk").select_for_update().values_list("pk"))
        own_ones.filter(is_default=True).update(is_default=False)
        if is_default:
            own_ones.filter(pk=found.pk).update(is_default=True)
    found.is_default = is_default


def delete(found: SavedFilter) -> None:
    """`found` is gone."""
    found.delete()


def canonical(query: str) -> str:
    """`query` in its one form, only with what rooms can be filtered by. Raises ValidationError."""
    pairs = parse_qsl(query.removeprefix("?"), max_num_fields=30)
    kept = {name: value for name, value in pairs if value and name != "cursor"}
    if set(kept) - RoomFilter.NAMES or not kept or not all(map(is_readable, kept.values())):
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
