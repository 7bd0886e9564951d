"""The page that shows the API, in a real browser: under our content security policy, and tried out by a signed-in person."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from rooms.models import Room
from tests.browser.scene import sign_in, site
from trm_portal.development.demo_people import TESSA

__all__ = ["site"]


def opened(page: Page, tag: str, operation: str) -> Locator:
    """The operation, opened by its own address: of a long document the page draws what one looks at."""
    page.goto("about:blank")
    page.goto(f"/api/v1/docs/#/{tag}/{operation}")
    return page.locator(f"#operations-{tag}-{operation}")


@pytest.fixture(autouse=True)
def quiet(complaints: list[str], page: Page) -> Iterator[None]:
    """The page's own library says of its own links that they will be written otherwise some day."""
    yield
    complaints[:] = [one for one in complaints if "deep link whitespace" not in one]


def test_document_is_shown_to_everybody(page: Page) -> None:
    page.goto("/api/v1/docs/")
    expect(page.get_by_role("heading", name="Rooms portal API")).to_be_visible(timeout=20_000)
    for tag, name, code in (("Rooms", "room_modify", "stale_version"), ("Me", "me", "authentication_failed")):
        expect(opened(page, tag, name).get_by_text(code).first).to_be_visible(timeout=20_000)


def test_signed_in_person_tries_a_change_out(page: Page) -> None:
    """What changes something carries the page's CSRF token; without it the answer would be 403."""
    sign_in(page, TESSA)
    room = Room.objects.filter(tenant__name=TESSA.at.name).order_by("pk")[0]
    operation = opened(page, "Rooms", "room_modify")
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("tenant_id").fill(str(room.tenant_id))
    operation.get_by_placeholder("room_id").fill(str(room.pk))
    for header in ("If-Match", "Idempotency-Key", "Change-Justification"):
        operation.get_by_placeholder(header).fill("")
    operation.locator("textarea.body-param__text").fill(json.dumps({"capacity": 17}))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    room.refresh_from_db()
    assert room.capacity == 17
