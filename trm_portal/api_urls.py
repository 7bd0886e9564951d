"""The addresses of the API, below /api/v1/. What no app knows is answered here too, as a problem like all others."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from trm_portal.api_views import Document, Documentation, Nothing

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/schema/", Document.as_view(), name="api-schema"),
    path("v1/docs/", Documentation.as_view(), name="api-docs"),
    path("v1/", include("rbac.api.urls")),
    path("v1/", include("rooms.api.urls")),
    path("v1/", include("partners.api.urls")),
    path("agent/v1/", include("rooms.api.agent_urls")),
    re_path("", Nothing.as_view(), name="api-nothing"),
]
