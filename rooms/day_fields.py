"""Fields for days: from when and until when something is valid."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rbac import days


class DayField(forms.DateField):
    """A day that every calendar knows, by the browser's own calendar; may be left out."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(**{"required": False, "widget": widget} | kwargs)

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and not days.FIRST <= value <= days.LAST:
            raise forms.ValidationError(_("Enter a day between 2000 and 9998."))


class LastDayField(DayField):
    """The last day on which access is there; it ends at midnight after it (`days.end_of`)."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = gettext_lazy("Empty: without end. Access ends at midnight after this day.")
        super().__init__(**{"label": gettext_lazy("Last day"), "help_text": help_text} | kwargs)
