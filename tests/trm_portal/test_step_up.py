"""A customer that asks its partners for more: who is stopped by page and API, and led through signing in and back."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from audit.clock import now
from audit.models import AuditEvent
from rbac.catalogue import Permission
from rbac.models import User
from rbac.partner_access import Conditions, Policy, Proof
from rbac.services import partner_access
from rooms.scopes import Scope
from tests.factories import callers
from tests.factories.browsing import browser, links, shows, text
from tests.factories.home_sign_in import back, sent_off, set_up, sign_in
from tests.factories.world import World, join, make, ticket
from tests.foundation.provider import Provider
from trm_portal.sessions import KEPT

pytestmark = pytest.mark.django_db

HERE = "127.0.0.1"
RENAME = frozenset({Permission.ROOMS_MODIFY})
SECOND_FACTOR = Policy(Conditions(mfa=True))
BEFORE_RENAMING = Policy(step_up=Conditions(mfa=True), events=RENAME)


class Scene:
    """Ann and Ben of Fabrikam work for Contoso and Tailwind; Contoso asks for something."""

    def __init__(self, policy: Policy) -> None:
        self.world: World = make()
        everything = Scope(all_rooms=True)
        self.relationship, (self.ann, self.ben) = join(
            self.world.contoso, self.world.fabrikam, "ann", "ben", scope=everything
        )
        join(self.world.tailwind, self.world.fabrikam, "ann", scope=everything)
        self.contoso, self.tailwind = self.world.contoso.tenant, self.world.tailwind.tenant
        self.room = self.world.contoso.rooms[0]
        self.asks(policy)

    def asks(self, policy: Policy) -> None:
        partner_access.change(self.contoso, policy, by=self.world.contoso.admin)

    @property
    def rooms(self) -> str:
        return reverse("rooms", args=[self.contoso.pk])

    @property
    def edit(self) -> str:
        return reverse("room_edit", args=[self.contoso.pk, self.room.pk])

    @property
    def form(self) -> dict[str, Any]:
        """What the room's form sends, with another name."""
        page = shows(browser(self.ann), "mfa").get(self.edit)
        kept = {field.html_name: field.value() for field in page.context["form"]}
        return {name: "" if value is None else value for name, value in kept.items()} | {"display_name": "Renamed"}


def asked_for(page: Any) -> list[str]:
    assert page.status_code == 403
    return [one["text"] for one in page.context["asked"]]


# --- Stopped --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "methods", "age", "words"),
    [
        (SECOND_FACTOR, ["pwd"], 0, "second factor"),
        (Policy(Conditions(max_age=480)), ["pwd"], 481, "at most 8 hours old"),
        (Policy(Conditions(max_age=90)), ["pwd"], 100, "at most 90 minutes old"),
        (Policy(Conditions(networks=("192.0.2.0/24",))), ["mfa"], 0, "network that Contoso allows"),
    ],
)
def test_page_says_what_is_missing_and_shows_nothing_of_the_customer(policy, methods, age, words):
    scene = Scene(policy)
    client = shows(browser(scene.ann), *methods, at=now() - timedelta(minutes=age))
    for url in (
        scene.rooms,
        reverse("overview", args=[scene.contoso.pk]),
        reverse("customer", args=[scene.contoso.pk]),
    ):
        page = client.get(url)
        [asked] = asked_for(page)
        assert words in asked
        assert "Contoso room" not in text(page)
        assert client.post(url).status_code in (403, 405)
    assert client.get(reverse("rooms", args=[scene.tailwind.pk])).status_code == 200


def test_whoever_shows_it_is_let_in_and_the_customers_own_people_are_never_asked():
    scene = Scene(Policy(Conditions(mfa=True, max_age=60, networks=(f"{HERE}/32",))))
    assert shows(browser(scene.ann), "mfa", at=now()).get(scene.rooms).status_code == 200
    assert browser(scene.world.contoso.admin).get(scene.rooms).status_code == 200
    assert browser(scene.world.tailwind.admin).get(scene.rooms).status_code == 404


