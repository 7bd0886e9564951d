"""The demo's settings: mails in Tailwind's own look, who is told of what, a domain to verify, and new terms that wait."""

from pathlib import Path

from partners.models import Terms
from partners.services import terms
from rbac.models import User
from rbac.services import branding, notifications, tenants
from rbac.services.branding import Branding
from rbac.services.notifications import Choice, Event

TERMS = Path(__file__).parent / "terms"


def dress(admin: User) -> None:
    """The customer of `admin` has chosen how its mails look and who is told of what, and has entered another domain."""
    assert admin.tenant is not None
    look = Branding("Tailwind Workplace", "#7a1f3d", "Workplace desk: +43 1 5550 199\nworkplace@tailwindtraders.com")
    branding.change(admin.tenant, look, by=admin)
    desk = ("workplace@tailwindtraders.com",)
    notifications.change(
        admin.tenant,
        {
            Event.TICKET_HIGH_IMPACT: Choice(to_admins=True, addresses=desk),
            Event.TICKET_CLOSED: Choice(to_admins=False, addresses=desk),
        },
        by=admin,
    )
    tenants.add_domain(admin.tenant, "tailwind-stores.example", by=admin)


def renew_terms(*agreeing: User) -> None:
    """A second version is published, after all partners were added; `agreeing` have agreed, others are asked."""
    first = Terms.objects.get()
    new = {code: (TERMS / f"{code}-new.txt").read_text() for code in ("en", "de")}
    newest = terms.publish(f"{first.text_en}\n\n{new['en']}", f"{first.text_de}\n\n{new['de']}", by=None)
    for admin in agreeing:
        assert admin.tenant is not None
        terms.accept(admin.tenant, newest.version, by=admin)
