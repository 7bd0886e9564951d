"""The components every page is built from. Copyable examples: docs/ui.md."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django import forms, template
from django.contrib.staticfiles import finders
from django.forms.boundfield import BoundField
from django.forms.formsets import BaseFormSet
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rbac import time_limits

register = template.Library()

SPRITE = "vendor/bootstrap-icons-1.13.2/icons.svg"
BADGE_ICONS = {
    "success": "check-circle-fill",
    "warning": "exclamation-triangle-fill",
    "danger": "x-circle-fill",
    "info": "info-circle-fill",
    "neutral": "dash-circle",
}
MESSAGE_ICONS = {
    "success": "check-circle-fill",
    "warning": "exclamation-triangle-fill",
    "error": "exclamation-circle-fill",
    "info": "info-circle-fill",
    "debug": "code-slash",
}


@cache
def icon_names() -> frozenset[str]:
    """The names of the icons in the vendored sprite."""
    path = finders.find(SPRITE)
    if not path:
        return frozenset()
    with open(path, encoding="utf-8") as sprite:
        return frozenset(re.findall(r'<symbol id="([\w-]+)"', sprite.read()))


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An icon of the sprite; decoration unless it has a `label`.

    An unknown name shows a circle and warns, which is an error in tests.
    """
    if name not in icon_names():
        warnings.warn(f"There is no icon {name!r} in {SPRITE}.", stacklevel=2)
        name = "circle"
    meaning = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon{}" width="16" height="16" focusable="false" {}><use href="{}#{}"></use></svg>',
        f" {css}" if css else "",
        meaning,
        static(SPRITE),
        name,
    )


@register.simple_tag
def badge(kind: str, label: str, icon_name: str = "") -> SafeString:
    """A status as icon + word + colour; `kind` is one of BADGE_ICONS and names the icon unless another is given."""
    fallback = BADGE_ICONS.get(kind)
    if fallback is None:
        raise ValueError(f"A badge is one of {', '.join(BADGE_ICONS)}, not {kind!r}.")
    return format_html('<span class="status status-{}">{}{}</span>', kind, icon(icon_name or fallback), label)


@register.simple_tag
def time_left(until: datetime.datetime | None, at: datetime.datetime) -> SafeString:
    """What is left at the moment `at` (the database's) until an end: over, a warning in its last days, a hint in the last
    month; nothing before."""
    time = time_limits.left(until, at)
    if time is None or time.days > time_limits.HINT_DAYS:
        return SafeString("")
    if time.is_over:
        return badge("neutral", _("Time limit reached"), "hourglass-split")
    text = ngettext("Ends in %(days)d day", "Ends in %(days)d days", time.days) % {"days": time.days}
    return badge("warning" if time.is_near else "info", text, "hourglass-split" if time.is_near else "calendar-event")


@register.simple_tag
def message_icon(level_tag: str) -> SafeString:
    """The icon for a message of django.contrib.messages."""
    return icon(MESSAGE_ICONS.get(level_tag, "info-circle-fill"))


@register.simple_tag
def when(value: datetime.date | datetime.datetime | None, style: str = "datetime") -> SafeString:
    """A moment or a day as <time>; a dash for None. `style`: datetime | date | relative.

    The server writes it in its current time zone, and says which; portal.js rewrites moments in the reader's zone, and
    both as the reader's language does.
    """
    if value is None:
        return format_html('<span class="nothing" aria-label="{}">–</span>', _("none"))
    if not isinstance(value, datetime.datetime):
        day = date_format(value, "DATE_FORMAT")
        return format_html('<time datetime="{}" data-local="day">{}</time>', value.isoformat(), day)
    local = timezone.localtime(value)
    exact = f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"
    shown = date_format(local, "DATE_FORMAT") if style == "date" else exact
    return format_html(
        '<time datetime="{}" data-local="{}" title="{}">{}</time>',
        value.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        style,
        exact,
        shown,
    )


