"""What is to be done to many rooms or tickets, as forms: one per action, each with plain parameters for the service."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rbac.models import Tenant
from rooms.inventory_reports import label_of
from rooms.models import BulkAction, Room, RoomGroup, TicketState, UpdateRing
from rooms.monitoring_forms import SuppressForm
from rooms.places import country_choices, time_zone_names
from rooms.services.bulk import FIELDS, TAGS
from rooms.services.tickets import REASONS
from rooms.values import MAX_TAGS, refuse_unfit


class EditForm(forms.ModelForm):
    """Fields of many rooms; what is left empty stays as it is in each."""

    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)
    add_tags = SimpleArrayField(
        forms.CharField(max_length=60),
        label=gettext_lazy("Add tags"),
        required=False,
        max_length=MAX_TAGS,
        help_text=gettext_lazy("Separated by commas."),
    )
    remove_tags = SimpleArrayField(
        forms.CharField(max_length=60),
        label=gettext_lazy("Remove tags"),
        required=False,
        max_length=MAX_TAGS,
        help_text=gettext_lazy("Separated by commas."),
    )

    class Meta:
        model = Room
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        stays = ("", _("Leave as it is"))
        self.fields["country"].choices = [stays, *country_choices()]  # type: ignore[attr-defined]
        zones = ((zone, zone.replace("_", " ")) for zone in sorted(time_zone_names()))
        self.fields["time_zone"].choices = [stays, *zones]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.required = False

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        given = self.given(found)
        refuse_unfit({"tags" if name in TAGS else name: value for name, value in given.items()})
        if not given and not self.errors:
            raise ValidationError(_("Fill in what is to be changed."), code="empty")
        return found

    @staticmethod
    def given(values: dict[str, Any]) -> dict[str, Any]:
        """What was filled in."""
        return {name: value for name, value in values.items() if value not in (None, "", [])}

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        return self.given(self.cleaned_data)

    def _post_clean(self) -> None:
        """No room is made of it: what fits each is said by the service."""


class GroupForm(forms.Form):
    """The group that the rooms come into."""

    group = forms.ChoiceField(label=gettext_lazy("Room group"))

    def __init__(self, *args: Any, groups: QuerySet[RoomGroup], **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.fields["group"].choices = [  # type: ignore[attr-defined]
            (str(pk), name) for pk, name in groups.order_by("name", "pk").values_list("pk", "name")
        ]

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        return {"group": int(self.cleaned_data["group"])}


class RingForm(forms.Form):
    """The ring that the rooms go to."""

    ring = forms.ChoiceField(label=gettext_lazy("Update ring"))

    def __init__(self, *args: Any, rings: QuerySet[UpdateRing], **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.fields["ring"].choices = [  # type: ignore[attr-defined]
            (str(ring.pk), ring.label) for ring in rings.order_by("order", "pk")
        ]

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        return {"ring": int(self.cleaned_data["ring"])}


class RingsForm(forms.Form):
    """The ring that the rooms of each customer go to: rings are a customer's own."""

    def __init__(self, *args: Any, rings: Mapping[Tenant, Sequence[UpdateRing]], **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        for tenant, found in rings.items():
            choices = [(str(ring.pk), ring.label) for ring in found]
            label = _("Update ring of %(customer)s") % {"customer": tenant.name}
            self.fields[str(tenant.pk)] = forms.ChoiceField(label=label, choices=choices)

    @property
    def chosen(self) -> dict[UUID, int]:
        """The ring (id) of each customer (id)."""
        return {UUID(tenant): int(ring) for tenant, ring in self.cleaned_data.items()}


class StateForm(forms.Form):
    """The state that the tickets come to; closing is an action of its own."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[(one.value, one.label) for one in TicketState if one != TicketState.CLOSED],
    )

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        return dict(self.cleaned_data)


class WriteForm(forms.Form):
    """What is said in each of the tickets."""

    text = forms.CharField(label=gettext_lazy("Message"), max_length=5000, widget=forms.Textarea({"rows": 4}))

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service, as it stores them."""
        return {"text": self.cleaned_data["text"].replace("\r\n", "\n").strip()}


class ClosingForm(forms.Form):
    """Why the tickets are over."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Closing reason"),
        choices=[(one.value, one.label) for one in REASONS],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("Closing note"), max_length=500, required=False, widget=forms.Textarea({"rows": 3})
    )

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        return dict(self.cleaned_data)


class PlainForm(forms.Form):
    """An action that needs nothing to be said."""

    params: dict[str, Any] = {}


_OF_TICKETS: dict[BulkAction, type[forms.Form]] = {
    BulkAction.ASSIGN: PlainForm,
    BulkAction.STATE: StateForm,
    BulkAction.WRITE: WriteForm,
    BulkAction.CLOSE: ClosingForm,
}


def ticket_form_for(action: BulkAction, data: Any) -> Any:
    """The form of `action`, one of tickets, bound to `data` unless that is None."""
    return _OF_TICKETS[action](data)


def form_for(
    action: BulkAction, data: Any, *, zone: str, groups: QuerySet[RoomGroup], rings: QuerySet[UpdateRing]
) -> Any:
    """The form of `action`, bound to `data` unless that is None."""
    if action == BulkAction.EDIT:
        return EditForm(data)
    if action == BulkAction.SUPPRESS:
        return SuppressForm(data, zone=zone)
    if action == BulkAction.GROUP:
        return GroupForm(data, groups=groups)
    if action == BulkAction.RING:
        return RingForm(data, rings=rings)
    return PlainForm(data)


def field_label(name: str) -> str:
    """The name of a parameter in the reader's language."""
    tags = {"add_tags": _("Add tags"), "remove_tags": _("Remove tags")}
    return tags[name] if name in tags else label_of(name)
