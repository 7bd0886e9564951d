"""Rooms and tickets over all customers one works for: the lists of one customer, with the customer to choose.

    chosen = AggregateTicketFilter(request.GET, reader=person, customers=request.customers, held=request.held)

What is found is what the customers' own lists would show together; a customer one does not work for is no choice,
whether it exists or not.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rbac import access
from rbac.access import Rights
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms import lists, ticket_lists
from rooms.lists import RoomFilter
from rooms.models import Room, RoomGroup
from rooms.places import country_name
from rooms.ticket_lists import TicketFilter

BY_CUSTOMER = ("tenant__name", "tenant_id")
ROOM_ORDERS = lists.ORDERS | {"customer": (*BY_CUSTOMER, "display_name", "id")}
TICKET_ORDERS = ticket_lists.ORDERS | {"customer": (*BY_CUSTOMER, "opened_at", "id")}


def sorts(orders: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The values of `sort` for `orders`."""
    return tuple(sign + name for name in orders for sign in ("", "-"))


class OfCustomers(forms.Form):
    """The part of a filter that chooses one of the customers."""

    customer = forms.ChoiceField(label=gettext_lazy("Customer"), required=False)

    def offer_customers(self, customers: Sequence[Tenant]) -> None:
        """`customers` can be chosen, no other."""
        field = self.fields["customer"]
        field.choices = [("", _("All")), *((str(one.pk), one.name) for one in customers)]  # type: ignore[attr-defined]
        field.error_messages["invalid_choice"] = _("There is no such choice here (any more).")


def chosen_of(data: Mapping[str, Any], customers: Sequence[Tenant]) -> tuple[Tenant, ...]:
    """Those of `customers` that are asked about: one, or all of them; none for what is no customer here."""
    asked = data.get("customer")
    return tuple(one for one in customers if str(one.pk) == asked) if asked else tuple(customers)


def held_in(held: Rights, customers: Collection[Tenant]) -> Rights:
    """Those of `held` that are in `customers`."""
    ids = {one.pk for one in customers}
    return tuple(one for one in held if one.tenant_id in ids)


class AggregateRoomFilter(OfCustomers, RoomFilter):
    """The bound form of the list of rooms over all customers. Groups are a customer's own, so there are none to choose."""

    ORDERS = ROOM_ORDERS
    NAMES = RoomFilter.NAMES - {"group"} | {"customer"}

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        reader: User,
        customers: Sequence[Tenant],
        held: Rights,
        permission: Permission = Permission.ROOMS_VIEW,
        also: Collection[str] = (),
    ) -> None:
        """The rooms on which `reader` holds `permission`; `also` names further parameters of the page."""
        self.customers = chosen_of(data, customers)
        everywhere = Room.objects.filter(tenant__in=[one.pk for one in customers])
        self._everywhere = access.visible(reader, permission, everywhere, held)
        here = Room.objects.filter(tenant__in=[one.pk for one in self.customers])
        seen = access.visible(reader, permission, here, held_in(held, self.customers))
        super().__init__(data, rooms=seen, groups=RoomGroup.objects.none(), also=also)
        del self.fields["group"]
        self.fields["sort"].choices = [(one, one) for one in sorts(self.ORDERS)]  # type: ignore[attr-defined]
        self.offer_customers(customers)

    @property
    def is_of_one(self) -> bool:
        """Whether a customer was chosen."""
        return bool(self.data.get("customer"))

    def _values_of(self, name: str) -> list[tuple[str, str]]:
        """As for one customer; what was asked counts if it exists for any of them, so that choosing one is no error."""
        found, asked = super()._values_of(name), self.data.get(name)
        if asked and asked not in dict(found) and self._everywhere.filter(**{name: asked}).exists():
            found.append((asked, country_name(asked) if name == "country" else asked))
        return found


class AggregateTicketFilter(OfCustomers, TicketFilter):
    """The bound form of the list of tickets over all customers."""

    ORDERS = TICKET_ORDERS
    NAMES = TicketFilter.NAMES | {"customer"}

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        reader: User,
        customers: Sequence[Tenant],
        held: Rights,
        also: Collection[str] = (),
    ) -> None:
        """`also` names further parameters of the page."""
        chosen = chosen_of(data, customers)
        super().__init__(data, reader=reader, customers=chosen, held=held_in(held, chosen), also=also)
        self.fields["sort"].choices = [(one, one) for one in sorts(self.ORDERS)]  # type: ignore[attr-defined]
        self.offer_customers(customers)

    @property
    def _here(self) -> Q:
        """Of several customers nothing need be said: the rights are those in them and in no other tenant."""
        return super()._here if len(self._customers) == 1 else Q()