COLOURS = 8  # customers are told apart by one of these, beside their name


def colour_of(tenant_id: UUID) -> int:
    """The colour of a tenant, everywhere the same."""
    return tenant_id.int % COLOURS


@register.simple_tag
def customer_mark(tenant_id: UUID, name: str) -> SafeString:
    """The customer of a row: its name beside its colour, in which it is met everywhere."""
    return format_html(
        '<span class="customer-mark"><span class="tenant-dot tenant-{}"></span>{}</span>', colour_of(tenant_id), name
    )


@register.filter
def breakable(value: str) -> SafeString:
    """A UPN, domain or address that may break before its @ and after its dots, and nowhere in a word."""
    pieces = re.split(r"(?=@)|(?<=\.)(?=[\w-])", str(value))
    return format_html_join(SafeString("<wbr>"), "{}", ((piece,) for piece in pieces))


@register.simple_tag
def pane_attrs(url: str) -> SafeString:
    """Attributes for a link or button that opens `url` in the detail pane; without JavaScript its own href works."""
    return format_html('hx-get="{}" hx-target="#pane" hx-swap="innerHTML"', url)


def _field_shape(widget: forms.Widget) -> str:
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.MultiWidget):
        return "group"
    return "control"


def _css_class(widget: forms.Widget) -> str:
    if isinstance(widget, (forms.CheckboxInput, forms.RadioSelect, forms.CheckboxSelectMultiple)):
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-control"


def _anchor(bound: BoundField) -> str:
    """The id of the first element a person can act on."""
    if _field_shape(bound.field.widget) in ("choices", "group"):
        return f"{bound.auto_id}_0"
    return str(bound.id_for_label)


def _control_attrs(bound: BoundField, described_by: list[str]) -> dict[str, Any]:
    widget = bound.field.widget
    css = [widget.attrs.get("class", ""), _css_class(widget), "is-invalid" if bound.errors else ""]
    attrs: dict[str, Any] = {"class": " ".join(filter(None, css))}
    if described_by:
        attrs["aria-describedby"] = " ".join(described_by)
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if isinstance(widget, forms.MultiWidget):
        attrs["aria-labelledby"] = f"{bound.auto_id}_legend"  # its parts have no label of their own
    return attrs


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField, label: str = "", help: str = "", hide_label: bool = False, optional: bool = True, css: str = ""
) -> dict[str, Any]:
    """A form field: label above, help below, errors at the field, all tied together for assistive technology.

    `label` and `help` replace the form's own; `hide_label` keeps the label for screen readers only; `optional=False`
    leaves out the word "optional" of a field that need not be filled.
    """
    shape = _field_shape(bound.field.widget)
    help_text = help or bound.help_text
    help_id, error_id = f"{bound.auto_id}_help", f"{bound.auto_id}_error"
    described_by = [*([help_id] if help_text else []), *([error_id] if bound.errors else [])]
    attrs = _control_attrs(bound, described_by)
    return {
        "bound": bound,
        "shape": shape,
        "label": label or bound.label,
        "help_text": help_text,
        "help_id": help_id,
        "error_id": error_id,
        "described_by": " ".join(described_by),
        "hide_label": hide_label,
        "optional": optional and not bound.field.required and shape != "check",
        "css": css,
        "control": "" if shape == "choices" else bound.as_widget(attrs=attrs),
        "choices": _choices(bound) if shape == "choices" else [],
    }


def _choices(bound: BoundField) -> list[dict[str, Any]]:
    """One entry per radio button or checkbox; a `data-reason` on the option says why it can't be chosen."""
    found = []
    for number, choice in enumerate(bound.subwidgets):
        attrs = choice.data["attrs"]
        css = [attrs.get("class", ""), "form-check-input", "is-invalid" if bound.errors else ""]
        attrs["class"] = " ".join(filter(None, css))
        reason = attrs.pop("data-reason", "")
        identifier = attrs.get("id", f"{bound.auto_id}_{number}")
        if reason:
            attrs["aria-describedby"] = f"{identifier}_reason"
        found.append({"id": identifier, "label": choice.choice_label, "control": choice.tag(), "reason": reason})
    return found


