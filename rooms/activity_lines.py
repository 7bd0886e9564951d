"""How the lines of a room's activity are worded for a reader, and what of them he may read.

Who did it: the customer's own people read every name; a partner reads the names of its own people, and of anybody else
only that it was somebody else (docs/adr/0012-room-operations.md).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms.models import ActivityKind, Health, Room, RoomActivity, UpdateRing

_ICONS = {
    ActivityKind.ADDED: "plus-lg",
    ActivityKind.ENROLLED: "check-circle",
    ActivityKind.SUPPRESSED: "bell-slash",
    ActivityKind.UNSUPPRESSED: "bell",
    ActivityKind.UNENROLLED: "plug",
    ActivityKind.MODIFIED: "pencil",
    ActivityKind.DEVICE_ENROLLED: "pc-display",
    ActivityKind.DEVICE_REVOKED: "slash-circle",
    ActivityKind.HEALTH: "heart-pulse",
    ActivityKind.RING: "diagram-3",
    ActivityKind.UPDATED: "arrow-repeat",
    ActivityKind.UPDATE_FAILED: "exclamation-triangle",
    ActivityKind.UPDATE_FORCED: "rocket-takeoff",
    ActivityKind.INCIDENT: "ticket-perforated",
}
# What of a line's detail is told to whom: the names of the values, by what one must hold on the room.
_TOLD: dict[ActivityKind, tuple[Permission, tuple[str, ...]]] = {
    ActivityKind.SUPPRESSED: (Permission.ROOMS_VIEW, ("until", "reason")),
    ActivityKind.MODIFIED: (Permission.ROOMS_VIEW, ("fields",)),
    ActivityKind.HEALTH: (Permission.ROOMS_VIEW, ("before", "after")),
    ActivityKind.UPDATED: (Permission.ROOMS_VIEW, ("version",)),
    ActivityKind.UPDATE_FAILED: (Permission.ROOMS_VIEW, ("version", "failure")),
    ActivityKind.UPDATE_FORCED: (Permission.ROOMS_VIEW, ("version",)),
    ActivityKind.DEVICE_ENROLLED: (Permission.ROOMS_VIEW, ("host_name",)),
    ActivityKind.RING: (Permission.RINGS_VIEW, ("ring", "key")),
    ActivityKind.INCIDENT: (Permission.TICKETS_VIEW, ("ticket", "what", "title")),
}


def _modified(detail: Mapping[str, Any]) -> str:
    fields = detail.get("fields")
    return _("Changed: %(fields)s") % {"fields": ", ".join(map(_label_of, fields))} if fields else ""


def _suppressed(detail: Mapping[str, Any]) -> str:
    return _("Suppressed until") if detail.get("until") else _("Suppressed until somebody lifts it")


def _health(detail: Mapping[str, Any]) -> str:
    if "before" not in detail or "after" not in detail:
        return ""
    names = {side: str(Health(detail[side]).label) for side in ("before", "after")}
    return _("Health: %(before)s → %(after)s") % names


def _updated(detail: Mapping[str, Any]) -> str:
    return _("Updated to version %(version)s") % detail if detail.get("version") else ""


def _failed(detail: Mapping[str, Any]) -> str:
    return _("Update to version %(version)s failed") % detail if detail.get("version") else ""


def _forced(detail: Mapping[str, Any]) -> str:
    return _("Update to version %(version)s forced") % detail if detail.get("version") else ""


def _ring(detail: Mapping[str, Any]) -> str:
    if "ring" not in detail:
        return ""
    return _("Moved to the update ring %(name)s") % {
        "name": UpdateRing(name=detail["ring"], key=detail.get("key", "")).label
    }


def _device(detail: Mapping[str, Any]) -> str:
    return _("Device %(host_name)s enrolled") % detail if detail.get("host_name") else ""


def _incident(detail: Mapping[str, Any]) -> str:
    texts = {
        "opened": _("Ticket #%(ticket)s opened: %(title)s"),
        "reopened": _("Ticket #%(ticket)s reopened: %(title)s"),
        "closed": _("Ticket #%(ticket)s closed: %(title)s"),
    }
    text = texts.get(detail.get("event", ""))
    return (text % {"title": "", **detail}).removesuffix(": ") if text and "ticket" in detail else ""


_WORDED: dict[ActivityKind, Callable[[Mapping[str, Any]], str]] = {
    ActivityKind.MODIFIED: _modified,
    ActivityKind.SUPPRESSED: _suppressed,
    ActivityKind.HEALTH: _health,
    ActivityKind.UPDATED: _updated,
    ActivityKind.UPDATE_FAILED: _failed,
    ActivityKind.UPDATE_FORCED: _forced,
    ActivityKind.RING: _ring,
    ActivityKind.DEVICE_ENROLLED: _device,
    ActivityKind.INCIDENT: _incident,
}


@dataclass(frozen=True)
class Told:
    """One line as its reader may know it. `by` is empty for the portal itself and None for somebody not named."""

    id: int
    at: datetime
    kind: ActivityKind
    by: str | None
    detail: Mapping[str, Any]

    @property
    def icon(self) -> str:
        return _ICONS[self.kind]

    @property
    def text(self) -> str:
        """What happened, as a sentence in the reader's language; what one may not know of it is left out."""
        word = _WORDED.get(self.kind)
        return (word(self.detail) if word is not None else "") or str(self.kind.label)

    @property
    def until(self) -> datetime | None:
        """The end of a suppression."""
        text = self.detail.get("until")
        return parse_datetime(text) if text else None

    @property
    def note(self) -> str:
        """What somebody, or the device, said about it."""
        return str(self.detail.get("reason") or self.detail.get("failure") or "")


def told(lines: Iterable[RoomActivity], reader: User, tenant: Tenant, held: Collection[Permission]) -> list[Told]:
    """`lines` of one room of `tenant` as `reader`, who holds `held` on the room, may know them; at most one query."""
    found = list(lines)
    known = _known({line.by for line in found} - {""}, reader, tenant)
    return [
        Told(
            line.pk,
            line.at,
            ActivityKind(line.kind),
            line.by if not line.by or line.by in known else None,
            _detail(line, held),
        )
        for line in found
    ]


def _known(upns: set[str], reader: User, tenant: Tenant) -> set[str]:
    if reader.tenant_id == tenant.pk or not upns:
        return upns
    return set(User.objects.filter(tenant=reader.tenant_id, upn__in=upns).values_list("upn", flat=True))


def _detail(line: RoomActivity, held: Collection[Permission]) -> dict[str, Any]:
    permission, names = _TOLD.get(ActivityKind(line.kind), (Permission.ROOMS_VIEW, ()))
    return {name: line.detail[name] for name in names if name in line.detail} if permission in held else {}


def _label_of(name: str) -> str:
    return capfirst(str(Room._meta.get_field(name).verbose_name))
