"""What people say when a room, or many, go into maintenance."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.clock import now
from rooms.services.monitoring import LONGEST_REASON


class SuppressForm(forms.Form):
    """Until when a room is in maintenance, and why. A moment of one's own is read in the zone of the page."""

    ends = forms.ChoiceField(label=gettext_lazy("For how long"), widget=forms.RadioSelect, initial="4")
    until = forms.DateTimeField(
        label=gettext_lazy("Date and time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=LONGEST_REASON)

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self._zone = ZoneInfo(zone)
        self.fields["ends"].choices = [  # type: ignore[attr-defined]
            ("1", _("1 hour")),
            ("4", _("4 hours")),
            ("24", _("1 day")),
            ("168", _("1 week")),
            ("until", _("Until a moment that I choose below")),
            ("open", _("Until somebody lifts it")),
        ]
        self.fields["until"].help_text = _("Time of %(zone)s, at most 90 days ahead.") % {
            "zone": zone.replace("_", " ")
        }

    def clean_until(self) -> datetime | None:
        typed: datetime | None = self.cleaned_data["until"]
        # The form reads it in the server's zone; what was meant is the same clock face in the page's.
        return None if typed is None else timezone.make_naive(typed).replace(tzinfo=self._zone)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("ends") == "until" and not found.get("until") and "until" not in self.errors:
            self.add_error("until", ValidationError(_("Choose date and time."), code="required"))
        return found

    @property
    def end(self) -> datetime | None:
        """The moment chosen, by the database's clock; None for an open end."""
        ends = self.cleaned_data["ends"]
        if ends == "open":
            return None
        if ends == "until":
            end: datetime = self.cleaned_data["until"]
            return end
        return now() + timedelta(hours=int(ends))

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        end = self.end
        chosen = {"until": end.isoformat() if end is not None else None, "reason": self.cleaned_data["reason"]}
        return {name: value for name, value in chosen.items() if value}
