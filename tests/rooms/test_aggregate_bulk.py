"""Rooms and tickets of several customers changed at once: each customer for itself, a result for each."""

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from partners.services import relationships
from rbac.catalogue import Permission
from rooms import schedule
from rooms.models import ApprovalRequest, BulkChange, Room, RoomState, Ticket, TicketEntry, UpdateRing, WorkState
from rooms.services import bulk_changes
from tests.factories.browsing import browser, links, text, told
from tests.factories.evidence import mark
from tests.factories.world import ask_first, ticket
from tests.rooms.aggregates import Day

pytestmark = pytest.mark.django_db


@pytest.fixture
def day():
    return Day()


def choose(client, about="rooms", query="", **said):
    return client.post(reverse(f"all_{about}_bulk") + query, said, follow=True)


def url(name="all_change", query=""):
    [batch] = BulkChange.objects.values_list("batch", flat=True).distinct()
    return reverse(name, args=[batch]) + query


def describe(client, action, **said):
    return client.post(url(query=f"?action={action}"), said, follow=True)


def confirm(client, **said):
    return client.post(url("all_change_confirm"), said, follow=True)


def fates(client):
    """Customer, name and outcome of each line of the file."""
    file = b"".join(client.get(url("all_change_download")).streaming_content).decode()
    return [(line.split(",")[0], line.split(",")[2], line.split(",")[3]) for line in file.splitlines()[1:]]


# --- Rooms -------------------------------------------------------------------------------------------------------------
def test_from_the_list_to_the_result_of_each_customer(day):
    client = browser(day.ann)
    picked = [room.pk for room in (*day.contoso.german, day.wingtip.rooms[0])]
    page = choose(client, pick=[*picked, day.contoso.rooms[2].pk, day.tailwind.rooms[0].pk, 10**9])
    assert "3 rooms chosen." in text(page)
    assert {link for link in links(page) if link.startswith("?action=")} == {
        f"?action={name}" for name in ("edit", "enroll", "suppress", "unsuppress", "ring")
    }
    review = describe(client, "edit", campus="North", add_tags="video")
    for part in (
        "Nothing has been written yet",
        "Campus",
        "North",
        "Contoso",
        "Wingtip",
        "Wingtip room 0",
        "Change 3 rooms",
    ):
        assert part in text(review)
    assert "approves such changes first" not in text(review)
    assert not Room.objects.filter(campus="North").exists()

    evidence = mark()
    result = confirm(client)
    assert "3 done, 0 unchanged, 0 waiting for approval, 0 refused." in text(result)
    assert sorted(Room.objects.filter(campus="North").values_list("pk", flat=True)) == sorted(picked)
    assert evidence.lines == [
        f"Contoso: Room/Update Contoso room 0 Successful {day.ann.upn}",
        f"Contoso: Room/Update Contoso room 1 Successful {day.ann.upn}",
        f"Wingtip: Room/Update Wingtip room 0 Successful {day.ann.upn}",
    ]
    assert fates(client) == [
        ("Contoso", "Contoso room 0", "Done"),
        ("Contoso", "Contoso room 1", "Done"),
        ("Wingtip", "Wingtip room 0", "Done"),
    ]
    assert reverse("room", args=[day.wingtip.tenant.pk, day.wingtip.rooms[0].pk]) in links(result)
    assert "Nothing has this outcome." in text(client.get(url(query="?outcome=refused")))


def test_one_customer_asks_first_and_reads_why_the_other_does_not(day):
    ask_first(day.ours, Permission.ROOMS_MODIFY)
    client = browser(day.ann)
    choose(client, all_matching="1")
    review = describe(client, "enroll")
    assert "Contoso approves such changes first: nothing changes there until then." in text(review)
    result = confirm(client, justification="New devices.\x07")
    assert "3 done, 0 unchanged, 2 waiting for approval, 0 refused." in text(result)
    requests = ApprovalRequest.objects.order_by("target_name")
    assert [(one.target_name, one.justification) for one in requests] == [
        ("Contoso room 0", "New devices."),
        ("Contoso room 1", "New devices."),
    ]
    assert set(Room.objects.filter(tenant=day.contoso.tenant).values_list("state", flat=True)) == {"onboarding"}
    assert set(Room.objects.filter(tenant=day.wingtip.tenant).values_list("state", flat=True)) == {"enrolled"}


