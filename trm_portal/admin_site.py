"""The back office of support staff: Django's admin, open to them only, read-only unless a service says otherwise."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.sites import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class PortalAdminConfig(AdminConfig):
    default_site = "trm_portal.admin_site.PortalAdmin"


class PortalAdmin(AdminSite):
    site_header = _("Rooms portal: back office")
    site_title = _("Back office")
    index_title = _("Accounts, relationships, jobs and audit")

    def has_permission(self, request: HttpRequest) -> bool:
        """Support staff: active, without a tenant."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_staff", False) and getattr(user, "tenant_id", None) is None)
