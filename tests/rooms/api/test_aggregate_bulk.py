"""…/all/rooms/bulk/ and …/all/tickets/bulk/: one operation, an answer for each customer."""

import pytest

from rbac.catalogue import Permission
from rooms.models import ApprovalRequest, Room, Ticket, TicketEntry, UpdateRing
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.world import ask_first
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db


@pytest.fixture
def day():
    return Day()


def part(customer, *rooms, **more):
    return {"customer": str(customer.tenant.pk), "rooms": [getattr(room, "pk", room) for room in rooms]} | more


def outcomes(answer):
    assert answer.status_code == 207, answer.content
    return [
        (one["customer"], [(item["id"], item["outcome"], item["code"]) for item in one["items"]])
        for one in answer.json()["items"]
    ]


def test_each_customer_has_its_own_answer(day):
    contoso, wingtip, tailwind = day.contoso, day.wingtip, day.tailwind
    first, american, second = contoso.rooms[0], contoso.rooms[2], wingtip.rooms[0]
    body = {
        "customers": [
            part(contoso, first, american, second),
            part(wingtip, second, second),
            part(tailwind, tailwind.rooms[0]),
        ],
        "action": "edit",
        "changes": {"campus": "North"},
        "add_tags": ["video"],
    }
    answer = person(day.ann).post("api-all-rooms-bulk", body=body)
    gone = "refused", "not_found"
    assert outcomes(answer) == [
        (str(contoso.tenant.pk), [(first.pk, "done", ""), (american.pk, *gone), (second.pk, *gone)]),
        (str(wingtip.tenant.pk), [(second.pk, "done", "")]),
        (str(tailwind.tenant.pk), [(tailwind.rooms[0].pk, *gone)]),
    ]
    assert set(Room.objects.filter(campus="North")) == {first, second}


def test_rings_are_each_customers_own(day):
    staging = UpdateRing.objects.get(tenant=day.contoso.tenant, key="staging")
    Room.objects.filter(pk=day.contoso.rooms[1].pk).update(ring=staging)  # else it would be none that Ann sees
    ours, theirs = (UpdateRing.objects.get(tenant=one.tenant, key="staging") for one in (day.contoso, day.wingtip))
    parts = [
        part(day.contoso, day.contoso.rooms[0], ring=ours.pk),
        part(day.wingtip, day.wingtip.rooms[0], ring=ours.pk),
    ]
    answer = person(day.ann).post("api-all-rooms-bulk", body={"customers": parts, "action": "ring"})
    assert [items[0][1:] for _, items in outcomes(answer)] == [("done", ""), ("refused", "unknown_ring")]
    assert theirs.rooms.count() == 0


def test_what_waits_says_so_and_carries_the_header(day):
    ask_first(day.second, Permission.ROOMS_MODIFY)
    caller = person(day.ann)
    caller.headers = {"Change-Justification": "New devices."}
    parts = [part(one, one.rooms[0]) for one in (day.contoso, day.wingtip)]
    answer = caller.post("api-all-rooms-bulk", body={"customers": parts, "action": "enroll"})
    assert [items[0][1] for _, items in outcomes(answer)] == ["done", "waiting"]
    assert ApprovalRequest.objects.get().justification == "New devices."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"action": "enroll"}, ("/customers", "required")),
        ({"customers": [], "action": "enroll"}, ("/customers", "min_length")),
        ({"customers": [("rooms", 1), ("rooms", 2)], "action": "enroll"}, ("/customers", "repeated")),
        ({"customers": [("rooms", *range(1, 202))], "action": "enroll"}, ("/customers/0/rooms", "max_length")),
        ({"customers": [("rooms", 1)], "action": "group"}, ("/action", "invalid_choice")),
        ({"customers": [("rooms", 1)], "action": "write"}, ("/action", "invalid_choice")),
        ({"customers": [("rooms", 1)], "action": "ring"}, ("/customers", "ring")),
        ({"customers": [("rooms", 1)], "action": "edit"}, ("/changes", "empty")),
        ({"customers": [("rooms", 1)], "action": "enroll", "reason": "x"}, ("/reason", "unknown_field")),
        ({"customers": [("tickets", 1)], "action": "enroll"}, ("/customers/0/tickets", "unknown_field")),
    ],
)
def test_what_is_no_change_of_rooms_is_refused_as_a_whole(day, body, expected):
    contoso = str(day.contoso.tenant.pk)
    if "customers" in body:
        body = body | {"customers": [{"customer": contoso, name: ids} for name, *ids in body["customers"]]}
    answer = person(day.ann).post("api-all-rooms-bulk", body=body)
    assert answer.status_code == 400
    assert expected in wrong(answer)
    assert not Room.objects.exclude(state="onboarding").exists()


