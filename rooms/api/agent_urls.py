"""The addresses of devices, below /api/agent/v1/."""

from django.urls import URLPattern, path

from rooms.api.agent import Desired, Enroll, Telemetry

urlpatterns: list[URLPattern] = [
    path("enroll", Enroll.as_view(), name="agent_enroll"),
    path("telemetry", Telemetry.as_view(), name="agent_telemetry"),
    path("desired", Desired.as_view(), name="agent_desired"),
]
