"""What people enter about webhooks. Forms check the form of entries; every rule is asked of the services."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from audit.events import EventType
from partners.addresses import LONGEST_URL
from partners.forms import LineField
from partners.services.webhooks import LONGEST_GRACE

# How the page puts the events together, in this order.
GROUPS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "ticket": (_("Tickets"), ("ticket",)),
    "approval": (_("Approvals"), ("approval",)),
    "partner": (_("Partner and rooms"), ("relationship", "scope")),
    "invitation": (_("Invitations"), ("invitation",)),
}


class WebhookForm(forms.Form):
    """Where events go, and which."""

    url = LineField(
        label=_("Address"),
        max_length=LONGEST_URL,
        help_text=_("Where your tool listens: https://, a public name, no user name in it."),
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocapitalize": "none",
                "spellcheck": "false",
                "placeholder": "https://desk.example.com/hooks/rooms",
            }
        ),
    )
    description = LineField(
        label=_("Description"), max_length=200, required=False, help_text=_("What it is for, so that others know it.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, kinds) in GROUPS.items():
            choices = [(one.value, one.label) for one in EventType if one.value.partition(".")[0] in kinds]
            self.fields[f"events_{name}"] = forms.MultipleChoiceField(
                label=label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
            )

    def groups(self) -> Iterator[BoundField]:
        """The fields of the events."""
        return (self[f"events_{name}"] for name in GROUPS)

    @property
    def events(self) -> list[EventType]:
        """All that are ticked."""
        return [EventType(one) for name in GROUPS for one in self.cleaned_data[f"events_{name}"]]


def initial_events(events: Sequence[str]) -> dict[str, list[str]]:
    """What the fields of the events begin with."""
    return {
        f"events_{name}": [one for one in events if one.partition(".")[0] in kinds]
        for name, (_label, kinds) in GROUPS.items()
    }


class RotationForm(forms.Form):
    """How long the secret of today goes on signing."""

    grace = forms.IntegerField(
        label=_("Hours for which the old secret goes on signing"),
        min_value=0,
        max_value=int(LONGEST_GRACE.total_seconds() // 3600),
        initial=24,
        help_text=_(
            "0 if the secret may be in the wrong hands. Up to 72, so that the receiver can follow in its own time."
        ),
    )
