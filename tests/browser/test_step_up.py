"""A customer that asks its partners for more, in a real browser and at a real OpenID provider: there, and back."""

from collections.abc import Callable

from django.conf import settings
from playwright.sync_api import Page, expect

from rbac.models import Tenant
from rooms.models import Room
from tests.browser.home import complaints as complaints
from tests.browser.home import site as site
from trm_portal.development.demo_people import ANN, TESSA
from trm_portal.sessions import PROOF, SessionStore

PHONE = {"width": 390, "height": 844}
SECOND_FACTOR = f"{ANN.upn} (second factor)"


def sign_in(page: Page, name: str, button: str = "Sign in with your organisation") -> None:
    """At the provider, as `name`."""
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name=name, exact=True).click()


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_second_factor_is_shown_and_one_is_back_where_one_was(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/sign-in/")
    sign_in(page, ANN.upn)
    page.goto("/all/tickets/")
    expect(page.get_by_text("One customer is left out here")).to_be_visible()
    page.get_by_role("link", name="Sign in for Woodgrove Bank").click()
    heading(page, "Woodgrove Bank asks for more")
    sign_in(page, ANN.upn, "Sign in again")  # without a second factor, once more
    page.get_by_role("link", name="Sign in for Woodgrove Bank").click()
    heading(page, "Woodgrove Bank asks for more")
    sign_in(page, SECOND_FACTOR, "Sign in again")
    heading(page, "Incidents of all customers")
    expect(page.get_by_text("is left out here")).to_have_count(0)
    expect(page.get_by_role("link", name="The door panel shows another room")).to_be_visible()
    page.goto(f"/c/{Tenant.objects.get(name='Woodgrove Bank').pk}/rooms/")
    heading(page, "Rooms")


def test_change_waits_while_one_signs_in_again(new_page: Callable[..., Page]) -> None:
    room = Room.objects.get(display_name="Gipfel")
    page = new_page(viewport=PHONE)
    page.goto("/sign-in/")
    sign_in(page, SECOND_FACTOR)
    page.goto(f"/c/{room.tenant_id}/rooms/{room.pk}/edit/")
    page.locator("#id_display_name").fill("Gipfelstube")
    _forget_second_factor(page)
    page.get_by_role("button", name="Save").click()
    heading(page, "Alpine Ski House asks for more")
    expect(page.get_by_text("It waits while you sign in")).to_be_visible()
    sign_in(page, SECOND_FACTOR, "Sign in again")
    heading(page, "You are signed in again")
    page.get_by_role("button", name="Send the change").click()
    heading(page, "Gipfelstube")
    room.refresh_from_db()
    assert room.display_name == "Gipfelstube"


def _forget_second_factor(page: Page) -> None:
    """As if it had been shown too long ago."""
    [key] = [one["value"] for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME]
    session = SessionStore(key)
    session[PROOF] = session[PROOF] | {"amr": ["pwd"]}
    session.save()


def test_mmr_admin_sees_whom_a_policy_stops_before_it_holds(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/sign-in/")
    sign_in(page, TESSA.upn)
    page.goto(f"/c/{Tenant.objects.get(entra_tid=TESSA.at.tid).pk}/settings/partner-access/")
    page.get_by_role("group", name="For all access").get_by_label("A sign-in with a second factor").check()
    page.get_by_role("button", name="See whom this stops").click()
    heading(page, "Whom this stops")
    expect(page.get_by_role("row", name=ANN.name)).to_contain_text("second factor")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_text("It holds from the next click")).to_be_visible()
    ann = new_page()
    ann.goto("/sign-in/")
    sign_in(ann, ANN.upn)
    ann.goto(page.url.replace("settings/partner-access/", "rooms/"))
    heading(ann, "Tailwind Traders asks for more")
