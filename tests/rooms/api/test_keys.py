"""Enrolment keys over the API: what is answered, what is changed, who gets the secret."""

import pytest

from rbac.catalogue import CEILING, BuiltIn
from rooms.models import EnrollmentKey
from rooms.services import keys
from tests.factories import join
from tests.factories.callers import code, person, token, tool
from tests.factories.world import World, make, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def test_reset_list_download(world):
    contoso = world.contoso
    admin, place = person(contoso.admin), contoso.tenant.pk
    assert code(admin.post("api-key-download", place)) == (409, "no_key")
    made = admin.post("api-keys", place, body={})
    assert made.status_code == 201
    again = admin.post("api-keys", place, body={"grace_hours": 72}).json()
    key = EnrollmentKey.objects.get(tenant=contoso.tenant, stops_at=None)
    assert (again["version"], again["fingerprint"], again["stops_at"]) == (2, key.fingerprint, None)
    listed = admin.get("api-keys", place).json()["items"]
    assert [one["version"] for one in listed] == [2, 1]
    assert listed[1]["stops_at"] is not None

    tess = person(contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[0])))
    answer = tess.post("api-key-download", place)
    assert answer.json() == {"version": 2, "fingerprint": key.fingerprint, "key": keys._read(key)}
    assert answer.headers["Cache-Control"] == "no-store"
    assert keys._read(key) not in admin.get("api-keys", place).content.decode()


@pytest.mark.parametrize("body", [{"grace_hours": -1}, {"grace_hours": 73}, {"grace_hours": "x"}, {"hours": 1}])
def test_what_does_not_fit_is_refused(world, body):
    answer = person(world.contoso.admin).post("api-keys", world.contoso.tenant.pk, body=body)
    assert code(answer) == (400, "invalid")
    assert not EnrollmentKey.objects.exists()


def test_who_may(world):
    contoso = world.contoso
    keys.reset(contoso.tenant, by=contoso.admin)
    place = contoso.tenant.pk
    relationship, (ann,) = join(contoso, world.fabrikam, "ann")
    secret = token(relationship, ann, *CEILING)
    expected = (
        (person(contoso.member(BuiltIn.SITE_LEAD, "lea")), (200, 403, 200)),
        (person(ann), (403, 403, 403)),
        (tool(secret), (403, 403, 403)),
        (person(world.tailwind.admin), (404, 404, 404)),
    )
    for caller, statuses in expected:
        answers = (
            caller.get("api-keys", place),
            caller.post("api-keys", place, body={}),
            caller.post("api-key-download", place),
        )
        assert tuple(one.status_code for one in answers) == statuses


def test_five_downloads_an_hour(world):
    contoso = world.contoso
    keys.reset(contoso.tenant, by=contoso.admin)
    admin = person(contoso.admin)
    answers = [admin.post("api-key-download", contoso.tenant.pk) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert code(answers[5]) == (429, "too_many_downloads")


def test_the_list_costs_the_same_for_three(world, django_assert_num_queries):
    contoso = world.contoso
    admin = person(contoso.admin)
    for more in (1, 2):
        for _ in range(more):
            keys.reset(contoso.tenant, by=contoso.admin)
        with django_assert_num_queries(5):
            admin.get("api-keys", contoso.tenant.pk)
