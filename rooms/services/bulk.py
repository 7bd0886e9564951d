"""Many rooms or tickets, one change: each in a transaction of its own through the one door, so nothing is half done.

What fails takes nothing else with it, and rights are asked anew for each: who loses them in the middle is refused
from there on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy

from audit.errors import RuleBroken
from rbac.access import visible
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rooms.errors import AwaitsApproval, UnknownGroup, UnknownRing
from rooms.models import (
    OF_TICKETS,
    BulkAction,
    EntryKind,
    Room,
    RoomGroup,
    RoomGroupMember,
    Ticket,
    TicketEntry,
    TicketState,
    UpdateRing,
)
from rooms.services import groups
from rooms.services.inventory import Submit
from rooms.values import MAX_TAGS

MOST_ROOMS = 1_000
# What needs what, anywhere, to be offered at all; each room and ticket is asked for again.
NEEDED = {
    BulkAction.GROUP: Permission.GROUPS_MODIFY,
    BulkAction.RING: Permission.RINGS_MODIFY,
    **dict.fromkeys(OF_TICKETS, Permission.TICKETS_UPDATE),
}
# What an edit may set on many rooms at once: what rooms of one place have in common.
FIELDS = (
    "country",
    "region",
    "city",
    "street",
    "postal_code",
    "campus",
    "building",
    "floor",
    "floor_label",
    "label",
    "capacity",
    "time_zone",
)
TAGS = ("add_tags", "remove_tags")


class Outcome(models.TextChoices):
    DONE = "done", gettext_lazy("Done")
    UNCHANGED = "unchanged", gettext_lazy("Unchanged")
    REFUSED = "refused", gettext_lazy("Refused")
    WAITING = "waiting", gettext_lazy("Waits for approval")


@dataclass(frozen=True)
class Fate:
    """What became of one room or ticket; `code` says why it was refused."""

    target_id: int
    name: str
    outcome: Outcome
    code: str = ""

    def as_data(self) -> list[Any]:
        return [self.target_id, self.name, self.outcome.value, self.code]

    @classmethod
    def from_data(cls, data: Sequence[Any]) -> "Fate":
        target_id, name, outcome, code = data
        return cls(target_id, name, Outcome(outcome), code)


def event_of(action: BulkAction) -> Permission:
    """The permission that `action` rests on."""
    return NEEDED.get(action, Permission.ROOMS_MODIFY)


def each(
    tenant: Tenant, targets: Sequence[int], action: BulkAction, params: Mapping[str, Any], *, by: User, submit: Submit
) -> Iterator[Fate]:
    """`action` with `params` (plain JSON) is done to each of `targets` (ids of `tenant`), in their order; what became of it.

    One that does not exist and one that `by` may not see are told alike (`not_found`).
    """
    for target_id in targets:
        target = _find(tenant, action, target_id, by)
        if target is None:
            yield Fate(target_id, "", Outcome.REFUSED, "not_found")
        else:
            yield _fate(target, action, params, by, submit)


def _find(tenant: Tenant, action: BulkAction, target_id: int, by: User) -> Room | Ticket | None:
    if action in OF_TICKETS:
        return visible(by, Permission.TICKETS_VIEW, Ticket.objects.filter(tenant=tenant, pk=target_id)).first()
    return visible(by, Permission.ROOMS_VIEW, Room.objects.filter(tenant=tenant, pk=target_id)).first()


def _fate(target: Any, action: BulkAction, params: Mapping[str, Any], by: User, submit: Submit) -> Fate:
    """What becomes of one room or ticket."""
    name = target.title if action in OF_TICKETS else target.display_name
    try:
        is_changed = _ACTIONS[action](target, params, by, submit)
    except AwaitsApproval:
        return Fate(target.pk, name, Outcome.WAITING)
    except Http404:
        code = "not_found"
    except PermissionDenied as error:
        code = str(getattr(error, "code", "permission_denied"))
    except RuleBroken as error:
        code = error.code
    except ValidationError:
        code = "invalid"
    else:
        return Fate(target.pk, name, Outcome.DONE if is_changed else Outcome.UNCHANGED)
    return Fate(target.pk, name, Outcome.REFUSED, code)


def _edit(room: Room, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    changes = {name: params[name] for name in FIELDS if name in params}
    if any(params.get(name) for name in TAGS):
        added, removed = params.get("add_tags") or [], set(params.get("remove_tags") or [])
        kept = [tag for tag in room.tags if tag not in removed]
        changes["tags"] = [*kept, *dict.fromkeys(tag for tag in added if tag not in kept)]
        if len(changes["tags"]) > max(MAX_TAGS, len(room.tags)):
            raise ValidationError("too many", code="too_many_tags")
    # Worked out from what was read: nobody else may have changed it meanwhile.
    after = submit(Permission.ROOMS_MODIFY, room, by=by, action="modify", changes=changes, version=room.version)
    return bool(after.version != room.version)


def _plainly(action: str, *names: str):  # type: ignore[no-untyped-def]
    def do(room: Room, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
        given = {name: params[name] for name in names if params.get(name)}
        after = submit(Permission.ROOMS_MODIFY, room, by=by, action=action, **given)
        return bool(after.version != room.version)

    return do


def _into_group(room: Room, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    """Not a controlled event: no partner holds it. Raises UnknownGroup for a group that is not there for him."""
    own = RoomGroup.objects.filter(tenant=room.tenant_id, pk=params["group"])
    group = visible(by, Permission.GROUPS_VIEW, own).first()
    if group is None:
        raise UnknownGroup
    is_new = not RoomGroupMember.objects.filter(room_group=group, room=room).exists()
    groups.change_rooms(group, by=by, add=[room.pk])
    return is_new


def _into_ring(room: Room, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    """Raises UnknownRing for a ring that is not there for him."""
    own = UpdateRing.objects.filter(tenant=room.tenant_id, pk=params["ring"])
    ring = visible(by, Permission.RINGS_VIEW, own).first()
    if ring is None:
        raise UnknownRing
    return bool(submit(Permission.RINGS_MODIFY, ring, by=by, action="move_rooms", rooms=[room.pk]))


def _assign(ticket: Ticket, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    """To whoever changes it."""
    after = submit(Permission.TICKETS_UPDATE, ticket, by=by, action="assign", person=by.pk)
    return bool(after.version != ticket.version)


def _state(ticket: Ticket, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    if ticket.state == params["state"]:
        return False
    submit(Permission.TICKETS_UPDATE, ticket, by=by, action="change_state", state=params["state"])
    return True


def _write(ticket: Ticket, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    """Once: whoever takes over from a run that died finds what it has said `since` the change was confirmed."""
    if since := params.get("since"):
        said = TicketEntry.objects.filter(ticket=ticket, kind=EntryKind.MESSAGE, by=by.upn, at__gte=since)
        if said.filter(text=params["text"]).exists():
            return False
    submit(Permission.TICKETS_UPDATE, ticket, by=by, action="write", text=params["text"])
    return True


def _close(ticket: Ticket, params: Mapping[str, Any], by: User, submit: Submit) -> bool:
    if ticket.state == TicketState.CLOSED:
        return False
    given = {"reason": params["reason"], "note": params.get("note", "")}
    submit(Permission.TICKETS_UPDATE, ticket, by=by, action="close", **given)
    return True


_ACTIONS: dict[BulkAction, Callable[[Any, Mapping[str, Any], User, Submit], bool]] = {
    BulkAction.EDIT: _edit,
    BulkAction.ENROLL: _plainly("enroll"),
    BulkAction.SUPPRESS: _plainly("suppress", "until", "reason"),
    BulkAction.UNSUPPRESS: _plainly("unsuppress"),
    BulkAction.GROUP: _into_group,
    BulkAction.RING: _into_ring,
    BulkAction.ASSIGN: _assign,
    BulkAction.STATE: _state,
    BulkAction.WRITE: _write,
    BulkAction.CLOSE: _close,
}
