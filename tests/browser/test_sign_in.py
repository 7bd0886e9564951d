"""Signing in at home in a real browser, at the demo's OpenID provider: there, and back to where one wanted."""

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from rbac.models import User
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal, PortalProcess
from trm_portal.development import demo_data
from trm_portal.development.demo_people import ANN


@pytest.fixture
def site(portal: Portal, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> PortalProcess:
    """The portal with the demo's data and a provider that knows the demo's people."""
    monkeypatch.setattr(settings, "DEMO", True)
    demo_data.load()
    known = {"OIDC_ENDPOINT": portal.provider().url, "OIDC_CLIENT_ID": "portal", "OIDC_CLIENT_SECRET": "any"}
    return portal.web(environment={"DEMO": "true", "OIDC_OBJECT_CLAIM": "oid"} | known)


@pytest.fixture
def complaints() -> list[str]:
    """Of our own pages; the provider's asks for things from elsewhere, which is no fault of ours."""

    class Ours(list[str]):
        def append(self, text: str) -> None:
            if "ERR_NAME_NOT_RESOLVED" not in text and "ERR_CONNECTION" not in text:
                super().append(text)

    return Ours()


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
