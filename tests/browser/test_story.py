"""The main story in a real browser: import, add partner, accept, change a room, remove; the open page is gone."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scene import addressed_to, sign_in, site
from tests.foundation.mail import SmtpSink
from trm_portal.development import demo_data
from trm_portal.development.demo_people import ANN, BOB, MARA, Person

__all__ = ["site"]


@pytest.fixture
def mara(new_page: Callable[..., Page]) -> Page:
    page = new_page()
    sign_in(page, MARA)
    return page


def test_contoso_invites_works_with_and_removes_fabrikam(
    mara: Page, new_page: Callable[..., Page], smtp_sink: SmtpSink
) -> None:
    import_rooms(mara)
    add_partner(mara)
    ann, bob = new_page(), new_page()
    for page, person in ((ann, ANN), (bob, BOB)):
        accept(page, person, smtp_sink)
    rename_a_room(ann)
    remove_partner(mara)
    ann.reload()
    expect(ann.locator("h1").first).to_have_text("There is nothing here for you")
    bob.reload()
    expect(bob.locator("h1").first).to_have_text("There is nothing here for you")


def import_rooms(page: Page) -> None:
    page.get_by_role("link", name="Import rooms").first.click()
    page.locator("input[type=file]").set_input_files(demo_data.INVENTORIES / "contoso-get-place.csv")
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Import 666 rooms").click()
    expect(page.get_by_text("The import is complete: 666 new")).to_be_visible(timeout=60_000)


def add_partner(page: Page) -> None:
    page.get_by_role("link", name="Partners", exact=True).click()
    page.get_by_role("link", name="Add partner").first.click()
    for person in (ANN, BOB):
        page.get_by_label("Name", exact=True).last.fill(person.name)
        page.get_by_label("User principal name (UPN)").last.fill(person.upn)
        page.get_by_role("button", name="Add contact").last.click()
        expect(page.locator(f"input[value='{person.upn}']")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name="Add all 114 matching rooms").click()
    expect(page.get_by_text(re.compile("114"))).not_to_have_count(0)
    page.get_by_role("button", name="Next").click()
    page.get_by_label(re.compile("I agree")).check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Add partner").click()
    expect(page.locator("h1").first).to_contain_text("fabrikam.com")


def accept(page: Page, person: Person, sink: SmtpSink) -> None:
    end = time.monotonic() + 30
    while not addressed_to(sink, person, "Contoso"):
        assert time.monotonic() < end, "no mail"
        time.sleep(0.1)
    sign_in(page, person)
    page.goto("/invitations/")
    page.get_by_role("link", name=re.compile("Contoso")).first.click()
    page.get_by_role("button", name="Accept").click()
    expect(page).to_have_url(re.compile("/rooms/"))


def rename_a_room(page: Page) -> None:
    page.locator("main input[type=search]").first.fill("Hamburg")
    page.locator("main input[type=search]").first.press("Enter")
    page.locator("tbody a").first.click()
    page.locator(".tabs").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Name", exact=True).fill("Elbe")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1").first).to_contain_text("Elbe")


def remove_partner(page: Page) -> None:
    page.get_by_role("link", name="Partners", exact=True).first.click()
    page.get_by_role("link", name="fabrikam.com").click()
    page.get_by_role("link", name="Remove partner").first.click()
    expect(page.get_by_text("2 people lose access to 114 rooms")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Do you really want to delete fabrikam.com?")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("fabrikam.com has been removed").first).to_be_visible()
