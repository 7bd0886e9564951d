"""Who may open which page of partners and roles at all: one table for all of them, asked as everybody."""

import uuid
from typing import Any

import pytest
from django.urls import reverse

from partners.models import PartnerRelationship
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, User
from rooms.scopes import Scope
from tests.factories.browsing import body, browser
from tests.factories.evidence import mark
from tests.factories.world import World, assign, custom_role, invite, join, make

pytestmark = pytest.mark.django_db

SETTINGS_PAGES = ["settings_general", "partners", "partner"]
CHANGING_PAGES = [
    "add_partner",
    "add_partner_step",
    "partner_remove",
    "invited_admins",
]
ROLE_PAGES = ["roles", "role", "assignment", "assignment_members", "assignment_scope"]
POST_ONLY = ["invitation_resend", "invitation_revoke", "partner_suspend", "partner_resume"]
READ_ONLY = [*SETTINGS_PAGES, "roles", "role", "assignment"]


class Scene:
    """Contoso with one active partner and one open invitation; Tailwind beside it with the same."""

    def __init__(self) -> None:
        self.world: World = make()
        self.relationship, (self.ann,) = join(self.world.contoso, self.world.fabrikam, "ann")
        self.other, (self.rival,) = join(self.world.tailwind, self.world.northwind, "eve")
        _, (self.invitation,) = invite(self.world.contoso, "x@northwind.example")
        self.tech = self.world.contoso.member(BuiltIn.SITE_TECH, "tess")

    def args(self, name: str, relationship: PartnerRelationship | None = None) -> list[Any]:
        found = relationship or self.relationship
        base = Assignment.objects.get(role__delegation=found.delegation, key=AssignmentKey.INVITED_ADMINS)
        tenant = found.tenant_id
        if name in ("invitation_resend", "invitation_revoke"):
            return [tenant, self.invitation.relationship_id, self.invitation.pk]
        if name in ("partner", "partner_remove", "partner_suspend", "partner_resume", "invited_admins"):
            return [tenant, found.pk]
        further = {
            "add_partner_step": ["contacts"],
            "role": [base.role_id],
            "assignment": [base.role_id, base.pk],
            "assignment_members": [base.role_id, base.pk],
            "assignment_scope": [base.role_id, base.pk],
        }
        return [tenant, *further.get(name, [])]

    def status(self, person: User | None, name: str) -> int:
        client, url = browser(person), reverse(name, args=self.args(name))
        answer = client.post(url) if name in POST_ONLY else client.get(url)
        return answer.status_code


@pytest.fixture
def scene() -> Scene:
    return Scene()


ALL = [*SETTINGS_PAGES, *CHANGING_PAGES, *ROLE_PAGES, *POST_ONLY]


@pytest.mark.parametrize("name", ALL)
def test_anonymous_signs_in_first(scene, name):
    assert scene.status(None, name) == 302


@pytest.mark.parametrize("name", ALL)
def test_people_of_another_customer_find_nothing(scene, name):
    assert scene.status(scene.world.tailwind.admin, name) == 404


@pytest.mark.parametrize("name", ALL)
def test_rival_partner_finds_nothing(scene, name):
    assert scene.status(scene.rival, name) == 404


@pytest.mark.parametrize("name", ALL)
def test_member_without_the_permission_is_refused(scene, name):
    assert scene.status(scene.tech, name) == 403


@pytest.mark.parametrize("name", [*SETTINGS_PAGES, *CHANGING_PAGES, *POST_ONLY])
def test_partner_is_refused_in_the_customers_settings(scene, name):
    assert scene.status(scene.ann, name) == 403


@pytest.mark.parametrize("name", ROLE_PAGES)
def test_partner_sees_its_own_role_pages(scene, name):
    assert scene.status(scene.ann, name) == 200


@pytest.mark.parametrize(
    "name", ["settings_general", "partners", "partner", "partner_remove", "invited_admins", "role"]
)
def test_mmr_admin_is_let_in(scene, name):
    assert scene.status(scene.world.contoso.admin, name) == 200


@pytest.mark.parametrize("name", [*CHANGING_PAGES, *POST_ONLY])
def test_whoever_may_only_view_settings_and_roles_changes_nothing(scene, name):
    viewer = scene.world.contoso.person("vera")
    role = custom_role(scene.world.contoso.tenant, Permission.SETTINGS_VIEW, Permission.ROLES_VIEW)
    assign(role, viewer, Scope(all_rooms=True))
    assert scene.status(viewer, name) == 403
    assert scene.status(viewer, "partner") == 200


@pytest.mark.parametrize(
    "name", [*SETTINGS_PAGES, "add_partner", "partner_remove", "partner_suspend", "invitation_resend"]
)
def test_settings_need_all_rooms(scene, name):
    """Whoever holds the permission for some rooms only does not manage the tenant."""
    local = scene.world.contoso.person("lara")
    role = custom_role(scene.world.contoso.tenant, Permission.SETTINGS_MODIFY, Permission.ROLES_MODIFY)
    assign(role, local, Scope(rooms=frozenset({scene.world.contoso.rooms[0].pk})))
    assert scene.status(local, name) in (403, 404)


@pytest.mark.parametrize("name", READ_ONLY)
def test_pages_to_look_at_take_no_post(scene, name):
    client = browser(scene.world.contoso.admin)
    assert client.post(reverse(name, args=scene.args(name))).status_code == 405


@pytest.mark.parametrize("name", POST_ONLY)
@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_changes_take_post_only(scene, name, method):
    client = browser(scene.world.contoso.admin)
    assert getattr(client, method)(reverse(name, args=scene.args(name))).status_code == 405


@pytest.mark.parametrize("name", [*CHANGING_PAGES, "invitations"])
def test_forms_take_get_and_post_only(scene, name):
    url = reverse(name, args=[] if name == "invitations" else scene.args(name))
    assert browser(scene.world.contoso.admin).delete(url).status_code == 405


@pytest.mark.parametrize("name", [*SETTINGS_PAGES, *CHANGING_PAGES, *ROLE_PAGES])
@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(scene, name, method):
    client = browser(scene.world.contoso.admin)
    before = mark()
    getattr(client, method)(reverse(name, args=scene.args(name)))
    assert (before.changed() - {"django_session"}, before.lines, before.messages) == (set(), [], [])


@pytest.mark.parametrize("name", ["partner", "partner_remove", "invited_admins", "role", "assignment"])
def test_foreign_partner_and_none_look_the_same(scene, name):
    """Another customer's partner under one's own address: as if it had never existed."""
    client = browser(scene.world.contoso.admin)
    foreign = scene.args(name, scene.other)
    foreign[0] = scene.world.contoso.tenant.pk
    never = uuid.UUID(int=0x1234) if name not in ROLE_PAGES else 10**9
    answers = [client.get(reverse(name, args=one)) for one in (foreign, [foreign[0], *(never for _ in foreign[1:])])]
    assert [one.status_code for one in answers] == [404, 404]
    assert body(answers[0]) == body(answers[1])
