"""Mails in a customer's name: from templates, in the reader's language, with the customer's look.

A template is a pair, `<name>.txt` and `<name>.html`, that extends mail/letter.*; its context holds the facts, `customer`,
`heading`, `brand`, and `button_url` with `button_label` if there is a button.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.template.loader import render_to_string
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from audit.mail import Letter, one_line
from rbac.models import Tenant
from rbac.services import branding
from rbac.services.branding import Branding
from rbac.services.notifications import supported

Facts = Mapping[str, str | datetime | None]


def write(
    template: str, to: str, language: str, customer: Tenant, facts: Facts, *, subject: object, button: object = ""
) -> Letter:
    """The mail of `template` to `to` in `language`, as text and HTML; moments are told in the customer's time zone.

    `subject` (lazy, may hold `%(fact)s`) is its heading as well. Whatever people have entered is one line without control
    characters: nobody's name becomes a paragraph of ours.
    """
    return written(template, to, language, customer, facts, branding.of(customer), subject=subject, button=button)


def written(
    template: str,
    to: str,
    language: str,
    customer: Tenant,
    facts: Facts,
    brand: Branding,
    *,
    subject: object,
    button: object = "",
) -> Letter:
    """As `write`, in the look of `brand`."""
    zone, language = zone_of(customer), supported(language)
    with override(language):
        told = {
            name: moment(fact, zone) if isinstance(fact, datetime) else one_line(fact or "")
            for name, fact in facts.items()
        }
        told["customer"] = one_line(customer.name)
        heading = str(subject) % told
        context = {**told, "heading": heading, "button_label": str(button), "brand": brand}
        text, html = (render_to_string(f"{template}.{form}", context) for form in ("txt", "html"))
        sender = _("%(name)s via Rooms portal") % {"name": brand.sender_name} if brand.sender_name else ""
    return Letter(to, heading, text.strip() + "\n", html, language, sender)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`at` with weekday, date, time and zone, so that nobody has to guess which noon is meant."""
    local = at.astimezone(zone)
    # Translators: a date format as Django writes it; in German “l, j. F Y, H:i \U\h\r”.
    told = dateformat.format(local, pgettext("date format in mails", "l, j F Y, H:i"))
    offset = local.strftime("%z")
    return f"{told} ({zone.key})" if zone.key == "UTC" else f"{told} ({zone.key}, UTC{offset[:3]}:{offset[3:]})"


def zone_of(customer: Tenant) -> ZoneInfo:
    """The customer's time zone; UTC for one this machine does not know: no reason to say nothing."""
    try:
        return ZoneInfo(customer.time_zone)
    except (ValueError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")
