"""The addresses of rooms, below the customer's own."""

from django.urls import URLPattern, URLResolver, include, path

from rooms.views import assignments, groups, inventory, overview, roles, rooms, ticket_list, ticket_report, tickets

_of_group: list[URLPattern | URLResolver] = [
    path("", groups.group, name="group"),
    path("edit/", groups.edit, name="group_edit"),
    path("rooms/", groups.rooms, name="group_rooms"),
    path("delete/", groups.delete, name="group_delete"),
]

_of_ticket: list[URLPattern | URLResolver] = [
    path("", tickets.ticket, name="ticket"),
    path("state/", tickets.state, name="ticket_state"),
    path("assign/", tickets.assign, name="ticket_assign"),
    path("close/", tickets.close, name="ticket_close"),
    path("attachments/<uuid:attachment_id>/", tickets.attachment, name="ticket_attachment"),
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
    path("tickets/", ticket_list.tickets, name="tickets"),
    path("tickets/export.csv", ticket_list.export, name="tickets_export"),
    path("tickets/add/", ticket_report.add, name="ticket_add"),
    path("tickets/<int:ticket_id>/", include(_of_ticket)),
    path("groups/", groups.groups, name="groups"),
    path("groups/add/", groups.add, name="group_add"),
    path("groups/<int:group_id>/", include(_of_group)),
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
