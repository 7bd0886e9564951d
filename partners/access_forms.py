"""What a customer enters of its partner access policy: read here, judged by rbac/services/partner_access.py."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.partner_access import MOST_NETWORKS, Conditions, Policy
from rbac.wording import duration

AGES = (15, 30, 60, 4 * 60, 8 * 60, 12 * 60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60)  # minutes that are offered
LONGEST_LIST = MOST_NETWORKS * 60  # characters
ALWAYS, STEP_UP = "always", "step_up"


class PolicyForm(forms.Form):
    """The whole policy: what is asked for all access, and what more for chosen events."""

    always_mfa = forms.BooleanField(label=_("A sign-in with a second factor"), required=False)
    always_age = forms.TypedChoiceField(label=_("Age of the sign-in"), required=False, coerce=int, empty_value=None)
    always_networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        max_length=LONGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One on each line, like 198.51.100.0/24 or 2001:db8::/32. Empty: from anywhere."),
    )
    events = forms.MultipleChoiceField(
        label=_("For these changes"), required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )
    step_up_mfa = forms.BooleanField(label=_("A sign-in with a second factor"), required=False)
    step_up_age = forms.TypedChoiceField(label=_("Age of the sign-in"), required=False, coerce=int, empty_value=None)
    step_up_networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        max_length=LONGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One on each line. Empty: from wherever all access is allowed."),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, policy: Policy, may_modify: bool) -> None:
        super().__init__(data, initial=_initial(policy), use_required_attribute=False)
        self.fields["events"].choices = [(one.value, one.full_label) for one in CONTROLLED_EVENTS]  # type: ignore[attr-defined]
        for name, asked in ((ALWAYS, policy.always), (STEP_UP, policy.step_up)):
            offered = sorted({*AGES, *([asked.max_age] if asked.max_age else [])})
            at_most = [(minutes, _("At most %(age)s") % {"age": duration(minutes)}) for minutes in offered]
            self.fields[f"{name}_age"].choices = [("", _("Any")), *at_most]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.disabled = not may_modify

    @property
    def policy(self) -> Policy:
        """What was entered."""
        events = frozenset(Permission(code) for code in self.cleaned_data["events"])
        return Policy(self._conditions(ALWAYS), self._conditions(STEP_UP), events)

    def _conditions(self, part: str) -> Conditions:
        data = self.cleaned_data
        networks = tuple(data[f"{part}_networks"].replace(",", " ").split())
        return Conditions(data[f"{part}_mfa"], data[f"{part}_age"], networks)

    def object_to(self, error: ValidationError) -> None:
        """`error` stands at the field that it is about."""
        places = {"events_ask_nothing": "step_up_mfa", "no_events_chosen": "events"}
        code = str(getattr(error, "code", ""))
        if code in places:
            self.add_error(places[code], error)
        for part in (ALWAYS, STEP_UP) if code not in places else ():
            text = self.cleaned_data.get(f"{part}_networks", "")
            if code == "too_many_networks" or (error.params or {}).get("network", "\n") in text:
                self.add_error(f"{part}_networks", error)
                return

    def hidden(self) -> Iterator[tuple[str, str]]:
        """What was entered, to be sent again as it is."""
        for name in self.fields:
            for value in self.data.getlist(name):  # type: ignore[attr-defined]
                yield name, value


def _initial(policy: Policy) -> dict[str, Any]:
    found: dict[str, Any] = {"events": [event.value for event in policy.events]}
    for name, asked in ((ALWAYS, policy.always), (STEP_UP, policy.step_up)):
        found |= {
            f"{name}_mfa": asked.mfa,
            f"{name}_age": asked.max_age,
            f"{name}_networks": "\n".join(asked.networks),
        }
    return found
