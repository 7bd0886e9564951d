"""The Python client as a partner's tool uses it: against the portal's own web server, and against one that stumbles."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from partners.services import relationships
from rbac.catalogue import Permission
from rbac.partner_access import Conditions, Policy, Proof
from rbac.services import partner_access
from rooms.models import ApprovalRequest
from rooms_portal import Portal, Problem, Unreachable, etag, is_waiting
from tests.factories.callers import token
from tests.factories.world import ask_first


def test_rooms_come_page_by_page(site):
    with site.tool() as tool:
        first = tool.rooms(site.customer, page_size=1)
        assert len(first["items"]) == 1
        names = [one["display_name"] for one in tool.each_rooms(site.customer)]
        assert names == [room.display_name for room in site.world.contoso.german]
        assert [one["display_name"] for one in tool.each_rooms(site.customer, q="room 1")] == ["Contoso room 1"]
        assert [one["name"] for one in tool.each_customers()] == ["Contoso"]


def test_change_meets_nobody_elses(site):
    room = site.world.contoso.german[0].pk
    with site.tool() as tool:
        seen = tool.room(site.customer, room)
        changed = tool.room_modify(site.customer, room, {"capacity": 12}, if_match=etag(seen))
        assert not is_waiting(changed)
        assert (changed["capacity"], etag(changed)) == (12, '"2"')
        with pytest.raises(Problem) as refused:
            tool.room_modify(site.customer, room, {"capacity": 14}, if_match=etag(seen))
        assert (refused.value.status, refused.value.code) == (412, "stale_version")
        assert tool.room(site.customer, room)["capacity"] == 12


def test_problem_says_what_is_wrong_and_where(site):
    with site.tool() as tool:
        with pytest.raises(Problem) as refused:
            tool.room_modify(site.customer, site.world.contoso.german[0].pk, {"capacity": -1})
        assert (refused.value.code, refused.value.errors[0]["pointer"]) == ("invalid", "/capacity")
        with pytest.raises(Problem) as hidden:
            tool.room(str(site.world.tailwind.tenant.pk), site.world.tailwind.rooms[0].pk)
        assert (hidden.value.status, hidden.value.code) == (404, "not_found")


def test_token_narrower_than_its_holder_is_refused_what_it_lacks(site):
    narrow = token(site.relationship, site.ann, Permission.ROOMS_VIEW)
    with site.tool(narrow) as tool, pytest.raises(Problem) as refused:
        tool.room_modify(site.customer, site.world.contoso.german[0].pk, {"capacity": 3})
    assert (refused.value.status, refused.value.code) == (403, "permission_denied")


def test_nothing_opens_after_the_partner_is_removed(site):
    with site.tool() as tool:
        assert tool.me()["upn"] == site.ann.upn
        relationships.remove(site.relationship, by=site.world.contoso.admin)
        with pytest.raises(Problem) as refused:
            tool.me()
        assert (refused.value.status, refused.value.code) == (401, "authentication_failed")


def test_customer_that_asks_for_more_says_where_its_holder_shows_it_and_then_the_tool_goes_on(site):
    tenant = site.world.contoso.tenant
    partner_access.change(tenant, Policy(Conditions(mfa=True)), by=site.world.contoso.admin)
    with site.tool() as tool:
        with pytest.raises(Problem) as refused:
            tool.rooms(site.customer)
        assert (refused.value.status, refused.value.code) == (403, "step_up_required")
        assert refused.value.sign_in_url.endswith(f"/sign-in/again/?customer={tenant.pk}&tool=1")
        partner_access.note_sign_in(site.ann, Proof(None, frozenset({"mfa"})), None)
        assert tool.rooms(site.customer)["items"]


def test_change_that_waits_is_told_apart_and_says_why(site):
    ask_first(site.relationship, Permission.ROOMS_MODIFY)
    why = "Größerer Tisch, 100 % belegt"
    room = site.world.contoso.german[0].pk
    with site.tool() as tool:
        answer = tool.room_modify(site.customer, room, {"capacity": 20}, justification=why)
        assert is_waiting(answer)
        assert tool.approval(site.customer, answer["request"])["justification"] == why
        assert tool.room(site.customer, room)["capacity"] is None
    assert ApprovalRequest.objects.get().justification == why


def test_file_goes_up_and_comes_down_as_it_was(site):
    with site.tool() as tool:
        ticket = tool.ticket_report(
            site.customer, {"title": "Dark screen", "rooms": [site.world.contoso.german[0].pk], "severity": "warning"}
        )
        assert not is_waiting(ticket)
        entry = tool.ticket_attach(
            site.customer, ticket["id"], {"file": ("device.log", b"line 1\nline 2\n"), "text": "The log."}
        )
        assert not is_waiting(entry)
        assert entry["attachment"] is not None
        content = tool.ticket_attachment(site.customer, ticket["id"], entry["attachment"]["id"])
    assert content == b"line 1\nline 2\n"


# --- a portal that stumbles ---------------------------------------------------------------------------------------


class Stumbling(BaseHTTPRequestHandler):
    """Answers what its server has in store, one after the other, and keeps what it was asked."""

    server: "StumblingServer"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, headers, answer = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(answer))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


class StumblingServer(ThreadingHTTPServer):
    answers: list[tuple[int, dict[str, str], bytes]]
    asked: list[tuple[str, str, dict[str, str], bytes]]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def stumbling() -> Iterator[StumblingServer]:
    server = StumblingServer(("127.0.0.1", 0), Stumbling)
    server.answers, server.asked = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_change_is_tried_again_under_the_same_key(stumbling):
    stumbling.answers = [(503, {}, b""), (429, {"Retry-After": "0"}, b"{}"), (200, {}, b'{"id": 7}')]
    with Portal(stumbling.address, "trm_x") as tool:
        assert tool.ticket_state("c", 7, {"state": "investigating"})["id"] == 7
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in stumbling.asked}
    assert (len(stumbling.asked), len(keys)) == (3, 1)
    assert {body for *_, body in stumbling.asked} == {b'{"state": "investigating"}'}


def test_change_that_is_still_being_carried_out_is_waited_for(stumbling):
    in_use = b'{"code": "idempotency_key_in_use", "detail": "Wait.", "status": 409}'
    stumbling.answers = [(409, {"Retry-After": "0"}, in_use), (200, {}, b'{"id": 7}')]
    with Portal(stumbling.address, "trm_x") as tool:
        assert tool.ticket_state("c", 7, {"state": "investigating"})["id"] == 7


def test_rule_that_forbids_a_change_is_no_reason_to_try_again(stumbling):
    stumbling.answers = [(409, {}, b'{"code": "ticket_closed", "detail": "Closed.", "status": 409}')]
    with Portal(stumbling.address, "trm_x") as tool, pytest.raises(Problem) as refused:
        tool.ticket_state("c", 7, {"state": "investigating"})
    assert (refused.value.code, len(stumbling.asked)) == ("ticket_closed", 1)


def test_two_changes_have_two_keys(stumbling):
    stumbling.answers = [(200, {}, b'{"id": 7}')] * 2
    with Portal(stumbling.address, "trm_x") as tool:
        for _ in range(2):
            tool.ticket_state("c", 7, {"state": "investigating"})
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in stumbling.asked}) == 2


def test_portal_that_stays_away_is_unreachable(stumbling):
    address = stumbling.address
    stumbling.server_close()
    with Portal(address, "trm_x", tries=2) as tool, pytest.raises(Unreachable):
        tool.me()


def test_answer_that_is_no_problem_document_is_still_a_problem(stumbling):
    stumbling.answers = [(500, {"Content-Type": "text/html"}, b"<h1>Oops</h1>")]
    with Portal(stumbling.address, "trm_x") as tool, pytest.raises(Problem) as refused:
        tool.me()
    assert (refused.value.status, refused.value.code) == (500, "unreadable")


def test_nothing_in_an_address_leads_elsewhere(stumbling):
    stumbling.answers = [(200, {}, b"{}")]
    with Portal(stumbling.address, "trm_x") as tool:
        tool.approval("../../me/?x", "a b")
    assert stumbling.asked[0][1] == "/api/v1/customers/..%2F..%2Fme%2F%3Fx/approvals/a%20b/"


@pytest.mark.parametrize("address", ["rooms.example", "ftp://rooms.example", "https://ann@rooms.example", ""])
def test_address_that_is_none_is_refused_at_once(address):
    with pytest.raises(ValueError, match="not the address"):
        Portal(address, "trm_x")