def _summary_entries(source: forms.BaseForm | BaseFormSet[Any], prefix: str = "") -> Iterator[dict[str, str]]:
    if isinstance(source, BaseFormSet):
        yield from ({"href": "", "text": str(error)} for error in source.non_form_errors())
        for number, form in enumerate(source.forms, start=1):
            yield from _summary_entries(form, _("Row %(number)d") % {"number": number})
        return
    for error in source.non_field_errors():
        yield {"href": "", "text": f"{prefix}: {error}" if prefix else str(error)}
    for bound in source:
        name = ", ".join(filter(None, [prefix, str(bound.label)]))
        for error in bound.errors:
            yield {"href": "" if bound.is_hidden else f"#{_anchor(bound)}", "text": f"{name}: {error}"}


@register.inclusion_tag("components/error_summary.html")
def error_summary(*sources: forms.BaseForm | BaseFormSet[Any] | None) -> dict[str, Any]:
    """What is wrong in these forms and formsets, in their order, with links to the fields; nothing when all is well."""
    entries = [
        entry for source in sources if source is not None and source.is_bound for entry in _summary_entries(source)
    ]
    return {"entries": entries}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: Any = None) -> dict[str, Any]:
    """Links to the previous and next page of a keyset-paged list: `page.previous_url`, `.next_url`, `.shown_text`."""
    return {"page": page if page is not None else context.get("page")}


@register.inclusion_tag("components/sort_header.html")
def sort_header(label: str, url: str, direction: str = "", css: str = "") -> dict[str, Any]:
    """A table head that sorts: `url` sorts the other way; `direction` (asc, desc or empty) is how it is sorted now."""
    return {"label": label, "url": url, "direction": direction, "css": css}


@register.inclusion_tag("components/steps.html")
def steps(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Where one is in a wizard: entries of label, url (empty: can't go there), state done | current | todo."""
    listed = list(entries)
    current = next((number for number, entry in enumerate(listed, 1) if entry["state"] == "current"), 0)
    return {"entries": listed, "current": current, "label": listed[current - 1]["label"] if current else ""}


@register.inclusion_tag("components/tabs.html")
def tabs(entries: Iterable[Mapping[str, Any]], label: str = "") -> dict[str, Any]:
    """Pages of one thing side by side: entries of label, url, current and, if wanted, count."""
    return {"entries": entries, "label": label}


@register.inclusion_tag("components/empty_state.html")
def empty_state(icon: str, title: str, text: str, action_label: str = "", action_url: str = "") -> dict[str, Any]:
    """Shown in place of an empty list: what belongs here and what to do next."""
    return {"icon": icon, "title": title, "text": text, "action_label": action_label, "action_url": action_url}


@register.inclusion_tag("components/disabled_reason.html")
def disabled_reason(label: str, reason: str, icon: str = "", css: str = "btn-secondary") -> dict[str, Any]:
    """A button one may not press, still reachable by keyboard, with the reason in sight."""
    return {"label": label, "reason": reason, "icon": icon, "css": css, "id": f"why-{slugify(label)}"}


@register.inclusion_tag("components/breadcrumb.html")
def breadcrumb(crumbs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The way here: (label, url) each; the last one, without url, is this page."""
    return {"crumbs": crumbs}


@register.inclusion_tag("components/progress.html")
def progress(label: str, value: int | None = None, max: int = 100, text: str = "") -> dict[str, Any]:
    """How far long work is; `value` None while nobody can tell. `text` says it in words ("312 of 666 rows")."""
    return {"label": label, "value": value, "max": max, "text": text, "id": f"progress-{slugify(label)}"}
