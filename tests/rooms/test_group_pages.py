"""The pages of room groups: who opens them, what they show, what their buttons do."""

import uuid

import pytest
from django.urls import reverse

from rbac.catalogue import BuiltIn
from rooms import scopes
from rooms.models import RoomGroup
from rooms.scopes import Scope
from rooms.services import groups
from tests.factories import RoomFactory, join
from tests.factories.browsing import browser, links, text, told
from tests.factories.world import make

pytestmark = pytest.mark.django_db

NAMES = ["groups", "group_add", "group", "group_edit", "group_rooms", "group_delete"]
OF_ONE = NAMES[2:]


class Scene:
    """Contoso with a group of its German rooms, which its partner sees; Tailwind with one of its own."""

    def __init__(self):
        self.world = make()
        self.contoso, tailwind = self.world.contoso, self.world.tailwind
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        german = {room.pk for room in self.contoso.german}
        self.group = groups.create(self.contoso.tenant, "Germany", by=self.contoso.admin, rooms=german)
        everything = {room.pk for room in self.contoso.rooms}
        self.all = groups.create(self.contoso.tenant, "Everything", by=self.contoso.admin, rooms=everything)
        self.foreign = groups.create(
            tailwind.tenant, "Tailwind only", by=tailwind.admin, rooms={room.pk for room in tailwind.rooms}
        )
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess")
        self.lead = self.contoso.member(BuiltIn.SITE_LEAD, "lea")

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name, group=None):
        group = self.group if group is None and name in OF_ONE else group
        return reverse(name, args=[self.contoso.tenant.pk, *([group.pk] if group is not None else [])])

    def get(self, person, name, group=None, query=""):
        return browser(person).get(self.url(name, group) + query)

    def post(self, person, name, data, group=None):
        return browser(person).post(self.url(name, group), data)


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize("name", NAMES)
def test_anonymous_is_sent_to_sign_in(scene, name):
    assert scene.get(None, name).url.startswith(reverse("sign_in"))


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_finds_nothing(scene, name):
    assert scene.get(scene.world.tailwind.admin, name).status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_a_member_without_the_permission_is_told_so(scene, name):
    assert scene.get(scene.tess, name).status_code == 403


@pytest.mark.parametrize("name", OF_ONE)
def test_foreign_and_unknown_groups_are_not_there(scene, name):
    url = scene.url(name).replace(f"/groups/{scene.group.pk}/", "/groups/{}/")
    for number in (scene.foreign.pk, 999_999, 2**63):
        assert browser(scene.admin).get(url.format(number)).status_code == 404
        assert browser(scene.admin).post(url.format(number)).status_code in (404, 405)


@pytest.mark.parametrize("name", NAMES)
def test_an_mmr_admin_opens_every_page(scene, name):
    assert scene.get(scene.admin, name).status_code == 200


@pytest.mark.parametrize(("name", "status"), [("groups", 200), ("group", 200)] + [(name, 403) for name in NAMES[3:]])
def test_a_partner_only_looks(scene, name, status):
    assert scene.get(scene.ann, name).status_code == status
    assert scene.get(scene.ann, "group_add").status_code == 403


def test_the_list_counts_only_rooms_one_sees(scene):
    assert "Everything 2 Germany 2" in text(scene.get(scene.ann, "groups"))
    assert "Everything 3 Germany 2" in text(scene.get(scene.admin, "groups"))
    assert "Tailwind only" not in text(scene.get(scene.admin, "groups"))


def test_the_list_is_searched(scene):
    shown = text(scene.get(scene.admin, "groups", query="?q=germ"))
    assert "Germany" in shown
    assert "Everything" not in shown
    assert "No room group fits" in text(scene.get(scene.admin, "groups", query="?q=%26nothing"))
    assert scene.get(scene.admin, "groups", query="?order=1").status_code == 400


def test_a_group_shows_only_rooms_in_scope(scene):
    shown = text(scene.get(scene.ann, "group", scene.all))
    assert "Contoso room 0" in shown
    assert "Contoso room 2" not in shown  # the American one
    assert "In the scope of" not in shown


def test_a_new_group_leads_to_its_rooms(scene):
    answer = scene.post(scene.admin, "group_add", {"name": "Boardrooms", "description": "The large ones"})
    made = RoomGroup.objects.get(name="Boardrooms")
    assert answer.url == scene.url("group_rooms", made)
    assert made.description == "The large ones"