def test_each_customer_has_its_own_rings(day):
    staging = UpdateRing.objects.get(tenant=day.contoso.tenant, key="staging")
    Room.objects.filter(pk=day.contoso.rooms[1].pk).update(ring=staging)  # else it would be none that Ann sees
    client = browser(day.ann)
    choose(client, pick=[day.contoso.rooms[0].pk, day.wingtip.rooms[0].pk])
    form = client.get(url(query="?action=ring"))
    assert "Update ring of Contoso" in text(form)
    ours, theirs = (UpdateRing.objects.get(tenant=one.tenant, key="staging") for one in (day.contoso, day.wingtip))
    wrong = describe(client, "ring", **{str(day.contoso.tenant.pk): theirs.pk, str(day.wingtip.tenant.pk): ours.pk})
    assert "Select a valid choice" in text(wrong)
    review = describe(client, "ring", **{str(day.contoso.tenant.pk): ours.pk, str(day.wingtip.tenant.pk): theirs.pk})
    assert text(review).count("Update ring: Staging") == 2
    confirm(client)
    assert [
        room.ring_id
        for room in Room.objects.filter(pk__in=[day.contoso.rooms[0].pk, day.wingtip.rooms[0].pk]).order_by("pk")
    ] == [
        ours.pk,
        theirs.pk,
    ]


def test_what_is_refused_in_one_customer_stops_no_other(day):
    """Ben may change Contoso's first room and only see the second; at Wingtip he holds nothing."""
    day.role(day.ben, Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY)
    day.role(day.ben, Permission.ROOMS_VIEW, room=day.contoso.rooms[1])
    client = browser(day.ben)
    choose(client, all_matching="1")
    describe(client, "enroll")
    confirm(client)
    assert fates(client) == [("Contoso", "Contoso room 0", "Done"), ("Contoso", "Contoso room 1", "Refused")]


def test_a_customer_that_removed_the_partner_meanwhile_is_absent(day):
    client = browser(day.ann)
    choose(client, all_matching="1")
    describe(client, "enroll")
    relationships.remove(day.ours, by=day.contoso.admin)
    result = confirm(client)
    assert "Contoso" not in text(result)
    assert "3 done, 0 unchanged" in text(result)
    relationships.remove(day.second, by=day.wingtip.admin)
    assert client.get(url()).status_code == 404


def test_many_wait_for_a_worker_that_is_told_once(day, monkeypatch):
    sent = []
    monkeypatch.setattr(bulk_changes, "AT_ONCE", 4)
    monkeypatch.setattr("rooms.services.work.tell_a_worker", lambda task: sent.append(task) or True)
    client = browser(day.ann)
    choose(client, all_matching="1")
    describe(client, "enroll")
    assert "Change in progress" in text(confirm(client))
    assert sent == [bulk_changes.TASK]
    schedule.carry_out_bulk_changes()
    assert "5 done" in text(client.get(url()))
    # Pressed again in a stale tab: nothing is done twice.
    assert "5 done" in text(confirm(client))


def test_a_failure_in_one_customer_is_tried_again_there_alone(day, monkeypatch):
    client = browser(day.ann)
    choose(client, all_matching="1")
    describe(client, "enroll")
    real = bulk_changes.bulk.each

    def breaks(tenant, *args, **options):
        if tenant == day.wingtip.tenant:
            raise ZeroDivisionError
        return real(tenant, *args, **options)

    monkeypatch.setattr(bulk_changes.bulk, "each", breaks)
    assert "Something went wrong on our side." in text(confirm(client))
    monkeypatch.setattr(bulk_changes.bulk, "each", real)
    assert "5 done, 0 unchanged" in text(confirm(client))


