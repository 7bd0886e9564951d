"""The addresses of rooms, below /api/v1/."""

from django.urls import URLPattern, path

from rooms.api.access import (
    OneSecurityGroup,
    PersonAccess,
    RoomAccess,
    SecurityGroupPeople,
    SecurityGroups,
)
from rooms.api.groups import GroupRooms, Groups, OneGroup
from rooms.api.roles import AssignmentMembers, Assignments, AssignmentScope, OneAssignment, OneRole, Roles
from rooms.api.rooms import OneRoom, Rooms

CUSTOMER = "customers/<uuid:tenant_id>"
ASSIGNMENT = f"{CUSTOMER}/assignments/<int:assignment_id>"
SECURITY_GROUP = f"{CUSTOMER}/security-groups/<int:security_group_id>"

urlpatterns: list[URLPattern] = [
    path("customers/<uuid:tenant_id>/rooms/", Rooms.as_view(), name="api-rooms"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/", OneRoom.as_view(), name="api-room"),
    path("customers/<uuid:tenant_id>/groups/", Groups.as_view(), name="api-groups"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/", OneGroup.as_view(), name="api-group"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/rooms/", GroupRooms.as_view(), name="api-group-rooms"),
    path(f"{CUSTOMER}/roles/", Roles.as_view(), name="api-roles"),
    path(f"{CUSTOMER}/roles/<int:role_id>/", OneRole.as_view(), name="api-role"),
    path(f"{CUSTOMER}/roles/<int:role_id>/assignments/", Assignments.as_view(), name="api-assignments"),
    path(f"{ASSIGNMENT}/", OneAssignment.as_view(), name="api-assignment"),
    path(f"{ASSIGNMENT}/scope/", AssignmentScope.as_view(), name="api-assignment-scope"),
    path(f"{ASSIGNMENT}/members/", AssignmentMembers.as_view(), name="api-assignment-members"),
    path(f"{CUSTOMER}/security-groups/", SecurityGroups.as_view(), name="api-security-groups"),
    path(f"{SECURITY_GROUP}/", OneSecurityGroup.as_view(), name="api-security-group"),
    path(f"{SECURITY_GROUP}/people/", SecurityGroupPeople.as_view(), name="api-security-group-people"),
    path(f"{CUSTOMER}/rooms/<int:room_id>/access/", RoomAccess.as_view(), name="api-room-access"),
    path(f"{CUSTOMER}/people/<int:user_id>/access/", PersonAccess.as_view(), name="api-person-access"),
]
