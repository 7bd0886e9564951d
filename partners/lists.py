"""What the list of partners and a partner's page show: numbers by few queries, whatever their count."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from audit.clock import Now
from audit.models import OutboxMessage
from partners.models import Invitation, PartnerRelationship
from partners.parcels import INVITATION
from rbac.catalogue import BuiltIn
from rbac.models import Assignment, AssignmentKey, DelegationState

# How each state looks: kind of badge and icon.
BADGES: Mapping[str, tuple[str, str]] = {
    DelegationState.INVITED: ("info", "envelope"),
    DelegationState.ACTIVE: ("success", "check-circle-fill"),
    DelegationState.SUSPENDED: ("warning", "pause-circle-fill"),
    DelegationState.ENDED: ("neutral", "slash-circle"),
    DelegationState.LAPSED: ("neutral", "hourglass-split"),
}
ORDERS: Mapping[str, tuple[str, ...]] = {
    "name": ("label", "id"),
    "state": ("delegation__state", "label", "id"),
    "since": ("since", "label", "id"),
}
SORTS = tuple(sign + name for name in ORDERS for sign in ("", "-"))


class PartnerFilter(forms.Form):
    """The bound form of the list. Raises BadRequest for parameters and sorts that do not exist."""

    ALL = "all"

    q = forms.CharField(label=_("Search partners"), max_length=100, required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All but ended")), *DelegationState.choices, (ALL, _("All"))],
    )

    def __init__(self, data: Mapping[str, Any], *, partners: QuerySet[PartnerRelationship]) -> None:
        super().__init__(data, use_required_attribute=False)
        self._partners = partners
        self.sort = data.get("sort") or "name"
        if set(data) - {"q", "state", "sort", "cursor"} or self.sort not in SORTS:
            raise BadRequest("unknown parameter")

    @property
    def order(self) -> tuple[str, ...]:
        """The keyset the list is sorted by."""
        keys = ORDERS[self.sort.removeprefix("-")]
        return tuple(f"-{key}" for key in keys) if self.sort.startswith("-") else keys

    @property
    def is_narrowed(self) -> bool:
        return bool(self.data.get("q") or self.data.get("state"))

    @cached_property
    def partners(self) -> QuerySet[PartnerRelationship]:
        """Those that fit, with `since`: when the state began, and `read_at`, now. Nothing fits an invalid filter."""
        if not self.is_valid():
            return self._partners.none()
        found = self._partners.annotate(
            since=Coalesce("delegation__ended_at", "delegation__linked_at", "created_at"), read_at=Now()
        ).select_related("delegation__held_by")
        state, words = self.cleaned_data["state"], self.cleaned_data["q"].split()
        if not state:
            found = found.exclude(delegation__state=DelegationState.ENDED)
        elif state != self.ALL:
            found = found.filter(delegation__state=state)
        for word in words[:8]:
            found = found.filter(_contains(word))
        return found

    def query(self, **changes: str | None) -> str:
        """The filter as an address's query, with `changes`; None leaves one out."""
        values = {"q": self.data.get("q"), "state": self.data.get("state"), "sort": self.data.get("sort")} | changes
        return "?" + urlencode({name: value for name, value in values.items() if value})

    def directions(self) -> dict[str, dict[str, str]]:
        """For each sortable column: the address that sorts by it (the other way, if it does already) and the direction."""
        answer = {}
        for name in ORDERS:
            direction = "asc" if self.sort == name else "desc" if self.sort == f"-{name}" else ""
            answer[name] = {"url": self.query(sort=f"-{name}" if direction == "asc" else name), "direction": direction}
        return answer


def _contains(word: str) -> Q:
    named = Q(upn__icontains=word) | Q(domain__icontains=word)
    invited = Invitation.objects.filter(named, relationship=OuterRef("pk"))
    return Q(label__icontains=word) | Q(delegation__held_by__name__icontains=word) | Q(Exists(invited))


def bases_of(relationships: Iterable[PartnerRelationship]) -> dict[Any, Assignment]:
    """*Invited admins* of each relationship, by the delegation's id; ended ones have none any more."""
    found = Assignment.objects.select_related("role").filter(
        role__delegation__in=[one.delegation_id for one in relationships],
        role__key=BuiltIn.PARTNER_ADMIN,
        key=AssignmentKey.INVITED_ADMINS,
    )
    return {one.delegation_id: one for one in found.annotate(delegation_id=F("role__delegation"))}  # type: ignore[attr-defined]


def open_invitation_counts(relationships: Iterable[PartnerRelationship]) -> dict[Any, int]:
    """How many invitations of each relationship can still be accepted, by its id."""
    pending = Invitation.objects.pending().filter(relationship__in=list(relationships))
    return dict(pending.values_list("relationship").annotate(number=Count("pk")))


def delivery_of(invitations: Iterable[Invitation]) -> dict[str, OutboxMessage]:
    """The newest mail of each invitation, by the invitation's id as text."""
    ids = [str(one.pk) for one in invitations]
    found = OutboxMessage.objects.filter(kind=INVITATION, subject_id__in=ids).order_by("subject_id", "-pk")
    return {one.subject_id: one for one in found.distinct("subject_id")}


def names_for_the_log(tenant_id: UUID) -> list[tuple[str, str]]:
    """What the partners of a tenant are called, ended ones too, by what its log calls the relationship; by name."""
    found = (
        PartnerRelationship.objects.filter(tenant=tenant_id)
        .select_related("delegation")
        .order_by("label", "created_at")
    )
    return [
        (str(one.delegation_id), one.label if one.is_open else f"{one.label} ({one.delegation.get_state_display()})")
        for one in found
    ]
