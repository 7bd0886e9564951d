"""What reports can be narrowed by: period, room group, partner; the same closed list for the page, the files and the API.

Choices are made from what the reader may see; a value that is not among them is an error like any other.
"""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.gates import TenantRequest
from rbac.models import Assignment, AssignmentKey, Delegation, DelegationState
from rooms.models import PERIODS, Room, RoomGroup, RoomGroupMember
from rooms.reports import Question
from rooms.scopes import rooms_of

DEFAULT = 30
_SHOWN = (DelegationState.ACTIVE, DelegationState.SUSPENDED)


class ReportFilter(forms.Form):
    """The bound filter of a request that has passed the gate of reports."""

    days = forms.ChoiceField(label=gettext_lazy("Period"), required=False)
    group = forms.ChoiceField(label=gettext_lazy("Room group"), required=False)
    partner = forms.ChoiceField(label=gettext_lazy("Partner"), required=False)

    NAMES: ClassVar[frozenset[str]] = frozenset({"days", "group", "partner"})

    def __init__(self, request: TenantRequest, data: Mapping[str, Any], *, also: Collection[str] = ()) -> None:
        """`also` names further parameters of the page."""
        asked = {name: data.get(name, "") for name in data}
        super().__init__(asked | {"days": asked.get("days") or str(DEFAULT)}, use_required_attribute=False)
        self._request, self._asked, self._also = request, asked, frozenset(also)
        self.fields["days"].choices = [  # type: ignore[attr-defined]
            (str(days), ngettext("%(n)d day", "%(n)d days", days) % {"n": days}) for days in PERIODS
        ]
        self._offer("group", lambda: self._groups)
        self._offer("partner", lambda: self._partners)
        self.fields["days"].error_messages["invalid_choice"] = _("There is no such choice here (any more).")

    def clean(self) -> dict[str, Any]:
        unknown = sorted(set(self._asked) - self.NAMES - self._also)
        if unknown:
            raise ValidationError(
                _("“%(name)s” is not something reports can be filtered by."),
                code="unknown_parameter",
                params={"name": unknown[0][:60]},
            )
        return self.cleaned_data

    @property
    def period(self) -> int:
        return int(self.cleaned_data["days"]) if self.is_valid() else DEFAULT

    @property
    def is_narrowed(self) -> bool:
        """Whether only some of the reader's rooms are asked for."""
        return any(self._asked.get(name) for name in ("group", "partner"))

    @property
    def offers(self) -> dict[str, bool]:
        """For each choice whether there is anything to choose."""
        return {"group": bool(self._groups), "partner": bool(self._partners)}

    def query(self, **more: str) -> str:
        """The filter as an address's query, with `more`."""
        values = {name: self._asked.get(name) for name in sorted(self.NAMES)} | more
        kept = {name: value for name, value in values.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"

    @cached_property
    def question(self) -> Question:
        """What the figures are asked for. Nothing is in it that the reader may not see."""
        tenant, is_whole = self._request.customer.pk, self._covers_tenant and not self.is_narrowed
        return Question(tenant, self.period, None if is_whole else list(self.rooms.values_list("pk", flat=True)))

    @cached_property
    def rooms(self) -> QuerySet[Room]:
        """The rooms in scope that fit; whether they enter reports today is another question."""
        own = Room.objects.filter(tenant=self._request.customer)
        found = access.visible(self._request.person, Permission.REPORTS_VIEW, own, self._request.held)
        if group := self.cleaned_data["group"]:
            found = found.filter(pk__in=RoomGroupMember.objects.filter(room_group=int(group)).values("room"))
        if partner := self.cleaned_data["partner"]:
            found = found.filter(pk__in=rooms_of(self._base_of(partner)).values("pk"))
        return found

    def _base_of(self, delegation: str) -> Assignment:
        """The assignment that says which rooms are delegated."""
        return Assignment.objects.select_related("role").get(
            role__delegation=delegation,
            role__key=BuiltIn.PARTNER_ADMIN,
            key=AssignmentKey.INVITED_ADMINS,
        )

    @property
    def _covers_tenant(self) -> bool:
        held = access.holding(self._request.held, Permission.REPORTS_VIEW)
        return any(one.covers_tenant and one.tenant_id == self._request.customer.pk for one in held)

    @cached_property
    def _groups(self) -> list[tuple[str, str]]:
        own = RoomGroup.objects.filter(tenant=self._request.customer)
        seen = access.visible(self._request.person, Permission.GROUPS_VIEW, own, self._request.held)
        return [(str(pk), name) for pk, name in seen.order_by("name", "pk").values_list("pk", "name")]

    @cached_property
    def _partners(self) -> list[tuple[str, str]]:
        """Only for those of the customer's own people who see its partners."""
        tenant = self._request.customer
        if not access.holds_all(self._request.held, Permission.SETTINGS_VIEW, tenant.pk):
            return []
        own = Delegation.objects.filter(tenant=tenant, state__in=_SHOWN)
        named = own.order_by("relationship__label", "pk").values_list("pk", "relationship__label")
        return [(str(pk), label) for pk, label in named]

    def _offer(self, name: str, choices: Any) -> None:
        self.fields[name].choices = lambda: [("", _("All")), *choices()]  # type: ignore[attr-defined]
        self.fields[name].error_messages["invalid_choice"] = _("There is no such choice here (any more).")
