"""What people type about roles, assignments and security groups, before a service sees it."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rbac import days, upn
from rbac.catalogue import TABLE, Permission
from rbac.models import Assignment, SecurityGroup, Tenant, User
from rooms.day_fields import DayField, LastDayField


class RoleForm(forms.Form):
    """What a role is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 1)


class PermissionsForm(forms.Form):
    """What a role permits, by the features of Table 1; `offered` can be chosen, others stay if they are `held` already."""

    permissions = forms.MultipleChoiceField(
        choices=Permission.choices, error_messages={"required": gettext_lazy("Choose at least one permission.")}
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, offered: frozenset[Permission], held: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered, self.held = offered, held

    @property
    def chosen(self) -> set[str]:
        """What is ticked now."""
        return set(self.data.getlist("permissions")) if self.is_bound else set(self.held)  # type: ignore[attr-defined]

    def features(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The rows of Table 1 by feature, each with whether it is ticked and whether it can be."""
        grouped: dict[str, list[dict[str, Any]]] = {}
        for code, row in TABLE.items():
            grouped.setdefault(str(row.feature), []).append(
                {
                    "code": code.value,
                    "label": code.label,
                    "full_label": code.full_label,
                    "is_chosen": code.value in self.chosen,
                    "is_offered": code in self.offered or code.value in self.held,
                }
            )
        return list(grouped.items())


class AssignmentForm(forms.Form):
    """What an assignment is called and from which day until which day it holds, in the customer's time zone."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    first_day = DayField(label=gettext_lazy("Valid from"), help_text=gettext_lazy("Empty: at once."))
    last_day = LastDayField()
    sends_email = forms.BooleanField(
        label=gettext_lazy("Tell members by e-mail when they get or lose this access"), required=False
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, tenant: Tenant, kept: bool = False, endless: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(tenant.time_zone)
        if kept:  # the portal's own assignments keep their name, and have no dates
            for name in ("name", "first_day", "last_day"):
                del self.fields[name]
        elif endless:
            del self.fields["last_day"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        first, last = found.get("first_day"), found.get("last_day")
        if first is not None and last is not None and last < first:
            self.add_error("last_day", _("The end comes after the beginning."))
        return found

    @property
    def dates(self) -> dict[str, str | None]:
        """The days as moments, in plain JSON."""
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        return {
            "valid_from": None if first is None else days.start_of(first, self.zone).isoformat(),
            "valid_until": None if last is None else days.end_of(last, self.zone).isoformat(),
        }

    @staticmethod
    def of(assignment: Assignment) -> dict[str, Any]:
        """The entries that stand for `assignment`."""
        zone = ZoneInfo(assignment.tenant.time_zone)
        start, end = assignment.valid_from, assignment.valid_until
        return {
            "name": assignment.name,
            "description": assignment.description,
            "sends_email": assignment.sends_email,
            "first_day": None if start is None else days.first_day(start, zone),
            "last_day": None if end is None else days.last_day(end, zone),
            "version": assignment.version,
        }


class MemberForm(forms.Form):
    """Somebody of the organisation that holds the role, by user principal name."""

    upn = forms.CharField(
        label=gettext_lazy("User principal name (UPN)"),
        max_length=300,
        help_text=gettext_lazy(
            "Somebody of your organisation. Who has never signed in becomes a member by signing in."
        ),
        widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_upn(self) -> str:
        return upn.normalise(self.cleaned_data["upn"])


class PersonForm(MemberForm):
    """Somebody who has an account in `tenant`."""

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        self.person: User | None = None
        self.fields["upn"].help_text = _("Somebody of your organisation who has signed in at least once.")

    def clean_upn(self) -> str:
        name = super().clean_upn()
        self.person = User.objects.filter(tenant=self.tenant, upn=name, is_active=True).first()
        if self.person is None:
            text = _("Nobody of your organisation has signed in as %(upn)s yet.")
            raise forms.ValidationError(text, code="unknown_person", params={"upn": name})
        return name


class GroupForm(forms.Form):
    """What a security group is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)


def group_choices(groups: Any, chosen: set[int]) -> list[dict[str, Any]]:
    """The security groups that can be members, and which are."""
    found: list[SecurityGroup] = list(groups.order_by("name", "pk"))
    return [{"group": one, "is_chosen": one.pk in chosen} for one in found]