def test_network_is_looked_at_with_every_request():
    scene = Scene(Policy(Conditions(networks=("192.0.2.0/24",))))
    client = browser(scene.ann)
    assert client.get(scene.rooms, REMOTE_ADDR="192.0.2.9").status_code == 200
    page = client.get(scene.rooms)
    assert "127.0.0.1" in text(page)
    assert "Sign in again does not" not in text(page)
    assert "step-up-at" not in page.content.decode()  # signing in would not help
    assert client.get(scene.rooms, REMOTE_ADDR="").status_code == 403


def test_new_policy_holds_from_the_next_request():
    scene = Scene(Policy())
    client = browser(scene.ann)
    assert client.get(scene.rooms).status_code == 200
    scene.asks(SECOND_FACTOR)
    assert client.get(scene.rooms).status_code == 403
    scene.asks(Policy())
    assert client.get(scene.rooms).status_code == 200


def test_stranger_does_not_learn_that_the_customer_asks_for_something():
    scene = Scene(SECOND_FACTOR)
    stranger = scene.world.northwind.person("eve")
    assert browser(stranger).get(scene.rooms).status_code == 404
    url = reverse("step_up") + f"?customer={scene.contoso.pk}"
    assert browser(stranger).get(url).status_code == 404
    assert browser().get(url).url.startswith(reverse("sign_in"))


# --- Over all customers -----------------------------------------------------------------------------------------------


def test_views_over_all_customers_leave_it_out_and_say_so():
    scene = Scene(SECOND_FACTOR)
    ticket(scene.room, title="Contoso echo")
    ticket(scene.world.tailwind.rooms[0], title="Tailwind echo")
    client = browser(scene.ann)
    for name in ("all_tickets", "all_rooms", "all_approvals", "all_expiring"):
        page = client.get(reverse(name))
        assert page.status_code == 200
        assert "Sign in for Contoso" in text(page)
        assert "Contoso room" not in text(page)
        assert "Contoso echo" not in text(page)
        wanted = f"{reverse('step_up')}?customer={scene.contoso.pk}&then={reverse(name).replace('/', '%2F')}"
        assert wanted in links(page)
    for name in ("all_tickets_export", "all_rooms_export"):
        assert b"Contoso" not in b"".join(client.get(reverse(name)).streaming_content)
    assert "Sign in for" not in text(shows(client, "mfa").get(reverse("all_tickets")))


def test_api_over_all_customers_names_who_is_left_out():
    scene = Scene(SECOND_FACTOR)
    ticket(scene.room, title="Contoso echo")
    caller = callers.person(scene.ann)
    for name in ("api-all-tickets", "api-all-rooms", "api-all-approvals", "api-all-expiring"):
        found = caller.get(name).json()
        assert found["left_out"] == [{"id": str(scene.contoso.pk), "name": "Contoso"}]
        assert str(scene.contoso.pk) not in json.dumps(found["items"])
    shows(caller.client, "mfa")
    assert caller.get("api-all-tickets").json()["left_out"] == []


def test_whoever_works_only_for_it_is_led_there_at_once():
    scene = Scene(SECOND_FACTOR)
    page = browser(scene.ben).get(reverse("all_tickets"))
    assert "second factor" in asked_for(page)[0]
    assert callers.code(callers.person(scene.ben).get("api-all-tickets")) == (403, "step_up_required")


def test_list_of_customers_says_which_asks_for_more():
    scene = Scene(SECOND_FACTOR)
    page = browser(scene.ann).get(reverse("customers"))
    assert {row["customer"].name: row["is_withheld"] for row in page.context["rows"]} == {
        "Contoso": True,
        "Tailwind": False,
    }
    found = callers.person(scene.ann).get("api-customers").json()["items"]
    missing = {one["name"]: one["relationship"] and one["relationship"]["missing"] for one in found}
    assert (missing["Contoso"], missing["Tailwind"]) == (["mfa"], [])


def test_detail_says_what_the_customer_asks_for_and_names_no_network():
    scene = Scene(Policy(Conditions(networks=(f"{HERE}/32",)), Conditions(mfa=True, max_age=15), RENAME))
    page = text(browser(scene.ann).get(reverse("customer", args=[scene.contoso.pk])))
    assert "Only from networks that the customer allows." in page
    assert "Rooms: Modify A sign-in with a second factor. A sign-in that is at most 15 minutes old." in page
    assert HERE not in page


