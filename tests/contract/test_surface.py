"""Nothing leaves the API unnoticed, and what is to leave says so in each answer."""

import json
from datetime import date

import pytest
from django.test import RequestFactory
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from rbac.api.base import ApiView, Deprecated
from tests.contract.surface import FILE, surface, text
from trm_portal.api_views import document

GOING = Deprecated(date(2026, 1, 1), date(2027, 1, 1), "Use `GET /rooms/`.")


def test_surface_is_what_was_published():
    """A difference is a decision: `python -m tests.contract.surface` writes the file, docs/api.md says what may change."""
    now, published = surface(json.loads(document("json"))), json.loads(FILE.read_text())
    assert {name: one for name, one in published.items() if now.get(name) != one} == {}, "removed or changed"
    assert sorted(set(now) - set(published)) == [], "new: write it down"
    assert FILE.read_text() == text(now)


class Old(ApiView):
    """An operation that is to go."""

    permission_classes = [AllowAny]
    deprecated = {"get": GOING}

    def get(self, request):
        return Response({})


@pytest.mark.django_db
def test_deprecated_operation_says_so_in_every_answer():
    answer = Old.as_view()(RequestFactory().get("/"))
    assert answer.headers["Deprecation"] == "@1767225600"
    assert answer.headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    refused = Old.as_view()(RequestFactory().get("/?zzz=1"))
    assert refused.status_code == 400
    assert refused.headers["Sunset"] == answer.headers["Sunset"]
    other = Old.as_view()(RequestFactory().post("/"))
    assert other.status_code == 405
    assert "Sunset" not in other.headers


def test_document_names_what_is_to_go(monkeypatch):
    from rooms.api.rooms import Rooms  # noqa: PLC0415 - its views want settings

    monkeypatch.setattr(Rooms, "deprecated", {"get": GOING})
    document.cache_clear()
    try:
        operation = json.loads(document("json"))["paths"]["/api/v1/customers/{tenant_id}/rooms/"]["get"]
    finally:
        document.cache_clear()
    assert operation["deprecated"] is True
    assert "ends on 2027-01-01. Use `GET /rooms/`." in operation["description"]
    assert {"Deprecation", "Sunset"} <= set(operation["responses"]["200"]["headers"])


def test_nothing_goes_without_a_years_notice():
    with pytest.raises(ValueError, match="twelve months"):
        Deprecated(date(2026, 1, 1), date(2026, 12, 31), "")
