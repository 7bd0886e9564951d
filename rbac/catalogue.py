"""Table 1 as data: the 19 permissions, the four built-in roles, and what each cell says.

The table below is the published one, cell by cell; a test compares it with the specification's file. Everything else
that speaks of permissions (Django's permission rows, roles, pages, API, documentation) is made from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Permission(models.TextChoices):
    """A permission by its code, e.g. `rooms.view`."""

    ROOMS_VIEW = "rooms.view", pgettext_lazy("permission", "View")
    ROOMS_MODIFY = "rooms.modify", pgettext_lazy("permission", "Modify")
    ROOMS_RESET_KEY = "rooms.reset_key", _("Reset key")
    ROOMS_DOWNLOAD_KEY = "rooms.download_key", _("Download key")
    ROOMS_UNENROLL = "rooms.unenroll", _("Unenroll")
    GROUPS_CREATE = "groups.create", pgettext_lazy("permission", "Create")
    GROUPS_VIEW = "groups.view", pgettext_lazy("permission", "View")
    GROUPS_MODIFY = "groups.modify", pgettext_lazy("permission", "Modify")
    RINGS_CREATE = "rings.create", pgettext_lazy("permission", "Create")
    RINGS_VIEW = "rings.view", pgettext_lazy("permission", "View")
    RINGS_MODIFY = "rings.modify", pgettext_lazy("permission", "Modify")
    REPORTS_VIEW = "reports.view", pgettext_lazy("permission", "View")
    TICKETS_CREATE_INCIDENT = "tickets.create_incident", _("Create customer incident")
    TICKETS_VIEW = "tickets.view", pgettext_lazy("permission", "View")
    TICKETS_UPDATE = "tickets.update", pgettext_lazy("permission", "Update")
    SETTINGS_VIEW = "settings.view", pgettext_lazy("permission", "View")
    SETTINGS_MODIFY = "settings.modify", pgettext_lazy("permission", "Modify")
    ROLES_VIEW = "roles.view", pgettext_lazy("permission", "View")
    ROLES_MODIFY = "roles.modify", pgettext_lazy("permission", "Modify")

    @property
    def codename(self) -> str:
        """The name of Django's permission row: `rooms_view`."""
        return self.value.replace(".", "_")

    @property
    def full_label(self) -> str:
        """Feature and permission, e.g. “Rooms: View”."""
        return f"{TABLE[self].feature}: {self.label}"


class BuiltIn(models.TextChoices):
    """The built-in roles; the first three are the customer's, the last is the only one of a partner."""

    MMR_ADMIN = "mmr_admin", _("MMR Admin")
    SITE_LEAD = "site_lead", _("Site Lead")
    SITE_TECH = "site_tech", _("Site Tech")
    PARTNER_ADMIN = "partner_admin", _("Primary admin")


CUSTOMER_ROLES = (BuiltIn.MMR_ADMIN, BuiltIn.SITE_LEAD, BuiltIn.SITE_TECH)


class Scope(StrEnum):
    """What a permission is asked about (product contract §4)."""

    ROOM = "room"
    TENANT = "tenant"
    ROOMS_IN_OBJECT = "rooms-in-object"


@dataclass(frozen=True)
class Row:
    """One row of Table 1: its cells for the built-in roles, and where the permission is asked."""

    feature: object
    mmr_admin: bool
    site_lead: bool
    site_tech: bool
    partner_admin: bool
    scope: Scope
    # What the second published article says of Site Lead, where the two differ.
    site_lead_rbac_profile: bool

    def cell(self, role: BuiltIn) -> bool:
        """Whether the built-in `role` holds the permission, by the published table."""
        return bool(getattr(self, role.value))


_ROOMS, _GROUPS, _RINGS = _("Rooms"), _("Group management"), _("Update ring management")
_REPORTS, _TICKETS = _("Reports"), _("Ticket management")
_SETTINGS, _ROLES = _("MMR settings"), _("Role management")
P, Y, N = Permission, True, False

