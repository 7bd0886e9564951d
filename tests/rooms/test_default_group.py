"""The default group: new rooms come into it; another one is chosen by who may change both, with care for partners."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse

from audit.models import AuditEvent
from rbac.catalogue import BuiltIn
from rooms import scopes
from rooms.models import RoomGroup
from rooms.scopes import Scope
from rooms.services import groups
from tests.factories import join
from tests.factories.browsing import browser, links, text
from tests.factories.callers import person
from tests.factories.world import make

pytestmark = pytest.mark.django_db


class Scene:
    """Contoso with the group of new rooms, a group of German ones, and a partner who reaches what it is given."""

    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        self.lead = self.contoso.member(BuiltIn.SITE_LEAD, "lea")
        self.first = self.default
        german = {room.pk for room in self.contoso.german}
        self.group = groups.create(self.contoso.tenant, "Germany", by=self.contoso.admin, rooms=german)

    @property
    def default(self):
        return RoomGroup.objects.get(tenant=self.contoso.tenant, is_default=True)

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name="group_default", group=None):
        return reverse(name, args=[self.contoso.tenant.pk, (group or self.group).pk])

    def give_to_partner(self):
        relationship, _ = join(self.contoso, self.world.fabrikam, "ann")
        base = relationship.delegation.roles.get().assignments.get()
        scopes.change(base, Scope(groups=frozenset({self.group.pk})), by=self.admin)
        return base


@pytest.fixture
def scene():
    return Scene()


def test_another_group_becomes_the_default_and_it_is_on_record(scene):
    groups.make_default(scene.group, by=scene.lead)
    groups.make_default(scene.group, by=scene.lead)  # a second click
    assert scene.default == scene.group
    line = AuditEvent.objects.get(category="Group", operation="Update")
    assert (line.object_name, line.result, line.user_id) == ("Germany", "Successful", scene.lead.upn)
    assert (line.before, line.after) == ({"default_group": "New rooms"}, {"default_group": "Germany"})


def test_new_rooms_come_into_it(scene):
    groups.make_default(scene.group, by=scene.admin)
    assert groups.hold_default(scene.contoso.tenant) == scene.group


def test_what_was_the_default_can_be_deleted_then(scene):
    groups.make_default(scene.group, by=scene.admin)
    groups.delete(scene.first, by=scene.admin)
    assert not RoomGroup.objects.filter(pk=scene.first.pk).exists()
    with pytest.raises(Http404):
        groups.make_default(scene.first, by=scene.admin)


def test_a_group_of_a_partner_is_for_mmr_admins_only(scene):
    scene.give_to_partner()
    with pytest.raises(PermissionDenied):
        groups.make_default(scene.group, by=scene.lead)
    assert scene.default == scene.first
    assert AuditEvent.objects.filter(category="Group", result="Failed").count() == 1
    assert browser(scene.lead).post(scene.url()).status_code == 403
    assert person(scene.lead).post("api-group-default", scene.contoso.tenant.pk, scene.group.pk).status_code == 403
    assert scene.url() not in links(browser(scene.lead).get(scene.url("group")))

    shown = text(browser(scene.admin).get(scene.url()))
    assert "it gets every new room of your organisation at once" in shown
    assert browser(scene.admin).post(scene.url()).status_code == 302
    assert scene.default == scene.group


def test_who_may_not_modify_both_changes_nothing(scene):
    here = {room.pk for room in scene.contoso.german}
    part = scene.contoso.member(BuiltIn.SITE_LEAD, "paula", Scope(rooms=frozenset(here)))
    groups.change_rooms(scene.first, by=scene.admin, add={room.pk for room in scene.contoso.rooms})
    for stranger in (part, scene.contoso.member(BuiltIn.SITE_TECH, "tess"), scene.world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            groups.make_default(scene.group, by=stranger)
    assert scene.default == scene.first


def test_the_page_asks_first_and_the_group_says_what_it_is(scene):
    client = browser(scene.lead)
    assert scene.url() in links(client.get(scene.url("group")))
    assert "no longer into New rooms" in text(client.get(scene.url()))
    assert scene.default == scene.first
    answer = client.post(scene.url(), follow=True)
    assert "New rooms come into “Germany” from now on." in text(answer)
    assert "This is the default group" in text(answer)
    assert scene.url() not in links(answer)
    assert client.get(scene.url()).status_code == 302


def test_the_api_makes_it_the_default(scene):
    place = (scene.contoso.tenant.pk, scene.group.pk)
    answer = person(scene.admin).post("api-group-default", *place)
    assert (answer.status_code, answer.json()["is_default"]) == (200, True)
    assert person(scene.admin).get("api-group", scene.contoso.tenant.pk, scene.first.pk).json()["is_default"] is False
    assert person(scene.admin).post("api-group-default", *place, body={"x": 1}).status_code == 400


def test_queries_of_the_page_do_not_grow_with_the_scopes(scene, django_assert_num_queries):
    for number in (1, 3):
        for one in range(number):
            member = scene.contoso.member(
                BuiltIn.SITE_TECH, f"tech{number}{one}", Scope(groups=frozenset({scene.group.pk}))
            )
            assert member.pk
        client = browser(scene.admin)
        with django_assert_num_queries(12):
            client.get(scene.url())
