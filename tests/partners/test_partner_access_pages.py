"""Settings > Partner access: who opens it, what is reviewed before it holds, and whom it would stop."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.clock import now
from partners.access_preview import preview
from partners.models import ApiToken
from partners.services import relationships, tokens
from rbac.access_policy import PartnerAccessPolicy
from rbac.catalogue import BuiltIn, Permission
from rbac.partner_access import Condition, Conditions, Policy, Proof
from rbac.services import partner_access
from rooms.scopes import Scope
from tests.factories import callers
from tests.factories.browsing import browser, text
from tests.factories.evidence import leaves
from tests.factories.world import assign, custom_role, join, make, security_group

pytestmark = pytest.mark.django_db

LINE = "Contoso: Settings/Update partner access policy Successful admin@contoso.example"


class Scene:
    def __init__(self) -> None:
        self.world = make()
        self.contoso = self.world.contoso
        self.tenant, self.admin = self.contoso.tenant, self.contoso.admin
        self.url = reverse("partner_access", args=[self.tenant.pk])

    def post(self, **data: Any) -> Any:
        return browser(self.admin).post(self.url, data)

    @property
    def kept(self) -> Policy:
        return partner_access.of(self.tenant)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_who_opens_it(scene):
    _, (ann,) = join(scene.contoso, scene.world.fabrikam, "ann")
    viewer = scene.contoso.person("vera")
    assign(custom_role(scene.tenant, Permission.SETTINGS_VIEW), viewer, Scope(all_rooms=True))
    assert browser().get(scene.url).url.startswith(reverse("sign_in"))
    assert browser(scene.world.tailwind.admin).get(scene.url).status_code == 404
    for somebody in (ann, scene.contoso.member(BuiltIn.SITE_LEAD, "lea")):
        assert browser(somebody).get(scene.url).status_code == 403
    page = browser(viewer).get(scene.url)
    assert page.status_code == 200
    assert "See whom this stops" not in text(page)
    assert browser(viewer).post(scene.url, {"always_mfa": "on", "confirmed": "1"}).status_code == 403
    assert not PartnerAccessPolicy.objects.exists()
    assert "See whom this stops" in text(browser(scene.admin).get(scene.url))


def test_nothing_holds_before_it_was_reviewed(scene):
    entered = {
        "always_mfa": "on",
        "always_age": "480",
        "always_networks": "198.51.100.7\n2001:db8::/32",
        "events": ["roles.modify"],
        "step_up_age": "15",
    }
    page = scene.post(**entered)
    assert page.status_code == 200
    assert "Only from 198.51.100.7/32, 2001:db8::/32." in text(page)
    assert scene.kept == Policy()
    with leaves(LINE):
        saved = scene.post(**dict(page.context["sent"]), seen=page.context["seen"], confirmed="1")
    assert saved.url == scene.url
    assert scene.kept == Policy(
        Conditions(True, 480, ("198.51.100.7/32", "2001:db8::/32")),
        Conditions(max_age=15),
        frozenset({Permission.ROLES_MODIFY}),
    )
    shown = browser(scene.admin).get(scene.url).context["form"]
    assert shown["always_networks"].value() == "198.51.100.7/32\n2001:db8::/32"
    assert (shown["always_age"].value(), shown["events"].value()) == (480, ["roles.modify"])


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"always_networks": "anywhere"}, "always_networks"),
        ({"step_up_networks": "10.0.0.1/8", "events": ["rooms.modify"]}, "step_up_networks"),
        ({"always_networks": " ".join(f"10.0.{one}.0/24" for one in range(51))}, "always_networks"),
        ({"events": ["rooms.modify"]}, "step_up_mfa"),
        ({"step_up_mfa": "on"}, "events"),
        ({"events": ["rooms.view"], "step_up_mfa": "on"}, "events"),
        ({"always_age": "7"}, "always_age"),
    ],
)
@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "1"}])
def test_mistakes_stand_at_their_field_and_nothing_typed_is_lost(scene, entered, field, confirmed):
    page = scene.post(**entered, **confirmed)
    assert list(page.context["form"].errors) == [field]
    for name, value in entered.items():
        assert page.context["form"][name].value() in (value, value == "on")
    assert not PartnerAccessPolicy.objects.exists()


def test_age_that_no_page_offers_can_be_kept(scene):
    partner_access.change(scene.tenant, Policy(Conditions(max_age=77)), by=scene.admin)
    page = browser(scene.admin).get(scene.url)
    assert "At most 77 minutes" in text(page)
    assert "Nothing has changed." in text(browser(scene.admin).post(scene.url, {"always_age": "77"}, follow=True))


def test_change_of_somebody_else_is_shown_before_it_is_overwritten(scene):
    page = scene.post(always_mfa="on")
    partner_access.change(scene.tenant, Policy(Conditions(max_age=60)), by=scene.admin)
    answer = scene.post(always_mfa="on", seen=page.context["seen"], confirmed="1")
    assert "Somebody else has changed this" in text(answer)
    assert scene.kept == Policy(Conditions(max_age=60))
    scene.post(always_mfa="on", seen=answer.context["seen"], confirmed="1")
    assert scene.kept == Policy(Conditions(mfa=True))


# --- Whom it would stop -------------------------------------------------------------------------------------------------


def noted(person: Any, *methods: str, age: int = 0, ip: str | None = "192.0.2.1") -> Any:
    partner_access.note_sign_in(person, Proof(now() - timedelta(minutes=age), frozenset(methods)), ip)
    return person


def test_preview_judges_everybody_by_how_he_signed_in_last(scene):
    relationship, (ann, ben, _cleo) = join(scene.contoso, scene.world.fabrikam, "ann", "ben", "cleo")
    noted(ann, "mfa")
    noted(ben, "pwd", age=300, ip="203.0.113.9")
    tokens.issue(relationship.delegation, "bridge", by=ben, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=9))
    found = preview(scene.tenant, Policy(Conditions(True, 60, ("192.0.2.0/24",))))
    assert (found.total, found.newly, found.go_on) == (3, 2, 1)
    told_of = {one.person.upn.partition("@")[0]: one for one in found.stopped}
    assert set(told_of) == {"ben", "cleo"}
    assert told_of["ben"].always == set(Condition)
    assert (told_of["ben"].tokens, told_of["ben"].partner, told_of["cleo"].latest) == (1, relationship.label, None)
    ApiToken.objects.update(revoked_at=now())
    assert [one.tokens for one in preview(scene.tenant, Policy(Conditions(mfa=True))).stopped] == [0, 0]


def test_preview_tells_what_is_stopped_today_already_and_what_only_before_changes(scene):
    _, (ann,) = join(scene.contoso, scene.world.fabrikam, "ann")
    noted(ann, "pwd", age=30)
    partner_access.change(scene.tenant, Policy(Conditions(mfa=True)), by=scene.admin)
    more = Policy(Conditions(mfa=True), Conditions(max_age=15), frozenset({Permission.ROOMS_MODIFY}))
    [one] = preview(scene.tenant, Policy(Conditions(mfa=True))).stopped
    assert one.already
    [one] = preview(scene.tenant, more).stopped
    assert (one.always, one.step_up, one.already) == ({Condition.MFA}, {Condition.SIGN_IN_AGE}, False)


def test_preview_knows_members_by_group_and_nobody_whose_access_is_over(scene):
    relationship, (ann, ben) = join(scene.contoso, scene.world.fabrikam, "ann", "ben", scope=Scope(all_rooms=True))
    role = custom_role(scene.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    grouped = scene.world.fabrikam.person("gil")
    assignment = assign(role, ann, Scope(all_rooms=True))
    assignment.security_groups.add(security_group(scene.world.fabrikam.tenant, "desk", grouped))
    join(scene.world.tailwind, scene.world.northwind, "nils")
    ben.is_active = False
    ben.save()
    asks = Policy(Conditions(mfa=True))
    assert [one.person for one in preview(scene.tenant, asks).stopped] == [ann, grouped]
    relationships.remove(relationship, by=scene.admin)
    assert preview(scene.tenant, asks).total == 0


def test_review_shows_people_and_asks_a_constant_number_of_statements(scene):
    counted = []
    for number in (1, 3):
        names = [f"p{one}" for one in range(number)]
        if number == 1:
            join(scene.contoso, scene.world.fabrikam, *names)
        else:
            join(scene.contoso, scene.world.northwind, *names)
        client = browser(scene.admin)
        client.get(scene.url)
        with CaptureQueriesContext(connection) as statements:
            page = client.post(scene.url, {"always_mfa": "on"})
        assert len(page.context["rows"]) == (1 if number == 1 else 4)
        counted.append(len(statements))
    assert counted == [10, 10]
    assert "4 of 4 people would be stopped" in text(page)


def test_page_asks_few_statements(scene):
    client = browser(scene.admin)
    client.get(scene.url)
    with CaptureQueriesContext(connection) as statements:
        client.get(scene.url)
    assert len(statements) == 6


# --- The same by the API -------------------------------------------------------------------------------------------------


NOTHING = {"mfa": False, "max_age": None, "networks": []}


def test_api_reads_replaces_parts_and_previews(scene):
    _, (ann,) = join(scene.contoso, scene.world.fabrikam, "ann")
    noted(ann, "pwd")
    caller = callers.person(scene.admin)
    read = caller.get("api-access-policy", scene.tenant.pk)
    assert read.json() == {"always": NOTHING, "step_up": NOTHING | {"events": []}}
    body = {"always": {"mfa": True}}
    found = caller.post("api-access-policy-preview", scene.tenant.pk, body=body).json()
    assert found["total"] == 1
    [one] = found["stopped"]
    assert (one["upn"], one["missing"], one["is_new"]) == (ann.upn, ["mfa"], True)
    assert scene.kept == Policy()
    with leaves(LINE):
        changed = caller.patch(
            "api-access-policy", scene.tenant.pk, body=body, headers={"If-Match": read.headers["ETag"]}
        )
    assert changed.json()["always"] == NOTHING | {"mfa": True}
    more = {"step_up": {"events": ["rooms.modify"], "max_age": 15}}
    changed = caller.patch("api-access-policy", scene.tenant.pk, body=more)
    assert changed.json() == {
        "always": NOTHING | {"mfa": True},
        "step_up": NOTHING | {"max_age": 15, "events": ["rooms.modify"]},
    }
    stale = caller.patch("api-access-policy", scene.tenant.pk, body=body, headers={"If-Match": read.headers["ETag"]})
    assert callers.code(stale) == (412, "stale_version")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"always": {"networks": ["anywhere"]}}, "invalid_network"),
        ({"step_up": {"events": ["rooms.modify"]}}, "events_ask_nothing"),
        ({"step_up": {"mfa": True}}, "no_events_chosen"),
        ({"always": {"max_age": 4}}, "invalid"),
        ({"always": {"networks": ["::/0"] * 51}}, "invalid"),
        ({"always": {"mfa": True, "other": 1}}, "invalid"),
        ({"always": []}, "invalid"),
        ({"step_up": {"events": ["rooms.view"], "mfa": True}}, "invalid"),
    ],
)
def test_api_says_what_does_not_fit(scene, body, problem):
    caller = callers.person(scene.admin)
    for send in (
        lambda: caller.patch("api-access-policy", scene.tenant.pk, body=body),
        lambda: caller.post("api-access-policy-preview", scene.tenant.pk, body=body),
    ):
        assert callers.code(send()) == (400, problem)
    assert not PartnerAccessPolicy.objects.exists()


def test_api_is_for_the_customers_own(scene):
    _, (ann,) = join(scene.contoso, scene.world.fabrikam, "ann")
    viewer = scene.contoso.person("vera")
    assign(custom_role(scene.tenant, Permission.SETTINGS_VIEW), viewer, Scope(all_rooms=True))
    for person, expected in ((ann, 403), (scene.world.tailwind.admin, 404)):
        assert callers.person(person).get("api-access-policy", scene.tenant.pk).status_code == expected
    looks = callers.person(viewer)
    assert looks.get("api-access-policy", scene.tenant.pk).status_code == 200
    assert looks.patch("api-access-policy", scene.tenant.pk, body={}).status_code == 403
    assert looks.post("api-access-policy-preview", scene.tenant.pk, body={}).status_code == 403
