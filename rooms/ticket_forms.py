"""What people type about tickets, before a service sees it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rbac.models import User
from rooms.attachment_types import EXTENSIONS
from rooms.models import Ticket, TicketState
from rooms.services.tickets import REASONS, SEVERITIES

_ROWS = {"rows": 4}


class VersionForm(forms.Form):
    """A change of what was read at a version."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class ReportForm(forms.Form):
    """A new incident; its rooms are chosen beside the form."""

    title = forms.CharField(
        label=gettext_lazy("What is wrong?"),
        max_length=200,
        help_text=gettext_lazy("In one line, for example: no sound in video calls."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs=_ROWS),
        help_text=gettext_lazy("Since when, how often, and what you have tried already."),
    )
    severity = forms.ChoiceField(
        label=gettext_lazy("Severity"),
        choices=[(one.value, one.label) for one in SEVERITIES],
        required=False,
        initial=SEVERITIES[0].value,
    )
    is_high_impact = forms.BooleanField(
        label=gettext_lazy("High impact: the rooms cannot be used, or somebody important depends on them now"),
        required=False,
        help_text=gettext_lazy("The incident is critical, and its rooms count as unhealthy until it is closed."),
    )
    justification = forms.CharField(
        label=gettext_lazy("Why is the impact high?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Needed for high impact."),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("is_high_impact") and not found.get("justification"):
            self.add_error("justification", ValidationError(_("Say why the impact is high."), code="required"))
        return found

    def wanted(self) -> dict[str, Any]:
        """What the service takes, but for the rooms."""
        given = self.cleaned_data
        wanted = {name: given[name] for name in ("title", "description", "is_high_impact", "justification")}
        return wanted | {"severity": given["severity"] or SEVERITIES[0].value}


class MessageForm(forms.Form):
    """A message, a file, or a file with a message."""

    text = forms.CharField(
        label=gettext_lazy("Message"), max_length=5000, required=False, widget=forms.Textarea(attrs=_ROWS)
    )
    file = forms.FileField(
        label=gettext_lazy("Attach a file"),
        required=False,
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(f".{one}" for one in EXTENSIONS)}),
        help_text=gettext_lazy("PNG, JPEG, GIF, WebP, PDF, TXT, LOG, CSV, JSON or ZIP; at most 10 MiB."),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if not self.errors and not found.get("text") and not found.get("file"):
            self.add_error("text", ValidationError(_("Write something, or attach a file."), code="required"))
        return found


class StateForm(VersionForm):
    """The next state, out of those that may follow."""

    state = forms.ChoiceField(label=gettext_lazy("State"))

    def __init__(self, *args: Any, following: Iterable[TicketState], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [(one.value, one.label) for one in following]  # type: ignore[attr-defined]


class AssignForm(VersionForm):
    """Who takes care of it, out of those the reader may know."""

    person = forms.ChoiceField(label=gettext_lazy("Assigned to"), required=False)

    def __init__(self, *args: Any, ticket: Ticket, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for person in people:
            name = f"{person.get_full_name()} ({person.upn})" if person.display_name else person.upn
            groups.setdefault(str(person.tenant), []).append((str(person.pk), name))
        self.fields["person"].choices = [("", _("Nobody")), *groups.items()]  # type: ignore[attr-defined]
        self.initial.setdefault("person", str(ticket.assigned_to_id or ""))


class CloseForm(VersionForm):
    """Why it is over."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Closing reason"),
        choices=[(one.value, one.label) for one in REASONS],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("Closing note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What helped, for the next time. Those who take part read it."),
    )
