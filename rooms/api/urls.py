"""The addresses of rooms, below /api/v1/."""

from django.urls import URLPattern, path

from rbac.api.base import CustomerView
from rooms.api import tickets
from rooms.api.access import (
    OneSecurityGroup,
    PersonAccess,
    RoomAccess,
    SecurityGroupPeople,
    SecurityGroups,
)
from rooms.api.aggregate import AllApprovals, AllRooms, AllTickets
from rooms.api.aggregate_bulk import AllFilters, AllRoomsBulk, AllTicketsBulk, OneOfAllFilters
from rooms.api.approvals import ApprovalAgain, ApprovalDecision, Approvals, ApprovalWithdrawal, OneApproval
from rooms.api.assignments import AssignmentMembers, Assignments, AssignmentScope, LeaveAssignment, OneAssignment
from rooms.api.bulk import OneSavedFilter, RoomsBulk, SavedFilters
from rooms.api.groups import GroupRooms, Groups, MakeDefault, OneGroup
from rooms.api.imports import ImportConfirmation, Imports, OneImport
from rooms.api.keys import KeyDownload, Keys
from rooms.api.monitoring import (
    RoomActivityView,
    RoomEnroll,
    RoomStatusView,
    RoomSuppress,
    RoomUnenroll,
    RoomUnsuppress,
)
from rooms.api.reports import ReportFigures, ReportRooms
from rooms.api.rings import OneRing, RingRooms, Rings
from rooms.api.roles import OneRole, Roles
from rooms.api.rollouts import (
    ForceRollout,
    OneRollout,
    PauseRollout,
    ResumeRollout,
    RetryRollout,
    RolloutRooms,
    Rollouts,
)
from rooms.api.rooms import OneRoom, Rooms

CUSTOMER = "customers/<uuid:tenant_id>"
ASSIGNMENT = f"{CUSTOMER}/assignments/<int:assignment_id>"
SECURITY_GROUP = f"{CUSTOMER}/security-groups/<int:security_group_id>"

_TICKET = "customers/<uuid:tenant_id>/tickets/<int:ticket_id>/"
_of_ticket: list[URLPattern] = [
    path(_TICKET, tickets.OneTicket.as_view(), name="api-ticket"),
    path(f"{_TICKET}entries/", tickets.Entries.as_view(), name="api-ticket-entries"),
    path(f"{_TICKET}state/", tickets.State.as_view(), name="api-ticket-state"),
    path(f"{_TICKET}assignment/", tickets.Assignment.as_view(), name="api-ticket-assignment"),
    path(f"{_TICKET}close/", tickets.Close.as_view(), name="api-ticket-close"),
    path(f"{_TICKET}attachments/", tickets.Attachments.as_view(), name="api-ticket-attachments"),
    path(f"{_TICKET}attachments/<uuid:attachment_id>/", tickets.OneAttachment.as_view(), name="api-ticket-attachment"),
]

