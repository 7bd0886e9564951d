"""How amounts, and what a customer asks for, are said in words."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rbac.partner_access import Conditions

MINUTES_OF_DAY, MINUTES_OF_HOUR = 24 * 60, 60


def duration(minutes: int) -> str:
    """`minutes` in the largest unit that says them in whole numbers: 8 hours, 2 days, 90 minutes."""
    if minutes and minutes % MINUTES_OF_DAY == 0:
        return ngettext("%(n)d day", "%(n)d days", minutes // MINUTES_OF_DAY) % {"n": minutes // MINUTES_OF_DAY}
    if minutes and minutes % MINUTES_OF_HOUR == 0:
        return ngettext("%(n)d hour", "%(n)d hours", minutes // MINUTES_OF_HOUR) % {"n": minutes // MINUTES_OF_HOUR}
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


def asked(conditions: Conditions, *, names_networks: bool) -> list[str]:
    """What `conditions` ask of a partner's people, a sentence each; the networks by name only for who chose them."""
    found = []
    if conditions.mfa:
        found.append(_("A sign-in with a second factor."))
    if conditions.max_age is not None:
        found.append(_("A sign-in that is at most %(age)s old.") % {"age": duration(conditions.max_age)})
    if conditions.networks and names_networks:
        found.append(_("Only from %(networks)s.") % {"networks": ", ".join(conditions.networks)})
    elif conditions.networks:
        found.append(_("Only from networks that the customer allows."))
    return found