# --- API ----------------------------------------------------------------------------------------------------------------


def test_api_says_what_is_missing_and_where_to_show_it(settings):
    scene = Scene(Policy(Conditions(mfa=True, max_age=60)))
    answer = callers.person(scene.ann).get("api-rooms", scene.contoso.pk)
    assert callers.code(answer) == (403, "step_up_required")
    body = answer.json()
    assert (body["customer"], body["event"], body["missing"]) == (str(scene.contoso.pk), None, ["mfa", "sign_in_age"])
    assert body["sign_in_url"] == f"{settings.PUBLIC_URL}/sign-in/again/?customer={scene.contoso.pk}"
    page = browser(scene.ann).get(body["sign_in_url"].removeprefix(settings.PUBLIC_URL))
    assert len(asked_for(page)) == 2


def test_token_shows_how_its_holder_signed_in_last_and_the_address_it_is_used_from(settings, clock):
    scene = Scene(Policy(Conditions(mfa=True, max_age=60, networks=("127.0.0.0/8", "192.0.2.0/24"))))
    tool = callers.tool(callers.token(scene.relationship, scene.ann, Permission.ROOMS_VIEW))
    answer = tool.get("api-rooms", scene.contoso.pk)
    assert callers.code(answer) == (403, "step_up_required")  # nobody knows how he has signed in
    assert answer.json()["missing"] == ["mfa", "sign_in_age"]
    place = answer.json()["sign_in_url"].removeprefix(settings.PUBLIC_URL)
    holder = shows(browser(scene.ann), "mfa", at=clock.now())
    assert asked_for(holder.get(place)) != []  # his session is good, his latest sign-in is what counts

    partner_access.note_sign_in(scene.ann, Proof(clock.now(), frozenset({"mfa"})), "198.51.100.1")
    assert tool.get("api-rooms", scene.contoso.pk).status_code == 200
    assert holder.get(place).url == reverse("overview", args=[scene.contoso.pk])
    answer = tool.client.get(
        reverse("api-rooms", args=[scene.contoso.pk]), headers=tool.headers, REMOTE_ADDR="203.0.113.1"
    )
    assert answer.json()["missing"] == ["network"]
    clock.move(timedelta(minutes=61))
    assert tool.get("api-rooms", scene.contoso.pk).json()["missing"] == ["sign_in_age"]
    partner_access.note_sign_in(scene.ann, Proof(clock.now(), frozenset({"pwd"})), None)
    assert tool.get("api-rooms", scene.contoso.pk).json()["missing"] == ["mfa"]


def test_token_is_judged_by_itself_whatever_session_comes_along():
    scene = Scene(SECOND_FACTOR)
    tool = callers.tool(callers.token(scene.relationship, scene.ann, Permission.ROOMS_VIEW))
    tool.client = shows(browser(scene.ann), "mfa")
    assert callers.code(tool.get("api-rooms", scene.contoso.pk)) == (403, "step_up_required")


def test_change_by_api_is_stopped_and_on_record_and_can_be_sent_again():
    scene = Scene(BEFORE_RENAMING)
    caller = callers.person(scene.ann)
    token = caller.client.get("/customers/").context["csrf_token"]
    body, headers = {"display_name": "Renamed"}, {"X-CSRFToken": str(token), "Idempotency-Key": "once"}
    answer = caller.patch("api-room", scene.contoso.pk, scene.room.pk, body=body, headers=headers)
    assert callers.code(answer) == (403, "step_up_required")
    assert (answer.json()["event"], answer.json()["missing"]) == ("rooms.modify", ["mfa"])
    line = AuditEvent.objects.filter(code="step_up_required").get()
    assert (line.result, line.user_id) == ("Failed", scene.ann.upn)
    shows(caller.client, "mfa")
    again = caller.patch("api-room", scene.contoso.pk, scene.room.pk, body=body, headers=headers)
    assert again.status_code == 200  # the key is free: nothing was done


