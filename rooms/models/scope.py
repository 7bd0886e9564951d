"""Room groups, and the scope of an assignment: single rooms, whole groups (or all rooms, a flag of the assignment).

The tenant stands on every tying row, and composite foreign keys make it true: a row cannot tie rooms of two tenants.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.access import Rule, ThroughRooms
from rbac.catalogue import Permission
from rbac.models import Assignment, Tenant
from rooms.models.room import Room


class RoomGroup(models.Model):
    """A named set of rooms of one tenant."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="room_groups")
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, blank=True)
    is_default = models.BooleanField(_("default group"), default=False)
    rooms: models.ManyToManyField = models.ManyToManyField(Room, through="RoomGroupMember", related_name="groups")

    ACCESS: ClassVar[Rule] = ThroughRooms("RoomGroupMember", "room_group", whole_for=(Permission.GROUPS_MODIFY,))

    class Meta:
        verbose_name = _("room group")
        verbose_name_plural = _("room groups")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="room_group_name"),
            models.UniqueConstraint(fields=["tenant"], condition=Q(is_default=True), name="room_group_one_default"),
        ]

    def __str__(self) -> str:
        return self.name


class RoomGroupMember(models.Model):
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    room_group = models.ForeignKey(RoomGroup, models.CASCADE, related_name="memberships", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["room_group", "room"], name="room_group_member_once")]

    def __str__(self) -> str:
        return f"{self.room} in {self.room_group}"


class AssignmentRoom(models.Model):
    """One room in the scope of an assignment."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="scoped_rooms", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="scopes")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["assignment", "room"], name="assignment_room_once")]

    def __str__(self) -> str:
        return f"{self.room} in {self.assignment}"


class AssignmentRoomGroup(models.Model):
    """One room group in the scope of an assignment; its later rooms follow."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="scoped_groups", db_index=False)
    room_group = models.ForeignKey(RoomGroup, models.PROTECT, related_name="scopes")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["assignment", "room_group"], name="assignment_room_group_once")]

    def __str__(self) -> str:
        return f"{self.room_group} in {self.assignment}"