urlpatterns: list[URLPattern] = [
    path("customers/<uuid:tenant_id>/tickets/", tickets.Tickets.as_view(), name="api-tickets"),
    *_of_ticket,
    path("customers/<uuid:tenant_id>/rooms/", Rooms.as_view(), name="api-rooms"),
    path("customers/<uuid:tenant_id>/rooms/bulk/", RoomsBulk.as_view(), name="api-rooms-bulk"),
    path("customers/<uuid:tenant_id>/rooms/filters/", SavedFilters.as_view(), name="api-room-filters"),
    path("customers/<uuid:tenant_id>/rooms/filters/<int:filter_id>/", OneSavedFilter.as_view(), name="api-room-filter"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/status/", RoomStatusView.as_view(), name="api-room-status"),
    path(
        "customers/<uuid:tenant_id>/rooms/<int:room_id>/activity/", RoomActivityView.as_view(), name="api-room-activity"
    ),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/enroll/", RoomEnroll.as_view(), name="api-room-enroll"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/suppress/", RoomSuppress.as_view(), name="api-room-suppress"),
    path(
        "customers/<uuid:tenant_id>/rooms/<int:room_id>/unsuppress/",
        RoomUnsuppress.as_view(),
        name="api-room-unsuppress",
    ),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/unenroll/", RoomUnenroll.as_view(), name="api-room-unenroll"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/", OneRoom.as_view(), name="api-room"),
    path("customers/<uuid:tenant_id>/groups/", Groups.as_view(), name="api-groups"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/", OneGroup.as_view(), name="api-group"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/rooms/", GroupRooms.as_view(), name="api-group-rooms"),
    path("customers/<uuid:tenant_id>/imports/", Imports.as_view(), name="api-imports"),
    path("customers/<uuid:tenant_id>/imports/<uuid:import_id>/", OneImport.as_view(), name="api-import"),
    path(
        "customers/<uuid:tenant_id>/imports/<uuid:import_id>/confirm/",
        ImportConfirmation.as_view(),
        name="api-import-confirm",
    ),
    path("customers/<uuid:tenant_id>/keys/", Keys.as_view(), name="api-keys"),
    path("customers/<uuid:tenant_id>/keys/download/", KeyDownload.as_view(), name="api-key-download"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/default/", MakeDefault.as_view(), name="api-group-default"),
    path("customers/<uuid:tenant_id>/rings/", Rings.as_view(), name="api-rings"),
    path("customers/<uuid:tenant_id>/rings/<int:ring_id>/", OneRing.as_view(), name="api-ring"),
    path("customers/<uuid:tenant_id>/rings/<int:ring_id>/rooms/", RingRooms.as_view(), name="api-ring-rooms"),
    path("customers/<uuid:tenant_id>/rollouts/", Rollouts.as_view(), name="api-rollouts"),
    path("customers/<uuid:tenant_id>/rollouts/<int:rollout_id>/", OneRollout.as_view(), name="api-rollout"),
    path("customers/<uuid:tenant_id>/reports/", ReportFigures.as_view(), name="api-report-figures"),
    path("customers/<uuid:tenant_id>/reports/rooms/", ReportRooms.as_view(), name="api-report-rooms"),
    path(f"{CUSTOMER}/roles/", Roles.as_view(), name="api-roles"),
    path(f"{CUSTOMER}/roles/<int:role_id>/", OneRole.as_view(), name="api-role"),
    path(f"{CUSTOMER}/roles/<int:role_id>/assignments/", Assignments.as_view(), name="api-assignments"),
    path(f"{ASSIGNMENT}/", OneAssignment.as_view(), name="api-assignment"),
    path(f"{ASSIGNMENT}/scope/", AssignmentScope.as_view(), name="api-assignment-scope"),
    path(f"{ASSIGNMENT}/members/", AssignmentMembers.as_view(), name="api-assignment-members"),
    path(f"{ASSIGNMENT}/leave/", LeaveAssignment.as_view(), name="api-assignment-leave"),
    path(f"{CUSTOMER}/security-groups/", SecurityGroups.as_view(), name="api-security-groups"),
    path(f"{SECURITY_GROUP}/", OneSecurityGroup.as_view(), name="api-security-group"),
    path(f"{SECURITY_GROUP}/people/", SecurityGroupPeople.as_view(), name="api-security-group-people"),
    path(f"{CUSTOMER}/rooms/<int:room_id>/access/", RoomAccess.as_view(), name="api-room-access"),
    path(f"{CUSTOMER}/people/<int:user_id>/access/", PersonAccess.as_view(), name="api-person-access"),
    path("all/rooms/", AllRooms.as_view(), name="api-all-rooms"),
    path("all/tickets/", AllTickets.as_view(), name="api-all-tickets"),
    path("all/rooms/bulk/", AllRoomsBulk.as_view(), name="api-all-rooms-bulk"),
    path("all/tickets/bulk/", AllTicketsBulk.as_view(), name="api-all-tickets-bulk"),
    path("all/filters/", AllFilters.as_view(), name="api-all-filters"),
    path("all/filters/<int:filter_id>/", OneOfAllFilters.as_view(), name="api-all-filter"),
    path("all/approvals/", AllApprovals.as_view(), name="api-all-approvals"),
    path("customers/<uuid:tenant_id>/approvals/", Approvals.as_view(), name="api-approvals"),
    path("customers/<uuid:tenant_id>/approvals/<uuid:approval_id>/", OneApproval.as_view(), name="api-approval"),
    path(
        "customers/<uuid:tenant_id>/approvals/<uuid:approval_id>/again/",
        ApprovalAgain.as_view(),
        name="api-approval-again",
    ),
    path(
        "customers/<uuid:tenant_id>/approvals/<uuid:approval_id>/decide/",
        ApprovalDecision.as_view(),
        name="api-approval-decide",
    ),
    path(
        "customers/<uuid:tenant_id>/approvals/<uuid:approval_id>/withdraw/",
        ApprovalWithdrawal.as_view(),
        name="api-approval-withdraw",
    ),
]

_of_rollout: dict[str, type[CustomerView]] = {
    "rooms": RolloutRooms,
    "pause": PauseRollout,
    "resume": ResumeRollout,
    "retry": RetryRollout,
    "force": ForceRollout,
}
urlpatterns += [
    path(f"customers/<uuid:tenant_id>/rollouts/<int:rollout_id>/{name}/", view.as_view(), name=f"api-rollout-{name}")
    for name, view in _of_rollout.items()
]
