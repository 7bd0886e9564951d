"""What becomes an event, and who hears of it: written with the change, undone with it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.events import About, Event, EventType, tell
from audit.log import recording, rehearsal
from partners.models import Invitation
from partners.services import invitations, relationships, webhooks
from partners.services.webhooks import Owner
from partners.webhooks import WebhookDelivery
from rbac.catalogue import Permission
from rbac.errors import WrongState
from rbac.services import delegations
from rooms import change_control, scopes
from rooms.models import ClosingReason
from rooms.scopes import Scope
from rooms.services import approvals, groups, monitoring, system_tickets, telemetry, tickets
from rooms.services.telemetry import Report
from tests.factories.devices import bad, enroll, well
from tests.factories.world import ask_first, asked, contact, invite, room_group, waiting
from tests.partners.test_webhooks import ALL, URL, Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


def heard(webhook, since: int = 0) -> list[tuple[str, str]]:
    """Event and kind of object, of everything that waits for `webhook`."""
    rows = WebhookDelivery.objects.filter(webhook=webhook, pk__gt=since).order_by("pk")
    return [(one.type, one.about) for one in rows]


def types(webhook) -> list[str]:
    return [name for name, _ in heard(webhook)]


def test_invitations(scene):
    own, theirs = scene.make(), scene.make(by=scene.ann)
    ben, cora, dan, eve = (
        invitations.invite(scene.relationship, [contact(f"{name}@fabrikam.example")], by=scene.admin)[0]
        for name in ("ben", "cora", "dan", "eve")
    )
    invitations.resend(ben, by=scene.admin)
    invitations.accept(ben, by=scene.world.fabrikam.person("ben"))
    invitations.deny(cora, by=scene.world.fabrikam.person("cora"))
    invitations.revoke(dan, by=scene.admin)
    Invitation.objects.filter(pk=eve.pk).update(created_at="2020-01-01T00:00Z", expires_at="2020-01-02T00:00Z")
    invitations.expire_due(Invitation.objects.all())

    expected = ["sent"] * 4 + ["resent", "accepted", "denied", "revoked", "expired"]
    assert types(own) == [f"invitation.{name}" for name in expected]
    assert heard(theirs) == heard(own)
    last = WebhookDelivery.objects.filter(webhook=own).latest("pk")
    assert (last.about, last.object_id, last.relationship_id) == (
        "invitation",
        str(eve.pk),
        scene.relationship.delegation_id,
    )


def test_relationships(scene):
    own, theirs = scene.make(), scene.make(by=scene.ann)
    _, [sent] = invite(scene.contoso, "zoe@litware.example")
    invitations.revoke(sent, by=scene.admin)
    relationships.suspend(scene.relationship, by=scene.admin)
    relationships.resume(scene.relationship, by=scene.admin)
    relationships.remove(scene.relationship, by=scene.admin)

    mine = [name for name in types(own) if name.startswith("relationship.")]
    assert mine == [
        "relationship.lapsed",
        "relationship.suspended",
        "relationship.resumed",
        "relationship.ended",
    ]
    assert types(theirs) == ["relationship.suspended", "relationship.resumed"]  # what ended it ended the webhook


def test_the_first_acceptance_links(scene):
    own = scene.make(EventType.RELATIONSHIP_LINKED)
    relationship, [sent] = invite(scene.contoso, "zoe@tailwind.example")
    invitations.accept(sent, by=scene.world.tailwind.person("zoe"))
    assert heard(own) == [("relationship.linked", "relationship")]
    assert WebhookDelivery.objects.get().relationship_id == relationship.delegation_id


def test_scopes_also_when_a_group_changes(scene):
    own, theirs = scene.make(), scene.make(by=scene.ann)
    base = delegations.base_assignment(scene.relationship.delegation)
    group = room_group(scene.contoso.tenant, "Berlin", scene.contoso.rooms[0])
    scopes.change(base, Scope(groups=frozenset({group.pk})), by=scene.admin)
    scopes.change(base, Scope(groups=frozenset({group.pk})), by=scene.admin)  # nothing is other than it was
    groups.change_rooms(group, by=scene.admin, add={scene.contoso.rooms[1].pk})
    assert heard(own) == heard(theirs) == [("scope.changed", "assignment")] * 2


def test_tickets_by_people(scene):
    own, theirs, rivals = scene.make(), scene.make(by=scene.ann), _rivals(scene)
    german, american = scene.contoso.rooms[0], scene.contoso.rooms[2]
    ticket = tickets.report(scene.contoso.tenant, by=scene.admin, title="No picture", rooms=[german.pk])
    tickets.write(ticket, by=scene.ann, text="Any news?")
    tickets.change_state(ticket, by=scene.ann, state="investigating")
    tickets.assign(ticket, by=scene.admin, person=scene.ann.pk)
    tickets.close(ticket, by=scene.ann, reason=ClosingReason.FIXED)
    tickets.change_state(ticket, by=scene.ann, state="needs_action")
    tickets.report(scene.contoso.tenant, by=scene.admin, title="No sound", rooms=[american.pk])
    tickets.report(scene.contoso.tenant, by=scene.admin, title="No light", rooms=[german.pk, american.pk])

    life = ["ticket.opened", *["ticket.updated"] * 3, "ticket.closed", "ticket.reopened"]
    assert types(own) == [*life, "ticket.opened", "ticket.opened"]
    assert types(theirs) == [*life, "ticket.opened"]  # a ticket with one of its rooms is the partner's business too
    assert types(rivals) == ["ticket.opened", "ticket.opened"]
    assert set(WebhookDelivery.objects.filter(webhook=own).values_list("relationship_id", flat=True)) == {None}


def _rivals(scene):
    owner = Owner(scene.contoso.tenant, scene.rivals.delegation_id)
    return webhooks.create(owner, URL, by=scene.nils, events=ALL)[0]


def test_system_tickets_in_sets(scene):
    german, american = scene.contoso.rooms[0], scene.contoso.rooms[2]
    own, theirs = scene.make(), scene.make(by=scene.ann)
    devices = {room: enroll(scene.contoso, room)[0] for room in (german, american)}
    for room in devices:
        monitoring.enroll(room, by=scene.admin)
    for report in ([bad("camera"), bad("microphone")], [well("camera"), bad("microphone")], [bad("camera")]):
        for device in devices.values():
            telemetry.record(device, Report(report, "5.0.0", "11"))

    per_room = ["ticket.opened", "ticket.opened", "ticket.closed", "ticket.reopened"]
    assert sorted(types(own)) == sorted(per_room * 2)
    assert types(theirs) == per_room
    with recording("Room", "Update", "rooms", tenant=scene.contoso.tenant, by=None):
        system_tickets.close_for([german.pk, american.pk], ClosingReason.UNENROLLED)
    assert types(own)[-2:] == ["ticket.closed"] * 2


def test_approvals(scene):
    own, theirs = scene.make(), scene.make(by=scene.ann)
    room = scene.contoso.rooms[0]
    ask_first(scene.relationship, Permission.ROOMS_MODIFY)

    def ask(capacity: int):
        wanted = {"capacity": capacity}
        return asked(lambda: change_control.submit(Permission.ROOMS_MODIFY, room, by=scene.ann, changes=wanted))

    change_control.approve(ask(5), by=scene.admin)
    room.refresh_from_db()
    stale, other = ask(6), ask(7)
    change_control.approve(other, by=scene.admin)
    change_control.approve(stale, by=scene.admin)
    room.refresh_from_db()
    approvals.reject(ask(8), by=scene.admin, comment="No")
    approvals.withdraw(ask(9), by=scene.ann)
    left = ask(10)
    relationships.remove(scene.relationship, by=scene.admin)

    found = [name.removeprefix("approval.") for name in types(own) if name.startswith("approval.")]
    assert found == [
        *("requested", "executed"),
        *("requested", "requested", "executed", "failed"),
        *("requested", "rejected", "requested", "withdrawn"),
        *("requested", "cancelled"),
    ]
    assert [name for name in types(theirs) if name.startswith("approval.")] == [f"approval.{one}" for one in found]
    assert WebhookDelivery.objects.filter(object_id=str(left.pk), webhook=own).count() == 2


def test_an_expired_request_is_told(scene, clock):
    own = scene.make(EventType.APPROVAL_EXPIRED)
    waiting(scene.relationship, scene.contoso.rooms[0], scene.ann)
    clock.move(timedelta(days=8))
    assert approvals.expire_due() == 1
    assert types(own) == ["approval.expired"]


def test_only_chosen_events_are_kept_and_nothing_while_it_is_off(scene):
    opened = scene.make(EventType.TICKET_OPENED)
    off = scene.make()
    webhooks.turn_off(off, by=scene.admin)
    ticket = tickets.report(scene.contoso.tenant, by=scene.admin, title="No picture", rooms=[scene.contoso.rooms[0].pk])
    tickets.write(ticket, by=scene.admin, text="Hello?")
    assert types(opened) == ["ticket.opened"]
    assert types(off) == []


def test_what_is_undone_leaves_nothing(scene):
    scene.make()

    def report():
        tickets.report(scene.contoso.tenant, by=scene.admin, title="No picture", rooms=[scene.contoso.rooms[0].pk])

    with recording("Ticket", "Create", "rehearsed", tenant=scene.contoso.tenant, by=scene.admin), rehearsal():
        report()
    assert not WebhookDelivery.objects.exists()
    with pytest.raises(WrongState):
        _report_and_fail(scene, report)
    assert not WebhookDelivery.objects.exists()


def _report_and_fail(scene, report):
    with recording("Ticket", "Create", "x", tenant=scene.contoso.tenant, by=scene.admin):
        report()
        raise WrongState


def test_another_customers_webhooks_hear_nothing(scene):
    tailwind = scene.world.tailwind
    foreign, _ = webhooks.create(Owner(tailwind.tenant, None), URL, by=tailwind.admin, events=ALL)
    tickets.report(scene.contoso.tenant, by=scene.admin, title="No picture", rooms=[scene.contoso.rooms[0].pk])
    assert types(foreign) == []


def test_nobody_listening_costs_one_query(scene):
    event = Event(EventType.TICKET_OPENED, scene.contoso.tenant.pk, About.TICKET, 1)
    with recording("Ticket", "Create", "x", tenant=scene.contoso.tenant, by=scene.admin):
        with CaptureQueriesContext(connection) as queries:
            tell(*[event] * 50)
        assert len(queries) == 1
    with pytest.raises(RuntimeError):
        tell(event)


def test_a_set_of_events_is_written_as_a_set(scene):
    scene.make()
    scene.make(by=scene.ann)
    made = [
        tickets.report(scene.contoso.tenant, by=scene.admin, title="No picture", rooms=[scene.contoso.rooms[0].pk])
        for _ in range(3)
    ]
    counts = []
    for number in (1, 3):
        events = [Event(EventType.TICKET_UPDATED, one.tenant_id, About.TICKET, one.pk) for one in made[:number]]
        with (
            recording("Ticket", "Update", "x", tenant=scene.contoso.tenant, by=scene.admin),
            CaptureQueriesContext(connection) as queries,
        ):
            tell(*events)
        counts.append(len(queries))
    assert counts == [4, 4]  # who listens, which tickets are the partner's, the moment, one insert
