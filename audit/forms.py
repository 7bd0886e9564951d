"""What the audit page asks for: a period, and what to look at in it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent, Category, Result

KEPT = timedelta(days=180)  # how far back the log can be downloaded
SHOWN_AT_FIRST = timedelta(days=30)


class PeriodForm(forms.Form):
    """A first and a last day, both included, in UTC; the last 30 days where nothing is said."""

    start = forms.DateField(label=_("Start date"), input_formats=["%Y-%m-%d"])
    end = forms.DateField(label=_("End date"), input_formats=["%Y-%m-%d"])

    def __init__(self, asked: Any, *, today: date) -> None:
        self.today, self.earliest = today, today - KEPT
        super().__init__(
            {
                "start": asked.get("start", (today - SHOWN_AT_FIRST).isoformat()),
                "end": asked.get("end", today.isoformat()),
            }
        )
        for field in self.fields.values():
            limits = {"min": self.earliest.isoformat(), "max": today.isoformat()}
            field.widget = forms.DateInput(attrs={"type": "date", **limits}, format="%Y-%m-%d")
            field.error_messages |= {"required": _("Enter a date."), "invalid": _("Enter a date like 2026-01-31.")}

    def clean_start(self) -> date:
        return self._kept(self.cleaned_data["start"])

    def clean_end(self) -> date:
        return self._kept(self.cleaned_data["end"])

    def _kept(self, day: date) -> date:
        if day > self.today:
            raise ValidationError(_("This day is in the future. Choose today or an earlier day."), code="future")
        if day < self.earliest:
            raise ValidationError(
                _("The log goes back 180 days. Choose %(earliest)s or a later day."),
                code="too_old",
                params={"earliest": date_format(self.earliest, "DATE_FORMAT")},
            )
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", ValidationError(_("The end date is before the start date."), code="reversed"))
        return cleaned

    @property
    def since(self) -> datetime:
        """The first moment of the period."""
        return datetime.combine(self.cleaned_data["start"], time.min, UTC)

    @property
    def before(self) -> datetime:
        """The first moment after the period."""
        return datetime.combine(self.cleaned_data["end"] + timedelta(days=1), time.min, UTC)


class FilterForm(forms.Form):
    """What to look at on the page, and what the whole export holds; the published file knows no filter."""

    category = forms.ChoiceField(
        label=_("Category"),
        required=False,
        choices=[("", _("All categories")), *((one.value, one.label) for one in Category)],
    )
    partner = forms.ChoiceField(label=_("What did this partner do?"), required=False)
    result = forms.ChoiceField(
        label=_("Result"), required=False, choices=[("", _("All results")), *((one.value, one.label) for one in Result)]
    )
    user = forms.CharField(label=_("User starts with"), required=False, max_length=150)

    def __init__(self, asked: Any, *, partners: Sequence[tuple[str, str]]) -> None:
        """`partners` are the choices: id of a relationship, and what it is called."""
        super().__init__(asked)
        self.fields["partner"].choices = [("", _("Everybody")), *partners]  # type: ignore[attr-defined]

    def clean_user(self) -> str:
        return str(self.cleaned_data["user"]).lower()

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Those of `events` that were asked for. Call it on a valid form only."""
        asked = self.cleaned_data
        if asked["category"]:
            events = events.filter(category=asked["category"])
        if asked["partner"]:
            # Its own people's doing: not what the customer did to it, nor what happened by itself.
            events = events.filter(relationship_id=asked["partner"], user_tenant_id__isnull=False)
            events = events.exclude(user_tenant_id=F("tenant_id"))
        if asked["result"]:
            events = events.filter(result=asked["result"])
        if asked["user"]:
            events = events.filter(user_id__startswith=asked["user"])
        return events
