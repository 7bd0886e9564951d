"""The addresses of rooms, below the customer's own."""

from django.urls import URLPattern, URLResolver, include, path

from rooms.views import (
    aggregate,
    aggregate_bulk,
    approvals,
    assignments,
    bulk,
    groups,
    inventory,
    keys,
    monitoring,
    overview,
    permissions,
    reports,
    rings,
    role_edit,
    role_wizard,
    roles,
    rollouts,
    room,
    rooms,
    saved_filters,
    security_groups,
    ticket_list,
    ticket_report,
    tickets,
)

_of_group: list[URLPattern | URLResolver] = [
    path("", groups.group, name="group"),
    path("edit/", groups.edit, name="group_edit"),
    path("rooms/", groups.rooms, name="group_rooms"),
    path("default/", groups.make_default, name="group_default"),
    path("delete/", groups.delete, name="group_delete"),
]

_of_ticket: list[URLPattern | URLResolver] = [
    path("", tickets.ticket, name="ticket"),
    path("state/", tickets.state, name="ticket_state"),
    path("assign/", tickets.assign, name="ticket_assign"),
    path("close/", tickets.close, name="ticket_close"),
    path("attachments/<uuid:attachment_id>/", tickets.attachment, name="ticket_attachment"),
]
_of_ring: list[URLPattern | URLResolver] = [
    path("", rings.ring, name="ring"),
    path("edit/", rings.edit, name="ring_edit"),
    path("order/", rings.order, name="ring_order"),
    path("rooms/", rings.rooms, name="ring_rooms"),
    path("delete/", rings.delete, name="ring_delete"),
]
_of_rollout: list[URLPattern | URLResolver] = [
    path("", rollouts.rollout, name="rollout"),
    path("pause/", rollouts.change, {"action": "pause"}, name="rollout_pause"),
    path("resume/", rollouts.change, {"action": "resume"}, name="rollout_resume"),
    path("retry/", rollouts.change, {"action": "retry"}, name="rollout_retry"),
    path("force/", rollouts.change, {"action": "force"}, name="rollout_force"),
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
    path("rooms/bulk/", bulk.choose, name="rooms_bulk"),
    path("rooms/bulk/<uuid:change_id>/", bulk.change, name="rooms_bulk_change"),
    path("rooms/bulk/<uuid:change_id>/confirm/", bulk.confirm, name="rooms_bulk_confirm"),
    path("rooms/bulk/<uuid:change_id>/discard/", bulk.discard, name="rooms_bulk_discard"),
    path("rooms/bulk/<uuid:change_id>/result.csv", bulk.download, name="rooms_bulk_download"),
    path("rooms/filters/", saved_filters.filters, name="rooms_filters"),
    path("rooms/filters/<int:filter_id>/", saved_filters.saved_filter, name="rooms_filter"),
    path("rooms/filters/<int:filter_id>/delete/", saved_filters.delete, name="rooms_filter_delete"),
    path("rooms/<int:room_id>/", room.room, name="room"),
    path("rooms/<int:room_id>/edit/", room.edit, name="room_edit"),
    path("rooms/<int:room_id>/enrol/", monitoring.enroll, name="room_enroll"),
    path("rooms/<int:room_id>/suppress/", monitoring.suppress, name="room_suppress"),
    path("rooms/<int:room_id>/lift/", monitoring.unsuppress, name="room_unsuppress"),
    path("rooms/<int:room_id>/unenrol/", monitoring.unenroll, name="room_unenroll"),
    path("tickets/", ticket_list.tickets, name="tickets"),
    path("tickets/export.csv", ticket_list.export, name="tickets_export"),
    path("tickets/add/", ticket_report.add, name="ticket_add"),
    path("tickets/<int:ticket_id>/", include(_of_ticket)),
    path("groups/", groups.groups, name="groups"),
    path("groups/add/", groups.add, name="group_add"),
    path("groups/<int:group_id>/", include(_of_group)),
    path("rings/", rings.rings, name="rings"),
    path("rings/add/", rings.add, name="ring_add"),
    path("rings/<int:ring_id>/", include(_of_ring)),
    path("rollouts/<int:rollout_id>/", include(_of_rollout)),
    path("reports/", reports.reports, name="reports"),
    path("reports/figures.csv", reports.figures_csv, name="reports_csv"),
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
    path("settings/keys/", keys.keys, name="keys"),
    path("settings/keys/download/", keys.download, name="keys_download"),
    path("settings/keys/reset/", keys.reset, name="keys_reset"),
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

over_all: list[URLPattern | URLResolver] = [
    path("rooms/", aggregate.rooms, name="all_rooms"),
    path("rooms/export.csv", aggregate.rooms_export, name="all_rooms_export"),
    path("tickets/", aggregate.tickets, name="all_tickets"),
    path("tickets/export.csv", aggregate.tickets_export, name="all_tickets_export"),
    path("approvals/", aggregate.approvals, name="all_approvals"),
    path("rooms/bulk/", aggregate_bulk.choose_rooms, name="all_rooms_bulk"),
    path("tickets/bulk/", aggregate_bulk.choose_tickets, name="all_tickets_bulk"),
    path("changes/<uuid:batch_id>/", aggregate_bulk.change, name="all_change"),
    path("changes/<uuid:batch_id>/confirm/", aggregate_bulk.confirm, name="all_change_confirm"),
    path("changes/<uuid:batch_id>/discard/", aggregate_bulk.discard, name="all_change_discard"),
    path("changes/<uuid:batch_id>/result.csv", aggregate_bulk.download, name="all_change_download"),
    path("filters/<slug:view>/", saved_filters.all_filters, name="all_filters"),
    path("filters/<slug:view>/<int:filter_id>/", saved_filters.all_filter, name="all_filter"),
    path("filters/<slug:view>/<int:filter_id>/delete/", saved_filters.all_delete, name="all_filter_delete"),
]

urlpatterns = [path("all/", include(over_all)), path("c/<uuid:tenant_id>/", include(of_tenant))]
