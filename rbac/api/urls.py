"""The address of the permission table, below /api/v1/."""

from django.urls import URLPattern, path

from rbac.api.table import PermissionTable

urlpatterns: list[URLPattern] = [
    path("permission-table/", PermissionTable.as_view(), name="api-permission-table"),
]
