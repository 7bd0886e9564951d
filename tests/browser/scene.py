"""The demo's people and data behind a real browser."""

from email.message import EmailMessage

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal, PortalProcess
from trm_portal.development import demo_data
from trm_portal.development.demo_people import Person


@pytest.fixture
def site(portal: Portal, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> PortalProcess:
    """The portal with the demo's data, a worker and a mail server."""
    monkeypatch.setattr(settings, "DEMO", True)
    demo_data.load()
    portal.worker()
    return portal.web(environment={"DEMO": "true"})


def sign_in(page: Page, person: Person) -> None:
    """`person` signs in with one click."""
    page.goto("/sign-in/")
    page.get_by_role("button", name=f"– {person.name}").click()
    expect(page.locator("h1").first).to_be_visible()


def addressed_to(sink: SmtpSink, person: Person, word: str) -> list[EmailMessage]:
    """The mails to `person` whose subject has `word`."""
    return [mail for mail in sink.messages if person.upn in str(mail["To"]) and word in str(mail["Subject"])]
