"""The pages of enrolment keys: who opens them, what they show, what their buttons do."""

import re

import pytest
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rooms.models import EnrollmentKey
from rooms.services import keys
from tests.factories import join
from tests.factories.browsing import browser, links, text
from tests.factories.world import assign, custom_role, make, over

pytestmark = pytest.mark.django_db

NAMES = ["keys", "keys_reset", "keys_download"]
READ = NAMES[:2]


class Scene:
    """Contoso with the second version of its key; people in every role."""

    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        keys.reset(self.contoso.tenant, by=self.admin)
        self.key = keys.reset(self.contoso.tenant, by=self.admin)
        keys.reset(self.world.tailwind.tenant, by=self.world.tailwind.admin)
        self.secret = keys._read(self.key)
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess", over(self.contoso.rooms[0]))
        self.viewer = self.contoso.person("vic")
        assign(custom_role(self.contoso.tenant, Permission.ROOMS_VIEW), self.viewer, over(*self.contoso.rooms))
        _, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name):
        return reverse(name, args=[self.contoso.tenant.pk])

    def get(self, person, name, query=""):
        return browser(person).get(self.url(name) + query)

    def post(self, person, name, data=None, **options):
        return browser(person).post(self.url(name), data or {}, **options)


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize("name", READ)
def test_who_opens_the_pages(scene, name):
    assert scene.get(None, name).url.startswith(reverse("sign_in"))
    assert scene.get(scene.world.tailwind.admin, name).status_code == 404
    assert scene.get(scene.viewer, name).status_code == 403
    assert scene.get(scene.ann, name).status_code == 403
    assert scene.get(scene.tess, name).status_code == (200 if name == "keys" else 403)
    assert scene.get(scene.admin, name).status_code == 200


def test_a_download_is_a_post(scene):
    assert scene.get(scene.admin, "keys_download").status_code == 405
    assert scene.post(scene.world.tailwind.admin, "keys_download").status_code == 404
    for person in (scene.viewer, scene.ann):
        assert scene.post(person, "keys_download").status_code == 403


def test_the_page_shows_versions_and_no_secret(scene):
    shown = scene.get(scene.admin, "keys")
    words = text(shown)
    assert f"Version 2 Enrols devices Fingerprint {scene.key.fingerprint}" in words
    assert "1 " in words
    assert "Enrols no more" in words
    assert scene.secret not in shown.content.decode()
    assert scene.url("keys_reset") in links(shown)
    assert scene.get(scene.admin, "keys", "?zzz=1").status_code == 400
    assert scene.get(scene.admin, "keys", "?cursor=x").status_code == 400


def test_a_site_tech_finds_it_in_the_rail_and_only_downloads(scene):
    overview = browser(scene.tess).get(reverse("overview", args=[scene.contoso.tenant.pk]))
    assert scene.url("keys") in links(overview)
    shown = scene.get(scene.tess, "keys")
    assert scene.url("keys_reset") not in links(shown)
    assert "Download key" in text(shown)
    for person in (scene.viewer, scene.ann):
        page = browser(person).get(reverse("overview", args=[scene.contoso.tenant.pk]))
        assert scene.url("keys") not in links(page)


def test_the_file_holds_the_key_and_is_kept_by_nobody(scene):
    answer = scene.post(scene.tess, "keys_download")
    assert answer.status_code == 200
    assert f"key={scene.secret}" in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="enrolment-key-2.txt"'


def test_too_many_downloads_are_told_on_the_page(scene):
    for _ in range(5):
        assert scene.post(scene.tess, "keys_download").status_code == 200
    answer = scene.post(scene.tess, "keys_download", follow=True)
    assert "You have downloaded the key five times within an hour." in text(answer)
    assert scene.secret not in answer.content.decode()


def test_reset_says_what_will_happen_and_does_it(scene):
    asked = text(scene.get(scene.admin, "keys_reset"))
    assert "A new key takes the place of version 2." in asked
    assert "0 enrolled devices go on as before." in asked
    answer = scene.post(scene.admin, "keys_reset", {"grace": "24"}, follow=True)
    assert "Version 3 of the enrolment key is there." in text(answer)
    assert "Still enrols" in text(answer)
    assert EnrollmentKey.objects.filter(tenant=scene.contoso.tenant).count() == 3


@pytest.mark.parametrize("grace", ["", "-1", "73", "x"])
def test_a_grace_that_does_not_fit_is_said_at_the_field(scene, grace):
    answer = scene.post(scene.admin, "keys_reset", {"grace": grace})
    assert answer.status_code == 200
    assert re.search(r'aria-invalid="true"', answer.content.decode())
    assert EnrollmentKey.objects.filter(tenant=scene.contoso.tenant).count() == 2


def test_the_first_key_is_issued_without_a_warning(scene):
    EnrollmentKey.objects.filter(tenant=scene.contoso.tenant).delete()
    assert "No enrolment key yet" in text(scene.get(scene.tess, "keys"))
    assert "No enrolment key yet" in text(scene.post(scene.tess, "keys_download", follow=True))
    assert "What will happen" not in text(scene.get(scene.admin, "keys_reset"))
    answer = scene.post(scene.admin, "keys_reset", follow=True)
    assert "Version 1 of the enrolment key is there." in text(answer)


@pytest.mark.parametrize(("name", "queries"), [("keys", 8), ("keys_reset", 7)])
def test_queries_do_not_grow_with_the_versions(scene, name, queries, django_assert_num_queries):
    for more in (0, 2):
        for _ in range(more):
            keys.reset(scene.contoso.tenant, by=scene.admin)
        client = browser(scene.admin)
        with django_assert_num_queries(queries):
            client.get(scene.url(name))
