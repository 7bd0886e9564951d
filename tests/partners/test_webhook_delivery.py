"""Deliveries: signed, in order, repeated with the same id, put off, given up; to a receiver that is really there."""

import time
from datetime import timedelta

import pytest

from audit.delivery import ATTEMPTS
from audit.events import EventType
from audit.models import AuditEvent, OutboxMessage
from audit.tasks import deliver_outbox
from partners import signatures
from partners.models import PartnerRelationship
from partners.services import invitations, relationships, webhook_delivery, webhook_log, webhooks
from partners.webhooks import DeliveryState, Webhook, WebhookDelivery
from rooms.services import tickets
from tests.factories.world import contact, waiting
from tests.foundation.receiver import Received, Receiver, raw_hang
from tests.partners.test_webhooks import ALL, Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(receiver: Receiver) -> Scene:
    return Scene()


def run() -> bool:
    """Everything that is due is tried; in this thread, which sees the test's transaction."""
    return webhook_delivery.serve(time.monotonic() + 30)


def report(scene: Scene, room: int = 0):
    return tickets.report(
        scene.contoso.tenant, by=scene.admin, title="No picture", rooms=[scene.contoso.rooms[room].pk]
    )


def states(webhook: Webhook) -> list[tuple[str, str, int, int, str]]:
    rows = WebhookDelivery.objects.filter(webhook=webhook).order_by("pk")
    return [(one.type, one.state, one.attempts, one.status, one.error) for one in rows]


def test_the_signature_is_the_standards_own():
    """The example of standardwebhooks.com."""
    signature = signatures.signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_delivery_is_thin_and_signed(scene, receiver):
    webhook, secret = webhooks.create(scene.partners, receiver.url, by=scene.ann, events=ALL)
    ticket = report(scene)
    assert run()

    [one] = receiver.received
    delivery = WebhookDelivery.objects.get()
    tenant, relationship = scene.contoso.tenant.pk, PartnerRelationship.objects.get(pk=scene.relationship.pk)
    assert one.said == {
        "id": str(delivery.event_id),
        "type": "ticket.opened",
        "created_at": delivery.created_at.isoformat().replace("+00:00", "Z"),
        "customer": {"id": str(tenant)},
        "relationship": str(relationship.pk),
        "object": {
            "type": "ticket",
            "id": ticket.pk,
            "url": f"http://testserver/api/v1/customers/{tenant}/tickets/{ticket.pk}/",
        },
        "sequence": delivery.pk,
    }
    moment = int(one.headers["webhook-timestamp"])
    assert abs(moment - time.time()) < 60
    assert one.headers["webhook-id"] == str(delivery.event_id)
    assert one.headers["webhook-signature"] == signatures.signature(str(delivery.event_id), moment, one.body, secret)
    assert states(webhook) == [("ticket.opened", "delivered", 1, 204, "")]


def test_both_secrets_sign_during_the_grace(scene, receiver):
    webhook, first = webhooks.create(scene.own, receiver.url, by=scene.admin, events=ALL)
    second = webhooks.rotate(webhook, by=scene.admin)
    webhooks.send_test(webhook, by=scene.admin)
    run()
    [one] = receiver.received
    id_, moment = one.headers["webhook-id"], int(one.headers["webhook-timestamp"])
    expected = [signatures.signature(id_, moment, one.body, secret) for secret in (second, first)]
    assert one.headers["webhook-signature"].split(" ") == expected


def test_every_kind_of_object_has_its_address(scene, receiver):
    """Whoever reads it may read the object there; what the API shows a partner nowhere has none."""
    scene.make(url=receiver.url)
    scene.make(by=scene.ann, url=receiver.url)
    invitations.invite(scene.relationship, [contact("ben@fabrikam.example")], by=scene.admin)
    waiting(scene.relationship, scene.contoso.rooms[0], scene.ann)
    relationships.suspend(scene.relationship, by=scene.admin)
    relationships.resume(scene.relationship, by=scene.admin)
    run()
    tenant, relationship = scene.contoso.tenant.pk, scene.relationship.pk
    base = f"http://testserver/api/v1/customers/{tenant}/"
    found = {(one.said["type"], str(one.said["object"]["url"]).replace(base, "")) for one in receiver.received}
    ids = {one.said["type"]: one.said["object"]["id"] for one in receiver.received}
    assert found == {
        ("invitation.sent", f"partners/{relationship}/invitations/{ids['invitation.sent']}/"),
        ("invitation.sent", "None"),
        ("approval.requested", f"approvals/{ids['approval.requested']}/"),
        ("relationship.suspended", f"partners/{relationship}/"),
        ("relationship.suspended", ""),
        ("relationship.resumed", f"partners/{relationship}/"),
        ("relationship.resumed", ""),
    }
    assert ids["relationship.resumed"] == str(relationship)
    assert {one.said["relationship"] for one in receiver.received} == {str(relationship)}