# fmt: off
TABLE: dict[Permission, Row] = {
    #                              feature    MMR Admin, Site Lead, Site Tech, Primary admin   scope        profile
    P.ROOMS_VIEW:              Row(_ROOMS,    Y, Y, Y, Y, Scope.ROOM,            Y),
    P.ROOMS_MODIFY:            Row(_ROOMS,    Y, Y, Y, Y, Scope.ROOM,            Y),
    P.ROOMS_RESET_KEY:         Row(_ROOMS,    Y, N, N, N, Scope.TENANT,          N),
    P.ROOMS_DOWNLOAD_KEY:      Row(_ROOMS,    Y, Y, Y, N, Scope.TENANT,          Y),
    P.ROOMS_UNENROLL:          Row(_ROOMS,    Y, Y, Y, N, Scope.ROOM,            Y),
    P.GROUPS_CREATE:           Row(_GROUPS,   Y, Y, N, N, Scope.TENANT,          N),
    P.GROUPS_VIEW:             Row(_GROUPS,   Y, Y, N, Y, Scope.ROOMS_IN_OBJECT, Y),
    P.GROUPS_MODIFY:           Row(_GROUPS,   Y, Y, N, N, Scope.ROOMS_IN_OBJECT, N),
    P.RINGS_CREATE:            Row(_RINGS,    Y, Y, N, N, Scope.TENANT,          N),
    P.RINGS_VIEW:              Row(_RINGS,    Y, Y, N, Y, Scope.ROOMS_IN_OBJECT, N),
    P.RINGS_MODIFY:            Row(_RINGS,    Y, Y, N, Y, Scope.ROOMS_IN_OBJECT, N),
    P.REPORTS_VIEW:            Row(_REPORTS,  Y, Y, N, Y, Scope.ROOM,            Y),
    P.TICKETS_CREATE_INCIDENT: Row(_TICKETS,  Y, Y, Y, Y, Scope.ROOM,            Y),
    P.TICKETS_VIEW:            Row(_TICKETS,  Y, Y, Y, Y, Scope.ROOMS_IN_OBJECT, Y),
    P.TICKETS_UPDATE:          Row(_TICKETS,  Y, Y, Y, Y, Scope.ROOMS_IN_OBJECT, Y),
    P.SETTINGS_VIEW:           Row(_SETTINGS, Y, N, N, N, Scope.TENANT,          N),
    P.SETTINGS_MODIFY:         Row(_SETTINGS, Y, N, N, N, Scope.TENANT,          N),
    P.ROLES_VIEW:              Row(_ROLES,    Y, N, N, Y, Scope.TENANT,          N),
    P.ROLES_MODIFY:            Row(_ROLES,    Y, N, N, Y, Scope.TENANT,          N),
}
# fmt: on

# Holding the key implies viewing just the objects it acts on; nothing else is implied (§4).
IMPLIES: dict[Permission, frozenset[Permission]] = {
    P.ROOMS_MODIFY: frozenset({P.ROOMS_VIEW}),
    P.ROOMS_UNENROLL: frozenset({P.ROOMS_VIEW}),
    P.GROUPS_MODIFY: frozenset({P.GROUPS_VIEW}),
    P.RINGS_MODIFY: frozenset({P.RINGS_VIEW}),
    P.TICKETS_CREATE_INCIDENT: frozenset({P.ROOMS_VIEW}),
    P.TICKETS_UPDATE: frozenset({P.TICKETS_VIEW}),
    P.SETTINGS_MODIFY: frozenset({P.SETTINGS_VIEW}),
    P.ROLES_MODIFY: frozenset({P.ROLES_VIEW}),
}

# Asked of rooms, so declared on Room and granted room by room; the rest is declared on Tenant.
ROOM_PERMISSIONS = tuple(code for code, row in TABLE.items() if row.scope is not Scope.TENANT)
TENANT_PERMISSIONS = tuple(code for code, row in TABLE.items() if row.scope is Scope.TENANT)

# A tenant permission that any scope suffices for (§4: "key download: any scope").
ANY_SCOPE = frozenset({P.ROOMS_DOWNLOAD_KEY})

# No partner ever holds more than this, whatever its roles say.
CEILING = frozenset(code for code, row in TABLE.items() if row.partner_admin)

# What a partner may do that changes something or shows a secret: subject to change control (§6).
CONTROLLED_EVENTS = tuple(
    code
    for code in (P.ROOMS_MODIFY, P.RINGS_MODIFY, P.TICKETS_CREATE_INCIDENT, P.TICKETS_UPDATE, P.ROLES_MODIFY)
    if code in CEILING
)


def permissions_of(role: BuiltIn) -> frozenset[Permission]:
    """What a new tenant's or partner's built-in `role` holds; Site Lead by the profile this installation chose."""
    if role is BuiltIn.SITE_LEAD and settings.SITE_LEAD_PROFILE == "rbac":
        return frozenset(code for code, row in TABLE.items() if row.site_lead_rbac_profile)
    return frozenset(code for code, row in TABLE.items() if row.cell(role))


def with_implied(permissions: Iterable[str]) -> frozenset[Permission]:
    """`permissions` and what each of them implies."""
    held = frozenset(Permission(code) for code in permissions)
    return held.union(*(IMPLIES.get(code, frozenset()) for code in held))


def granting(permission: Permission) -> frozenset[Permission]:
    """The permissions that grant `permission`: itself, and those that imply it."""
    return frozenset({permission, *(code for code, implied in IMPLIES.items() if permission in implied)})


def declared(permissions: Iterable[Permission]) -> list[tuple[str, str]]:
    """`permissions` in the form of a model's Meta.permissions (English: Django stores these names)."""
    return [(code.codename, code.value) for code in permissions]
