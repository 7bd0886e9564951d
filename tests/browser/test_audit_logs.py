"""The audit log in a real browser: choose days, read the entries, take the file, go on working."""

import csv
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.scene import sign_in, site
from trm_portal.development.demo_people import TESSA

__all__ = ["site"]


def test_log_is_read_filtered_and_downloaded(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, TESSA)
    page.get_by_role("link", name="Audit logs").click()
    expect(page.get_by_role("heading", name="Audit logs")).to_be_visible()

    page.get_by_label("User starts with").fill("nils")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("3 entries")).to_be_visible()
    page.get_by_role("link", name="Reset filters").click()
    expect(page.get_by_role("link", name="Next page")).to_be_visible()

    for _ in range(2):  # the form stays open after the first file
        with page.expect_download() as download:
            page.get_by_role("button", name="Download logs").click()
        with open(download.value.path(), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0][:2] == ["activity.category", "activity.objectName"]
        assert len(rows) > 50
        assert [row[5] for row in rows[1:]] == sorted(row[5] for row in rows[1:])
    page.get_by_role("button", name="Show entries").click()
    expect(page.get_by_role("link", name="Next page")).to_be_visible()


def test_wrong_days_are_said_at_the_field(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, TESSA)
    page.get_by_role("link", name="Audit logs").click()
    page.get_by_label("End date").fill("2020-01-01")

    page.get_by_role("button", name="Download logs").click()

    expect(page.get_by_text("The log goes back 180 days.").first).to_be_visible()
    expect(page.get_by_label("End date")).to_have_attribute("aria-invalid", "true")
