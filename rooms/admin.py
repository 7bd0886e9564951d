"""The back office's pages of rooms, groups, assignments with their scopes, change control and imports."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

import rooms.admin_updates  # noqa: F401 - shows its own models
from audit.admin import as_text
from audit.back_office import ReadOnly, link, links, list_link
from rbac.models import Assignment, PendingClaim, SecurityGroup, User
from rooms import device_admin  # noqa: F401 - registers its pages
from rooms.models import (
    ApprovalRequest,
    AssignmentRoom,
    AssignmentRoomGroup,
    BulkChange,
    ControlPolicy,
    InventoryImport,
    RoleDraft,
    Room,
    RoomGroup,
)
from rooms.scopes import rooms_of


@admin.register(Room)
class RoomAdmin(ReadOnly):
    list_display = ("display_name", "resource_account", "tenant", "city", "building", "state", "health")
    list_filter = ("state", "health")
    linked_by = ("scopes__assignment__id__exact",)
    list_select_related = ("tenant",)
    search_fields = ("display_name", "resource_account", "tenant__name", "host_name", "serial_number")
    search_help_text = _("Room, resource account, tenant, host name or serial number.")
    ordering = ("display_name", "id")
    fieldsets = (
        (None, {"fields": ("display_name", "resource_account", "tenant", "state", "health", "version", "its_groups")}),
        (
            _("Location"),
            {
                "fields": (
                    ("country", "region", "city"),
                    ("street", "postal_code"),
                    ("campus", "building"),
                    ("floor", "floor_label"),
                    ("latitude", "longitude"),
                    "time_zone",
                )
            },
        ),
        (_("Equipment"), {"fields": ("label", "capacity", "phone", "is_wheelchair_accessible", "tags")}),
        (
            _("Device"),
            {
                "fields": (
                    ("audio_device", "video_device", "display_device"),
                    ("host_name", "serial_number"),
                    ("app_version", "os_version"),
                )
            },
        ),
        (_("Times"), {"fields": ("created_at", "changed_at")}),
    )

    def history_of(self, obj: Room) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Room", object_name=obj.display_name)

    @admin.display(description=_("Room groups"))
    def its_groups(self, room: Room) -> SafeString | str:
        return links(room.groups.order_by("name"))


@admin.register(RoomGroup)
class RoomGroupAdmin(ReadOnly):
    list_display = ("name", "tenant", "is_default")
    list_filter = ("is_default",)
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name")
    search_help_text = _("Name or tenant.")
    ordering = ("name", "id")
    fields = ("name", "description", "tenant", "is_default", "its_rooms")

    def history_of(self, obj: RoomGroup) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Group", object_name=obj.name)

    @admin.display(description=_("Rooms"))
    def its_rooms(self, group: RoomGroup) -> SafeString | str:
        return links(group.rooms.order_by("display_name", "pk"))


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly):
    list_display = ("label", "role_label", "tenant", "all_rooms", "room_count", "valid_from", "valid_until")
    list_filter = ("all_rooms", "key")
    list_select_related = ("tenant", "role")
    search_fields = ("name", "role__name", "tenant__name", "people__upn")
    search_help_text = _("Name, role, tenant or UPN of a member.")
    ordering = ("tenant__name", "id")
    fieldsets = (
        (None, {"fields": ("label", "description", "its_role", "tenant", "key", ("valid_from", "valid_until"))}),
        (_("Members"), {"fields": ("its_people", "its_security_groups", "its_claims", "sends_email")}),
        (_("Scope"), {"fields": ("all_rooms", "its_rooms", "its_room_groups", "covered", "room_count")}),
    )

    def history_of(self, obj: Assignment) -> Q | None:
        names = [f"{role} / {name}" for role in _names(obj.role) for name in _names(obj)]
        same = Q(tenant_id=obj.tenant_id, category="Assignment", object_name__in=names)
        return same & Q(relationship_id=obj.role.delegation_id)

    @admin.display(description=_("Assignment"))
    def label(self, assignment: Assignment) -> str:
        return assignment.label

    @admin.display(description=_("Role"))
    def role_label(self, assignment: Assignment) -> str:
        return assignment.role.label

    @admin.display(description=_("Role"))
    def its_role(self, assignment: Assignment) -> SafeString | str:
        return link(assignment.role, assignment.role.label)

    @admin.display(description=_("People"))
    def its_people(self, assignment: Assignment) -> SafeString | str:
        return links(User.objects.filter(assignments=assignment).order_by("upn", "pk"))

    @admin.display(description=_("Security groups"))
    def its_security_groups(self, assignment: Assignment) -> SafeString | str:
        return links(SecurityGroup.objects.filter(assignments=assignment).order_by("name", "pk"))

    @admin.display(description=_("Pending claims"))
    def its_claims(self, assignment: Assignment) -> SafeString | str:
        return links(PendingClaim.objects.filter(assignment=assignment).order_by("upn"))

    @admin.display(description=_("Single rooms chosen"))
    def its_rooms(self, assignment: Assignment) -> SafeString:
        number = AssignmentRoom.objects.filter(assignment=assignment).count()
        return list_link(Room, number, scopes__assignment__id__exact=assignment.pk)

    @admin.display(description=_("Room groups chosen"))
    def its_room_groups(self, assignment: Assignment) -> SafeString | str:
        chosen = AssignmentRoomGroup.objects.filter(assignment=assignment).values("room_group")
        return links(RoomGroup.objects.filter(pk__in=chosen).order_by("name"))

    @admin.display(description=_("Rooms covered today"))
    def covered(self, assignment: Assignment) -> int:
        return rooms_of(assignment).count()


@admin.register(ControlPolicy)
class ControlPolicyAdmin(ReadOnly):
    list_display = ("delegation", "event", "mode")
    list_filter = ("event", "mode")
    list_select_related = ("delegation__tenant", "delegation__held_by")
    search_fields = ("delegation__tenant__name", "delegation__held_by__name", "delegation__id")
    search_help_text = _("Customer, partner or id of a delegation.")
    ordering = ("delegation", "event")
    fields = ("delegation", "event", "mode")

    def history_of(self, obj: ControlPolicy) -> Q | None:
        return Q(relationship_id=obj.delegation_id)


@admin.register(BulkChange)
class BulkChangeAdmin(ReadOnly):
    """How bulk changes go; what became of each room stands in the log."""

    list_display = ("action", "about", "tenant", "person", "state", "done", "total", "failure", "created_at")
    list_filter = ("state", "about", "action")
    list_select_related = ("tenant", "person")
    search_fields = ("tenant__name", "person__upn")
    search_help_text = _("Tenant or UPN.")
    ordering = ("-created_at", "id")
    fields = ("action", "tenant", "person", "state", "done", "total", "failure", "created_at", "beat_at")

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).defer("params", "targets", "report")


@admin.register(InventoryImport)
class InventoryImportAdmin(ReadOnly):
    """How imports go; not what is in the file, nor its report, which repeats it."""

    list_display = ("file_name", "tenant", "person", "state", "done", "total", "failure", "created_at")
    list_filter = ("state",)
    list_select_related = ("tenant", "person")
    search_fields = ("file_name", "tenant__name", "person__upn")
    search_help_text = _("File, tenant or UPN.")
    ordering = ("-created_at", "id")
    fields = ("file_name", "tenant", "person", "state", "done", "total", "failure", "created_at", "beat_at")

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).defer("content", "report")


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly):
    """What partners have asked for, and what became of it; deciding is the customer's, on its own pages."""

    list_display = ("target_name", "event", "tenant", "requested_upn", "state", "requested_at")
    list_filter = ("state", "event")
    list_select_related = ("tenant",)
    search_fields = ("target_name", "tenant__name", "requested_upn")
    search_help_text = _("Object, tenant or UPN.")
    ordering = ("-requested_at", "id")
    fields = (
        "target_name",
        "event",
        "action",
        "tenant",
        "requested_upn",
        "requested_at",
        "expires_at",
        "state",
        "decided_upn",
        "decided_at",
        "comment",
        "failure_code",
        "asked_for",
    )

    @admin.display(description=_("What would change"))
    def asked_for(self, request: ApprovalRequest) -> SafeString | str:
        return as_text(request.changes)


@admin.register(RoleDraft)
class RoleDraftAdmin(ReadOnly):
    list_display = ("user", "tenant", "role", "changed_at")
    list_select_related = ("user", "tenant", "role")
    search_fields = ("user__upn", "tenant__name")
    search_help_text = _("UPN or customer.")
    ordering = ("-changed_at", "id")
    fields = ("user", "tenant", "role", "changed_at", "entered")

    @admin.display(description=_("Entered so far"))
    def entered(self, draft: RoleDraft) -> SafeString | str:
        return as_text(draft.data)


def _names(thing) -> set[str]:  # type: ignore[no-untyped-def]
    """What the log may call it: as it is stored, and as it is shown in English."""
    return {thing.name, thing.label}
