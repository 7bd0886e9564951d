"""The addresses of rooms, below /api/v1/."""

from django.urls import URLPattern, path

from rooms.api.approvals import ApprovalDecision, Approvals, ApprovalWithdrawal, OneApproval
from rooms.api.groups import GroupRooms, Groups, OneGroup
from rooms.api.rooms import OneRoom, Rooms

urlpatterns: list[URLPattern] = [
    path("customers/<uuid:tenant_id>/rooms/", Rooms.as_view(), name="api-rooms"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/", OneRoom.as_view(), name="api-room"),
    path("customers/<uuid:tenant_id>/groups/", Groups.as_view(), name="api-groups"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/", OneGroup.as_view(), name="api-group"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/rooms/", GroupRooms.as_view(), name="api-group-rooms"),
    path("customers/<uuid:tenant_id>/approvals/", Approvals.as_view(), name="api-approvals"),
    path("customers/<uuid:tenant_id>/approvals/<uuid:approval_id>/", OneApproval.as_view(), name="api-approval"),
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
