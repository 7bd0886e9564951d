"""The back office's pages of the audit log and the outbox."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.back_office import ReadOnly
from audit.models import AuditEvent, ChainLink, OutboxMessage


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    list_display = ("at", "category", "operation", "object_name", "result", "user_id", "tenant_id")
    list_filter = ("category", "operation", "result")
    search_fields = ("object_name", "user_id", "request_id", "tenant_id", "relationship_id")
    search_help_text = _("Object, UPN, request, id of a tenant or a relationship.")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("at", "category", "operation", "object_name", "result", "code")}),
        (_("Who"), {"fields": ("user_id", "user_tenant_id", "approver", "ip", "request_id")}),
        (_("Where"), {"fields": ("tenant_id", "relationship_id", "seq", "position")}),
        (_("What"), {"fields": ("shown_before", "shown_after")}),
    )

    def history_of(self, obj: AuditEvent) -> Q | None:
        return Q(tenant_id=obj.tenant_id, seq=obj.seq)

    @admin.display(description=_("Before"))
    def shown_before(self, event: AuditEvent) -> SafeString | str:
        return as_text(event.before)

    @admin.display(description=_("After"))
    def shown_after(self, event: AuditEvent) -> SafeString | str:
        return as_text(event.after)


@admin.register(ChainLink)
class ChainLinkAdmin(ReadOnly):
    list_display = ("tenant_id", "seq", "lines", "at")
    search_fields = ("tenant_id",)
    search_help_text = _("Id of a tenant.")
    ordering = ("-id",)
    fields = ("tenant_id", "seq", "lines", "at", "hex_previous", "hex_digest")

    def history_of(self, obj: ChainLink) -> Q | None:
        return Q(tenant_id=obj.tenant_id, seq=obj.seq)

    @admin.display(description=_("Digest before"))
    def hex_previous(self, link: ChainLink) -> str:
        return bytes(link.previous).hex()

    @admin.display(description=_("Digest"))
    def hex_digest(self, link: ChainLink) -> str:
        return bytes(link.digest).hex()


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnly):
    """What is delivered, without its content: that may name people who are no concern of whoever looks for a fault."""

    list_display = ("kind", "state", "attempts", "created_at", "due_at", "settled_at", "subject_id", "last_error")
    list_filter = ("state", "kind")
    search_fields = ("kind", "subject_id", "tenant_id", "message_key", "last_error")
    search_help_text = _("Kind, id of the subject or the tenant, key in the mail’s Message-ID, error.")
    ordering = ("-id",)
    fields = (
        "kind",
        "state",
        "attempts",
        "last_error",
        "subject_id",
        "tenant_id",
        "message_key",
        "created_at",
        "due_at",
        "settled_at",
    )


def as_text(data: Any) -> SafeString | str:
    """Stored JSON, to be read."""
    if data is None:
        return "–"
    return format_html("<pre>{}</pre>", json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True))
