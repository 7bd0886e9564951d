"""A real browser on real processes of the portal. Whatever the page complains about fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.foundation.portal import Portal, PortalProcess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, or another one that is installed."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.fail("No chromium is installed. On Debian: apt-get install chromium", pytrace=False)
    # The browser's own loop runs in this thread, which is why Django would refuse the ORM; the tests wait for both.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # chromium has none for root
        launched = playwright.chromium.launch(executable_path=found, args=[*sandbox, "--disable-dev-shm-usage"])
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(portal: Portal) -> PortalProcess:
    """The portal's web server, at `.url`, on this worker's database."""
    return portal.web(workers=1)


@pytest.fixture
def complaints() -> list[str]:
    """What pages complained about: faults in scripts, what the content security policy stopped, missing files."""
    return []


@pytest.fixture
def new_page(browser: Browser, site: PortalProcess, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Opens pages as persons of their own, each with its own cookies: `new_page(viewport=PHONE, locale="de-DE")`.

    Takes what Playwright's `new_context` takes. Fails the test if a page complained about anything.
    """
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=site.url, **{"viewport": WIDE, "locale": "en-GB"} | options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", lambda message: _note(message, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page on a wide screen, in English."""
    return new_page()


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    # An answer that is no page (404, 403) is for the test to judge; the browser writes it down as a fault.
    if message.type == "error" and "the server responded with a status of" not in message.text:
        complaints.append(message.text)
