"""More customers of Ann's, small ones, so that what stands over all customers has something worth seeing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid5

from audit.clock import now
from partners.services import invitations, relationships, time_limits, tokens
from partners.services.invitations import Contact
from partners.services.relationships import Proposal
from rbac.catalogue import Permission
from rbac.models import Delegation, Tenant, User
from rbac.partner_access import Conditions, Policy
from rbac.services import partner_access, tenants
from rbac.sign_in import Identity, arrive
from rooms.models import FilterView, Room, Severity
from rooms.scopes import Scope
from rooms.services import inventory, saved_filters, tickets

_NAMESPACE = UUID("0f6b1c9f-2a11-4c1e-9d6f-3f0c2a566a0b")


@dataclass(frozen=True)
class Small:
    """A customer with few rooms in one city, and what its people have reported."""

    name: str
    domain: str
    city: str
    country: str
    time_zone: str
    rooms: Sequence[str]
    incidents: Sequence[tuple[str, Severity]] = ()
    ends_in: int = 0  # days; the partnership has no end without
    asks: Policy = field(default_factory=Policy)  # of its partners' people


CUSTOMERS = (
    Small(
        "Adventure Works Cycles",
        "adventure-works.com",
        "Copenhagen",
        "DK",
        "Europe/Copenhagen",
        ("Chain", "Crank", "Saddle"),
        [("The screen stays dark after a meeting", Severity.IMPORTANT)],
        ends_in=21,
    ),
    Small(
        "Alpine Ski House",
        "alpineskihouse.com",
        "Innsbruck",
        "AT",
        "Europe/Vienna",
        ("Gipfel", "Piste", "Talstation", "Gondel"),
        [("Echo in every call", Severity.WARNING), ("The camera shows the ceiling", Severity.IMPORTANT)],
        asks=Policy(step_up=Conditions(mfa=True), events=frozenset({Permission.ROOMS_MODIFY})),
    ),
    Small(
        "Margie’s Travel",
        "margiestravel.com",
        "Lisbon",
        "PT",
        "Europe/Lisbon",
        ("Compass", "Lighthouse"),
        [],
        ends_in=75,
    ),
    Small(
        "Relecloud",
        "relecloud.com",
        "Dublin",
        "IE",
        "Europe/Dublin",
        ("Cumulus", "Stratus", "Cirrus"),
        [("Nobody can join from outside", Severity.IMPORTANT)],
    ),
    Small(
        "Woodgrove Bank",
        "woodgrovebank.com",
        "Zurich",
        "CH",
        "Europe/Zurich",
        ("Vault", "Ledger"),
        [("The door panel shows another room", Severity.WARNING)],
        asks=Policy(Conditions(mfa=True, max_age=8 * 60)),
    ),
)


def fill(helper: User) -> None:
    """`helper` is a primary admin of each of CUSTOMERS, has a token that ends soon, and keeps two filters."""
    for small in CUSTOMERS:
        _found(small, helper)
    first = Delegation.objects.get(tenant__name="Relecloud", held_by=helper.tenant)
    scopes, days = [Permission.ROOMS_VIEW, Permission.TICKETS_VIEW], timedelta(days=9)
    tokens.issue(first, "Ticket bridge", by=helper, scopes=scopes, lifetime=days)
    urgent = "severity=critical&sort=activity"
    saved_filters.save(None, "Critical", urgent, by=helper, view=FilterView.TICKETS)
    saved_filters.save(None, "Unhealthy", "health=unhealthy", by=helper, view=FilterView.ROOMS)


def _found(small: Small, helper: User) -> None:
    tid = uuid5(_NAMESPACE, small.domain)
    upn = f"facilities@{small.domain}"
    tenant = tenants.found(
        small.name, admin_upn=upn, domains=[small.domain], entra_tid=tid, time_zone=small.time_zone, by=None
    )
    admin = arrive(Identity(tid, uuid5(tid, upn), upn, f"Facilities {small.name}"), is_awaited=invitations.is_awaited)
    _rooms(small, tenant, admin)
    contact = Contact(helper.get_full_name(), helper.upn)
    proposal = Proposal([contact], Scope(all_rooms=True), terms_version=1, agrees=True, label="Fabrikam AV Services")
    relationship = relationships.add(tenant, proposal, by=admin)
    invitations.accept(relationship.invitations.get(), by=helper)
    if small.ends_in:
        time_limits.limit(relationship, now() + timedelta(days=small.ends_in), by=admin)
    first = Room.objects.filter(tenant=tenant).order_by("display_name").values_list("pk", flat=True)
    for number, (title, severity) in enumerate(small.incidents):
        tickets.report(tenant, by=admin, title=title, rooms=[first[number]], severity=severity)
    partner_access.change(tenant, small.asks, by=admin)


def _rooms(small: Small, tenant: Tenant, admin: User) -> None:
    lines = ["Identity,DisplayName,City,CountryOrRegion,Building,Capacity"]
    lines += [
        f"{name.lower()}@{small.domain},{name},{small.city},{small.country},{small.name} office,{4 + 2 * number}"
        for number, name in enumerate(small.rooms)
    ]
    inventory.load(tenant, BytesIO("\n".join(lines).encode()), "rooms.csv", by=admin)
