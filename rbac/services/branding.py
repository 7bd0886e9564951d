"""How mails in a customer's name look: sender, accent colour, footer. Plain values for whoever writes a mail."""

from dataclasses import dataclass

from rbac.models import Tenant
from rbac.preferences import MailBranding


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