def test_a_taken_name_is_said_at_the_field_and_nothing_is_lost(scene):
    for name in ("group_add", "group_edit"):
        answer = scene.post(scene.admin, name, {"name": "Everything", "description": "kept"})
        assert answer.status_code == 200
        assert "A room group of this name exists already." in text(answer)
        assert "kept" in answer.content.decode()


def test_edit_saves_and_says_so(scene):
    client = browser(scene.admin)
    answer = client.post(scene.url("group_edit"), {"name": "Deutschland", "description": ""}, follow=True)
    scene.group.refresh_from_db()
    assert scene.group.name == "Deutschland"
    assert "The changes to “Deutschland” are saved." in text(answer)


def test_ticked_rooms_come_in_and_go_out(scene):
    american = next(room for room in scene.contoso.rooms if room.country == "US")
    scene.post(scene.admin, "group_rooms", {"add": "1", "pick": [american.pk]})
    assert american in scene.group.rooms.all()
    scene.post(scene.admin, "group", {"pick": [american.pk]})
    assert american not in scene.group.rooms.all()


def test_all_matching_rooms_come_in_at_once(scene):
    RoomFactory(tenant=scene.contoso.tenant, country="DE", display_name="Late", resource_account="late@contoso.example")
    browser(scene.admin).post(scene.url("group_rooms") + "?country=DE", {"add_matching": "1"})
    assert sorted(room.country for room in scene.group.rooms.all()) == ["DE", "DE", "DE"]


@pytest.mark.parametrize("name", ["group", "group_rooms"])
def test_nothing_ticked_changes_nothing(scene, name):
    answer = scene.post(scene.admin, name, {"pick": ["x", "-1", str(2**70)]})
    assert told(answer) == ["Tick the rooms first."]
    assert scene.group.rooms.count() == 2


def test_foreign_rooms_are_refused_without_a_word_about_them(scene):
    answer = scene.post(scene.admin, "group_rooms", {"pick": [scene.world.tailwind.rooms[0].pk]})
    assert answer.status_code == 400
    assert "Tailwind" not in text(answer)
    assert scene.group.rooms.count() == 2


def test_the_container_of_a_partner_is_not_offered_to_a_site_lead(scene):
    base = scene.relationship.delegation.roles.get().assignments.get()
    scopes.change(base, Scope(groups=frozenset({scene.group.pk})), by=scene.admin)
    shown = scene.get(scene.lead, "group")
    assert scene.url("group_rooms") not in links(shown)
    assert "An MMR Admin changes its rooms." in shown.content.decode()
    assert scene.get(scene.lead, "group_rooms").status_code == 403
    assert scene.post(scene.lead, "group", {"pick": [scene.contoso.german[0].pk]}).status_code == 403
    assert scene.group.rooms.count() == 2
    assert "In the scope of: Primary admin / Invited admins" in text(scene.get(scene.admin, "group"))


def test_delete_asks_first_and_says_what_happened(scene):
    shown = text(scene.get(scene.admin, "group_delete"))
    assert "its 2 rooms stay as they are" in shown
    assert RoomGroup.objects.filter(pk=scene.group.pk).exists()
    answer = browser(scene.admin).post(scene.url("group_delete"), follow=True)
    assert "The group “Germany” has been deleted. Its rooms stay." in text(answer)
    assert not RoomGroup.objects.filter(pk=scene.group.pk).exists()


def test_a_group_in_a_scope_is_not_deleted(scene):
    base = scene.relationship.delegation.roles.get().assignments.get()
    scopes.change(base, Scope(groups=frozenset({scene.group.pk})), by=scene.admin)
    answer = browser(scene.admin).post(scene.url("group_delete"), follow=True)
    assert "This room group is in the scope of an assignment." in text(answer)
    assert RoomGroup.objects.filter(pk=scene.group.pk).exists()


@pytest.mark.parametrize(("name", "queries"), [("groups", 6), ("group", 13), ("group_rooms", 12)])
def test_queries_do_not_grow_with_the_rows(scene, name, queries, django_assert_num_queries):
    for more in (0, 2):
        for _ in range(more):
            room = RoomFactory(tenant=scene.contoso.tenant, resource_account=f"{uuid.uuid4().hex}@contoso.example")
            other = RoomFactory(tenant=scene.contoso.tenant, resource_account=f"{uuid.uuid4().hex}@contoso.example")
            groups.change_rooms(scene.group, by=scene.admin, add={room.pk})
            groups.create(scene.contoso.tenant, uuid.uuid4().hex, by=scene.admin, rooms={other.pk})
        client = browser(scene.admin)
        with django_assert_num_queries(queries):
            client.get(scene.url(name))