# --- There and back -------------------------------------------------------------------------------------------------------


def step_up(client: Client, page: Any, at: str = "entra", **changed: str) -> Any:
    """Off from the page, as its form sends it."""
    context = page.context
    sent: dict[str, Any] = {"step-up-customer": context["tenant"].pk, "step-up-event": context["event"] or ""}
    for name, value in context.get("sent", []):
        sent.setdefault(name, []).append(value)
    return client.post(reverse("step_up"), sent | {"step-up-then": context["then"], "step-up-at": at} | changed)


@pytest.fixture
def home(settings: Any, provider: Provider) -> Provider:
    set_up(settings, provider)
    return provider


def comes_in(scene: Scene, home: Provider, person: User | None = None, **claims: Any) -> Client:
    """A browser in which the person has signed in at home."""
    client = Client()
    whom(home, person or scene.ann, **claims)
    assert sign_in(client, home).status_code == 302
    return client


def whom(home: Provider, person: User, **claims: Any) -> None:
    assert person.entra_tid is not None and person.entra_oid is not None  # noqa: PT018
    home.person(person.entra_tid, person.entra_oid, person.upn, **claims)


def test_signing_in_as_it_asks_leads_back_to_where_one_was(home):
    scene = Scene(SECOND_FACTOR)
    client = comes_in(scene, home, amr=["pwd"])
    place = scene.rooms + "?q=room&sort=name"
    page = client.get(place)
    assert [name for name, _ in page.context["ways"]] == ["entra"]  # where he signed in before
    asked = sent_off(step_up(client, page), home)
    assert (asked["prompt"], asked["max_age"], asked["login_hint"]) == ("login", "0", scene.ann.upn)
    assert client.get(scene.rooms).status_code == 302  # the old session is over
    whom(home, scene.ann, amr=["pwd", "mfa"])
    answer = back(client, asked)
    assert (answer.status_code, answer["Location"]) == (302, place)
    assert client.get(place).status_code == 200


def test_provider_that_does_not_do_as_asked_leads_back_to_the_same_page(home):
    scene = Scene(SECOND_FACTOR)
    client = comes_in(scene, home, amr=["pwd"])
    answer = back(client, sent_off(step_up(client, client.get(scene.rooms)), home))
    assert "second factor" in asked_for(client.get(answer["Location"]))[0]


def test_contexts_are_asked_for_as_each_provider_takes_it(home, settings):
    settings.MFA_CONTEXTS = frozenset({"c1"})
    scene = Scene(SECOND_FACTOR)
    client = comes_in(scene, home)
    asked = sent_off(step_up(client, client.get(scene.rooms)), home)
    assert json.loads(asked["claims"]) == {"id_token": {"acrs": {"essential": True, "values": ["c1"]}}}
    assert asked["prompt"] == "select_account"  # a sign-in that is fresh enough may go on
    whom(home, scene.ann, acrs=["c1"])
    back(client, asked)
    assert client.get(scene.rooms).status_code == 200
    other = browser(scene.ann)
    page = other.get(scene.rooms)
    assert [name for name, _ in page.context["ways"]] == ["entra", "openid"]
    assert sent_off(step_up(other, page, at="openid"), home)["acr_values"] == "c1"


def test_change_waits_and_is_sent_again_with_one_click(home):
    scene = Scene(BEFORE_RENAMING)
    form = scene.form
    client = comes_in(scene, home, amr=["pwd"])
    assert client.get(scene.edit).status_code == 403  # asked before anything is typed
    page = client.post(scene.edit, form | {"equipment": ["one", "two"]})
    assert "waits while you sign in" in text(page)
    asked = sent_off(step_up(client, page), home)
    whom(home, scene.ann, amr=["mfa"])
    answer = back(client, asked)
    assert answer["Location"] == reverse("carry_on")
    waiting = client.get(answer["Location"])
    assert waiting.context["then"] == scene.edit
    sent: dict[str, list[str]] = {}
    for name, value in waiting.context["sent"]:
        sent.setdefault(name, []).append(value)
    assert sent["equipment"] == ["one", "two"]
    assert sent["display_name"] == ["Renamed"]
    assert client.post(waiting.context["then"], sent).status_code == 302
    scene.room.refresh_from_db()
    assert scene.room.display_name == "Renamed"


