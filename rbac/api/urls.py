"""The addresses of permissions and customers, below /api/v1/."""

from django.urls import URLPattern, path

from rbac.api.customers import Customers, OneCustomer
from rbac.api.table import PermissionTable

urlpatterns: list[URLPattern] = [
    path("permission-table/", PermissionTable.as_view(), name="api-permission-table"),
    path("customers/", Customers.as_view(), name="api-customers"),
    path("customers/<uuid:tenant_id>/", OneCustomer.as_view(), name="api-customer"),
]
