"""The back office in a real browser: nothing on it that the content security policy stops."""

from collections.abc import Callable

from django.contrib import admin
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.scene import site
from trm_portal.development.demo_people import SUPPORT_NAME

__all__ = ["site"]


def test_back_office_works_under_the_strict_policy(new_page: Callable[..., Page]) -> None:
    page = signed_in(new_page())
    expect(page.locator("h1")).to_have_text("Accounts, relationships, jobs and audit")

    for model, shown in admin.site._registry.items():
        changelist = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        page.goto(changelist)
        expect(page.locator("#changelist")).to_be_visible()
        page.goto(f"{changelist}?q=fabrikam")
        expect(page.locator("#changelist")).to_be_visible()
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            page.goto(shown.page_of("change", first))
            expect(page.locator("fieldset").first).to_be_visible()
            page.goto(shown.page_of("history", first))
            expect(page.locator("#change-history")).to_be_visible()


def test_support_staff_find_somebody_and_found_a_tenant(new_page: Callable[..., Page]) -> None:
    page = signed_in(new_page(viewport=PHONE, color_scheme="dark"))
    page.goto("/admin/rbac/tenant/")
    page.get_by_role("link", name="Found a tenant").click()
    page.get_by_label("Name").fill("Adatum")
    page.get_by_label("First MMR Admin").fill("amy")
    page.get_by_label("Reason").fill("Signed the contract")
    page.get_by_role("button", name="Found tenant").click()
    expect(page.get_by_text("Enter a user principal name like name@example.com.")).to_be_visible()
    page.get_by_label("First MMR Admin").fill("amy@adatum.example")
    page.get_by_role("button", name="Found tenant").click()
    expect(page.get_by_text("Adatum is founded.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def signed_in(page: Page) -> Page:
    """Support staff, signed in with one click on the portal's own page."""
    page.goto("/admin/")
    page.get_by_role("button", name=f"– {SUPPORT_NAME}").click()
    page.wait_for_url("**/admin/")
    return page