def test_a_choice_can_be_forgotten_and_a_new_one_forgets_the_last(day):
    client = browser(day.ann)
    choose(client, all_matching="1")
    first = url()
    choose(client, query="?customer=" + str(day.wingtip.tenant.pk), all_matching="1")
    assert client.get(first).status_code == 404
    assert BulkChange.objects.get().tenant == day.wingtip.tenant
    answer = client.post(url("all_change_discard"))
    assert (answer.url, BulkChange.objects.count()) == ("/all/rooms/", 0)


def test_none_and_too_many_are_told(day, monkeypatch):
    client = browser(day.ann)
    assert told(choose(client)) == ["Tick the rooms first."]
    assert told(choose(client, "tickets")) == ["Tick the tickets first."]
    monkeypatch.setattr("rooms.services.bulk.MOST_ROOMS", 2)
    assert "more than 2." in told(choose(client, all_matching="1"))[0]
    assert not BulkChange.objects.exists()


def test_a_batch_is_its_persons_own_and_no_change_of_one_customer(day):
    client = browser(day.ann)
    choose(client, all_matching="1")
    change = BulkChange.objects.get(tenant=day.contoso.tenant)
    assert client.get(reverse("rooms_bulk_change", args=[day.contoso.tenant.pk, change.pk])).status_code == 404
    day.role(day.ben, Permission.ROOMS_MODIFY)
    for name in ("all_change", "all_change_download"):
        people = (day.ben, day.contoso.admin, day.world.northwind.person("owner"))
        assert [browser(one).get(url(name)).status_code for one in people] == [404, 404, 404]
    for name in ("all_change_confirm", "all_change_discard"):
        assert browser(day.ben).post(url(name)).status_code == 404
        assert client.get(url(name)).status_code == 405


def test_who_may_change_nothing_anywhere_is_refused(day):
    for about in ("rooms", "tickets"):
        name = reverse(f"all_{about}_bulk")
        assert [browser(one).post(name).status_code for one in (day.ben, day.contoso.admin)] == [403, 404]
    assert AuditEvent.objects.filter(tenant_id__isnull=True, result="Failed").count() in (0, 2)
    assert "data-bulk" not in browser(day.ben).get("/all/rooms/").content.decode()


@pytest.mark.parametrize("query", ["?action=nonsense", "?action=group", "?action=write", "?action=edit'"])
def test_an_action_that_is_none_is_a_bad_request(day, query):
    client = browser(day.ann)
    choose(client, all_matching="1")
    assert client.get(url(query=query)).status_code == 400


def test_a_change_under_way_cannot_be_forgotten(day):
    client = browser(day.ann)
    choose(client, all_matching="1")
    BulkChange.objects.update(action="enroll")
    BulkChange.objects.filter(tenant=day.wingtip.tenant).update(state=WorkState.RUNNING, done=1)
    assert "1 of 5 rooms" in text(client.get(url()))
    assert client.post(url("all_change_discard")).status_code == 409
    assert BulkChange.objects.count() == 2


# --- Tickets -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def tickets(day):
    return day.tickets()


def test_a_message_goes_into_each_ticket_once(day, tickets):
    client = browser(day.ann)
    page = choose(client, "tickets", all_matching="1")
    assert "3 tickets chosen." in text(page)
    review = describe(client, "write", text="We are\r\non our way.")
    assert "We are on our way." in text(review)
    assert f"#{tickets['Contoso room 0']} Contoso room 0 hums" in text(review)
    result = confirm(client)
    assert "3 done" in text(result)
    said = TicketEntry.objects.filter(kind="message").order_by("ticket")
    assert [(one.ticket_id, one.text) for one in said] == [
        (tickets[name], "We are\non our way.") for name in ("Contoso room 0", "Wingtip room 0", "Wingtip room 2")
    ]
    assert reverse("ticket", args=[day.contoso.tenant.pk, tickets["Contoso room 0"]]) in links(result)
    # A run that took over from a dead one says nothing twice.
    BulkChange.objects.filter(tenant=day.wingtip.tenant).update(state=WorkState.QUEUED)
    schedule.carry_out_bulk_changes()
    assert TicketEntry.objects.filter(kind="message").count() == 3
    assert [outcome for *_, outcome in fates(client)] == ["Done", "Unchanged", "Unchanged"]


