"""The demo's webhooks: a desk of Tailwind's that takes all but one kind of event, a tool of Fabrikam's that takes nothing.

They are made before anything happens that they would hear of; once the demo runs, its worker really delivers, to the page
that shows the mails (`mail_view.hook`).
"""

import os

from audit.events import EventType
from partners.services import webhooks
from partners.services.webhooks import Owner
from rbac.models import Delegation, User

_ALL = list(EventType)
_TICKETS = [one for one in EventType if one.value.startswith("ticket.")]


def fill(admin: User, helper: User) -> None:
    """`admin` has a webhook of his organisation that works, and one that is off; `helper`, of a partner, one that fails."""
    assert admin.tenant is not None
    receivers = os.environ.get("DEMO_RECEIVERS", "https://receivers.demo.invalid")
    own = Owner(admin.tenant, None)
    webhooks.create(own, f"{receivers}/hooks/desk/", by=admin, events=_ALL, description="Workplace desk")
    off, _ = webhooks.create(
        own, f"{receivers}/hooks/closed/", by=admin, events=_TICKETS, description="Old chat channel"
    )
    webhooks.turn_off(off, by=admin)
    delegation = Delegation.objects.get(tenant=admin.tenant, held_by=helper.tenant)
    webhooks.create(
        Owner(admin.tenant, delegation.pk),
        f"{receivers}/hooks/closed/",
        by=helper,
        events=_ALL,
        description="Fabrikam service desk",
    )
