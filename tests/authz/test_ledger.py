"""Every route, method, actor and relation, against the ledger; in both directions, without exceptions."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.authz import ledger
from tests.authz.ledger import METHODS, Entry, Route
from tests.authz.scene import ACTORS, RELATIONS, Scene, make_scene
from trm_portal.celery import app

pytestmark = pytest.mark.django_db

PARTS = 4  # the routes are dealt out to so many tests, which run side by side

# The models that support staff may look at. None shows a secret; tests/trm_portal/test_admin.py proves that.
BACK_OFFICE = {
    "rooms.approvalrequest",
    "audit.auditevent",
    "audit.chainlink",
    "audit.outboxmessage",
    "axes.accessattempt",
    "partners.apitoken",
    "partners.invitation",
    "partners.partnerdraft",
    "partners.partnerrelationship",
    "partners.tenantmanager",
    "partners.terms",
    "partners.termsacceptance",
    "partners.webhook",
    "partners.webhookdelivery",
    "rbac.assignment",
    "rbac.delegation",
    "rbac.pendingclaim",
    "rbac.role",
    "rbac.securitygroup",
    "rbac.tenant",
    "rbac.user",
    "rooms.controlpolicy",
    "rooms.device",
    "rooms.enrollmentkey",
    "rooms.healthperiod",
    "rooms.healthsignal",
    "rooms.bulkchange",
    "rooms.inventoryimport",
    "rooms.release",
    "rooms.rollout",
    "rooms.roledraft",
    "rooms.room",
    "rooms.roomgroup",
    "rooms.updatering",
}

# Whoever reaches the broker can start these: none takes a word about whom or what, except ids of rows already allowed.
TASKS = {
    "audit.schedule.forget_settled": "deletes settled outbox rows that are old",
    "audit.schedule.publish_heads": "writes the heads of the chains where they are published",
    "audit.tasks.deliver_outbox": "delivers what committed changes left",
    "audit.tasks.sweep_outbox": "the same, by the clock",
    "partners.schedule.deliver_webhooks": "delivers what committed changes left for webhooks",
    "partners.schedule.forget_deliveries": "deletes deliveries that are old, and webhooks that have ended",
    "partners.schedule.expire_invitations": "marks what is due; being due was true before",
    "partners.schedule.end_relationships": "marks what is past its end; that it is over was true before",
    "partners.schedule.tell_of_ends": "tells both sides of ends that come near; nobody twice",
    "partners.schedule.remind_invited": "reminds those whose invitation is open",
    "rbac.schedule.forget_idempotency_keys": "forgets keys that count for nothing any more",
    "rooms.schedule.carry_out_bulk_changes": "carries out bulk changes that their person has confirmed",
    "rooms.schedule.advance_rollouts": "goes on with what is due by the clock",
    "rooms.schedule.add_up_reports": "adds up what rooms did, for nobody in particular",
    "rooms.schedule.carry_out_imports": "carries out imports that their person has confirmed",
    "rooms.schedule.close_silent_tickets": "closes tickets that nobody adds to, by the database's clock",
    "rooms.schedule.tell_of_ends": "tells whom it concerns of assignments that end soon; nobody twice",
    "rooms.schedule.remind_of_requests": "reminds those who decide of what waits",
    "rooms.schedule.expire_requests": "marks what is due; being due was true before",
    "rooms.schedule.discard_old_imports": "forgets imports nobody confirmed",
    "rooms.schedule.mark_silent_rooms": "writes down that rooms have not been heard of, which was true before",
    "rooms.schedule.end_suppressions": "writes down that suppressions are over; being over was true before",
    "rooms.schedule.sweep_attachments": "deletes files that nobody attached and that no approval can wait for",
    "rooms.schedule.schedule_rollouts": "plans the release that support staff published",
    "rooms.schedule.take_in_late_rooms": "rooms take part in their ring's rollout",
    "rooms.schedule.forget_health": "deletes health that is old and settled",
}

TOOLS = ("token", "revoked")
FEW = ("anon", "mmr", "staff")  # asked of every model's own pages in the back office; the first is asked as everybody


# --- Completeness -------------------------------------------------------------------------------


def covering(route: Route, entries: list[Entry]) -> list[Entry]:
    """The route's own entries; those by kind only where it has none of its own."""
    own = [one for one in entries if one.route == route.name]
    return own or [one for one in entries if one.covers(route)]


def test_every_route_has_its_entries_and_every_entry_its_route():
    entries, routes = ledger.entries(), ledger.routes()
    missing = [
        f"{route.name} ({route.pattern}): {relation}"
        for route in routes
        for relation in sorted(route.relations - {one.relation for one in covering(route, entries)})
    ]
    orphans = {one.route for one in entries if not any(one.covers(route) for route in routes)}
    assert (missing, orphans) == ([], set())


