"""What one does to a single room."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Field
from django.http import Http404

from audit.log import recording
from audit.models import Category, Operation
from rbac.access import require
from rbac.catalogue import Permission
from rbac.errors import StaleVersion
from rbac.models import User
from rbac.precondition import meet
from rooms.models import ActivityKind, Room
from rooms.services import activity
from rooms.values import refuse_unfit

# What *Modify* may set; everything else follows from imports, telemetry or other operations.
EDITABLE = (
    "display_name",
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
    "latitude",
    "longitude",
    "time_zone",
    "phone",
    "is_wheelchair_accessible",
    "tags",
    "audio_device",
    "video_device",
    "display_device",
)


def modify(room: Room, *, by: User, changes: Mapping[str, Any], version: int | None = None) -> Room:
    """The room has the values of `changes` (fields of EDITABLE); its version rises if anything differs.

    Raises PermissionDenied if `by` may not modify it, StaleVersion if `version` is given and not the current one,
    ValidationError for a field that cannot be set or a value that does not fit, Http404 if the room is gone.
    """
    with recording(Category.ROOM, Operation.UPDATE, room.display_name, tenant=room.tenant_id, by=by) as line:
        require(by, Permission.ROOMS_MODIFY, room)
        current = _lock(room)
        meet(current)
        if version is not None and current.version != version:
            raise StaleVersion
        unknown = set(changes) - set(EDITABLE)
        if unknown:
            raise ValidationError({field: ValidationError("cannot be set", code="read_only") for field in unknown})
        before = {field: getattr(current, field) for field in changes}
        for field, value in changes.items():
            setattr(current, field, _empty(field) if value in (None, "") else value)
        _clean(current, changes)
        refuse_unfit({field: getattr(current, field) for field in changes})
        differing = [field for field in changes if getattr(current, field) != before[field]]
        if differing:
            current.version += 1
            current.save(update_fields=[*differing, "version", "changed_at"])
            activity.note([current], ActivityKind.MODIFIED, by=by, fields=differing)
        line.before = {field: before[field] for field in differing}
        line.after = {field: getattr(current, field) for field in differing}
    return current


def _lock(room: Room) -> Room:
    """The room as it is now, held until the transaction ends. Raises Http404 if it is gone."""
    try:
        return Room.objects.select_for_update().get(pk=room.pk)
    except Room.DoesNotExist:
        raise Http404 from None


def _clean(room: Room, changes: Mapping[str, Any]) -> None:
    """The changed fields have their types. Raises ValidationError, also where Django's fields know no better (infinity)."""
    try:
        room.clean_fields(exclude=[field.name for field in Room._meta.fields if field.name not in changes])
    except (OverflowError, TypeError, ValueError) as error:
        raise ValidationError(RegexValidator.message, code="invalid") from error


def _empty(field: str) -> Any:
    """How the room stores that there is nothing: NULL for numbers, the empty text or list for the rest."""
    column = Room._meta.get_field(field)
    assert isinstance(column, Field)
    return None if column.null or not column.blank else [] if field == "tags" else ""
