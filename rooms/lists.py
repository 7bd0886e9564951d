"""How rooms are searched, filtered and sorted: the same closed list of parameters for pages, wizard, export and API.

    rooms = access.visible(person, Permission.ROOMS_VIEW, Room.objects.filter(tenant=customer), held)
    groups = access.visible(person, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=customer), held)
    chosen = RoomFilter(request.GET, rooms=rooms, groups=groups, also={"cursor"})
    if chosen.is_valid():
        found = page(chosen.rooms, order=chosen.order, cursor=chosen.cursor)

Choices are made from `rooms` and `groups` alone, so a select box never names what its reader may not see; a value that
is not among them is an error like any other, whether it exists elsewhere or not.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rooms.models import Health, Room, RoomGroup, RoomGroupMember, RoomState, in_state
from rooms.places import country_name

SEARCHED = ("display_name", "resource_account", "city", "building")
MAX_WORDS = 8
PLACES = ("country", "region", "city", "building")

# The value of `sort` -> the keyset; “-” in front of the value turns it round.
ORDERS: dict[str, tuple[str, ...]] = {
    "name": ("display_name", "id"),
    "city": ("city", "display_name", "id"),
    "building": ("building", "display_name", "id"),
    "state": ("state", "display_name", "id"),
    "health": ("health", "display_name", "id"),
}
SORTS = tuple(sign + name for name in ORDERS for sign in ("", "-"))


class RoomFilter(forms.Form):
    """The bound form of a room list. Unknown parameters and values are errors (a 400 for the API), never a 5xx."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    region = forms.ChoiceField(label=gettext_lazy("State or province"), required=False)
    city = forms.ChoiceField(label=gettext_lazy("City"), required=False)
    building = forms.ChoiceField(label=gettext_lazy("Building"), required=False)
    group = forms.ChoiceField(label=gettext_lazy("Room group"), required=False)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    health = forms.ChoiceField(label=gettext_lazy("Health"), required=False)
    sort = forms.ChoiceField(required=False, widget=forms.HiddenInput, choices=[(one, one) for one in SORTS])

    NAMES: ClassVar[frozenset[str]] = frozenset({"q", *PLACES, "group", "state", "health", "sort"})
    ORDERS: ClassVar[Mapping[str, tuple[str, ...]]] = ORDERS

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        rooms: QuerySet[Room],
        groups: QuerySet[RoomGroup],
        also: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """`rooms` and `groups` are what the reader may see; `also` names further parameters of the page."""
        super().__init__(data, use_required_attribute=False, **kwargs)
        self._rooms, self._groups, self._also = rooms, groups, frozenset(also)
        # Choices are callables: whoever asks for nothing and draws no form pays no query.
        for name in PLACES:
            self._offer(name, partial(self._values_of, name))
        self._offer("group", self._group_choices)
        self._offer("state", lambda: RoomState.choices)
        self._offer("health", lambda: Health.choices)

    @cached_property
    def rooms(self) -> QuerySet[Room]:
        """The rooms that fit, unsorted. Nothing fits an invalid filter."""
        if not self.is_valid():
            return self._rooms.none()
        found = self._rooms.filter(**{name: self.cleaned_data[name] for name in self._equal})
        if state := self.cleaned_data["state"]:
            found = found.filter(in_state(RoomState(state)))
        for word in self.cleaned_data["q"].split():
            found = found.filter(_contains(word))
        if group := self.cleaned_data.get("group"):
            # The room's own key, not a join: a room counts once however many groups it is in.
            members = RoomGroupMember.objects.filter(room_group=int(group))
            found = found.filter(pk__in=members.values("room"))
        return found

    @property
    def order(self) -> tuple[str, ...]:
        """The keyset the list is sorted by."""
        chosen = self.sorting
        keys = self.ORDERS[chosen.removeprefix("-")]
        return tuple(f"-{key}" for key in keys) if chosen.startswith("-") else keys

    @property
    def sorting(self) -> str:
        """The value of `sort` in force; by name if nothing (or nonsense) was asked."""
        asked = self.data.get("sort")
        return asked if asked and asked.removeprefix("-") in self.ORDERS else "name"

    @property
    def cursor(self) -> str | None:
        """The place in the list, where the page takes a cursor."""
        return self.data.get("cursor") or None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the sort was asked: an empty list then is no empty inventory."""
        return any(self.data.get(name) for name in self.NAMES - {"sort"})

    def query(self, **changes: str | None) -> str:
        """The filter as an address's query (`?…` or nothing), with `changes`; a change to None leaves it out."""
        values = {name: self.data.get(name) for name in self.fields} | changes
        kept = {name: value for name, value in values.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"

    def directions(self) -> dict[str, dict[str, str]]:
        """For each sortable column: the address that sorts by it, or turns it round, and how it is sorted now."""
        answer = {}
        for name in self.ORDERS:
            direction = "asc" if self.sorting == name else "desc" if self.sorting == f"-{name}" else ""
            answer[name] = {"url": self.query(sort=f"-{name}" if direction == "asc" else name), "direction": direction}
        return answer

    def clean_q(self) -> str:
        words = self.cleaned_data["q"].split()
        if len(words) > MAX_WORDS:
            raise ValidationError(
                _("Search for at most %(count)s words.") % {"count": MAX_WORDS}, code="too_many_words"
            )
        return " ".join(words)

    def clean(self) -> dict[str, Any]:
        unknown = sorted(set(self.data) - self.NAMES - self._also)
        if unknown:
            raise ValidationError(
                _("“%(name)s” is not something rooms can be filtered by."),
                code="unknown_parameter",
                params={"name": unknown[0][:60]},
            )
        return self.cleaned_data

    @property
    def _equal(self) -> list[str]:
        return [name for name in (*PLACES, "health") if self.cleaned_data[name]]

    @cached_property
    def _where(self) -> list[tuple[str, str, str, str]]:
        """The places of all visible rooms, each once."""
        return list(self._rooms.order_by().values_list(*PLACES).distinct())

    @cached_property
    def _group_names(self) -> list[tuple[int, str]]:
        return list(self._groups.order_by("name", "pk").values_list("pk", "name"))

    @property
    def offers(self) -> dict[str, bool]:
        """For each choice whether there is anything to choose, or anything chosen."""
        values = {name: {place[depth] for place in self._where} - {""} for depth, name in enumerate(PLACES)}
        offered = {name: len(found) > 1 for name, found in values.items()} | {"group": bool(self._group_names)}
        return {name: is_offered or bool(self.data.get(name)) for name, is_offered in offered.items()}

    @property
    def conflicts(self) -> list[str]:
        """The places that exist, but not in the wider one that was asked too: a city of another country."""
        asked = [(name, self.data.get(name)) for name in PLACES]
        return [name for name, value in asked if value and value not in self._within(name)]

    def _within(self, name: str) -> set[str]:
        """The values of a place, given the wider ones."""
        depth = PLACES.index(name)
        wanted = [self.data.get(wider) for wider in PLACES[:depth]]
        return {
            place[depth]
            for place in self._where
            if place[depth] and all(not want or want == have for want, have in zip(wanted, place, strict=False))
        }

    def _values_of(self, name: str) -> list[tuple[str, str]]:
        """What can be chosen for a place: what there is in the wider ones, and what was asked if it exists at all."""
        depth, asked = PLACES.index(name), self.data.get(name)
        found = self._within(name) | ({place[depth] for place in self._where} & {asked} - {""})
        labels = [(value, country_name(value) if name == "country" else value) for value in found]
        return sorted(labels, key=lambda pair: pair[1].casefold())

    def _group_choices(self) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in self._group_names]

    def _offer(self, name: str, choices: Callable[[], Iterable[tuple[str, Any]]]) -> None:
        self.fields[name].choices = lambda: [("", _("All")), *choices()]  # type: ignore[attr-defined]
        self.fields[name].error_messages["invalid_choice"] = _("There is no such choice here (any more).")


def _contains(word: str) -> Q:
    return Q.create([(f"{name}__icontains", word) for name in SEARCHED], connector=Q.OR)
