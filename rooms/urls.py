"""The addresses of rooms, below the customer's own."""

from django.urls import URLPattern, URLResolver, include, path

from rooms.views import inventory, overview, rooms

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
]

urlpatterns = [path("c/<uuid:tenant_id>/", include(of_tenant))]
