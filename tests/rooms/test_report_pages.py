"""The pages of reports: who opens them, what they show, what they never tell."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rbac.models import DelegationState
from rooms import charts
from rooms.models import EntryKind, Room
from rooms.services import report_sums, usage
from tests.factories import join
from tests.factories.browsing import browser, text
from tests.factories.histories import stretch, ticket
from tests.factories.world import assign, custom_role, make, over, room_group

pytestmark = pytest.mark.django_db
SENTINELS = ("Contoso room 2", "tailwind", "Tailwind", "Secret group")


class Scene:
    """Contoso's three rooms with a history; its partner sees the two German ones; Tailwind has all of that too."""

    def __init__(self, clock):
        self.world = make()
        self.contoso, self.tailwind = self.world.contoso, self.world.tailwind
        now = clock.now()
        Room.objects.update(state="enrolled", health="healthy")
        for customer in (self.contoso, self.tailwind):
            for number, room in enumerate(customer.rooms):
                room.refresh_from_db()
                stretch(room, "healthy", now - timedelta(days=9), now - timedelta(days=1 + number))
                if number:
                    stretch(room, "unhealthy", now - timedelta(days=1 + number), now - timedelta(hours=6))
                usage.note(
                    room, usage.today_of(room) - timedelta(days=5), booked_minutes=96, calls=8, poor_calls=number
                )
                ticket(room, category="audio", events=[(EntryKind.OPENED, now - timedelta(days=2))])
        self.group = room_group(self.contoso.tenant, "Ground floor", *self.contoso.rooms[1:])
        room_group(self.contoso.tenant, "Secret group", self.contoso.rooms[2])
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        assert report_sums.run()

    def url(self, name="reports", query=""):
        return reverse(name, args=[self.contoso.tenant.pk]) + query

    def get(self, person, name="reports", query=""):
        return browser(person).get(self.url(name, query))

    def table(self, person, figure, query=""):
        answer = self.get(person, "reports_csv", f"?figure={figure}{query}")
        assert answer.status_code == 200
        lines = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(lines)))


@pytest.fixture
def scene(clock):
    return Scene(clock)


@pytest.mark.parametrize("name", ["reports", "reports_csv"])
def test_gates(scene, name):
    assert scene.get(None, name).url.startswith(reverse("sign_in"))
    assert scene.get(scene.tailwind.admin, name).status_code == 404
    assert scene.get(scene.contoso.person("nobody"), name).status_code == 403
    assert scene.get(scene.contoso.admin, name).status_code == 200
    assert scene.get(scene.ann, name).status_code == 200


def test_the_partner_reads_nothing_of_other_rooms(scene):
    page = text(scene.get(scene.ann))
    for figure in ("summary", "health", "tickets", "categories", "states", "rooms"):
        page += str(scene.table(scene.ann, figure))
    assert [one for one in SENTINELS if one in page] == []


def test_a_figure_is_the_same_with_and_without_foreign_rooms(scene):
    names = ("summary", "health", "tickets", "categories", "states", "rooms")
    before = {name: scene.table(scene.ann, name) for name in names}
    other = scene.contoso.rooms[2]
    Room.objects.filter(pk=other.pk).update(state="onboarding")
    report_sums.add_up(scene.contoso.tenant.pk)
    after = {name: scene.table(scene.ann, name) for name in names}
    after["summary"][3] = before["summary"][3]  # as of
    assert after == before


def test_the_files_hold_what_the_page_shows(scene):
    admin = scene.contoso.admin
    summary = dict(scene.table(admin, "summary", "&days=7"))
    assert (summary["rooms"], summary["open_tickets"], summary["calls"], summary["poor_calls"]) == ("3", "3", "24", "3")
    assert (summary["usage_percent"], summary["poor_calls_percent"]) == ("20.0", "12.5")
    assert "12.5 %" in text(scene.get(admin, query="?days=7"))
    assert scene.table(admin, "categories") == [["category", "opened"], ["audio", "3"]]
    assert scene.table(admin, "states") == [["state", "health", "rooms"], ["enrolled", "healthy", "3"]]
    assert [row[0] for row in scene.table(admin, "rooms")] == [
        "room",
        *(room.display_name for room in scene.contoso.rooms),
    ]
    assert len(scene.table(admin, "tickets", "&days=180")) == 182
    assert len(scene.table(admin, "health", "&days=180")) <= 92