def test_change_that_waits_is_given_to_nobody_else(home):
    scene = Scene(BEFORE_RENAMING)
    form = scene.form
    client = comes_in(scene, home, amr=["pwd"])
    asked = sent_off(step_up(client, client.post(scene.edit, form)), home)
    whom(home, scene.ben, amr=["mfa"])
    answer = back(client, asked)
    assert KEPT not in client.session
    assert client.get(answer["Location"]).url == reverse("home")
    scene.room.refresh_from_db()
    assert scene.room.display_name != "Renamed"


def test_sign_in_of_old_age_is_renewed_by_an_account_of_this_portal_and_a_second_factor_is_not(settings):
    scene = Scene(Policy(Conditions(max_age=60)))
    client = shows(browser(scene.ann), "pwd", at=now() - timedelta(hours=2))
    page = client.get(scene.rooms)
    assert [name for name, _ in page.context["ways"]] == ["local"]
    answer = step_up(client, page, at="local")
    place = urlsplit(answer["Location"])
    assert (place.path, parse_qs(place.query)["next"]) == (reverse("sign_in"), [scene.rooms])
    scene.asks(SECOND_FACTOR)
    page = browser(scene.ann).get(scene.rooms)
    assert page.context["ways"] == []
    assert "no other way to sign in is set up" in text(page)
    assert step_up(browser(scene.ann), page, at="local").status_code == 404


@pytest.mark.parametrize(
    "then", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "evil", "\\\\evil"]
)
def test_way_back_stays_here(home, then):
    scene = Scene(SECOND_FACTOR)
    client = comes_in(scene, home)
    query = {"customer": scene.contoso.pk, "then": then}
    assert client.get(reverse("step_up"), query).context["then"] == reverse("overview", args=[scene.contoso.pk])
    page = client.get(scene.rooms)
    asked = sent_off(step_up(client, page, **{"step-up-then": then}), home)
    whom(home, scene.ann, amr=["mfa"])
    assert back(client, asked)["Location"] == reverse("overview", args=[scene.contoso.pk])


@pytest.mark.parametrize(
    "query", [{}, {"customer": "x"}, {"customer": "00000000-0000-0000-0000-000000000000"}, {"event": "rooms.fly"}]
)
def test_nonsense_is_not_found(query):
    scene = Scene(SECOND_FACTOR)
    known = {"customer": scene.contoso.pk} if "event" in query else {}
    assert browser(scene.ann).get(reverse("step_up"), known | query).status_code == 404
    assert browser(scene.ann).post(reverse("step_up"), {"step-up-customer": "x"}).status_code == 404


def test_file_cannot_wait_and_a_change_that_is_too_large_does_not(home):
    scene = Scene(BEFORE_RENAMING)
    client = comes_in(scene, home)
    page = client.post(scene.edit, scene.form | {"notes": "x" * 250_000})
    asked = sent_off(step_up(client, page), home)
    assert KEPT not in client.session
    whom(home, scene.ann, amr=["mfa"])
    assert back(client, asked)["Location"] == scene.edit


def test_pane_is_left_for_the_page():
    scene = Scene(BEFORE_RENAMING)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{scene.rooms}"}
    answer = browser(scene.ann).get(scene.edit, headers=headers)
    place = urlsplit(answer.headers["HX-Redirect"])
    assert place.path == reverse("step_up")
    assert parse_qs(place.query) == {
        "customer": [str(scene.contoso.pk)],
        "event": ["rooms.modify"],
        "then": [scene.rooms],
    }


def test_nothing_missing_goes_on_and_nothing_waiting_goes_home():
    scene = Scene(Policy())
    client = browser(scene.ann)
    query = {"customer": scene.contoso.pk, "then": scene.rooms}
    assert client.get(reverse("step_up"), query).url == scene.rooms
    assert client.get(reverse("carry_on")).url == reverse("home")
    assert browser().get(reverse("carry_on")).url.startswith(reverse("sign_in"))
