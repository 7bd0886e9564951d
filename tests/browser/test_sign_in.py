"""Signing in at home in a real browser, at the demo's OpenID provider: there, and back to where one wanted."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from rbac.models import User
from tests.browser.home import complaints as complaints
from tests.browser.home import site as site
from trm_portal.development.demo_people import ANN


def to_provider(page: Page) -> None:
    page.get_by_role("button", name="Sign in with your organisation").click()
    expect(page.get_by_role("button", name="Deny")).to_be_visible()


def test_there_and_back_to_where_one_wanted(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/invitations/")
    to_provider(page)
    page.get_by_role("button", name=ANN.upn, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invitations")
    assert page.url.endswith("/invitations/")
    assert User.objects.get(upn=ANN.upn).entra_oid == ANN.identity.oid


def test_whoever_cancels_or_has_no_upn_stays_outside_and_reads_why(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/sign-in/")
    to_provider(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("The sign-in was cancelled")).to_be_visible()
    page.get_by_role("link", name="Back to sign-in").click()
    to_provider(page)
    page.get_by_placeholder("sub").fill("somebody")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_text("optional claim “upn”")).to_be_visible()
    page.goto("/invitations/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert not User.objects.filter(upn="somebody").exists()
