"""The audit pages' addresses. Who may open them is said above this app, so a gate comes from there."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from audit import views

View = Callable[..., HttpResponseBase]
Gate = Callable[[View], Callable[..., Any]]


def behind(gate: Gate) -> list[URLPattern]:
    """The pages behind `gate`, which calls a view with the request and the tenant's id once somebody has passed."""
    return [
        path("c/<uuid:tenant_id>/settings/audit-logs/", gate(views.logs), name="audit_logs"),
        path("c/<uuid:tenant_id>/settings/audit-logs/download/", gate(views.download), name="audit_download"),
    ]
