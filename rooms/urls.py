"""The addresses of rooms, below the customer's own."""

from django.urls import URLPattern, URLResolver, include, path

from rooms.views import approvals, assignments, groups, inventory, overview, roles, rooms

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

_of_approval: list[URLPattern | URLResolver] = [
    path("", approvals.approval, name="approval"),
    path("decide/", approvals.decide, name="approval_decide"),
    path("withdraw/", approvals.withdraw, name="approval_withdraw"),
    path("ask-again/", approvals.ask_again, name="approval_again"),
]

of_tenant += [
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/decide/", approvals.decide_many, name="approvals_decide"),
    path("approvals/<uuid:approval_id>/", include(_of_approval)),
]

_of_assignment: list[URLPattern | URLResolver] = [
    path("", assignments.assignment, name="assignment"),
    path("members/", assignments.members, name="assignment_members"),
    path("scope/", assignments.scope, name="assignment_scope"),
]

of_tenant += [
    path("settings/roles/", roles.roles, name="roles"),
    path("settings/roles/<int:role_id>/", roles.role, name="role"),
    path("settings/roles/<int:role_id>/assignments/<int:assignment_id>/", include(_of_assignment)),
]

urlpatterns = [path("c/<uuid:tenant_id>/", include(of_tenant))]
