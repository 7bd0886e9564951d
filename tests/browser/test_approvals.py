"""Change control in a real browser: a partner asks, the customer reads what would change and decides."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from rooms.models import Room
from tests.browser.scene import sign_in, site
from trm_portal.development.demo_people import ANN, TAILWIND, TESSA

__all__ = ["site"]


@pytest.fixture
def room(site) -> Room:
    """One of Tailwind's rooms that Fabrikam cares for; Tailwind approves changes of rooms first."""
    return Room.objects.filter(tenant__entra_tid=TAILWIND.tid, city="Vienna").order_by("pk")[0]


def test_partner_renames_and_moves_a_room_and_the_customer_approves(new_page: Callable[..., Page], room: Room) -> None:
    ann, tessa = new_page(), new_page()
    sign_in(ann, ANN)
    address = ask(ann, room, "Danube", "The team has moved up.")
    expect(ann.get_by_text("Nothing has changed yet.", exact=False).first).to_be_visible()
    ann.goto(f"/c/{room.tenant_id}/rooms/{room.pk}/")
    expect(ann.locator("h1").first).to_have_text(room.display_name)

    sign_in(tessa, TESSA)
    tessa.goto(f"/c/{room.tenant_id}/approvals/")
    tessa.get_by_role("link", name=room.display_name).first.click()
    for said in (room.display_name, "Danube", "77", "The team has moved up.", ANN.upn):
        expect(tessa.get_by_text(said).first).to_be_visible()
    tessa.goto(address)
    tessa.get_by_role("button", name="Approve").click()
    expect(tessa.get_by_text("Approved and done").first).to_be_visible()

    ann.reload()
    expect(ann.locator("h1").first).to_have_text("Danube")


def test_what_went_stale_fails_for_both_and_is_asked_again(new_page: Callable[..., Page], room: Room) -> None:
    ann, tessa = new_page(), new_page()
    sign_in(ann, ANN)
    address = ask(ann, room, "Danube", "")

    sign_in(tessa, TESSA)
    tessa.goto(f"/c/{room.tenant_id}/rooms/{room.pk}/edit/")
    tessa.locator("#id_campus").fill("Prater")
    tessa.get_by_role("button", name="Save").click()
    tessa.goto(address)
    tessa.get_by_role("button", name="Approve").click()
    for page in (tessa, ann):
        page.goto(address)
        expect(page.get_by_text("Approved, but failed").first).to_be_visible()

    ann.get_by_role("button", name="Ask again with the current values").click()
    expect(ann.get_by_text("Waiting for approval").first).to_be_visible()
    assert ann.url != address
    tessa.goto(ann.url)
    tessa.get_by_role("button", name="Approve").click()
    expect(tessa.get_by_text("Approved and done").first).to_be_visible()
    room.refresh_from_db()
    assert (room.display_name, room.campus) == ("Danube", "Prater")


def ask(page: Page, room: Room, name: str, why: str) -> str:
    """Ann asks for another name and floor; the address of the request."""
    page.goto(f"/c/{room.tenant_id}/rooms/{room.pk}/edit/")
    page.get_by_label("Name", exact=True).fill(name)
    page.locator("#id_floor").fill("77")
    page.get_by_label("Why?").fill(why)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Waiting for approval").first).to_be_visible()
    return page.url
