"""The pages of approval requests and of the policies behind them: who opens them, what they show, what their buttons do."""

import uuid

import pytest
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rbac.services import delegations
from rooms import change_control, scopes
from rooms.models import ApprovalRequest, Room, UpdateRing
from rooms.scopes import Scope
from rooms.services import approvals, policies, roles
from rooms.services import rooms as room_service
from rooms.services.roles import Proposed
from tests.factories.browsing import browser, links, text, told
from tests.factories.world import ask_first, asked, join, make, over

pytestmark = pytest.mark.django_db

MODIFY = Permission.ROOMS_MODIFY


class Scene:
    """Contoso approves what Fabrikam changes; Ann has asked to rename the first room. Tailwind has such a request, too."""

    def __init__(self):
        self.world = make()
        self.contoso, self.tailwind = self.world.contoso, self.world.tailwind
        self.relationship, (self.ann, self.bob) = join(self.contoso, self.world.fabrikam, "ann", "bob")
        theirs, (self.nils,) = join(self.tailwind, self.world.northwind, "nils")
        ask_first(self.relationship)
        ask_first(theirs)
        self.request = self.ask(self.contoso.rooms[0], self.ann)
        self.foreign = self.ask(self.tailwind.rooms[0], self.nils)

    def ask(self, room, by, name="Alps"):
        changes = {"display_name": name}
        return asked(lambda: change_control.submit(MODIFY, room, by=by, changes=changes, version=room.version))

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name="approval", found=None):
        found = found or (self.request if name.startswith("approval_") or name == "approval" else None)
        return reverse(name, args=[self.contoso.tenant.pk, *([found.pk] if found is not None else [])])

    def decide(self, person, decision, comment="", found=None):
        data = {"decision": decision, "comment": comment}
        return browser(person).post(self.url("approval_decide", found), data, follow=True)

    def state(self, found=None):
        return ApprovalRequest.objects.get(pk=(found or self.request).pk).state


@pytest.fixture
def scene():
    return Scene()


def test_partner_is_told_plainly_that_nothing_has_changed(scene):
    room = scene.contoso.rooms[1]
    page = browser(scene.ann).get(reverse("room_edit", args=[scene.contoso.tenant.pk, room.pk]))
    assert "Contoso approves such changes first" in text(page)
    assert 'name="justification"' in page.content.decode()
    fields = page.context["form"].initial | {"version": room.version, "display_name": "Baltic"}
    sent = {name: value for name, value in fields.items() if value is not None} | {
        "justification": "New sign",
        "tags": "",
    }
    answer = browser(scene.ann).post(page.wsgi_request.path, sent, follow=True)
    made = ApprovalRequest.objects.get(target_id=str(room.pk))
    assert answer.redirect_chain == [(reverse("approval", args=[scene.contoso.tenant.pk, made.pk]), 302)]
    assert "Nothing has changed yet: your change waits for the customer’s approval." in told(answer)
    assert made.justification == "New sign"
    assert Room.objects.get(pk=room.pk).display_name == "Contoso room 1"


def test_moving_rooms_to_a_ring_says_so_and_asks_why(scene):
    ring = UpdateRing.objects.filter(tenant=scene.contoso.tenant, is_default=False).first()
    Room.objects.filter(pk=scene.contoso.german[1].pk).update(ring=ring)  # so that Ann sees the ring
    url = reverse("ring_rooms", args=[scene.contoso.tenant.pk, ring.pk])
    page = browser(scene.ann).get(url)
    assert "Contoso approves such changes first" in text(page)
    sent = {"move": "1", "pick": scene.contoso.rooms[0].pk, "justification": "Tests first"}
    browser(scene.ann).post(url, sent)
    assert ApprovalRequest.objects.get(event=Permission.RINGS_MODIFY).justification == "Tests first"
    assert "approves such changes" not in text(browser(scene.admin).get(url))


