"""Every page as its reader sees it: wide and phone, light and dark, English and German – axe clean, nothing cut off."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from partners.models import PartnerRelationship
from partners.webhooks import Webhook
from rbac.models import Role
from rooms.models import ApprovalRequest, Rollout, Room, RoomGroup, Ticket
from tests.browser.conftest import PHONE, WIDE
from tests.browser.scene import sign_in, site
from trm_portal.development.demo_people import ADA, ANN, TAILWIND, TESSA, WIDE_WORLD, Person

__all__ = ["site"]

LOOKS = [
    pytest.param({"viewport": WIDE, "color_scheme": "light", "locale": "en-GB"}, id="wide-light-english"),
    pytest.param({"viewport": WIDE, "color_scheme": "dark", "locale": "de-DE"}, id="wide-dark-german"),
    pytest.param({"viewport": PHONE, "color_scheme": "dark", "locale": "en-GB"}, id="phone-dark-english"),
    pytest.param({"viewport": PHONE, "color_scheme": "light", "locale": "de-DE"}, id="phone-light-german"),
]


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_an_mmr_admin(new_page: Callable[..., Page], look: dict[str, Any]) -> None:
    page = signed_in(new_page, TESSA, look)
    home = page.url
    tailwind = {"tenant__entra_tid": TAILWIND.tid}
    room = Room.objects.filter(**tailwind).order_by("pk")[0]
    group = RoomGroup.objects.filter(**tailwind).order_by("pk")[0]
    active = PartnerRelationship.objects.get(**tailwind, label="Fabrikam AV Services")
    role = active.delegation.roles.get(key="partner_admin")
    assignment = role.assignments.get()
    ticket = Ticket.objects.filter(**tailwind, kind="customer").exclude(state="closed").order_by("pk")[0]
    rollout = Rollout.objects.filter(**tailwind).order_by("pk")[0]
    request = ApprovalRequest.objects.filter(**tailwind, state="pending").order_by("pk")[0]
    lead = Role.objects.get(**tailwind, key="site_lead", delegation=None)
    webhook = Webhook.objects.get(**tailwind, description="Workplace desk")
    for path in (
        "",
        "rooms/",
        "rooms/?q=Berlin&sort=-city",
        f"rooms/{room.pk}/",
        f"rooms/{room.pk}/edit/",
        *(f"rooms/{room.pk}/?tab={tab}" for tab in ("incidents", "updates", "activity", "settings")),
        f"rooms/{room.pk}/access/",
        f"rooms/{room.pk}/suppress/",
        f"rooms/{room.pk}/unenrol/",
        "rooms/import/",
        "rooms/filters/",
        "groups/",
        "groups/add/",
        f"groups/{group.pk}/",
        f"groups/{group.pk}/rooms/",
        "settings/",
        "settings/partners/",
        f"settings/partners/{active.pk}/",
        f"settings/partners/{active.pk}/rename/",
        f"settings/partners/{active.pk}/time-limit/",
        f"settings/partners/{active.pk}/remove/",
        f"settings/partners/{active.pk}/invited-admins/",
        "settings/partners/add/contacts/",
        "settings/roles/",
        f"settings/roles/{lead.pk}/?tab=permissions",
        f"settings/roles/{role.pk}/?tab=assignments",
        f"settings/roles/{role.pk}/assignments/{assignment.pk}/?tab=scope",
        f"settings/roles/{role.pk}/assignments/{assignment.pk}/scope/",
        "settings/audit-logs/",
        "tickets/",
        "tickets/add/",
        f"tickets/{ticket.pk}/",
        f"tickets/{ticket.pk}/close/",
        "rings/",
        "rings/add/",
        f"rings/{rollout.ring_id}/",
        f"rings/{rollout.ring_id}/edit/",
        f"rings/{rollout.ring_id}/rooms/",
        f"rollouts/{rollout.pk}/",
        "reports/",
        "approvals/",
        "approvals/?tab=decided",
        f"approvals/{request.pk}/",
        f"settings/partners/{active.pk}/change-control/",
        "settings/general/",
        "settings/terms/",
        "settings/tenant-managers/",
        "settings/partner-access/",
        "settings/notifications/",
        "settings/notifications/mail/",
        "settings/webhooks/",
        "settings/webhooks/add/",
        *(f"settings/webhooks/{webhook.pk}/{part}" for part in ("", "edit/", "secret/", "delete/")),
        "settings/keys/",
        "settings/keys/reset/",
        "settings/roles/permission-table/",
        "settings/roles/add/",
        "settings/roles/security-groups/",
        "settings/roles/security-groups/add/",
        "no-such-page/",
    ):
        look_at(page, home + path)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_a_partner(new_page: Callable[..., Page], look: dict[str, Any]) -> None:
    page = signed_in(new_page, ANN, look)
    room = Room.objects.filter(tenant__entra_tid=WIDE_WORLD.tid).order_by("pk")[0]
    customer = f"/c/{room.tenant_id}/"
    for path in (
        customer,
        f"{customer}rooms/",
        f"{customer}rooms/{room.pk}/",
        f"{customer}settings/roles/",
        f"{customer}tickets/",
        f"{customer}tickets/add/?room={room.pk}",
        f"{customer}rings/",
        f"{customer}reports/",
        f"{customer}approvals/",
        f"{customer}settings/webhooks/",
        "/customers/",
        f"/customers/{room.tenant_id}/",
        f"/customers/{room.tenant_id}/tokens/",
        f"/customers/{room.tenant_id}/colleagues/",
        f"/customers/{room.tenant_id}/remove/",
        "/invitations/",
        "/sessions/",
        "/all/tickets/",
        "/all/tickets/?state=all&sort=customer",
        "/all/rooms/",
        f"/all/rooms/?customer={room.tenant_id}",
        "/all/approvals/",
        "/all/approvals/?tab=decided",
        "/all/expiring/?within=all",
        "/switch/?kind=rooms",
    ):
        look_at(page, path)
    expect(page.locator("h1").first).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_an_invited_person(new_page: Callable[..., Page], look: dict[str, Any]) -> None:
    page = new_page(**look)
    look_at(page, "/sign-in/")
    sign_in(page, ADA)
    look_at(page, "/invitations/")
    page.locator("main a[href*='/invitations/']").first.click()
    look_at(page, page.url)


def signed_in(new_page: Callable[..., Page], person: Person, look: dict[str, Any]) -> Page:
    page = new_page(**look)
    sign_in(page, person)
    return page


def look_at(page: Page, address: str) -> None:
    """Open the page: no barrier that axe knows, nothing wider than the screen, one main heading."""
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    assert page.locator("h1").count() == 1, address
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        f"{address} is wider than the screen"
    )
    found = Axe().run(page)
    assert found.violations_count == 0, f"{address}\n{found.generate_report()}"
