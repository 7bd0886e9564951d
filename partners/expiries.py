"""What ends soon, over all customers one works for: found by its date, each row with its customer.

Nothing is shown here that the pages of the customers would not show: one's own invitations and tokens, the relationships
and assignments through which one holds something, and approval requests that one sees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.clock import Now
from partners.models import ApiToken
from partners.services import invitations
from rbac import access
from rbac.access import Rights
from rbac.catalogue import Permission
from rbac.gates import PersonRequest
from rbac.models import Assignment, Delegation
from rooms.aggregate_lists import OfCustomers, chosen_of, held_in
from rooms.inbox import readable, seen_everywhere
from rooms.models import ApprovalRequest

INVITATION, RELATIONSHIP, ASSIGNMENT, TOKEN, APPROVAL = "invitation", "relationship", "assignment", "token", "approval"
KINDS = {
    INVITATION: gettext_lazy("Invitation"),
    RELATIONSHIP: gettext_lazy("Relationship"),
    ASSIGNMENT: gettext_lazy("Assignment"),
    TOKEN: gettext_lazy("API token"),
    APPROVAL: gettext_lazy("Approval request"),
}
ALL = "all"
WITHIN = {
    "7": gettext_lazy("within 7 days"),
    "30": gettext_lazy("within 30 days"),
    "90": gettext_lazy("within 90 days"),
    ALL: gettext_lazy("at any time"),
}
DEFAULT = "30"
ORDER = ("ends_at", "kind", "row_key")
COLUMNS = (*ORDER, "customer_id", "customer_name", "label")


class ExpiryFilter(OfCustomers):
    """The bound form of the list. Unknown parameters and values are errors (a 400 for the API), never a 5xx."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    within = forms.ChoiceField(label=gettext_lazy("Ends"), required=False)

    NAMES: ClassVar[frozenset[str]] = frozenset({"customer", "kind", "within"})

    def __init__(self, data: Mapping[str, Any], *, request: PersonRequest, also: Sequence[str] = ()) -> None:
        super().__init__(data, use_required_attribute=False)
        self._request, self._also = request, frozenset(also)
        self.customers = chosen_of(data, request.customers)
        self.held: Rights = held_in(request.held, self.customers)
        self.offer_customers(request.customers)
        self._offer("kind", [("", _("All")), *KINDS.items()])
        self._offer("within", [("", WITHIN[DEFAULT]), *WITHIN.items()])
        # Asked for by name or by default, it is one choice.
        self.fields["within"].widget.choices = [  # type: ignore[attr-defined]
            ("" if days == DEFAULT else days, label) for days, label in WITHIN.items()
        ]

    @property
    def parts(self) -> list[QuerySet[Any, dict[str, Any]]]:
        """What fits, kind by kind, as rows of COLUMNS: together one list, sorted by ORDER. Nothing for an invalid filter."""
        if not self.is_valid():
            return [_rows(Delegation.objects.none(), RELATIONSHIP, "valid_until", "tenant__name")]
        wanted, days = self.cleaned_data["kind"], self.cleaned_data["within"] or DEFAULT
        until = Q() if days == ALL else Q(ends_at__lte=Now() + timedelta(days=int(days)))
        found = {kind: part for kind, part in self._everything().items() if wanted in ("", kind)}
        return [part.filter(until, ends_at__gt=Now()) for part in found.values()]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked."""
        return any(self.data.get(name) for name in self.NAMES)

    @property
    def cursor(self) -> str | None:
        """The place in the list."""
        return self.data.get("cursor") or None

    def query(self, **changes: str | None) -> str:
        """The filter as an address's query, with `changes`; a change to None leaves it out."""
        values = {name: self.data.get(name) for name in self.fields} | changes
        kept = {name: value for name, value in values.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"

    def clean(self) -> dict[str, Any]:
        unknown = sorted(set(self.data) - self.NAMES - self._also)
        if unknown:
            text = _("“%(name)s” is not something this list can be filtered by.")
            raise ValidationError(text, code="unknown_parameter", params={"name": unknown[0][:60]})
        return self.cleaned_data

    def _everything(self) -> dict[str, QuerySet[Any, dict[str, Any]]]:
        person, held = self._request.person, self.held
        ids = [one.pk for one in self.customers]
        through = {one.delegation_id for one in held if one.delegation_id is not None}
        own = Q(pk__in=[one.assignment_id for one in held])
        led = access.visible(person, Permission.ROLES_VIEW, Assignment.objects.filter(tenant__in=ids), held)
        invited = invitations.open_for(person)
        if self.data.get("customer"):
            invited = invited.filter(tenant__in=ids)
        tokens = ApiToken.objects.filter(user=person, delegation__in=through, revoked_at=None)
        if getattr(person, "limits", None) is not None:  # a tool sees no tokens
            tokens = tokens.none()
        requests = seen_everywhere(self._request).waiting().filter(tenant__in=ids)  # type: ignore[attr-defined]
        assignments = Assignment.objects.filter(own | Q(pk__in=led.values("pk")), tenant__in=ids)
        delegations = Delegation.objects.filter(pk__in=through)
        return {
            INVITATION: _rows(invited.select_related(None), INVITATION, "expires_at", "tenant__name"),
            RELATIONSHIP: _rows(delegations, RELATIONSHIP, "valid_until", "tenant__name"),
            ASSIGNMENT: _rows(assignments, ASSIGNMENT, "valid_until", "name"),
            TOKEN: _rows(tokens, TOKEN, "expiry", "name", tenant="delegation__tenant", key="token_key"),
            APPROVAL: _rows(requests.select_related(None), APPROVAL, "expires_at", "target_name"),
        }

    def _offer(self, name: str, choices: Any) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields[name].error_messages["invalid_choice"] = _("There is no such choice here (any more).")


def _rows(
    found: QuerySet[Any], kind: str, ends: str, label: str, *, tenant: str = "tenant", key: str = "pk"
) -> QuerySet[Any, dict[str, Any]]:
    """`found` as rows of COLUMNS."""
    return (
        found.order_by()
        .annotate(
            ends_at=F(ends),
            kind=Value(kind, CharField()),
            row_key=Cast(key, CharField()),
            customer_id=F(f"{tenant}_id"),
            customer_name=F(f"{tenant}__name"),
            label=F(label),
        )
        .values(*COLUMNS)
    )


@dataclass(frozen=True)
class Expiry:
    """One line of the list; `name` is None for what has left the reader's scope."""

    kind: str
    key: str
    name: str | None
    ends_at: datetime
    customer_id: UUID
    customer_name: str
    url: str

    @property
    def kind_label(self) -> str:
        return str(KINDS[self.kind])


def lines_of(request: PersonRequest, rows: Sequence[dict[str, Any]]) -> list[Expiry]:
    """`rows` of a page as lines: named as far as the reader may read them, with the page they lead to."""
    asked = [row["row_key"] for row in rows if row["kind"] == APPROVAL]
    requests = list(ApprovalRequest.objects.filter(pk__in=asked)) if asked else []
    shown = {str(pk) for pk in readable(request.person, request.held, requests)}
    roles = [row["row_key"] for row in rows if row["kind"] == ASSIGNMENT]
    named = {str(one.pk): one for one in Assignment.objects.filter(pk__in=roles)} if roles else {}
    return [_line(request, row, shown, named) for row in rows]


def _line(
    request: PersonRequest, row: dict[str, Any], shown: set[str], assignments: Mapping[str, Assignment]
) -> Expiry:
    kind, key, customer = row["kind"], row["row_key"], row["customer_id"]
    name: str | None = row["label"]
    url = reverse("overview", args=[customer])
    if kind == APPROVAL:
        url = reverse("approval", args=[customer, key])
        name = name if key in shown else None
    elif kind == RELATIONSHIP:
        url = reverse("customer", args=[customer])
    elif kind == TOKEN:
        url = reverse("customer_tokens", args=[customer])
    elif kind == INVITATION:
        url = reverse("invitation", args=[key])
    elif kind == ASSIGNMENT and key in assignments:
        name = assignments[key].label
        if access.holds(request.held, Permission.ROLES_VIEW, customer):
            url = reverse("assignment", args=[customer, assignments[key].role_id, key])
    return Expiry(kind, key, name, row["ends_at"], customer, row["customer_name"], url)