def test_scope_keeps_the_reason_while_rooms_are_chosen_and_hands_it_in(scene):
    """Every click on the page is a request of its own: what was typed stays, until the request has it."""
    desk = Proposed("Desk", members=(), scope=Scope(rooms=frozenset({scene.contoso.german[0].pk})))
    role = roles.create(
        scene.contoso.tenant, by=scene.ann, name="Help desk", permissions=["tickets.view"], assignment=desk.as_data()
    )
    assignment = role.assignments.get()
    url = reverse("assignment_scope", args=[scene.contoso.tenant.pk, role.pk, assignment.pk])
    mine = browser(scene.ann)
    page = mine.get(url)
    assert "Contoso approves such changes first" in text(page)
    mine.post(url, {"add": "1", "pick": scene.contoso.german[1].pk, "justification": "The desk grows"})
    assert ">The desk grows</textarea>" in mine.get(url).content.decode()
    mine.post(url, {"save": "1", "justification": "The desk grows"})
    made = ApprovalRequest.objects.get(action="scope")
    assert made.justification == "The desk grows"
    assert "Not saved yet" not in text(mine.get(url))


def test_customers_own_people_are_asked_nothing(scene):
    page = browser(scene.admin).get(reverse("room_edit", args=[scene.contoso.tenant.pk, scene.contoso.rooms[1].pk]))
    assert "justification" not in page.content.decode()


def test_inbox_shows_what_waits_and_the_rail_how_many(scene):
    page = browser(scene.admin).get(scene.url("approvals"))
    assert [row["approval"] for row in page.context["rows"]] == [scene.request]
    assert "Approvals 1 open" in text(page)
    assert "Tailwind" not in text(page)
    assert browser(scene.admin).get(scene.url("approvals") + "?tab=decided").context["rows"] == []
    assert browser(scene.admin).get(scene.url("approvals") + "?event=roles.modify").context["rows"] == []
    for query in ("?tab=x", "?event=rooms.view", "?sort=x"):
        assert browser(scene.admin).get(scene.url("approvals") + query).status_code == 400


def test_request_shows_before_and_after_and_who_wants_it(scene):
    shown = text(browser(scene.admin).get(scene.url()))
    for part in (
        "Contoso room 0",
        "Rooms: Modify",
        "Name Contoso room 0 Alps",
        "ann@fabrikam.example",
        "Nothing has changed yet.",
    ):
        assert part in shown
    assert "Approve" in shown
    assert "Withdraw the request" not in shown


def test_approve_does_it_and_says_so(scene):
    answer = scene.decide(scene.admin, "approve", "Fine")
    assert told(answer) == ["Approved, and done."]
    assert (scene.state(), Room.objects.get(pk=scene.contoso.rooms[0].pk).display_name) == ("executed", "Alps")
    assert "Approved and done" in text(answer)


def test_stale_request_says_why_nothing_was_done_and_is_asked_again_with_one_click(scene):
    room_service.modify(scene.contoso.rooms[0], by=scene.admin, changes={"capacity": 9})
    answer = scene.decide(scene.admin, "approve")
    assert told(answer) == ["Approved, but it could not be done: see why below."]
    mine = browser(scene.ann)
    assert "Somebody changed it in the meantime, so nothing was done." in text(mine.get(scene.url()))
    again = mine.post(scene.url("approval_again"), follow=True)
    made = ApprovalRequest.objects.waiting().get(tenant=scene.contoso.tenant)
    assert again.redirect_chain[-1][0] == reverse("approval", args=[scene.contoso.tenant.pk, made.pk])
    assert made.target_version == 2


def test_rejection_without_a_comment_keeps_what_was_typed(scene):
    answer = scene.decide(scene.admin, "reject", "  ")
    assert answer.status_code == 400
    assert "Say why: the partner will read it." in text(answer)
    assert scene.state() == "pending"
    assert told(scene.decide(scene.admin, "reject", "Not this week")) == ["Rejected. The partner reads your comment."]
    assert "Not this week" in text(browser(scene.ann).get(scene.url()))
    late = scene.decide(scene.admin, "approve")
    assert (late.status_code, "decided already" in text(late)) == (410, True)


def test_many_are_decided_at_once_with_a_result_each(scene):
    stale = scene.ask(scene.contoso.rooms[1], scene.bob, "Baltic")
    room_service.modify(scene.contoso.rooms[1], by=scene.admin, changes={"capacity": 9})
    picked = [str(one.pk) for one in (scene.request, stale, scene.foreign)]
    data = {"pick": picked, "decision": "approve"}
    answer = browser(scene.admin).post(scene.url("approvals_decide"), data)
    assert [(row["approval"], row["text"]) for row in answer.context["results"]] == [
        (scene.request, "Approved, and done."),
        (stale, "Approved, but it could not be done: see why below."),
    ]
    assert scene.state(scene.foreign) == "pending"
    assert browser(scene.admin).post(scene.url("approvals_decide"), data | {"pick": ["x"]}).status_code == 400
    assert "Nothing was ticked" in text(
        browser(scene.admin).post(scene.url("approvals_decide"), {"decision": "approve"})
    )


