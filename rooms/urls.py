"""The addresses of rooms, below the customer's own."""

from django.urls import URLPattern, URLResolver, include, path

from rooms.views import (
    assignments,
    groups,
    inventory,
    overview,
    permissions,
    role_edit,
    role_wizard,
    roles,
    rooms,
    security_groups,
)

_of_group: list[URLPattern | URLResolver] = [
    path("", groups.group, name="group"),
    path("edit/", groups.edit, name="group_edit"),
    path("rooms/", groups.rooms, name="group_rooms"),
    path("delete/", groups.delete, name="group_delete"),
]

of_tenant: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("rooms/", rooms.rooms, name="rooms"),
    path("rooms/export.csv", rooms.export, name="rooms_export"),
    path("rooms/import/", inventory.upload, name="rooms_import"),
    path("rooms/import/<uuid:import_id>/", inventory.show, name="rooms_import_report"),
    path("rooms/import/<uuid:import_id>/report.csv", inventory.download, name="rooms_import_download"),
    path("rooms/import/<uuid:import_id>/confirm/", inventory.confirm, name="rooms_import_confirm"),
    path("rooms/import/<uuid:import_id>/discard/", inventory.discard, name="rooms_import_discard"),
    path("rooms/<int:room_id>/", rooms.room, name="room"),
    path("rooms/<int:room_id>/edit/", rooms.edit, name="room_edit"),
    path("groups/", groups.groups, name="groups"),
    path("groups/add/", groups.add, name="group_add"),
    path("groups/<int:group_id>/", include(_of_group)),
]

_of_assignment: list[URLPattern | URLResolver] = [
    path("", assignments.assignment, name="assignment"),
    path("edit/", role_edit.assignment_edit, name="assignment_edit"),
    path("members/", assignments.members, name="assignment_members"),
    path("scope/", assignments.scope, name="assignment_scope"),
    path("delete/", role_edit.assignment_delete, name="assignment_delete"),
    path("leave/", role_edit.assignment_leave, name="assignment_leave"),
]

_of_role: list[URLPattern | URLResolver] = [
    path("", roles.role, name="role"),
    path("edit/", role_edit.role_edit, name="role_edit"),
    path("permissions/", role_edit.role_permissions, name="role_permissions"),
    path("delete/", role_edit.role_delete, name="role_delete"),
    path("assignments/add/", role_wizard.assignment_add, name="assignment_add"),
    path("assignments/add/<slug:step>/", role_wizard.assignment_add_step, name="assignment_add_step"),
    path("assignments/<int:assignment_id>/", include(_of_assignment)),
]

_of_security_group: list[URLPattern | URLResolver] = [
    path("", security_groups.group, name="security_group"),
    path("edit/", security_groups.edit, name="security_group_edit"),
    path("delete/", security_groups.delete, name="security_group_delete"),
]

of_tenant += [
    path("rooms/<int:room_id>/access/", permissions.room_access, name="room_access"),
    path("settings/roles/", roles.roles, name="roles"),
    path("settings/roles/add/", role_wizard.role_add, name="role_add"),
    path("settings/roles/add/<slug:step>/", role_wizard.role_add_step, name="role_add_step"),
    path("settings/roles/permission-table/", permissions.permission_table, name="permission_table"),
    path("settings/roles/people/<int:user_id>/", permissions.person_access, name="person_access"),
    path("settings/roles/security-groups/", security_groups.groups, name="security_groups"),
    path("settings/roles/security-groups/add/", security_groups.add, name="security_group_add"),
    path("settings/roles/security-groups/<int:security_group_id>/", include(_of_security_group)),
    path("settings/roles/<int:role_id>/", include(_of_role)),
]

urlpatterns = [path("c/<uuid:tenant_id>/", include(of_tenant))]
