"""The page that shows the API, in a real browser: under our content security policy, and tried out by a signed-in person."""

import json

from playwright.sync_api import Page, expect

from rooms.models import Room
from tests.browser.scene import sign_in, site
from trm_portal.development.demo_people import TESSA

__all__ = ["site"]


def test_document_is_shown_to_everybody(page: Page) -> None:
    page.goto("/api/v1/docs/")
    expect(page.get_by_role("heading", name="Rooms portal API")).to_be_visible()
    page.locator("#operations-Rooms-room_modify").get_by_role("button").first.click()
    expect(page.locator("#operations-Rooms-room_modify").get_by_text("stale_version").first).to_be_visible()
    page.locator("#operations-Me-me").get_by_role("button").first.click()
    expect(page.locator("#operations-Me-me").get_by_text("authentication_failed").first).to_be_visible()


def test_signed_in_person_tries_a_change_out(page: Page) -> None:
    """What changes something carries the page's CSRF token; without it the answer would be 403."""
    sign_in(page, TESSA)
    room = Room.objects.filter(tenant__name=TESSA.at.name).order_by("pk")[0]
    page.goto("/api/v1/docs/")
    operation = page.locator("#operations-Rooms-room_modify")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("tenant_id").fill(str(room.tenant_id))
    operation.get_by_placeholder("room_id").fill(str(room.pk))
    operation.locator("textarea.body-param__text").fill(json.dumps({"capacity": 17}))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    room.refresh_from_db()
    assert room.capacity == 17
