"""What stands around a page: whose tenant it shows, where else one can go, who one is (context of base.html).

Entries one may not use are absent. Everything is answered from the person's standing, resolved once per request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.services.webhooks import kept_by
from rbac import access, gates
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms.models import ApprovalRequest
from rooms.services import approvals
from trm_portal.templatetags.portal import colour_of

SWITCHER_LENGTH = 20
SEARCHED_FROM = 6  # tenants; fewer are found at a glance


@dataclass(frozen=True)
class Kind:
    """A kind of page that every tenant has, for whoever holds one of `anywhere` there (for all rooms, if `whole`)."""

    label: str | Promise
    icon: str
    anywhere: tuple[Permission, ...] = ()
    whole: bool = False


WORK = {
    "overview": Kind(gettext_lazy("Overview"), "speedometer2"),
    "rooms": Kind(gettext_lazy("Rooms"), "easel", (Permission.ROOMS_VIEW,)),
    "groups": Kind(gettext_lazy("Room groups"), "collection", (Permission.GROUPS_VIEW,)),
    "tickets": Kind(gettext_lazy("Incidents"), "ticket-perforated", (Permission.TICKETS_VIEW,)),
    "rings": Kind(gettext_lazy("Updates"), "arrow-repeat", (Permission.RINGS_VIEW,)),
    "reports": Kind(gettext_lazy("Reports"), "graph-up", (Permission.REPORTS_VIEW,)),
    "approvals": Kind(gettext_lazy("Approvals"), "check2-square"),
}
SETTINGS = {
    "settings_general": Kind(gettext_lazy("General"), "sliders", (Permission.SETTINGS_VIEW,), whole=True),
    "partners": Kind(gettext_lazy("Partners"), "people", (Permission.SETTINGS_VIEW,), whole=True),
    "partner_access": Kind(gettext_lazy("Partner access"), "shield-check", (Permission.SETTINGS_VIEW,), whole=True),
    "settings_notifications": Kind(gettext_lazy("Notifications"), "bell", (Permission.SETTINGS_VIEW,), whole=True),
    "keys": Kind(gettext_lazy("Enrolment keys"), "key", (Permission.ROOMS_DOWNLOAD_KEY, Permission.ROOMS_RESET_KEY)),
    "roles": Kind(gettext_lazy("Roles"), "shield-lock", (Permission.ROLES_VIEW,)),
    "webhooks": Kind(gettext_lazy("Webhooks"), "broadcast"),
    "audit_logs": Kind(gettext_lazy("Audit logs"), "journal-text", (Permission.SETTINGS_MODIFY,), whole=True),
}
KINDS = WORK | SETTINGS
# Over all customers, and what each of them has in its place.
AGGREGATE = {
    "all_tickets": (Kind(gettext_lazy("All incidents"), "ticket-perforated", (Permission.TICKETS_VIEW,)), "tickets"),
    "all_rooms": (Kind(gettext_lazy("All rooms"), "easel", (Permission.ROOMS_VIEW,)), "rooms"),
    "all_approvals": (Kind(gettext_lazy("All approvals"), "check2-square"), "approvals"),
    "all_expiring": (Kind(gettext_lazy("Expiring soon"), "calendar-event"), "overview"),
}


@dataclass(frozen=True)
class Place:
    """A tenant one can work in."""

    id: UUID
    name: str
    url: str
    kind: str
    colour: int
    current: bool


@dataclass(frozen=True)
class Entry:
    name: str
    label: str
    url: str
    icon: str
    active: bool
    count: int | None = None


@dataclass(frozen=True)
class Group:
    label: str
    entries: Sequence[Entry]


def tenants_of(request: HttpRequest) -> list[Place]:
    """The tenants the person can work in, the home tenant first."""
    return [place_of(request, tenant) for tenant in gates.standing(request).tenants]


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame` for base.html; without a person: nothing but the frame itself."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not isinstance(user, User):
        return {"frame": {"tenant": None, "is_foreign": False, "tenants": [], "groups": [], "person": None}}
    customer: Tenant | None = getattr(request, "customer", None)
    groups, tenants = _groups(request, user, customer), gates.standing(request).tenants
    kind = _kind_here(groups)
    return {
        "frame": {
            "tenant": place_of(request, customer) if customer is not None else None,
            "is_foreign": customer is not None and customer.pk != user.tenant_id,
            "tenants": [place_of(request, one, kind) for one in tenants[:SWITCHER_LENGTH]],
            "kind": kind,
            "has_search": len(tenants) >= SEARCHED_FROM,
            "more": max(0, len(tenants) - SWITCHER_LENGTH),
            "groups": groups,
            "person": {"name": user.get_full_name(), "upn": user.upn, "initials": _initials(user)},
        }
    }


def place_of(request: HttpRequest, tenant: Tenant, kind: str = "overview") -> Place:
    """`tenant` as a place to go to: its page of `kind` if the person may open it there, else its overview."""
    current = getattr(request, "customer", None)
    user = request.user
    is_home = isinstance(user, User) and tenant.pk == user.tenant_id
    held = [one for one in gates.standing(request).held if one.tenant_id == tenant.pk]
    page = kind if kind != "overview" and isinstance(user, User) and _opens(kind, user, held, tenant) else "overview"
    return Place(
        tenant.pk,
        tenant.name,
        reverse(page, args=[tenant.pk]),
        _("Your organisation") if is_home else _("Customer"),
        colour_of(tenant.pk),
        current is not None and current.pk == tenant.pk,
    )


def _opens(name: str, user: User, held: Sequence[access.Held], tenant: Tenant) -> bool:
    """Whether the person, with `held` in `tenant`, may open its page of this kind."""
    if name == "approvals":
        return approvals.may_decide(user, tenant, tuple(held)) or any(one.delegation_id is not None for one in held)
    if name == "webhooks":
        return kept_by(user, tenant, tuple(held)) is not None
    kind = KINDS[name]
    asked = access.holds_all if kind.whole else access.holds
    return not kind.anywhere or any(asked(held, one, tenant.pk) for one in kind.anywhere)


def _kind_here(groups: Sequence[Group]) -> str:
    """The kind of the page that is shown, as the rail tells."""
    active = next((entry.name for group in groups for entry in group.entries if entry.active), "overview")
    if active in AGGREGATE:
        return AGGREGATE[active][1]
    return active if active in KINDS else "overview"


def _initials(user: User) -> str:
    words = (user.display_name or user.upn.partition("@")[0].replace(".", " ")).split()
    return "".join(word[0] for word in words[:2]).upper()


def _groups(request: HttpRequest, user: User, customer: Tenant | None) -> list[Group]:
    groups = []
    if customer is not None:
        groups += [_of_tenant(request, user, customer, "", WORK)]
        groups += [_of_tenant(request, user, customer, _("Settings"), SETTINGS)]
    groups.append(_partner_side(request, user))
    return [group for group in groups if group.entries]


def _of_tenant(request: HttpRequest, user: User, customer: Tenant, label: str, kinds: Mapping[str, Kind]) -> Group:
    held = getattr(request, "held", ())
    entries = [_entry(request, name, kinds[name], customer) for name in kinds if _opens(name, user, held, customer)]
    if "approvals" in kinds and approvals.may_decide(user, customer, held):
        waiting = ApprovalRequest.objects.waiting().filter(tenant=customer).count()
        entries = [replace(one, count=waiting) if one.name == "approvals" else one for one in entries]
    return Group(label, entries)


def _entry(request: HttpRequest, name: str, kind: Kind, customer: Tenant) -> Entry:
    url = reverse(name, args=[customer.pk])
    is_active = request.path == url if name == "overview" else request.path.startswith(url)
    if name == "settings_general":  # its other pages stand beside the rest of the settings
        own = (f"{url}general/", f"{url}domains/", f"{url}terms/", f"{url}tenant-managers/")
        is_active = request.path == url or request.path.startswith(own)
    if name == "rings":
        is_active = is_active or request.path.startswith(url.replace("/rings/", "/rollouts/"))
    return Entry(name, str(kind.label), url, kind.icon, is_active)


def _partner_side(request: HttpRequest, user: User) -> Group:
    url, answers = reverse("customers"), reverse("invitations")
    waiting = gates.standing(request).known.get("open_invitations", 0)
    is_active = request.path.startswith((url, answers))
    entry = Entry("customers", _("Customers"), url, "building", is_active, waiting)
    return Group(_("Working for others"), [entry, *_aggregate(request, user)])


def _aggregate(request: HttpRequest, user: User) -> list[Entry]:
    """The views over all customers, for whoever works for one."""
    held = [one for one in gates.standing(request).held if one.tenant_id != user.tenant_id]
    return [
        Entry(name, str(kind.label), reverse(name), kind.icon, request.path.startswith(reverse(name)))
        for name, (kind, _same) in AGGREGATE.items()
        if held and (not kind.anywhere or any(access.holding(held, one) for one in kind.anywhere))
    ]
