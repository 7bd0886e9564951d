"""Reading changes nothing: mail scanners follow links, browsers fetch ahead, people press reload."""

import pytest

from tests.authz import ledger
from tests.authz.scene import Scene, make_scene
from tests.factories.evidence import mark

pytestmark = pytest.mark.django_db

READERS = {"mine": ("invited", "anon"), "own": ("mmr", "partner", "anon"), "public": ("mmr", "invited", "staff")}
# A session is kept alive by being used, and a token says when it was used last; a draft and its place are one's own.
MAY_CHANGE = {"django_session", "partners_apitoken"}


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def test_reading_changes_nothing(scene):
    changed = []
    for route in ledger.routes():
        if route.pattern.startswith("admin/") and not route.name.startswith("admin:index"):
            continue  # tests/trm_portal/test_admin.py asks those
        for relation in route.relations & READERS.keys():
            for actor in READERS[relation]:
                evidence = mark()
                with scene.asking(actor, "GET", route.url(scene, relation), route.name, relation) as (answer, _):
                    found = evidence.changed() - MAY_CHANGE
                    if found or evidence.lines or evidence.messages:
                        changed.append((route.name, actor, answer.status_code, found, evidence.lines))
    assert changed == []