def test_every_method_is_answered_for_the_same_relations():
    relations: dict[tuple[str, str], set[str]] = defaultdict(set)
    methods: dict[str, set[str]] = defaultdict(set)
    for one in ledger.entries():
        for method in one.methods:
            assert one.relation not in relations[one.route, method], f"{one.route} {method} {one.relation} twice"
            relations[one.route, method].add(one.relation)
            methods[one.route].add(method)
    for name, own in methods.items():
        assert len({frozenset(relations[name, method]) for method in own}) == 1, name


def test_words_of_the_ledger_are_known():
    for one in ledger.entries():
        assert one.relation in RELATIONS, one
        assert set(one.methods) <= set(METHODS), one
        assert all(cell == "sign-in" or cell.isdigit() for cell in one.cells), one


def test_public_routes_say_why():
    for one in ledger.entries():
        if one.expected["anon"].startswith("2"):
            assert one.reason, one


def test_page_takes_a_tool_for_nobody():
    """Tools ask the API: to a page their tokens are nothing, so it answers them as anybody who is not signed in."""
    for one in ledger.entries():
        if not one.route.startswith("api-"):
            assert {one.expected[tool] for tool in TOOLS} == {one.expected["anon"]}, one


def test_back_office_shows_known_models_only():
    assert ledger.models_of_back_office() == BACK_OFFICE


def test_tasks_are_known():
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} == set(TASKS)


# --- The answers --------------------------------------------------------------------------------


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.mark.parametrize("part", range(PARTS))
def test_routes_answer_as_the_ledger_says(scene, part):
    entries = ledger.entries()
    wrong = []
    for route in ledger.routes()[part::PARTS]:
        for entry in covering(route, entries):
            wrong += _differences(scene, route, entry)
        wrong += _unlisted(scene, route, {method for one in covering(route, entries) for method in one.methods})
    assert wrong == []


def _differences(scene: Scene, route: Route, entry: Entry) -> Iterator[str]:
    url = route.url(scene, entry.relation)
    for method in entry.methods:
        for actor in _asked(route, entry):
            with scene.asking(actor, method, url, route.name, entry.relation) as (answer, body):
                found = ledger.cell_of(answer)
                if found != entry.expected[actor]:
                    yield f"{route.name} {method} {entry.relation} as {actor}: {found}, not {entry.expected[actor]}"
                for secret in scene.secrets[actor]:
                    if secret in body:
                        yield f"{route.name} {method} {entry.relation} shows “{secret}” to {actor}"


def _asked(route: Route, entry: Entry) -> tuple[str, ...]:
    """Everybody; but a page knows no tokens, and the models' own pages in the back office are all alike."""
    if "*" in entry.route and "auditevent" not in route.name:
        return FEW
    return ACTORS if route.pattern.startswith("api/") else tuple(one for one in ACTORS if one not in TOOLS)


def _unlisted(scene: Scene, route: Route, listed: set[str]) -> Iterator[str]:
    """A method without an entry does nothing for the one who may do most, and opens nothing to anybody else."""
    if route.pattern.startswith("admin/"):
        return  # Django's views ask for POST and take all else for GET
    relation = next(one for one in ("own", "mine", "partners", "public") if one in route.relations)
    url = route.url(scene, relation)
    best = {"own": "partner" if "token" in route.name else "mmr", "mine": "invited"}.get(relation, "mmr")
    if route.name.startswith(("api-all-", "all_")):
        best = "partner"  # over all customers, for whoever works for one
    for method in METHODS:
        if method not in listed:
            with scene.asking(best, method, url) as (answer, _):
                if answer.status_code != 405:
                    yield f"{route.name} {method} has no entry and answers {answer.status_code}"


# --- Foreign = deleted = never existed -----------------------------------------------------------


def test_what_one_may_not_see_looks_like_what_never_existed(scene):
    """The same status and the same body, whether it is another's, out of scope, or nothing at all."""
    asked = 0
    for route in ledger.routes():
        if not {"mixed", "never"} <= route.relations:
            continue
        for actor in ("mmr", "partner", "tech", "token"):
            answers = {}
            for relation in ("out", "mixed", "never"):
                url = route.url(scene, relation)
                with scene.asking(actor, "GET", url) as (answer, body):
                    if answer.status_code == 404:
                        answers[relation] = _without_what_differs(body, url)
            assert len(set(answers.values())) <= 1, (route.name, actor)
            asked += len(answers) > 1
    assert asked > 20


def _without_what_differs(body: str, url: str) -> str:
    return ledger.TOKEN.sub("", body.replace(url, ""))
