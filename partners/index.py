"""Whether guardian's rows and `user.groups` say what the assignments say, and making them say it again.

The assignments are the truth; what is compared here is an index that can always be made anew.
"""

from collections.abc import Iterator

from django.db import transaction

from audit.log import recording
from audit.models import Category, Operation
from rbac import grants
from rbac.models import Assignment
from rbac.services.assignments import lock_holder, name_of
from rooms import scopes
from rooms.models import Room

CHUNK = 500


def faults() -> Iterator[tuple[Assignment | None, str]]:
    """What is wrong, with the assignment it belongs to; None for rows that belong to none."""
    assignments = Assignment.objects.select_related("role__delegation", "tenant").order_by("pk")
    for assignment in assignments.iterator(chunk_size=CHUNK):
        if any(True for _ in _differences(assignment)):
            for fault in _confirmed(assignment):
                yield assignment, fault
    for fault in grants.strays(Room):
        yield None, fault


def repair(assignment: Assignment) -> None:
    """The index rows of `assignment` say again what it says itself; the platform's log says that they did not."""
    with recording(
        Category.SETTINGS, Operation.UPDATE, f"index of {name_of(assignment)}", tenant=None, by=None
    ) as line:
        lock_holder(assignment)
        current = Assignment.objects.select_related("role__delegation", "tenant").get(pk=assignment.pk)
        line.before = {"assignment": assignment.pk, "faults": list(_differences(current))}
        scopes.apply(current)
        grants.project_members(current)


def _confirmed(assignment: Assignment) -> list[str]:
    """The faults that are still there while nobody can change the assignment: the portal works on during a check."""
    with transaction.atomic():
        lock_holder(assignment)
        current = Assignment.objects.select_related("role__delegation", "tenant").filter(pk=assignment.pk).first()
        return list(_differences(current)) if current is not None else []


def _differences(assignment: Assignment) -> Iterator[str]:
    rooms = scopes.indexed_rooms(assignment)
    yield from grants.differences(assignment, rooms)
    number = rooms.count()
    if assignment.room_count != number:
        yield f"assignment {assignment.pk}: counts {assignment.room_count} rooms, has {number}"
