"""What people enter about partners. Forms check the form of entries; every rule is asked of the services."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from partners.errors import DomainOrPeople, DuplicateContact, InvalidLifetime, NoContact, TermsChanged, TermsNotAccepted
from partners.models import Terms
from partners.services import colleagues, domain_invitations, invitations, time_limits
from partners.services.invitations import DAYS, DEFAULT_DAYS, Contact
from partners.services.relationships import LABEL_LENGTH
from rbac import days
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.letters import zone_of
from rbac.models import Tenant
from rooms.day_fields import LastDayField
from rooms.models import ControlMode

MAX_ROWS = 50  # contacts on one page; a tenant may send 200 invitations a day
MAX_TEXT = 300  # characters kept of an entry that was not checked yet

# They turn the direction of what follows: a name could be made to look like another one.
_DIRECTION = {*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def single_line(text: str) -> None:
    """Pass if `text` is one line of visible characters: it goes into mails. Raises ValidationError."""
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign in _DIRECTION for sign in text):
        raise ValidationError(_("Enter one line of plain text."), code="single_line")


class LineField(forms.CharField):
    """One line of text."""

    default_validators = [single_line]


class ContactForm(forms.Form):
    """One person to invite; a row that is left blank is no contact."""

    name = LineField(
        label=_("Name"), max_length=120, error_messages={"required": _("Enter the person’s name.")}, strip=True
    )
    upn = forms.CharField(
        label=_("User principal name (UPN)"),
        max_length=MAX_TEXT,
        error_messages={"required": _("Enter the person’s user principal name.")},
        widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )
    delivery_address = forms.EmailField(
        label=_("Other address for the mail"),
        max_length=254,
        required=False,
        help_text=_("Only if the user principal name is no mailbox. Whoever accepts signs in with the name above."),
    )

    def __init__(self, *args: Any, customer: Tenant, needs_name: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.fields["name"].required = needs_name
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["upn"].widget.attrs["autocomplete"] = "off"

    def clean_upn(self) -> str:
        return invitations.checked([Contact("", self.cleaned_data["upn"])], self.customer)[0].upn

    @property
    def contact(self) -> Contact:
        """The row; without a name the person is called by the UPN."""
        data = self.cleaned_data
        return Contact(data["name"] or data["upn"], data["upn"], data.get("delivery_address", ""))


class ColleagueForm(ContactForm):
    """A person of one's own organisation; `customer` is that organisation. A known one needs no mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["delivery_address"]

    def clean_upn(self) -> str:
        return colleagues.checked([{"upn": self.cleaned_data["upn"]}], self.customer)[0].upn


class BaseContactRows(forms.BaseFormSet):  # type: ignore[type-arg]
    """Rows of contacts; the last one is where the next person is entered."""

    def clean(self) -> None:
        rows = [form for form in self.forms if form.has_changed()]
        if not rows:
            raise NoContact
        seen: set[str] = set()
        for form in rows:
            upn = form.cleaned_data.get("upn") if form.is_valid() else None
            if upn in seen:
                form.add_error("upn", DuplicateContact(params={"upn": upn}))
            elif upn:
                seen.add(upn)

    @property
    def contacts(self) -> list[Contact]:
        """Those that were entered, in their order."""
        return [form.contact for form in self.forms if form.has_changed()]

    def refuse(self, error: ValidationError) -> None:
        """Show what a service refused at the row it speaks of, else above the rows."""
        upn = (getattr(error, "params", None) or {}).get("upn")
        for form in self.forms:
            if upn and form.has_changed() and form.cleaned_data.get("upn") == upn:
                form.add_error("upn", error)
                return
        self._non_form_errors.extend(error.error_list)


ContactRows = forms.formset_factory(
    ContactForm,
    formset=BaseContactRows,
    extra=0,
    max_num=MAX_ROWS,
    absolute_max=MAX_ROWS,
    validate_max=True,
)
ColleagueRows = forms.formset_factory(
    ColleagueForm,
    formset=BaseContactRows,
    extra=0,
    max_num=MAX_ROWS,
    absolute_max=MAX_ROWS,
    validate_max=True,
)
PREFIX = "contact"
COLUMNS = ("name", "upn", "delivery_address")


def rows_in(data: Mapping[str, Any], *, without: int | None = None) -> list[dict[str, str]]:
    """The rows of a posted form as they were typed, blank ones left out, and the one numbered `without`."""
    try:
        total = min(int(data.get(f"{PREFIX}-TOTAL_FORMS", "0")), MAX_ROWS)
    except ValueError:
        total = 0
    rows = [
        {column: plain(data.get(f"{PREFIX}-{number}-{column}", "")) for column in COLUMNS} for number in range(total)
    ]
    return [row for number, row in enumerate(rows) if any(row.values()) and number != without]


