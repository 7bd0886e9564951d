"""The pages of webhooks: who opens them, what they show, what their buttons do, and that secrets are shown once."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partners.services import relationships, webhooks
from partners.webhooks import DeliveryState, Webhook, WebhookDelivery
from rbac.catalogue import BuiltIn
from tests.factories.browsing import browser, links, text, told
from tests.partners.test_webhooks import URL
from tests.partners.test_webhooks import Scene as Services

pytestmark = pytest.mark.django_db

ADDRESS = "https://hooks.example.com/x"
OF_ONE = ("webhook", "webhook_edit", "webhook_rotate", "webhook_delete")
NAMES = ("webhooks", "webhook_add", *OF_ONE)
BUTTONS = ("webhook_test", "webhook_switch", "delivery_redeliver")


class Scene(Services):
    """With a webhook of Contoso's and one of its partner's, each with an event in the log."""

    def __init__(self) -> None:
        super().__init__()
        self.mine, self.theirs = self.make(), self.make(by=self.ann)
        self.delivery = webhooks.send_test(self.mine, by=self.admin)
        webhooks.send_test(self.theirs, by=self.ann)

    def url(self, name, webhook=None):
        webhook = webhook or self.mine
        ids = [webhook.pk] if name not in ("webhooks", "webhook_add") else []
        ids += [webhook.deliveries.latest("pk").event_id] if name == "delivery_redeliver" else []
        return reverse(name, args=[self.contoso.tenant.pk, *ids])

    def get(self, person, name, webhook=None, query=""):
        return browser(person).get(self.url(name, webhook) + query)

    def post(self, person, name, data=None, webhook=None):
        return browser(person).post(self.url(name, webhook), data or {})


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("name", NAMES)
def test_who_opens_which_page(scene, name):
    contoso = scene.contoso
    lead, tech = contoso.member(BuiltIn.SITE_LEAD, "lea"), contoso.member(BuiltIn.SITE_TECH, "tess")
    assert scene.get(None, name).url.startswith(reverse("sign_in"))
    assert scene.get(scene.world.tailwind.admin, name).status_code == 404
    assert scene.get(lead, name).status_code == 403
    assert scene.get(tech, name).status_code == 403
    assert scene.get(scene.admin, name).status_code == 200
    assert scene.get(scene.ann, name, scene.theirs).status_code == 200


@pytest.mark.parametrize("name", [*OF_ONE, *BUTTONS])
def test_anothers_is_not_there_like_what_never_existed(scene, name):
    for person, webhook in ((scene.admin, scene.theirs), (scene.ann, scene.mine), (scene.nils, scene.theirs)):
        url = scene.url(name, webhook)
        never = url.replace(str(webhook.pk), str(uuid.uuid4()))
        for one in (url, never):
            assert browser(person).post(one).status_code == (405 if name == "webhook" else 404)
            assert browser(person).get(one).status_code == (405 if name in BUTTONS else 404)


def test_the_list_shows_ones_own(scene):
    shown = text(scene.get(scene.ann, "webhooks"))
    assert "Desk hooks.example.com On 23" in shown
    assert shown.count("hooks.example.com") == 1
    assert "what happens at Contoso" in shown
    assert "key=secret" not in shown
    assert scene.get(scene.admin, "webhooks", query="?q=1").status_code == 400


def test_the_rail_leads_there_for_who_may(scene):
    rail = "Webhooks"
    assert scene.url("webhooks") in links(scene.get(scene.admin, "webhooks"))
    lead = scene.contoso.member(BuiltIn.SITE_LEAD, "lea")
    overview = reverse("overview", args=[scene.contoso.tenant.pk])
    assert rail not in text(browser(lead).get(overview))
    assert rail in text(browser(scene.ann).get(overview))


def test_the_first_one_is_invited_to_be_made(scene):
    assert "No webhook yet" in text(scene.get(scene.nils, "webhooks"))


def test_add_shows_the_secret_once(scene):
    entered = {
        "url": ADDRESS,
        "description": "New one",
        "events_ticket": ["ticket.opened"],
        "events_partner": ["scope.changed"],
    }
    answer = scene.post(scene.ann, "webhook_add", entered)
    made = Webhook.objects.get(description="New one")
    [secret] = webhooks.secrets_of(made)
    assert made.events == ["scope.changed", "ticket.opened"]
    assert made.delegation_id == scene.relationship.delegation_id
    assert answer.status_code == 200
    assert secret in answer.content.decode().replace("&#x3D;", "=")
    assert "no-store" in answer.headers["Cache-Control"]
    for name in OF_ONE:
        assert secret not in scene.get(scene.ann, name, made).content.decode()


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        (
            {"url": "http://hooks.example.com/", "events_ticket": ["ticket.opened"]},
            "Nothing can be sent to this address.",
        ),
        ({"url": "https://10.0.0.1/", "events_ticket": ["ticket.opened"]}, "Nothing can be sent to this address."),
        ({"url": ADDRESS}, "Choose at least one event."),
        ({"url": "", "events_ticket": ["ticket.opened"]}, "This field is required."),
        ({"url": ADDRESS, "events_ticket": ["ticket.eaten"]}, "is not one of the available choices"),
    ],
)
def test_what_does_not_fit_is_said_and_kept(scene, entered, said):
    answer = scene.post(scene.admin, "webhook_add", entered)
    assert said in text(answer)
    assert entered["url"] in answer.content.decode()
    assert Webhook.objects.count() == 2


def test_edit(scene):
    shown = scene.get(scene.admin, "webhook_edit").content.decode()
    assert URL.replace("&", "&amp;") in shown
    answer = scene.post(scene.admin, "webhook_edit", {"url": ADDRESS, "events_approval": ["approval.requested"]})
    assert answer.url == scene.url("webhook")
    scene.mine.refresh_from_db()
    assert (scene.mine.url, scene.mine.events) == (ADDRESS, ["approval.requested"])


def test_rotate_shows_the_new_secret_once(scene):
    answer = scene.post(scene.admin, "webhook_rotate", {"grace": "24"})
    scene.mine.refresh_from_db()
    new, _old = webhooks.secrets_of(scene.mine)
    assert new in answer.content.decode().replace("&#x3D;", "=")
    assert "Ensure this value is less than or equal to 72" in text(
        scene.post(scene.admin, "webhook_rotate", {"grace": "73"})
    )


def test_off_on_test_and_delivery(scene):
    page = scene.url("webhook")
    assert scene.post(scene.admin, "webhook_test").url == page
    assert "Test event" in text(scene.get(scene.admin, "webhook"))
    assert scene.post(scene.admin, "webhook_switch", {"to": "off"}).url == page
    client = browser(scene.admin)
    client.post(scene.url("webhook_test"))
    assert told(client.get(page)) == ["The webhook is off. Turn it on first."]
    client.post(scene.url("delivery_redeliver"))
    assert told(client.get(page)) == ["The webhook is off. Turn it on first."]
    scene.post(scene.admin, "webhook_switch", {"to": "on"})
    WebhookDelivery.objects.update(
        state=DeliveryState.DELIVERED, settled_at="2026-01-01T00:00Z", status=204, attempts=1
    )
    scene.post(scene.admin, "delivery_redeliver")
    assert scene.mine.deliveries.latest("pk").state == DeliveryState.WAITING


def test_the_log_is_filtered(scene):
    WebhookDelivery.objects.filter(pk=scene.delivery.pk).update(
        state=DeliveryState.UNDELIVERABLE, settled_at="2026-01-01T00:00Z", status=500, attempts=21
    )
    assert "Undeliverable 2" not in text(scene.get(scene.admin, "webhook", query="?state=waiting"))
    assert "No delivery is in this state" in text(scene.get(scene.admin, "webhook", query="?state=delivered"))
    assert "500" in text(scene.get(scene.admin, "webhook", query="?state=undeliverable"))
    for query in ("?state=lost", "?order=1"):
        assert scene.get(scene.admin, "webhook", query=query).status_code == 400


def test_delete(scene):
    assert "1 event still waits and is dropped." in text(scene.get(scene.admin, "webhook_delete"))
    assert scene.post(scene.admin, "webhook_delete").url == scene.url("webhooks")
    assert scene.get(scene.admin, "webhook").status_code == 404


def test_why_it_is_off_is_said(scene):
    for reason, said in (
        ("gone", "it is gone (410)"),
        ("failing", "three days"),
        ("restore", "restored from a backup"),
    ):
        Webhook.objects.filter(pk=scene.mine.pk).update(is_active=False, off_reason=reason)
        assert said in text(scene.get(scene.admin, "webhook"))
    Webhook.objects.filter(pk=scene.mine.pk).update(is_active=True, off_reason="", failing_since="2026-01-01T00:00Z")
    assert "Every attempt has failed since" in text(scene.get(scene.admin, "webhook"))


def test_removing_says_what_happens_to_webhooks(scene):
    url = reverse("partner_remove", args=[scene.contoso.tenant.pk, scene.relationship.pk])
    assert "1 webhook of the partner’s tools hears nothing any more." in text(browser(scene.admin).get(url))
    relationships.remove(scene.relationship, by=scene.admin)
    assert scene.get(scene.ann, "webhooks").status_code == 404


@pytest.mark.parametrize(("name", "of_customer", "of_partner"), [("webhooks", 6, 5), ("webhook", 7, 6)])
def test_statements_do_not_grow(scene, name, of_customer, of_partner):
    counts = []
    for number in (1, 3):
        for person, webhook, owner in ((scene.admin, scene.mine, scene.own), (scene.ann, scene.theirs, scene.partners)):
            while webhook.deliveries.count() < number:
                webhooks.send_test(webhook, by=person)
            while Webhook.objects.filter(delegation=owner.delegation_id).count() < number:
                scene.make(by=person)
            client, url = browser(person), scene.url(name, webhook)
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            counts.append(len(queries))
    assert counts == [of_customer, of_partner] * 2
