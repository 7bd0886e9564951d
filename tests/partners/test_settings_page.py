"""Settings > General: what the portal knows of the tenant, to look at."""

import pytest
from django.urls import reverse

from partners.models import Terms
from rbac.catalogue import Permission
from rbac.models import TenantDomain
from rooms.scopes import Scope
from tests.factories.browsing import browser, links, text
from tests.factories.world import assign as hold
from tests.factories.world import custom_role, make, over

pytestmark = pytest.mark.django_db


def page(world, person=None):
    return browser(person or world.contoso.admin).get(reverse("settings_general", args=[world.contoso.tenant.pk]))


def test_general_settings_are_shown():
    world = make()
    TenantDomain.objects.create(tenant=world.contoso.tenant, domain="contoso.test")
    shown = text(page(world))
    for expected in (
        "Name Contoso",
        "contoso.example Verified",
        "contoso.test Not verified",
        f"Entra tenant id {world.contoso.tenant.entra_tid}",
        "Language of mails English",
        "Time zone UTC",
        "Rooms 3",
        "Version 1 is the newest. You agree to it when you add your first partner.",
    ):
        assert expected in shown
    assert "Tailwind" not in shown
    assert reverse("audit_logs", args=[world.contoso.tenant.pk]) in links(page(world))


def test_without_terms_the_page_says_so():
    world = make()
    Terms.objects.all().delete()
    assert "The operator has not published any terms yet." in text(page(world))


def test_audit_logs_are_linked_for_those_who_may_open_them():
    world = make()
    viewer = world.contoso.person("vera")
    hold(custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW), viewer, Scope(all_rooms=True))
    assert reverse("audit_logs", args=[world.contoso.tenant.pk]) not in links(page(world, viewer))
    assert "Rooms 0" in text(page(world, viewer))  # no more than one sees oneself


def test_viewing_settings_needs_all_rooms():
    world = make()
    viewer = world.contoso.person("vera")
    hold(custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW), viewer, over(world.contoso.rooms[0]))
    assert page(world, viewer).status_code == 403