def test_refused_is_repeated_with_the_same_id_and_body(scene, receiver, clock):
    webhook = scene.make(url=receiver.url)
    report(scene)
    receiver.answer = 500
    run()
    run()  # nothing is due yet
    assert states(webhook) == [("ticket.opened", "waiting", 1, 500, "")]
    receiver.answer = 200
    clock.move(timedelta(minutes=1))
    run()
    assert states(webhook) == [("ticket.opened", "delivered", 2, 200, "")]
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_a_later_event_of_an_object_waits_and_others_go_on(scene, receiver, clock):
    webhook = scene.make(url=receiver.url)
    stuck, free = report(scene), report(scene)

    def answer(one: Received) -> int:
        return 503 if one.said["object"]["id"] == stuck.pk else 204

    receiver.answer = answer
    tickets.write(stuck, by=scene.admin, text="Hello?")
    tickets.write(free, by=scene.admin, text="Hello?")
    run()
    told = [(one.said["object"]["id"], one.said["type"]) for one in receiver.received]
    assert told == [(stuck.pk, "ticket.opened"), (free.pk, "ticket.opened"), (free.pk, "ticket.updated")]
    receiver.answer, receiver.received[:] = 204, []
    clock.move(timedelta(minutes=1))
    run()
    assert [one.said["type"] for one in receiver.received] == ["ticket.opened", "ticket.updated"]
    assert {state for _, state, *_ in states(webhook)} == {"delivered"}


def test_who_does_not_answer_is_left_in_peace(scene, receiver, clock):
    webhook, other = scene.make(url=receiver.url), scene.make(by=scene.ann, url="https://127.0.0.1:1/")
    for _ in range(3):
        report(scene)
    receiver.stop()
    run()
    assert [attempts for _, _, attempts, _, _ in states(webhook)] == [1, 0, 0]
    assert states(webhook)[0][-1] == "connection_refused"
    assert [attempts for _, _, attempts, _, _ in states(other)] == [1, 0, 0]
    receiver.start()
    clock.move(timedelta(minutes=1))
    run()
    assert {state for _, state, *_ in states(webhook)} == {"delivered"}
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.rests_until) == (0, None, None)


def test_after_the_last_attempt_it_is_undeliverable_and_the_next_goes_on(scene, receiver):
    webhook = scene.make(url=receiver.url)
    ticket = report(scene)
    tickets.write(ticket, by=scene.admin, text="Hello?")
    WebhookDelivery.objects.filter(type="ticket.opened").update(attempts=ATTEMPTS - 1)
    receiver.answer = 500
    run()
    assert [(name, state) for name, state, *_ in states(webhook)] == [
        ("ticket.opened", "undeliverable"),
        ("ticket.updated", "waiting"),
    ]


def test_days_of_failures_turn_it_off_and_its_people_are_told(scene, receiver, clock, smtp_sink):
    theirs = scene.make(by=scene.ann, url=receiver.url)
    report(scene)
    receiver.answer = 500
    run()
    clock.move(timedelta(days=4))
    run()
    theirs.refresh_from_db()
    assert (theirs.is_active, theirs.off_reason) == (False, "failing")
    line = AuditEvent.objects.filter(category="Settings").latest("pk")
    assert (line.user_id, line.after) == ("system", {"on": False, "reason": "failing"})
    assert states(theirs)[0][1] == "waiting"

    OutboxMessage.objects.exclude(kind="partners.webhook_off").delete()
    deliver_outbox()
    assert smtp_sink.recipients == [["ann@fabrikam.example"]]
    assert "127.0.0.1" in smtp_sink.messages[0]["Subject"]
    receiver.answer = 200
    webhooks.turn_on(theirs, by=scene.ann)
    clock.move(timedelta(hours=5))
    run()
    assert states(theirs)[0][1] == "delivered"


