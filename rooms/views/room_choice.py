"""Choosing the rooms of a scope: the same part of a page for *Add partner* and for *Scope > Edit*.

The page shows what may be chosen (rooms by search and filter, whole groups, all rooms) beside what is chosen. Every click
is a form of its own that answers with the changed scope; the caller keeps it (a draft, a session) until it is saved.
Only what the person sees can be chosen; ids of anything else are passed over, so an answer never tells that they exist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest
from rbac.paging import page
from rooms.lists import RoomFilter
from rooms.models import Room, RoomGroup, RoomGroupMember
from rooms.places import country_name
from rooms.scopes import Scope

BY_ROOMS, BY_GROUPS, BY_ALL = "rooms", "groups", "all"
WAYS = (BY_ROOMS, BY_GROUPS, BY_ALL)
ALSO = frozenset({"by", "chosen", "cursor"})
PAGE_SIZE = 20
LISTED_ONE_BY_ONE = 8  # so many chosen rooms are named in the summary; more are counted by place
MAX_ID = 2**63 - 1


def effective(scope: Scope) -> Scope:
    """What `scope` comes to: beside *all rooms* it may remember single ones, for whoever changes his mind."""
    return Scope(all_rooms=True) if scope.all_rooms else scope


@dataclass(frozen=True)
class Place:
    """Chosen rooms of one city, to be removed together."""

    key: str
    label: str
    count: int


class RoomChoice:
    """What is offered to the person of `request`, what `scope` holds of it, and what a click makes of it.

    Raises BadRequest for a parameter nobody knows.
    """

    def __init__(self, request: TenantRequest, scope: Scope) -> None:
        self.request, self.scope = request, scope
        self.way = request.GET.get("by", BY_ROOMS)
        if self.way not in WAYS or set(request.GET) - RoomFilter.NAMES - ALSO:
            raise BadRequest("no such way to choose rooms")
        self.only_chosen = request.GET.get("chosen") == "1"

    @cached_property
    def rooms(self) -> QuerySet[Room]:
        """The rooms that can be chosen."""
        own = Room.objects.filter(tenant=self.request.customer)
        return access.visible(self.request.person, Permission.ROOMS_VIEW, own, self._held)

    @cached_property
    def groups(self) -> QuerySet[RoomGroup]:
        """The groups that can be chosen whole."""
        own = RoomGroup.objects.filter(tenant=self.request.customer)
        # A partner gives whole groups only where he sees the whole group.
        return access.visible(self.request.person, Permission.GROUPS_VIEW, own, self._held, whole=self.is_partners)

    @property
    def is_partners(self) -> bool:
        """Whether somebody of a partner chooses: from what is delegated to it, for its own people."""
        return self.request.person.tenant_id != self.request.customer.pk

    @property
    def _held(self) -> access.Rights | None:
        """What the request has resolved already, for what is only shown."""
        return self.request.held if self.request.method in ("GET", "HEAD") else None

    @cached_property
    def filter(self) -> RoomFilter:
        """The filter of the list."""
        listed = self.rooms.filter(pk__in=self.scope.rooms) if self.only_chosen else self.rooms
        return RoomFilter(self.request.GET, rooms=listed, groups=self.groups, also=ALSO)

    @property
    def detour(self) -> str:
        """Where the list really is, if the filter asks for a city of another country (that was asked before); else ""."""
        if self.way != BY_ROOMS or self.scope.all_rooms or not self.filter.is_valid():
            return ""
        if not (conflicts := self.filter.conflicts):
            return ""
        return self.request.path + self.filter.query(**dict.fromkeys(conflicts))

    def changed(self, post: QueryDict) -> Scope:
        """The scope after the click; what was ticked is chosen whichever button was pressed."""
        scope = replace(self.scope, rooms=self.scope.rooms | self._known(self.rooms, post.getlist("pick")))
        if "add_matching" in post:
            return replace(scope, rooms=scope.rooms | set(self.filter.rooms.values_list("pk", flat=True)))
        if "add_group" in post:
            return replace(scope, groups=scope.groups | self._known(self.groups, post.getlist("add_group")))
        if "all_rooms" in post:
            return replace(scope, all_rooms=True)
        return self._without(scope, post)

    def _without(self, scope: Scope, post: QueryDict) -> Scope:
        if "single_rooms" in post:
            return replace(scope, all_rooms=False)
        if "remove_room" in post:
            return replace(scope, rooms=scope.rooms - ids(post.getlist("remove_room")))
        if "remove_group" in post:
            return replace(scope, groups=scope.groups - ids(post.getlist("remove_group")))
        if "remove_place" in post:
            country, _sign, city = post["remove_place"].replace("\x00", "").partition("|")
            gone = self.rooms.filter(pk__in=scope.rooms, country=country, city=city)
            return replace(scope, rooms=scope.rooms - set(gone.values_list("pk", flat=True)))
        if "remove_all" in post:
            return Scope()
        return scope

    @staticmethod
    def _known(offered: QuerySet[Any], values: Iterable[str]) -> frozenset[int]:
        wanted = ids(values)
        return frozenset(offered.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else frozenset()

    def known(self, scope: Scope) -> Scope:
        """What of `scope` can still be chosen: rooms and groups may have gone since."""
        return replace(
            scope,
            rooms=frozenset(self.rooms.filter(pk__in=scope.rooms).values_list("pk", flat=True)),
            groups=frozenset(self.groups.filter(pk__in=scope.groups).values_list("pk", flat=True)),
        )

    def context(self) -> dict[str, Any]:
        """What the template rooms/roles/room_choice.html shows."""
        shown: dict[str, Any] = {"choice": self, "way": self.way, "tabs": self._tabs(), "chosen": self.summary()}
        if self.way == BY_ALL:
            return shown | {"room_total": self.rooms.count()}
        return shown | (self._group_page() if self.way == BY_GROUPS else self._room_page())

    def _tabs(self) -> list[dict[str, Any]]:
        labels = {BY_ROOMS: _("Single rooms"), BY_GROUPS: _("Room groups"), BY_ALL: _("All rooms")}
        return [{"label": labels[way], "url": f"?by={way}", "current": way == self.way} for way in WAYS]

    def _room_page(self) -> dict[str, Any]:
        found = page(self.filter.rooms, order=self.filter.order, cursor=self.filter.cursor, size=PAGE_SIZE)
        total = self.filter.rooms.count()
        names = self._chosen_groups_of(found.items)
        rows = [
            {"room": room, "is_chosen": room.pk in self.scope.rooms, "groups": names.get(room.pk, [])}
            for room in found.items
        ]
        return {
            "filter": self.filter,
            "rows": rows,
            "total": total,
            "directions": self._directions(),
            "pager": self._pager(found, ngettext("%(n)d room", "%(n)d rooms", total) % {"n": total}),
            "chosen_url": "?chosen=1",
        }

    def _directions(self) -> dict[str, dict[str, str]]:
        """As the filter's own, without losing that only chosen rooms are listed."""
        kept = "&chosen=1" if self.only_chosen else ""
        return {name: {**one, "url": one["url"] + kept} for name, one in self.filter.directions().items()}

    def _pager(self, found: Any, text: str) -> dict[str, Any]:
        def url(cursor: str | None) -> str:
            extra = {"cursor": cursor, "chosen": "1" if self.only_chosen else None}
            return self.filter.query(**extra) if cursor else ""

        return {"previous_url": url(found.previous), "next_url": url(found.next), "shown_text": text}

    def _group_page(self) -> dict[str, Any]:
        counted = self.groups.annotate(room_total=Count("memberships"))
        found = page(counted, order=("name", "id"), cursor=self.request.GET.get("cursor"), size=PAGE_SIZE)
        rows = [{"group": group, "is_chosen": group.pk in self.scope.groups} for group in found.items]
        links = {
            f"{side}_url": f"?by={BY_GROUPS}&cursor={cursor}" if cursor else ""
            for side, cursor in (("previous", found.previous), ("next", found.next))
        }
        text = ngettext("%(n)d room group on this page", "%(n)d room groups on this page", len(rows)) % {"n": len(rows)}
        return {"rows": rows, "pager": {**links, "shown_text": text}}

    def _chosen_groups_of(self, rooms: Iterable[Room]) -> Mapping[int, list[str]]:
        """For each of `rooms` the chosen groups that bring it in."""
        names: dict[int, list[str]] = {}
        if self.scope.groups:
            ties = RoomGroupMember.objects.filter(
                room__in=[room.pk for room in rooms], room_group__in=self.scope.groups
            )
            for room_id, name in ties.order_by("room_group__name").values_list("room_id", "room_group__name"):
                names.setdefault(room_id, []).append(name)
        return names

    def summary(self) -> dict[str, Any]:
        """What is chosen: how many rooms today, which groups, which places (or rooms, while they are few)."""
        if self.scope.all_rooms:
            return {"all_rooms": True, "total": self.rooms.count(), "is_empty": False}
        return {
            "total": self.scope.of_tenant(self.request.customer).values("pk").count(),
            "is_empty": self.scope.is_empty,
            "groups": list(
                self.groups.filter(pk__in=self.scope.groups).annotate(room_total=Count("memberships")).order_by("name")
            ),
            **self._chosen_rooms(),
        }

    def _chosen_rooms(self) -> dict[str, Any]:
        own = self.rooms.filter(pk__in=self.scope.rooms)
        if len(self.scope.rooms) <= LISTED_ONE_BY_ONE:
            return {"rooms": list(own.order_by("display_name", "pk"))}
        counted = own.order_by().values_list("country", "city").annotate(count=Count("pk"))
        places = [
            Place(f"{country}|{city}", ", ".join(filter(None, [city, country_name(country)])) or _("No place"), count)
            for country, city, count in counted
        ]
        return {"places": sorted(places, key=lambda place: (-place.count, place.label.casefold()))}


def ids(values: Iterable[str]) -> frozenset[int]:
    """The row ids among `values`; anything else is passed over."""
    numbers = {int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 20}
    return frozenset(number for number in numbers if number <= MAX_ID)
