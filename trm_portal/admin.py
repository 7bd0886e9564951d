"""The back office's pages of what libraries keep."""

from axes.models import AccessAttempt
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.back_office import ReadOnly


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnly):
    """Failed sign-ins, without what was typed."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    search_fields = ("username", "ip_address")
    search_help_text = _("UPN or address.")
    ordering = ("-attempt_time", "id")
    fields = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent", "path_info")
