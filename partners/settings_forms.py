"""What people enter in the settings. Forms check the form of entries; every rule is asked of the services."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from partners.forms import LineField
from rbac.services.branding import FOOTER_LINES, LONGEST_FOOTER, LONGEST_SENDER, Branding
from rbac.services.notifications import GROUPS, Choice, Event

LONGEST_LIST = 3000  # characters in one field of addresses


@cache
def zones() -> list[str]:
    """The time zones people are offered: those of places, and UTC."""
    return ["UTC", *sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))]


class GeneralForm(forms.Form):
    """What the tenant is called, and where its days begin and end."""

    name = LineField(label=_("Name"), max_length=200)
    language = forms.ChoiceField(
        label=_("Language of mails"),
        choices=settings.LANGUAGES,
        help_text=_("For mails to people who have chosen no language of their own, and to invited partners."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("For the times in mails, for business days, and for rooms whose own time zone is not known."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.initial.get("time_zone")
        offered = zones() if known in zones() else [known, *zones()]
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in offered]  # type: ignore[attr-defined]


class DomainForm(forms.Form):
    """One DNS domain."""

    domain = LineField(
        label=_("Add a domain"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "placeholder": "example.com"}),
    )


class NotificationForm(forms.Form):
    """Of each event: whether the MMR admins are told, and which further addresses."""

    def __init__(self, *args: Any, choices: Mapping[Event, Choice], may_modify: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for event, choice in choices.items():
            admins = forms.BooleanField(label=_("To the MMR admins"), required=False, initial=choice.to_admins)
            addresses = forms.CharField(
                label=_("Further addresses"),
                required=False,
                max_length=LONGEST_LIST,
                initial=", ".join(choice.addresses),
                widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}),
            )
            admins.disabled = addresses.disabled = not may_modify
            self.fields[f"admins_{event.name.lower()}"] = admins
            self.fields[f"addresses_{event.name.lower()}"] = addresses

    def rows(self) -> list[tuple[object, list[tuple[Event, forms.BoundField, forms.BoundField]]]]:
        """The events of each group, with their two fields."""
        return [(label, [(event, *self._of(event)) for event in events]) for label, events in GROUPS.values()]

    def _of(self, event: Event) -> tuple[forms.BoundField, forms.BoundField]:
        return self[f"admins_{event.name.lower()}"], self[f"addresses_{event.name.lower()}"]

    def choice_of(self, event: Event) -> Choice:
        """What was entered for `event`."""
        name = event.name.lower()
        addresses = self.cleaned_data[f"addresses_{name}"].replace(",", " ").replace(";", " ").split()
        return Choice(self.cleaned_data[f"admins_{name}"], tuple(addresses))


class BrandingForm(forms.Form):
    """How mails in the tenant's name look."""

    sender_name = LineField(
        label=_("Sender name"),
        max_length=LONGEST_SENDER,
        required=False,
        help_text=_("Stands before “via Rooms portal” in the sender of every mail, and at the top of it."),
    )
    accent = forms.CharField(
        label=_("Accent colour"),
        max_length=7,
        required=False,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "placeholder": "#3a3670"}),
        help_text=_(
            "For the head and the button of mails. White text must be readable on it: contrast at least 4.5 to 1."
        ),
    )
    footer = forms.CharField(
        label=_("Footer"),
        max_length=LONGEST_FOOTER + FOOTER_LINES,  # a browser's line breaks count twice
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Plain text at the end of every mail, for example how to reach your help desk. At most 5 lines."),
    )

    @property
    def brand(self) -> Branding:
        """What was entered."""
        data = self.cleaned_data
        return Branding(data["sender_name"], data["accent"], data["footer"])
