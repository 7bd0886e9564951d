"""How mails in a customer's name look: sender, accent colour, footer. Plain values for whoever writes a mail."""

import re
from dataclasses import asdict, dataclass

from audit.log import recording
from audit.mail import one_line
from audit.models import Category, Operation
from rbac.access import require
from rbac.catalogue import Permission
from rbac.errors import InvalidAccent, InvalidFooter, InvalidSender, LowContrast
from rbac.models import Tenant, User
from rbac.precondition import digest, meet, tag_of
from rbac.preferences import ACCENT, MailBranding

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3: text of normal size
LONGEST_SENDER, LONGEST_FOOTER, FOOTER_LINES = 60, 300, 5


@dataclass(frozen=True)
class Branding:
    """What a mail is given; empty fields are the portal's own look."""

    sender_name: str = ""
    accent: str = ""
    footer: str = ""


def of(tenant: Tenant) -> Branding:
    """What `tenant` chose; the portal's look if it chose nothing."""
    kept = MailBranding.objects.filter(tenant=tenant).first()
    return Branding() if kept is None else Branding(kept.sender_name, kept.accent, kept.footer)


@tag_of.register
def _state_of(brand: Branding) -> str:
    return digest(asdict(brand))


def change(tenant: Tenant, brand: Branding, *, by: User) -> Branding:
    """Mails in the name of `tenant` look like `brand` from now on.

    Raises PermissionDenied if `by` may not modify settings here, InvalidSender, InvalidAccent, LowContrast, InvalidFooter.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, "mail branding", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        brand, before = checked(brand), of(tenant)
        meet(before)
        if brand == before:
            line.is_void = True  # saved without a change
            return brand
        MailBranding.objects.update_or_create(tenant=tenant, defaults=asdict(brand))
        line.before, line.after = asdict(before), asdict(brand)
    return brand


def checked(brand: Branding) -> Branding:
    """`brand` as it is kept. Raises InvalidSender, InvalidAccent, LowContrast, InvalidFooter."""
    sender, accent = one_line(brand.sender_name), brand.accent.strip().lower()
    lines = [one_line(text) for text in brand.footer.strip().splitlines()]
    footer = "\n".join(lines)
    if len(sender) > LONGEST_SENDER or re.search(r'[<>@"]', sender):
        raise InvalidSender
    if accent and not re.fullmatch(ACCENT, accent):
        raise InvalidAccent
    if accent and (ratio := contrast_with_white(accent)) < LEAST_CONTRAST:
        raise LowContrast(params={"ratio": f"{int(ratio * 10) / 10:.1f}"})
    if len(footer) > LONGEST_FOOTER or len(lines) > FOOTER_LINES:
        raise InvalidFooter
    return Branding(sender, accent, footer)


def contrast_with_white(colour: str) -> float:
    """How much lighter white is than `colour` (#rrggbb): 1 to 21, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
