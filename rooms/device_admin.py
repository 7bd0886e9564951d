"""The back office's pages of devices, enrolment keys, signals and health. No token, key or digest of one is on them."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.back_office import ReadOnly
from rooms.models import Device, EnrollmentKey, HealthPeriod, HealthSignal


@admin.register(EnrollmentKey)
class EnrollmentKeyAdmin(ReadOnly):
    list_display = ("tenant", "version", "fingerprint", "created_at", "created_by", "stops_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "created_by", "fingerprint")
    search_help_text = _("Tenant, who issued it, or fingerprint.")
    ordering = ("tenant__name", "-version")
    fields = ("tenant", "version", "fingerprint", "created_at", "created_by", "stops_at")

    def history_of(self, obj: EnrollmentKey) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Key")


@admin.register(Device)
class DeviceAdmin(ReadOnly):
    list_display = ("token_prefix", "room", "tenant", "enrolled_at", "last_seen_at", "revoked_at")
    list_select_related = ("tenant", "room")
    search_fields = ("room__display_name", "room__resource_account", "tenant__name", "token_prefix")
    search_help_text = _("Room, resource account, tenant, or the beginning of the token.")
    ordering = ("-enrolled_at", "-id")
    fields = ("room", "tenant", "token_prefix", "key_version", "enrolled_at", "last_seen_at", "revoked_at")

    def history_of(self, obj: Device) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Room", object_name=obj.room.display_name)


@admin.register(HealthSignal)
class HealthSignalAdmin(ReadOnly):
    list_display = ("name", "category", "severity", "is_ok", "room", "tenant", "since")
    list_filter = ("is_ok", "severity", "category")
    list_select_related = ("tenant", "room")
    search_fields = ("name", "room__display_name", "tenant__name")
    search_help_text = _("Signal, room or tenant.")
    ordering = ("-since", "-id")
    fields = ("room", "tenant", "category", "name", "severity", "is_ok", "since", "reported_at")


@admin.register(HealthPeriod)
class HealthPeriodAdmin(ReadOnly):
    list_display = ("room", "tenant", "health", "began_at", "ended_at")
    list_filter = ("health",)
    list_select_related = ("tenant", "room")
    search_fields = ("room__display_name", "tenant__name")
    search_help_text = _("Room or tenant.")
    ordering = ("-began_at", "-id")
    fields = ("room", "tenant", "health", "began_at", "ended_at")
