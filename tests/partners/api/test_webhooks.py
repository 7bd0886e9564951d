"""Webhooks over the API: what is answered, what people may and tools may not, what is on record."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.services import webhooks
from partners.webhooks import DeliveryState, Webhook, WebhookDelivery
from rbac.catalogue import CEILING, Permission
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.evidence import leaves
from tests.partners.test_webhooks import URL, Scene

pytestmark = pytest.mark.django_db

BODY = {"url": URL, "events": ["ticket.opened", "scope.changed"], "description": "Desk"}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def made(scene, by=None) -> Webhook:
    return scene.make(by=by or scene.ann)


def test_create_answers_the_secret_and_where_it_is(scene):
    tenant = scene.contoso.tenant.pk
    with leaves("Contoso: Settings/Create Desk Successful ann@fabrikam.example"):
        answer = person(scene.ann).post("api-webhooks", tenant, body=BODY)

    webhook, said = Webhook.objects.get(), answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert answer.headers["Location"] == f"http://testserver/api/v1/customers/{tenant}/webhooks/{webhook.pk}/"
    assert [said.pop("secret")] == webhooks.secrets_of(webhook)
    assert {name: said[name] for name in ("id", "url", "events", "description", "on", "off_reason", "version")} == {
        "id": str(webhook.pk),
        "url": URL,
        "events": ["scope.changed", "ticket.opened"],
        "description": "Desk",
        "on": True,
        "off_reason": None,
        "version": 1,
    }
    found = person(scene.ann).get("api-webhook", tenant, webhook.pk)
    assert found.json() == said
    assert person(scene.ann).get("api-webhooks", tenant).json()["items"] == [said]
    assert person(scene.admin).get("api-webhooks", tenant).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({}, 400, "invalid"),
        ({"url": URL, "events": []}, 400, "invalid"),
        ({"url": URL, "events": ["ticket.eaten"]}, 400, "invalid"),
        ({"url": URL, "events": ["webhook.test"]}, 400, "invalid"),
        (BODY | {"secret": "whsec_mine"}, 400, "invalid"),
        (BODY | {"url": "x" * 501}, 400, "invalid"),
        (BODY | {"url": "https://10.0.0.1/"}, 400, "invalid_webhook_address"),
        (BODY | {"url": "http://hooks.example.com/"}, 400, "invalid_webhook_address"),
        (BODY | {"url": "https://\u00e4.example/"}, 400, "invalid_webhook_address"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_code(scene, body, status, expected):
    answer = person(scene.admin).post("api-webhooks", scene.contoso.tenant.pk, body=body)
    assert code(answer) == (status, expected)
    assert not Webhook.objects.exists()


def test_change_by_version_off_and_on(scene):
    place = (scene.contoso.tenant.pk, made(scene).pk)
    caller = person(scene.ann)
    answer = caller.patch("api-webhook", *place, body={"events": ["ticket.closed"]}, headers={"If-Match": '"1"'})
    assert (answer.json()["events"], answer.headers["ETag"]) == (["ticket.closed"], '"2"')
    stale = caller.patch("api-webhook", *place, body={"description": "x"}, headers={"If-Match": '"1"'})
    assert code(stale) == (412, "stale_version")
    assert code(caller.patch("api-webhook", *place, body={"on": False}, headers={"If-Match": '"1"'})) == (
        412,
        "stale_version",
    )
    off = caller.patch("api-webhook", *place, body={"on": False}).json()
    assert (off["on"], off["off_reason"]) == (False, "person")
    assert code(caller.post("api-webhook-test", *place)) == (409, "webhook_off")
    assert caller.patch("api-webhook", *place, body={"on": True}).json()["on"] is True
    for body in ({}, {"on": True, "description": "x"}):
        assert wrong(caller.patch("api-webhook", *place, body=body)) == [("", "empty")]


def test_rotate_and_delete(scene):
    webhook = made(scene)
    place, caller = (scene.contoso.tenant.pk, webhook.pk), person(scene.ann)
    [before] = webhooks.secrets_of(webhook)
    answer = caller.post("api-webhook-rotate", *place, body={"grace_hours": 1}).json()
    webhook.refresh_from_db()
    assert webhooks.secrets_of(webhook) == [answer["secret"], before]
    assert code(caller.post("api-webhook-rotate", *place, body={"grace_hours": 73})) == (400, "invalid")
    assert caller.delete("api-webhook", *place).status_code == 204
    assert code(caller.get("api-webhook", *place)) == (404, "not_found")


def test_the_log_and_delivering_again(scene):
    webhook = made(scene)
    place, caller = (scene.contoso.tenant.pk, webhook.pk), person(scene.ann)
    sent = caller.post("api-webhook-test", *place)
    assert sent.status_code == 200
    [item] = caller.get("api-deliveries", *place).json()["items"]
    assert item == sent.json() == caller.get("api-delivery", *place, item["id"]).json()
    assert {name: item[name] for name in ("type", "object", "state", "attempts", "status", "error")} == {
        "type": "webhook.test",
        "object": {"type": "webhook", "id": str(webhook.pk)},
        "state": "waiting",
        "attempts": 0,
        "status": None,
        "error": "",
    }
    WebhookDelivery.objects.update(
        state=DeliveryState.DELIVERED, settled_at="2026-01-01T00:00Z", status=204, attempts=1
    )
    assert caller.get("api-deliveries", *place, state="waiting").json()["items"] == []
    assert wrong(caller.get("api-deliveries", *place, state="lost")) == [("state", "invalid_choice")]
    with leaves("Contoso: Settings/Update Desk Successful ann@fabrikam.example"):
        again = caller.post("api-delivery-redeliver", *place, item["id"])
    assert (again.status_code, again.json()["state"], again.json()["id"]) == (200, "waiting", item["id"])


def test_a_tool_reads_and_redelivers_and_makes_nothing(scene):
    webhook = made(scene)
    delivery = webhooks.send_test(webhook, by=scene.ann)
    caller = tool(token(scene.relationship, scene.ann, *CEILING))
    tenant, place = scene.contoso.tenant.pk, (scene.contoso.tenant.pk, webhook.pk)
    assert len(caller.get("api-webhooks", tenant).json()["items"]) == 1
    assert caller.get("api-deliveries", *place).status_code == 200
    assert caller.post("api-delivery-redeliver", *place, delivery.event_id).status_code == 200
    for answer in (
        caller.post("api-webhooks", tenant, body=BODY),
        caller.patch("api-webhook", *place, body={"on": False}),
        caller.delete("api-webhook", *place),
        caller.post("api-webhook-rotate", *place, body={}),
        caller.post("api-webhook-test", *place),
    ):
        assert code(answer) == (403, "not_for_tokens")
    narrow = tool(token(scene.relationship, scene.ann, Permission.TICKETS_VIEW))
    assert code(narrow.get("api-webhooks", tenant)) == (403, "permission_denied")


def test_statements_do_not_grow(scene):
    tenant, counts = scene.contoso.tenant.pk, []
    for number in (1, 3):
        while Webhook.objects.count() < number:
            made(scene)
        webhook = Webhook.objects.earliest("created_at")
        while webhook.deliveries.count() < number:
            webhooks.send_test(webhook, by=scene.ann)
        caller = person(scene.ann)
        caller.get("api-me")
        for name, *ids in (("api-webhooks",), ("api-webhook", webhook.pk), ("api-deliveries", webhook.pk)):
            with CaptureQueriesContext(connection) as queries:
                caller.get(name, tenant, *ids)
            counts.append(len(queries))
    assert counts == [5, 5, 6] * 2