def test_gone_turns_it_off_at_once_and_the_customers_admins_are_told(scene, receiver, smtp_sink):
    own = scene.make(url=receiver.url)
    report(scene)
    receiver.answer = 410
    run()
    own.refresh_from_db()
    assert (own.is_active, own.off_reason) == (False, "gone")
    OutboxMessage.objects.exclude(kind="partners.webhook_off").delete()
    deliver_outbox()
    assert smtp_sink.recipients == [["admin@contoso.example"]]


def test_suspended_partners_get_it_once_they_are_resumed(scene, receiver):
    theirs = scene.make(by=scene.ann, url=receiver.url)
    relationships.suspend(scene.relationship, by=scene.admin)
    report(scene)
    run()
    assert receiver.received == []
    relationships.resume(scene.relationship, by=scene.admin)
    run()
    assert receiver.types == ["relationship.suspended", "ticket.opened", "relationship.resumed"]
    assert len(states(theirs)) == 3


def test_removed_partners_get_nothing_any_more(scene, receiver):
    theirs = scene.make(by=scene.ann, url=receiver.url)
    report(scene)
    relationships.remove(scene.relationship, by=scene.admin)
    run()
    assert receiver.received == []
    assert {state for _, state, *_ in states(theirs)} == {"cancelled"}


def test_what_is_cancelled_while_it_is_sent_stays_cancelled(scene, receiver):
    own = scene.make(url=receiver.url)
    report(scene)
    delivery = WebhookDelivery.objects.select_related("webhook__tenant").get()
    answer = webhook_delivery._sent(delivery)
    webhooks.delete(own, by=scene.admin)
    webhook_delivery._settle(delivery, answer)
    assert states(own) == [("ticket.opened", "cancelled", 0, 0, "")]


def test_redelivery_sends_the_same_event_again(scene, receiver):
    webhook = scene.make(url=receiver.url)
    report(scene)
    run()
    webhooks.redeliver(WebhookDelivery.objects.get(), by=scene.admin)
    run()
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert states(webhook) == [("ticket.opened", "delivered", 1, 204, "")]


def test_a_dead_workers_webhook_is_free_after_a_minute(scene, receiver, clock):
    scene.make(url=receiver.url)
    report(scene)
    assert webhook_delivery._claim() is not None  # and dies
    run()
    assert receiver.received == []
    clock.move(timedelta(seconds=61))
    run()
    assert receiver.types == ["ticket.opened"]


def test_a_secret_that_cannot_be_read_is_our_fault_and_waits(scene, receiver, settings):
    webhook = scene.make(url=receiver.url)
    report(scene)
    settings.ENROLLMENT_KEY_SECRETS = ["another one"]
    run()
    assert states(webhook) == [("ticket.opened", "waiting", 1, 0, "portal_failed")]
    assert receiver.received == []


def test_old_events_and_ended_webhooks_are_forgotten(scene, receiver, clock):
    kept, gone = scene.make(url=receiver.url), scene.make(url=receiver.url)
    report(scene)
    webhooks.delete(gone, by=scene.admin)
    clock.move(timedelta(hours=2))
    report(scene)
    assert webhook_log.forget() == 1
    assert list(Webhook.objects.all()) == [kept]
    clock.move(timedelta(days=30, hours=-1))
    assert webhook_log.forget() == 1
    assert [name for name, *_ in states(kept)] == ["ticket.opened"]


def test_the_address_is_judged_again_when_it_is_used(scene, receiver, settings):
    webhook = scene.make(url=receiver.url)
    report(scene)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    run()
    assert receiver.received == []
    assert states(webhook) == [("ticket.opened", "waiting", 1, 0, "not_public")]


def test_who_hangs_costs_one_attempt(scene, receiver, monkeypatch):
    monkeypatch.setattr("partners.posting.SECONDS", 0.5)
    webhook = scene.make(url=receiver.url)
    for _ in range(3):
        report(scene)
    receiver.answer = raw_hang
    begun = time.monotonic()
    run()
    assert time.monotonic() - begun < 5
    assert [attempts for _, _, attempts, _, _ in states(webhook)] == [1, 0, 0]
    assert [one.state for one in WebhookDelivery.objects.all()] == [DeliveryState.WAITING] * 3
    assert EventType.TICKET_OPENED.value == states(webhook)[0][0]