def row_number(text: str) -> int | None:
    """The number of a row that a button names; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


def contact_rows(
    rows: Iterable[Mapping[str, str]], customer: Tenant, *, checked: bool, needs_name: bool = True
) -> BaseContactRows:
    """A set of `rows` and a blank one after them; bound, so that what is wrong is shown, only if `checked`."""
    return _rows(ContactRows, rows, customer, checked=checked, needs_name=needs_name)


def colleague_rows(rows: Iterable[Mapping[str, str]], home: Tenant, *, checked: bool) -> BaseContactRows:
    """As `contact_rows`, for people of `home`."""
    return _rows(ColleagueRows, rows, home, checked=checked, needs_name=False)


def _rows(
    kind: Any, rows: Iterable[Mapping[str, str]], tenant: Tenant, *, checked: bool, needs_name: bool
) -> BaseContactRows:
    listed = [*rows, {}][:MAX_ROWS]
    options: dict[str, Any] = {"prefix": PREFIX, "form_kwargs": {"customer": tenant, "needs_name": needs_name}}
    if not checked:
        found: BaseContactRows = kind(initial=listed, **options)
        found.forms[-1].fields["name"].widget.attrs["data-focus"] = "true"  # where one goes on after *Add contact*
        return found
    data = {f"{PREFIX}-TOTAL_FORMS": str(len(listed)), f"{PREFIX}-INITIAL_FORMS": "0"}
    for number, row in enumerate(listed):
        data |= {f"{PREFIX}-{number}-{column}": row.get(column, "") for column in COLUMNS}
    bound: BaseContactRows = kind(data, **options)
    return bound


def plain(text: object) -> str:
    """An unchecked entry in a form that can be kept: no NUL (no database text holds it), of limited length."""
    return str(text).replace("\x00", "").strip()[:MAX_TEXT]


class LifetimeForm(forms.Form):
    """How long the invitations live."""

    days = forms.IntegerField(
        label=_("Days to answer"),
        initial=DEFAULT_DAYS,
        error_messages={"required": InvalidLifetime.text, "invalid": InvalidLifetime.text},
        help_text=_("After so many days an invitation expires."),
        widget=forms.NumberInput(attrs={"min": DAYS.start, "max": DAYS.stop - 1, "class": "short"}),
    )

    def clean_days(self) -> int:
        days: int = self.cleaned_data["days"]
        if days not in DAYS:
            raise InvalidLifetime
        return days


class PartnerForm(LifetimeForm):
    """Whose organisation it is, if it is invited by domain; what the partner is called, and who alone may accept."""

    domain = forms.CharField(
        label=_("Partner’s domain"),
        max_length=MAX_TEXT,
        required=False,
        help_text=_(
            "Instead of contacts, for an organisation that is known here: its tenant managers answer, and name the primary "
            "admins."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )

    label = LineField(
        label=_("Partner name"),
        max_length=LABEL_LENGTH,
        required=False,
        help_text=_("How you call the partner here. If left out, the domain of the first contact."),
    )
    last_day = LastDayField(help_text=_("Only if the partnership is to end by itself: at midnight after this day."))
    expected_tid = forms.UUIDField(
        label=_("Partner’s Entra tenant id"),
        required=False,
        error_messages={"invalid": _("Enter an id like 8a1f6b1e-0c5d-4c39-9f42-1f3f4f8a7b10.")},
        help_text=_("If you enter it, nobody of another organisation can accept."),
    )

    def __init__(self, *args: Any, customer: Tenant, has_contacts: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer, self.has_contacts = customer, has_contacts

    def clean_domain(self) -> str:
        domain: str = self.cleaned_data["domain"]
        if domain and self.has_contacts:
            raise DomainOrPeople
        if domain:
            domain_invitations.tenant_of(domain, self.customer)
        return domain.lower()

    def clean_last_day(self) -> date | None:
        day: date | None = self.cleaned_data["last_day"]
        if day is not None:
            time_limits.check(days.end_of(day, zone_of(self.customer)))
        return day


def mode_field(event: Permission) -> str:
    """The name of the field for `event`."""
    return f"mode_{event.codename}"


class ChangeControlForm(forms.Form):
    """One choice per controlled event."""

    def __init__(self, *args: Any, modes: Mapping[Permission, ControlMode], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for event in CONTROLLED_EVENTS:
            self.fields[mode_field(event)] = forms.ChoiceField(
                label=event.full_label, choices=ControlMode.choices, initial=modes[event], widget=forms.RadioSelect
            )

    @property
    def modes(self) -> dict[str, str]:
        """The chosen mode of each event, as plain values."""
        return {event.value: self.cleaned_data[mode_field(event)] for event in CONTROLLED_EVENTS}


class TermsForm(forms.Form):
    """Agreeing to the text that was on the page, and to no other."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    agrees = forms.BooleanField(label=_("I agree"), error_messages={"required": TermsNotAccepted.text})

    def __init__(self, *args: Any, terms: Terms, **kwargs: Any) -> None:
        super().__init__(*args, initial={"version": terms.version, **kwargs.pop("initial", {})}, **kwargs)
        self.terms = terms

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("version") != self.terms.version:
            raise TermsChanged
        return data


class LabelForm(forms.Form):
    """What the customer calls a partner."""

    label = LineField(
        label=_("Partner name"),
        max_length=LABEL_LENGTH,
        help_text=_("How you call the partner here. The partner does not see it."),
    )


class TimeLimitForm(forms.Form):
    """The last day of a relationship, in the customer's time zone."""

    last_day = LastDayField()

    def __init__(self, *args: Any, until: datetime | None, zone: ZoneInfo, **kwargs: Any) -> None:
        initial = {"last_day": None if until is None else days.last_day(until, zone)}
        super().__init__(*args, initial=initial, **kwargs)
        self.zone, self._before = zone, until

    @property
    def until(self) -> datetime | None:
        """The end as a moment; one that a tool has set within the day stays as it is, if the day does."""
        day = self.cleaned_data["last_day"]
        if "last_day" not in self.changed_data:
            return self._before
        return None if day is None else days.end_of(day, self.zone)
