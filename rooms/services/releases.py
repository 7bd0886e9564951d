"""The operator publishes releases of the devices' app; the clock brings them to every tenant's rings."""

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Max

from audit.clock import now
from audit.log import recording
from audit.models import Category, Operation
from rbac.models import User
from rbac.services.accounts import is_support
from rooms.errors import ReleaseNotNewer, UnreadableVersion
from rooms.models import Release
from rooms.versions import UNREADABLE, order_of


def publish(version: str, *, by: User | None, notes: str = "", reason: str = "") -> Release:
    """`version` is published; within minutes every ring of every tenant has its rollout. `by` is None for the command line.

    Raises PermissionDenied unless support staff ask, UnreadableVersion, ReleaseNotNewer unless it is later than all others.
    """
    with recording(Category.RING, Operation.CREATE, f"release {version}", tenant=None, by=by) as line:
        if by is not None and not is_support(by):
            raise PermissionDenied
        with connection.cursor() as cursor:  # two at once come one after the other; reading goes on
            cursor.execute("LOCK TABLE rooms_release IN SHARE ROW EXCLUSIVE MODE")
        order = order_of(version)
        if order == UNREADABLE:
            raise UnreadableVersion
        newest = Release.objects.aggregate(newest=Max("order"))["newest"]
        if newest is not None and newest >= order:
            raise ReleaseNotNewer
        release = Release.objects.create(
            version=version, order=order, notes=notes.replace("\r\n", "\n").strip(), published_at=now()
        )
        line.after = {"version": version, "notes": release.notes, "reason": reason}
    return release


def newest() -> Release | None:
    """The release that all rings are on their way to."""
    return Release.objects.order_by("-order").first()
