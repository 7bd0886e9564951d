"""What people type about rooms, before a service sees it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rooms.inventory_reports import Outcome
from rooms.models import Room
from rooms.places import country_choices, country_name, time_zone_names
from rooms.services.rooms import EDITABLE
from rooms.values import refuse_unfit


class RoomForm(forms.ModelForm):
    """Name, location and equipment of a room, with the version they were read at."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), required=False, help_text=gettext_lazy("Decides when updates are installed.")
    )
    tags = SimpleArrayField(
        forms.CharField(max_length=60),
        label=gettext_lazy("Tags"),
        required=False,
        help_text=gettext_lazy("Separated by commas."),
    )

    class Meta:
        model = Room
        fields = EDITABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        room = self.instance
        if not self.is_bound:
            self.initial["version"] = room.version
        self.fields["country"].choices = [("", _("Not known")), *country_choices()]  # type: ignore[attr-defined]
        zones = sorted({*time_zone_names(), *filter(None, [room.time_zone])})
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", _("Not known")),
            *((zone, zone.replace("_", " ")) for zone in zones),
        ]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        refuse_unfit({name: value for name, value in found.items() if name != "version"})
        return found

    def changes(self) -> dict[str, Any]:
        """What differs from the room as it was read, in plain values."""
        return {
            name: str(self.cleaned_data[name])
            if name in ("latitude", "longitude") and self.cleaned_data[name] is not None
            else self.cleaned_data[name]
            for name in self.changed_data
            if name in EDITABLE
        }

    def show_current(self, room: Room) -> None:
        """Somebody was faster: keep what was typed, put the current value at what differs, save over it next time."""
        self.data = self.data.copy()
        self.data[self.add_prefix("version")] = str(room.version)
        stored = {name: getattr(room, name) for name in EDITABLE if name in self.cleaned_data}
        differing = {
            name: value for name, value in stored.items() if (self.cleaned_data[name] or None) != (value or None)
        }
        for name, value in differing.items():
            self.add_error(name, _("Now stored: %(value)s") % {"value": shown(name, value)})


def shown(name: str, value: Any) -> str:
    """The stored `value` of the field `name` in words."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "country":
        value = country_name(value)
    if isinstance(value, list):
        value = ", ".join(value)
    return str(value) if value not in (None, "") else _("nothing")


def check_inventory_size(file: UploadedFile) -> None:
    """Pass if `file` has at most INVENTORY_MAX_BYTES. Raises ValidationError."""
    if (file.size or 0) > settings.INVENTORY_MAX_BYTES:
        raise ValidationError(
            _("This file is larger than %(limit)s. Split it, and import one part after the other."),
            code="too_large",
            params={"limit": filesizeformat(settings.INVENTORY_MAX_BYTES)},
        )


class InventoryForm(forms.Form):
    """The file of an inventory."""

    file = forms.FileField(
        label=gettext_lazy("Inventory file"),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choose a file.")},
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.json,text/csv,application/json"}),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        check_inventory_size(file)
        return file


class ReportFilter(forms.Form):
    """Which rows of an import's report, from which one on."""

    outcome = forms.ChoiceField(required=False, choices=[("", ""), *Outcome.choices])
    start = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
