"""The addresses of rooms, below /api/v1/."""

from django.urls import URLPattern, path

from rooms.api.rooms import OneRoom, Rooms

urlpatterns: list[URLPattern] = [
    path("customers/<uuid:tenant_id>/rooms/", Rooms.as_view(), name="api-rooms"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/", OneRoom.as_view(), name="api-room"),
]
