"""All components on one page, to look at while working on the kit. Wired in only while DEBUG is on; touches no data."""

import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe


class ApprovalChoice(forms.RadioSelect):
    """Shows a choice that can't be taken, with the reason."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The option as usual; manual approval disabled."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if value == "manual":
            option["attrs"] |= {"disabled": True, "data-reason": "Only while change control is switched on."}
        return option


class Sample(forms.Form):
    """One field of every kind."""

    title = forms.CharField(label="Display name", help_text="As people know the room.")
    note = forms.CharField(label="Description", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    zone = forms.ChoiceField(label="Time zone", choices=[("", "Choose …"), ("berlin", "Europe/Berlin")])
    approval = forms.ChoiceField(
        label="Rooms / Modify",
        widget=ApprovalChoice,
        choices=[("auto", "Auto approval"), ("manual", "Manual approval")],
    )
    groups = forms.MultipleChoiceField(
        label="Room groups", widget=forms.CheckboxSelectMultiple, choices=[("1", "Berlin"), ("2", "Hamburg")]
    )
    until = forms.DateField(
        label="Valid until", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    inventory = forms.FileField(label="Inventory file", help_text="CSV or JSON, at most 5 MiB.")
    starts = forms.SplitDateTimeField(label="Starts", required=False)
    agree = forms.BooleanField(label="I agree to the terms")

    def clean(self) -> dict[str, Any]:
        """Always complains, so that the summary shows an error of the whole form too."""
        raise forms.ValidationError("The end lies before the start.")


ROWS = [
    ("Adatum Integrators", "adatum.example", "info", "Invited", "envelope", 6),
    ("Alpine Medientechnik AG", "alpine.example", "success", "Active", "", 11),
    ("Litware Meeting Tech", "litware.example", "warning", "Expired", "clock", 3),
    ("Proseware Consulting", "proseware.example", "danger", "Denied", "", 8),
    ("Tailspin Field Support", "tailspin.example", "neutral", "Ended by the partner", "slash-circle", 5),
]


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Every component; `?errors` shows the form as it comes back."""
    now = timezone.now()
    context = {
        "crumbs": [("Style guide", ""), ("Components", "")],
        "form": Sample({}) if "errors" in request.GET else Sample(),
        "rows": ROWS,
        "now": now,
        "soon": now + datetime.timedelta(days=13, hours=5),
        "page": {"previous_url": "?before=x", "next_url": "?after=x", "shown_text": "Rows 51–100 of about 666"},
        "steps": [
            {"label": "Contacts", "url": "?step=1", "state": "done"},
            {"label": "Change control", "url": "", "state": "current"},
            {"label": "Rooms", "url": "", "state": "todo"},
            {"label": "Review", "url": "", "state": "todo"},
        ],
        "tabs": [
            {"label": "Properties", "url": "?tab=1", "current": False},
            {"label": "Permissions", "url": "?tab=2", "current": True, "count": 19},
            {"label": "Assignments", "url": "?tab=3", "current": False, "count": 3},
        ],
    }
    return render(request, "styleguide/components.html", context)


@require_safe
def pane(request: HttpRequest) -> HttpResponse:
    """A detail: a page, or what htmx puts into the pane."""
    return render(request, "styleguide/pane.html", {"soon": timezone.now() + datetime.timedelta(days=13, hours=5)})


urlpatterns = [
    path("", components, name="styleguide"),
    path("pane/", pane, name="styleguide_pane"),
]