def test_tickets_are_taken_over_and_change_their_state(day, tickets):
    client = browser(day.ann)
    mixed = ticket(*day.contoso.rooms, title="All hum")  # one of its rooms is out of Ann's scope
    choose(client, "tickets", pick=[*tickets.values(), mixed.pk])
    describe(client, "assign_to_me")
    confirm(client)
    assert sorted(fates(client)) == [
        ("Contoso", "All hum", "Refused"),
        ("Contoso", "Contoso room 0 hums", "Done"),
        ("Wingtip", "Wingtip room 0 hums", "Done"),
        ("Wingtip", "Wingtip room 2 hums", "Done"),
    ]
    assert Ticket.objects.filter(assigned_to=day.ann).count() == 3
    BulkChange.objects.all().delete()

    choose(client, "tickets", query="?assigned=me", all_matching="1")
    describe(client, "state", state="investigating")
    confirm(client)
    assert Ticket.objects.filter(state="investigating").count() == 3
    BulkChange.objects.all().delete()

    choose(client, "tickets", query="?assigned=me", all_matching="1")
    assert "This field is required" in text(describe(client, "close"))
    describe(client, "close", reason="fixed", note="New cable.")
    confirm(client)
    assert Ticket.objects.filter(state="closed", closing_note="New cable.").count() == 3


def test_tickets_wait_where_the_customer_asks_first(day, tickets):
    ask_first(day.second, Permission.TICKETS_UPDATE)
    client = browser(day.ann)
    choose(client, "tickets", all_matching="1")
    assert "Wingtip approves such changes first" in text(describe(client, "state", state="resolved"))
    confirm(client, justification="Fixed on site.")
    assert [outcome for *_, outcome in fates(client)] == ["Done", "Waits for approval", "Waits for approval"]
    assert set(ApprovalRequest.objects.values_list("justification", flat=True)) == {"Fixed on site."}


@pytest.mark.parametrize("customers", [2, 4])
def test_a_review_asks_as_often_for_many_customers(day, django_assert_num_queries, customers):
    for number in range(customers - 2):
        day.another(f"Customer{number}")
    client = browser(day.ann)
    choose(client, all_matching="1")
    describe(client, "enroll")
    with django_assert_num_queries(8):
        client.get(url())
    confirm(client)
    with django_assert_num_queries(6):
        client.get(url())


# --- One customer --------------------------------------------------------------------------------------------------------
def test_within_one_customer_the_reason_is_carried_along_too(day):
    ask_first(day.ours, Permission.ROOMS_MODIFY)
    client, here = browser(day.ann), day.contoso.tenant.pk
    client.post(reverse("rooms_bulk", args=[here]), {"all_matching": "1"})
    change = BulkChange.objects.get()
    address = reverse("rooms_bulk_change", args=[here, change.pk])
    review = client.post(address + "?action=enroll", follow=True)
    assert "Contoso approves such changes first" in text(review)
    client.post(reverse("rooms_bulk_confirm", args=[here, change.pk]), {"justification": "New devices."})
    assert {one.justification for one in ApprovalRequest.objects.all()} == {"New devices."}
    assert RoomState.ENROLLED not in set(Room.objects.values_list("state", flat=True))


def test_the_customers_own_people_are_asked_for_no_reason(day):
    client, here = browser(day.contoso.admin), day.contoso.tenant.pk
    client.post(reverse("rooms_bulk", args=[here]), {"all_matching": "1"})
    address = reverse("rooms_bulk_change", args=[here, BulkChange.objects.get().pk])
    assert "id_justification" not in client.post(address + "?action=enroll", follow=True).content.decode()
