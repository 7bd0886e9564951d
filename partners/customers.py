"""The customers a person works for, as pages and API show them: numbers by few queries, whatever their count.

A customer is on the list while the delegation lives and the person holds something in it. A suspended one stays there, so
that it says why nothing opens; an ended one is gone.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from audit.clock import Now
from partners.models import Invitation
from rbac import access
from rbac.access import Rights
from rbac.catalogue import Permission
from rbac.models import Assignment, Delegation, DelegationState, TenantStatus, User
from rbac.partner_access import Condition
from rooms.models import Room, Ticket, TicketState

LIVE = (DelegationState.ACTIVE, DelegationState.SUSPENDED)
ORDER = ("tenant__name", "id")


def held_by(person: User) -> QuerySet[Delegation]:
    """The live delegations in which `person` is in an assignment of these days; suspended ones are among them."""
    if person.tenant_id is None or not person.is_home_member or not person.is_active:
        return Delegation.objects.none()
    found = Delegation.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=Now()),
        Exists(assignments_of(person).filter(role__delegation=OuterRef("pk"))),
        held_by=person.tenant_id,
        state__in=LIVE,
    ).exclude(Q(tenant__status=TenantStatus.CLOSED) | Q(held_by__status=TenantStatus.CLOSED))
    limits = getattr(person, "limits", None)
    return found if limits is None else found.filter(pk=limits.delegation_id)


def assignments_of(person: User) -> QuerySet[Assignment]:
    """The assignments valid now that `person` is in, directly or by a group."""
    by_group = Q(group_memberships__group__memberships__user=person)
    mine = Assignment.objects.filter(Q(memberships__user=person) | by_group).values("pk")
    return Assignment.objects.valid().filter(pk__in=mine)


@dataclass(frozen=True)
class Row:
    """A customer in the list; None stands for what one does not see there."""

    delegation: Delegation
    rooms: int | None
    tickets: int | None
    # When the person's access ends by itself.
    until: datetime | None
    # What the customer asks for that the person has not shown: nothing opens until he has.
    missing: frozenset[Condition] = frozenset()


def rows_of(
    person: User,
    delegations: Sequence[Delegation],
    held: Rights,
    withheld: Mapping[UUID, frozenset[Condition]] = MappingProxyType({}),
) -> list[Row]:
    """What the list says of each of `delegations`; `withheld` says what tenants (ids) ask for that the person has not
    shown. Three queries for all of them."""
    active = {one.tenant_id for one in delegations if one.state == DelegationState.ACTIVE}
    seeing = {
        permission: {tenant for tenant in active if access.holds(held, permission, tenant)}
        for permission in (Permission.ROOMS_VIEW, Permission.TICKETS_VIEW)
    }
    rooms = _counts(person, Permission.ROOMS_VIEW, Room.objects.all(), seeing[Permission.ROOMS_VIEW], held)
    opened = Ticket.objects.exclude(state=TicketState.CLOSED)
    tickets = _counts(person, Permission.TICKETS_VIEW, opened, seeing[Permission.TICKETS_VIEW], held)
    ends = ends_of(person, delegations)
    return [
        Row(
            one,
            rooms.get(one.tenant_id),
            tickets.get(one.tenant_id),
            ends.get(one.pk),
            withheld.get(one.tenant_id, frozenset()),
        )
        for one in delegations
    ]


def _counts(
    person: User, permission: Permission, objects: QuerySet[Any], tenants: Collection[UUID], held: Rights
) -> dict[UUID, int]:
    """How many of `objects` the person sees in each of `tenants`."""
    seen = access.visible(person, permission, objects.filter(tenant__in=tenants), held)
    found = dict(seen.order_by().values_list("tenant").annotate(number=Count("pk", distinct=True)))
    return {tenant: found.get(tenant, 0) for tenant in tenants}


def ends_of(person: User, delegations: Collection[Delegation]) -> dict[UUID, datetime | None]:
    """When the person's access to each of `delegations` (by id) ends by itself: with the last of the assignments he is in,
    at the latest with the relationship. None where no end is set."""
    mine: dict[UUID, list[datetime | None]] = defaultdict(list)
    found = assignments_of(person).filter(role__delegation__in=[one.pk for one in delegations])
    for delegation_id, end in found.values_list("role__delegation", "valid_until"):
        mine[delegation_id].append(end)
    return {one.pk: _end(one.valid_until, mine[one.pk]) for one in delegations}


def _end(limit: datetime | None, ends: Sequence[datetime | None]) -> datetime | None:
    lasting = [one for one in ends if one is not None]
    own = max(lasting) if lasting and len(lasting) == len(ends) else None
    return min((one for one in (limit, own) if one is not None), default=None)


def open_count(user: User) -> Combinable:
    """How many invitations `user` can answer at this second, as part of another statement."""
    waiting = Invitation.objects.open_to(user)
    return Coalesce(
        Subquery(
            waiting.annotate(number=Func(F("pk"), function="COUNT", output_field=IntegerField())).values("number")
        ),
        0,
    )


class CustomerFilter(forms.Form):
    """The bound form of the list. Raises BadRequest for parameters that do not exist."""

    q = forms.CharField(label=_("Search customers"), max_length=100, required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), *((one.value, one.label) for one in LIVE)],
    )

    def __init__(self, data: Mapping[str, Any], *, customers: QuerySet[Delegation]) -> None:
        super().__init__(data, use_required_attribute=False)
        self._customers = customers
        if set(data) - {"q", "state", "cursor"}:
            raise BadRequest("unknown parameter")

    @property
    def is_narrowed(self) -> bool:
        return bool(self.data.get("q") or self.data.get("state") or self.data.get("cursor"))

    @cached_property
    def customers(self) -> QuerySet[Delegation]:
        """Those that fit, with `read_at`, now; nothing fits an invalid filter."""
        if not self.is_valid():
            return self._customers.none()
        found = self._customers.select_related("tenant", "relationship").annotate(read_at=Now())
        if self.cleaned_data["state"]:
            found = found.filter(state=self.cleaned_data["state"])
        for word in self.cleaned_data["q"].split()[:8]:
            found = found.filter(tenant__name__icontains=word)
        return found

    def query(self, cursor: str) -> str:
        """The filter as an address's query, at another place of the list."""
        values = {"q": self.data.get("q"), "state": self.data.get("state"), "cursor": cursor}
        return "?" + urlencode({name: value for name, value in values.items() if value})


def admins_of(delegation: Delegation) -> QuerySet[User]:
    """The partner's people who are primary admins, directly or by a group; deactivated ones too."""
    base = Assignment.objects.filter(role__delegation=delegation, key="invited_admins")
    by_group = Q(group_memberships__group__memberships_in_assignments__assignment__in=base)
    ids = User.objects.filter(Q(memberships__assignment__in=base) | by_group).values("pk")
    return User.objects.filter(pk__in=ids).order_by("display_name", "upn")


def roles_of(delegation: Delegation) -> QuerySet[Assignment]:
    """The partner's assignments for this customer, those of built-in roles first."""
    own = Assignment.objects.filter(role__delegation=delegation).select_related("role", "role__delegation")
    return own.order_by(F("role__key").desc(), "role__name", "name", "pk")
