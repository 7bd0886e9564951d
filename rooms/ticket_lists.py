"""How tickets are searched, filtered and sorted: the same closed list of parameters for page, export and API.

    chosen = TicketFilter(request.GET, reader=person, customers=[customer], held=held, also={"cursor"})
    if chosen.is_valid():
        found = page(chosen.tickets.values(*LISTED), order=chosen.order, cursor=chosen.cursor)

Without `state` the list shows what is open. A room that the reader does not see is no choice, whether it exists or not.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rbac.access import Rights, visible
from rbac.catalogue import Permission
from rbac.letters import zone_of
from rbac.models import Tenant, User
from rooms.lists import MAX_WORDS
from rooms.models import Room, Severity, SignalCategory, Ticket, TicketKind, TicketRoom, TicketState

OPEN, ALL = "open", "all"
ME, NOBODY = "me", "nobody"
MAX_ID = 2**63 - 1

# The value of `sort` -> the keyset; “-” in front of the value turns it round.
ORDERS: dict[str, tuple[str, ...]] = {
    "opened": ("opened_at", "id"),
    "activity": ("touched_at", "id"),
    "severity": ("rank", "id"),
}
SORTS = tuple(sign + name for name in ORDERS for sign in ("", "-"))
NEWEST_FIRST = "-opened"
LISTED = (
    "id",
    "title",
    "kind",
    "state",
    "severity",
    "is_high_impact",
    "signal_category",
    "opened_by",
    "opened_by_organisation",
    "assigned_upn",
    "opened_at",
    "touched_at",
    "closed_at",
    "version",
)
_RANK = Case(
    *(When(severity=severity, then=Value(rank)) for rank, severity in enumerate(Severity.values)),
    output_field=IntegerField(),
)


class TicketFilter(forms.Form):
    """The bound form of a ticket list. Unknown parameters and values are errors (a 400 for the API), never a 5xx."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("Open")),
            (OPEN, gettext_lazy("Open")),
            *TicketState.choices,
            (ALL, gettext_lazy("Open and closed")),
        ],
    )
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    category = forms.ChoiceField(label=gettext_lazy("Category"), required=False)
    room = forms.IntegerField(required=False, min_value=1, max_value=MAX_ID, widget=forms.HiddenInput)
    assigned = forms.ChoiceField(label=gettext_lazy("Assigned"), required=False)
    opened_from = forms.DateField(
        label=gettext_lazy("Opened from"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    opened_until = forms.DateField(
        label=gettext_lazy("Opened until"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    sort = forms.ChoiceField(required=False, widget=forms.HiddenInput, choices=[(one, one) for one in SORTS])

    ORDERS: ClassVar[Mapping[str, tuple[str, ...]]] = ORDERS
    NAMES: ClassVar[frozenset[str]] = frozenset(
        {"q", "state", "severity", "kind", "category", "room", "assigned", "opened_from", "opened_until", "sort"}
    )

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        reader: User,
        customers: Sequence[Tenant],
        held: Rights | None = None,
        also: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """The tickets are those of `customers`; `also` names further parameters of the page."""
        super().__init__(data, use_required_attribute=False, **kwargs)
        self._reader, self._customers, self._held, self._also = reader, customers, held, frozenset(also)
        self._offer("severity", Severity.choices)
        self._offer("kind", TicketKind.choices)
        self._offer("category", SignalCategory.choices)
        self._offer("assigned", [(ME, gettext_lazy("To me")), (NOBODY, gettext_lazy("To nobody"))])
        state = self.fields["state"]
        # Asked for by name or by default, it is one choice.
        state.widget.choices = [one for one in state.choices if one[0] != OPEN]  # type: ignore[attr-defined]

    @cached_property
    def tickets(self) -> QuerySet[Ticket]:
        """The tickets that fit, unsorted. Nothing fits an invalid filter."""
        own = Ticket.objects.filter(self._here).annotate(rank=_RANK)
        if not self.is_valid():
            return own.none()
        found = visible(self._reader, Permission.TICKETS_VIEW, own, self._held)
        for condition in self._conditions():
            found = found.filter(condition)
        return found

    @cached_property
    def rooms(self) -> QuerySet[Room]:
        """The rooms through which the reader sees tickets."""
        own = Room.objects.filter(self._here)
        return visible(self._reader, Permission.TICKETS_VIEW, own, self._held)

    @cached_property
    def chosen_room(self) -> Room | None:
        """The one room that is asked for."""
        wanted = self.cleaned_data.get("room") if self.is_bound and hasattr(self, "cleaned_data") else None
        return None if wanted is None else self.rooms.filter(pk=wanted).first()

    def rooms_of(self, tickets: Collection[int]) -> dict[int, list[str]]:
        """The names of the rooms of each of `tickets` (ids) that the reader sees; one query."""
        ties = TicketRoom.objects.filter(ticket__in=tickets, room__in=self.rooms)
        names: dict[int, list[str]] = {}
        for ticket, name in ties.order_by("room__display_name", "room").values_list("ticket", "room__display_name"):
            names.setdefault(ticket, []).append(name)
        return names

    @property
    def sorting(self) -> str:
        """The value of `sort` in force; the newest first if nothing (or nonsense) was asked."""
        asked = self.data.get("sort")
        return asked if asked and asked.removeprefix("-") in self.ORDERS else NEWEST_FIRST

    @property
    def order(self) -> tuple[str, ...]:
        """The keyset the list is sorted by."""
        keys = self.ORDERS[self.sorting.removeprefix("-")]
        return tuple(f"-{key}" for key in keys) if self.sorting.startswith("-") else keys

    @property
    def cursor(self) -> str | None:
        """The place in the list, where the page takes a cursor."""
        return self.data.get("cursor") or None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the sort was asked."""
        return any(self.data.get(name) for name in self.NAMES - {"sort"})

    @property
    def has_more(self) -> bool:
        """Whether one of the filters that few need is in use."""
        return any(self.data.get(name) for name in ("kind", "category", "opened_from", "opened_until"))

    def query(self, **changes: str | None) -> str:
        """The filter as an address's query, with `changes`; a change to None leaves it out."""
        values = {name: self.data.get(name) for name in self.fields} | changes
        kept = {name: value for name, value in values.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"

    def directions(self) -> dict[str, dict[str, str]]:
        """For each sortable column: the address that sorts by it, or turns it round, and how it is sorted now."""
        answer = {}
        for name in self.ORDERS:
            direction = "asc" if self.sorting == name else "desc" if self.sorting == f"-{name}" else ""
            first = name if name in ("severity", "customer") else f"-{name}"  # what one wants to see first
            other = f"-{name}" if self.sorting == name else name
            answer[name] = {"url": self.query(sort=other if direction else first), "direction": direction}
        return answer

    def clean_q(self) -> str:
        words = self.cleaned_data["q"].split()
        if len(words) > MAX_WORDS:
            message = _("Search for at most %(count)s words.") % {"count": MAX_WORDS}
            raise ValidationError(message, code="too_many_words")
        return " ".join(words)

    def clean_room(self) -> int | None:
        wanted: int | None = self.cleaned_data["room"]
        if wanted is not None and not self.rooms.filter(pk=wanted).exists():
            raise ValidationError(_("There is no such choice here (any more)."), code="invalid_choice")
        return wanted

    def clean(self) -> dict[str, Any]:
        unknown = sorted(set(self.data) - self.NAMES - self._also)
        if unknown:
            raise ValidationError(
                _("“%(name)s” is not something tickets can be filtered by."),
                code="unknown_parameter",
                params={"name": unknown[0][:60]},
            )
        return self.cleaned_data

    def _conditions(self) -> list[Q]:
        asked = self.cleaned_data
        found = [Q(**{name: asked[name]}) for name in ("severity", "kind") if asked[name]]
        state = asked["state"] or OPEN
        if state == OPEN:
            found.append(~Q(state=TicketState.CLOSED))
        elif state != ALL:
            found.append(Q(state=state))
        if asked["category"]:
            found.append(Q(signal_category=asked["category"]))
        if asked["room"] is not None:
            found.append(Q(pk__in=TicketRoom.objects.filter(room=asked["room"]).values("ticket")))
        if asked["assigned"]:
            found.append(Q(assigned_to=self._reader) if asked["assigned"] == ME else Q(assigned_upn=""))
        if asked["opened_from"]:
            found.append(self._since("opened_at__gte", asked["opened_from"]))
        if asked["opened_until"] and asked["opened_until"] < date.max:
            found.append(self._since("opened_at__lt", asked["opened_until"] + timedelta(days=1)))
        return found + [_contains(word) for word in asked["q"].split()]

    @property
    def _here(self) -> Q:
        """Of which tenants."""
        if len(self._customers) == 1:
            return Q(tenant=self._customers[0])
        return Q(tenant__in=[one.pk for one in self._customers])

    def _since(self, lookup: str, day: date) -> Q:
        """`lookup` against the beginning of `day`, in each customer's own time zone."""
        zones: dict[tzinfo, list[Any]] = {}
        for customer in self._customers:
            zones.setdefault(zone_of(customer), []).append(customer.pk)
        found = [(Q(**{lookup: _midnight(day, zone)}), ids) for zone, ids in zones.items()]
        if len(found) == 1:
            return found[0][0]
        return Q.create([condition & Q(tenant__in=ids) for condition, ids in found], connector=Q.OR)

    def _offer(self, name: str, choices: Any) -> None:
        self.fields[name].choices = [("", _("All")), *choices]  # type: ignore[attr-defined]
        self.fields[name].error_messages["invalid_choice"] = _("There is no such choice here (any more).")


def _midnight(day: date, zone: tzinfo) -> datetime:
    """When `day` begins there; days at the very ends of the calendar begin in UTC."""
    return datetime.combine(day, time.min, zone if 1 < day.year < date.max.year else zone_of(Tenant()))


def _contains(word: str) -> Q:
    """A number is a ticket's number as well; “#” in front of it says so."""
    number = word.removeprefix("#")
    found = Q(title__icontains=word)
    if number.isascii() and number.isdigit() and int(number[:20]) <= MAX_ID:
        found |= Q(pk=int(number[:20]))
    return found