def test_no_more_than_200_in_all(day):
    parts = [
        {"customer": str(one.tenant.pk), "rooms": list(range(1, count + 1))}
        for one, count in ((day.contoso, 150), (day.wingtip, 51))
    ]
    answer = person(day.ann).post("api-all-rooms-bulk", body={"customers": parts, "action": "enroll"})
    assert wrong(answer) == [("/customers", "max_length")]


def test_tickets_are_changed_customer_by_customer(day):
    made = day.tickets()
    parts = [
        {"customer": str(day.contoso.tenant.pk), "tickets": [made["Contoso room 0"], made["Contoso room 2"]]},
        {"customer": str(day.wingtip.tenant.pk), "tickets": [made["Wingtip room 0"]]},
    ]
    caller = person(day.ann)

    def post(**said):
        answer = caller.post("api-all-tickets-bulk", body={"customers": parts, **said})
        return [outcome for _, items in outcomes(answer) for _, outcome, _ in items]

    assert post(action="write", text="On our way.") == ["done", "refused", "done"]
    assert TicketEntry.objects.filter(text="On our way.").count() == 2
    assert post(action="assign_to_me") == ["done", "refused", "done"]
    assert post(action="assign_to_me") == ["unchanged", "refused", "unchanged"]
    assert post(action="state", state="resolved") == ["done", "refused", "done"]
    assert post(action="close", closing_reason="fixed", note="New cable.") == ["done", "refused", "done"]
    assert post(action="close", closing_reason="fixed") == ["unchanged", "refused", "unchanged"]
    assert Ticket.objects.filter(state="closed", assigned_to=day.ann).count() == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"action": "state"}, ("/state", "required")),
        ({"action": "state", "state": "closed"}, ("/state", "invalid_choice")),
        ({"action": "write"}, ("/text", "required")),
        ({"action": "close"}, ("/closing_reason", "required")),
        ({"action": "assign_to_me", "text": "x"}, ("/text", "unknown_field")),
        ({"action": "edit"}, ("/action", "invalid_choice")),
    ],
)
def test_what_is_no_change_of_tickets_is_refused_as_a_whole(day, said, expected):
    parts = [{"customer": str(day.contoso.tenant.pk), "tickets": [1]}]
    answer = person(day.ann).post("api-all-tickets-bulk", body={"customers": parts, **said})
    assert expected in wrong(answer)


def test_gates_and_tools(day):
    body = {"customers": [part(day.contoso, day.contoso.rooms[0]), part(day.wingtip, day.wingtip.rooms[0])]}
    body["action"] = "enroll"
    assert code(person(day.contoso.admin).post("api-all-rooms-bulk", body=body)) == (404, "not_found")
    assert code(person(day.ben).post("api-all-rooms-bulk", body=body)) == (403, "permission_denied")
    program = tool(token(day.ours, day.ann, Permission.ROOMS_MODIFY))
    answer = program.post("api-all-rooms-bulk", body=body)
    assert [items[0][1:] for _, items in outcomes(answer)] == [("done", ""), ("refused", "not_found")]
    assert code(program.post("api-all-tickets-bulk", body={"customers": [], "action": "write"})) == (
        403,
        "permission_denied",
    )
