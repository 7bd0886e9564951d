"""The addresses of rooms, below /api/v1/."""

from django.urls import URLPattern, path

from rooms.api import tickets
from rooms.api.groups import GroupRooms, Groups, OneGroup
from rooms.api.rooms import OneRoom, Rooms

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
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/", OneRoom.as_view(), name="api-room"),
    path("customers/<uuid:tenant_id>/groups/", Groups.as_view(), name="api-groups"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/", OneGroup.as_view(), name="api-group"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/rooms/", GroupRooms.as_view(), name="api-group-rooms"),
]