def test_requester_withdraws(scene):
    assert "Withdraw the request" in text(browser(scene.ann).get(scene.url()))
    assert "Withdraw the request" not in text(browser(scene.bob).get(scene.url()))
    assert browser(scene.bob).post(scene.url("approval_withdraw")).status_code == 403
    answer = browser(scene.ann).post(scene.url("approval_withdraw"), follow=True)
    assert (told(answer), scene.state()) == (["The request is withdrawn."], "withdrawn")


def test_who_finds_what(scene):
    lead = scene.contoso.member(BuiltIn.SITE_LEAD, "lea")
    gone = uuid.uuid4()
    for person, status in ((scene.admin, 200), (scene.ann, 200), (scene.bob, 200), (lead, 403), (scene.nils, 404)):
        assert browser(person).get(scene.url()).status_code == status
    for found in (scene.foreign.pk, gone):
        address = reverse("approval", args=[scene.contoso.tenant.pk, found])
        assert browser(scene.admin).get(address).status_code == 404
        assert browser(scene.admin).post(address + "decide/", {"decision": "approve"}).status_code == 404
    for person in (scene.ann, lead):
        assert browser(person).post(scene.url("approval_decide"), {"decision": "approve"}).status_code == 403
    assert browser(scene.admin).get(scene.url("approval_decide")).status_code == 405
    assert scene.state() == "pending"


def test_partner_does_not_read_of_rooms_that_left_its_scope(scene):
    base = delegations.base_assignment(scene.relationship.delegation)
    scopes.change(base, over(scene.contoso.rooms[1]), by=scene.admin)
    for address in (scene.url(), scene.url("approvals") + "?tab=decided"):
        shown = text(browser(scene.ann).get(address))
        assert "Contoso room 0" not in shown
        assert "Not in your scope any more" in shown
    assert "Contoso room 0" in text(browser(scene.admin).get(scene.url()))


def test_policies_are_changed_for_later(scene):
    url = reverse("partner_control", args=[scene.contoso.tenant.pk, scene.relationship.pk])
    assert url in links(
        browser(scene.admin).get(reverse("partner", args=[scene.contoso.tenant.pk, scene.relationship.pk]))
    )
    page = browser(scene.admin).get(url)
    assert "1 request waits for your decision" in text(page)
    chosen = {f"mode_{event.codename}": "auto" for event in policies.modes_of(scene.relationship.delegation_id)}
    answer = browser(scene.admin).post(url, chosen | {"mode_tickets_update": "manual"}, follow=True)
    assert told(answer) == ["Saved. It holds for what the partner does from now on."]
    modes = policies.modes_of(scene.relationship.delegation_id)
    assert {event.value for event, mode in modes.items() if mode == "manual"} == {"tickets.update"}
    assert scene.state() == "pending"
    assert browser(scene.admin).post(url, chosen | {"mode_tickets_update": "x"}).status_code == 200
    assert browser(scene.ann).get(url).status_code == 403
    assert browser(scene.contoso.member(BuiltIn.SITE_LEAD, "lea")).get(url).status_code == 403
    assert browser(scene.nils).get(url).status_code == 404


def test_lists_ask_as_often_for_three_as_for_one(scene, django_assert_num_queries):
    for client, count in ((browser(scene.admin), 7), (browser(scene.ann), 7)):
        for rooms in ([], [scene.contoso.rooms[0], scene.contoso.rooms[1]]):
            for room in rooms:
                scene.ask(Room.objects.get(pk=room.pk), scene.ann, f"Name {room.pk} {count}")
            with django_assert_num_queries(count):
                client.get(scene.url("approvals"))


def test_over_is_over_also_on_the_page(scene, clock):
    clock.move(approvals.LIFETIME)
    assert browser(scene.admin).get(scene.url("approvals")).context["rows"] == []
    [row] = browser(scene.admin).get(scene.url("approvals") + "?tab=decided").context["rows"]
    assert row["badge"]["label"] == "Expired"
