"""The audit pages' addresses. Who may open them is said above this app, so a gate comes from there."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from audit import views

View = Callable[..., HttpResponseBase]
Gate = Callable[[View], Callable[..., Any]]


def behind(gate: Gate, partners: views.Partners) -> list[URLPattern]:
    """The pages behind `gate`, which calls a view with the request and the tenant's id once somebody has passed.

    `partners` says what a tenant's relationships are called.
    """
    pages = {"": ("audit_logs", views.logs), "download/": ("audit_download", views.download)}
    pages["download/all/"] = ("audit_download_all", views.download_all)
    return [
        path(f"c/<uuid:tenant_id>/settings/audit-logs/{place}", gate(partial(view, partners=partners)), name=name)
        for place, (name, view) in pages.items()
    ]
