"""Which site Django's admin runs: ours. Read before the apps are ready, so the site itself is in back_office.py."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "trm_portal.back_office.PortalAdmin"
