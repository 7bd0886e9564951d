"""What stands around a page: whose tenant it shows, where else one can go, who one is (context of base.html).

Entries one may not use are absent. Everything is answered from the person's standing, resolved once per request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from rbac import access, gates
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms.models import ApprovalRequest
from rooms.services import approvals

COLOURS = 8  # customers are told apart by one of these, beside their name
SWITCHER_LENGTH = 20


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
    return [_place(request, tenant) for tenant in gates.standing(request).tenants]


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame` for base.html; without a person: nothing but the frame itself."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not isinstance(user, User):
        return {"frame": {"tenant": None, "is_foreign": False, "tenants": [], "groups": [], "person": None}}
    customer: Tenant | None = getattr(request, "customer", None)
    return {
        "frame": {
            "tenant": _place(request, customer) if customer is not None else None,
            "is_foreign": customer is not None and customer.pk != user.tenant_id,
            "tenants": tenants_of(request)[:SWITCHER_LENGTH],
            "groups": _groups(request, user, customer),
            "person": {"name": user.get_full_name(), "upn": user.upn, "initials": _initials(user)},
        }
    }


def _place(request: HttpRequest, tenant: Tenant) -> Place:
    current = getattr(request, "customer", None)
    user = request.user
    is_home = isinstance(user, User) and tenant.pk == user.tenant_id
    return Place(
        tenant.pk,
        tenant.name,
        reverse("overview", args=[tenant.pk]),
        _("Your organisation") if is_home else _("Customer"),
        tenant.pk.int % COLOURS,
        current is not None and current.pk == tenant.pk,
    )


def _initials(user: User) -> str:
    words = (user.display_name or user.upn.partition("@")[0].replace(".", " ")).split()
    return "".join(word[0] for word in words[:2]).upper()


def _groups(request: HttpRequest, user: User, customer: Tenant | None) -> list[Group]:
    groups = []
    if customer is not None:
        groups += [_work(request, user, customer), _settings(request, customer)]
    groups.append(_partner_side(request))
    return [group for group in groups if group.entries]


def _work(request: HttpRequest, user: User, customer: Tenant) -> Group:
    held = getattr(request, "held", ())
    entries = [_entry(request, _("Overview"), "speedometer2", "overview", customer)]
    if access.holds(held, Permission.ROOMS_VIEW, customer.pk):
        entries.append(_entry(request, _("Rooms"), "easel", "rooms", customer))
    if access.holds(held, Permission.GROUPS_VIEW, customer.pk):
        entries.append(_entry(request, _("Room groups"), "collection", "groups", customer))
    if access.holds(held, Permission.TICKETS_VIEW, customer.pk):
        entries.append(_entry(request, _("Incidents"), "ticket-perforated", "tickets", customer))
    if access.holds(held, Permission.RINGS_VIEW, customer.pk):
        entries.append(_updates(request, customer))
    if access.holds(held, Permission.REPORTS_VIEW, customer.pk):
        entries.append(_entry(request, _("Reports"), "graph-up", "reports", customer))
    if approvals.may_decide(user, customer, held):
        waiting = ApprovalRequest.objects.waiting().filter(tenant=customer).count()
        entries.append(_entry(request, _("Approvals"), "check2-square", "approvals", customer, waiting))
    elif any(one.delegation_id is not None for one in held):
        entries.append(_entry(request, _("Approvals"), "check2-square", "approvals", customer))
    return Group("", entries)


def _updates(request: HttpRequest, customer: Tenant) -> Entry:
    entry = _entry(request, _("Updates"), "arrow-repeat", "rings", customer)
    of_rollout = reverse("rings", args=[customer.pk]).replace("/rings/", "/rollouts/")
    return replace(entry, active=entry.active or request.path.startswith(of_rollout))


def _settings(request: HttpRequest, customer: Tenant) -> Group:
    held = getattr(request, "held", ())
    entries = []
    if access.holds_all(held, Permission.SETTINGS_VIEW, customer.pk):
        entries.append(_entry(request, _("General"), "sliders", "settings_general", customer))
        entries.append(_entry(request, _("Partners"), "people", "partners", customer))
        entries.append(_entry(request, _("Notifications"), "bell", "settings_notifications", customer))
    key_permissions = (Permission.ROOMS_DOWNLOAD_KEY, Permission.ROOMS_RESET_KEY)
    if any(access.holds(held, one, customer.pk) for one in key_permissions):
        entries.append(_entry(request, _("Enrolment keys"), "key", "keys", customer))
    if access.holds(held, Permission.ROLES_VIEW, customer.pk):
        entries.append(_entry(request, _("Roles"), "shield-lock", "roles", customer))
    if access.holds_all(held, Permission.SETTINGS_MODIFY, customer.pk):
        entries.append(_entry(request, _("Audit logs"), "journal-text", "audit_logs", customer))
    return Group(_("Settings"), entries)


def _partner_side(request: HttpRequest) -> Group:
    url, answers = reverse("customers"), reverse("invitations")
    waiting = gates.standing(request).known.get("open_invitations", 0)
    entry = Entry(_("Customers"), url, "building", request.path.startswith((url, answers)), waiting)
    return Group(_("Working for others"), [entry])


def _entry(request: HttpRequest, label: str, icon: str, name: str, customer: Tenant, count: int | None = None) -> Entry:
    url = reverse(name, args=[customer.pk])
    is_active = request.path == url if name == "overview" else request.path.startswith(url)
    if name == "settings_general":  # its other pages stand beside the rest of the settings
        is_active = request.path == url or request.path.startswith((f"{url}general/", f"{url}domains/", f"{url}terms/"))
    return Entry(label, url, icon, is_active, count)