def test_formulas_in_files_are_neutralised(scene):
    Room.objects.filter(pk=scene.contoso.rooms[0].pk).update(display_name="=1+1")
    assert "'=1+1" in [row[0] for row in scene.table(scene.contoso.admin, "rooms")]


def test_filters_narrow_what_is_counted(scene):
    admin, delegation = scene.contoso.admin, scene.relationship.delegation_id
    rooms = lambda query: [row[0] for row in scene.table(admin, "rooms", query)][1:]  # noqa: E731
    assert rooms(f"&group={scene.group.pk}") == ["Contoso room 1", "Contoso room 2"]
    assert rooms(f"&partner={delegation}") == ["Contoso room 0", "Contoso room 1"]
    assert rooms(f"&partner={delegation}&group={scene.group.pk}") == ["Contoso room 1"]
    assert dict(scene.table(admin, "summary", f"&group={scene.group.pk}"))["calls"] == "16"


@pytest.mark.parametrize("query", ["days=8", "days=x", "group=999999", "partner=nobody", "nonsense=1"])
def test_what_is_no_choice_is_a_bad_request(scene, query):
    assert scene.get(scene.contoso.admin, query=f"?{query}").status_code == 400
    assert scene.get(scene.contoso.admin, "reports_csv", f"?{query}").status_code == 400
    assert scene.get(scene.contoso.admin, "reports_csv", "?figure=secrets").status_code == 400


def test_choices_are_made_from_what_the_reader_may_see(scene):
    secret = scene.contoso.tenant.room_groups.get(name="Secret group")
    assert scene.get(scene.ann, query=f"?group={secret.pk}").status_code == 400
    assert scene.get(scene.ann, query=f"?group={scene.group.pk}").status_code == 200
    assert scene.get(scene.ann, query=f"?partner={scene.relationship.delegation_id}").status_code == 400
    site = scene.contoso.person("site")
    assign(custom_role(scene.contoso.tenant, Permission.REPORTS_VIEW), site, over(scene.contoso.rooms[0]))
    page = text(scene.get(site))
    assert "Ground floor" not in page
    assert "Fabrikam" not in page


def test_a_suspended_partner_reads_nothing_and_is_still_a_filter(scene):
    delegation = scene.relationship.delegation
    delegation.state = DelegationState.SUSPENDED
    delegation.save()
    assert scene.get(scene.ann).status_code == 404
    assert scene.get(scene.contoso.admin, query=f"?partner={delegation.pk}").status_code == 200


def test_without_figures_the_page_says_when_they_come(clock):
    world = make()
    page = text(browser(world.contoso.admin).get(reverse("reports", args=[world.contoso.tenant.pk])))
    assert "No figures yet" in page


@pytest.mark.parametrize(("who", "statements"), [("admin", 13), ("ann", 14)])
def test_statements_do_not_grow_with_the_rooms(scene, who, statements):
    person = scene.ann if who == "ann" else scene.contoso.admin
    client = browser(person)
    for rooms in (3, 1):
        Room.objects.filter(pk__in=[room.pk for room in scene.contoso.rooms[rooms:]]).update(state="onboarding")
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(scene.url())
        assert len(found) == statements


def test_charts_have_names_units_and_no_inline_style(scene):
    page = scene.get(scene.contoso.admin).content.decode()
    assert page.count('role="img"') == 6
    assert page.count("<title id=") == 6
    assert " style=" not in page
    assert 'aria-labelledby="chart-health-wide"' in page


def test_the_site_lead_reads_reports_and_the_tech_does_not(scene):
    assert scene.get(scene.contoso.member(BuiltIn.SITE_LEAD, "lea")).status_code == 200
    assert scene.get(scene.contoso.member(BuiltIn.SITE_TECH, "tom")).status_code == 403


@pytest.mark.parametrize(
    ("highest", "most", "step"), [(0, 4, 1), (4, 4, 1), (5, 4, 2), (9, 4, 5), (37, 4, 10), (81, 4, 50)]
)
def test_axes_have_round_steps(highest, most, step):
    assert charts.nice_step(highest, most) == step
