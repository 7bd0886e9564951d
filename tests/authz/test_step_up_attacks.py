"""Ways round a customer's partner access policy that a reviewer found, each of which has to stay shut."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.clock import now
from audit.models import AuditEvent
from partners.api import partner_access as api
from partners.models import ApiToken, PartnerRelationship
from partners.webhooks import Webhook
from rbac.access_policy import PartnerAccessPolicy
from rbac.catalogue import Permission
from rbac.partner_access import Conditions, Policy, Proof
from rbac.services import partner_access
from tests.factories import callers
from tests.factories.browsing import browser, shows
from tests.factories.home_sign_in import set_up, sign_in
from tests.foundation.provider import Provider
from tests.trm_portal.test_step_up import BEFORE_RENAMING, SECOND_FACTOR, Scene, whom
from trm_portal.sessions import KEPT

pytestmark = pytest.mark.django_db

BEFORE_ROLES = Policy(step_up=Conditions(mfa=True), events=frozenset({Permission.ROLES_MODIFY}))


@pytest.fixture
def home(settings: Any, provider: Provider) -> Provider:
    set_up(settings, provider)
    return provider


# --- One customer's policy and everybody else -------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ["fe80::%" + "x" * 35 + "/64", "fe80::1%eth0", "fe80::%" + "x" * 200 + "/64"])
def test_network_with_a_zone_is_none(odd):
    scene = Scene(Policy())
    answer = callers.person(scene.world.contoso.admin).patch(
        "api-access-policy", scene.contoso.pk, body={"always": {"networks": [odd]}}
    )
    assert answer.status_code == 400
    assert not PartnerAccessPolicy.objects.filter(networks__len__gt=0).exists()


def test_unreadable_network_in_a_row_lets_nobody_in_and_breaks_nothing_else():
    scene = Scene(Policy(Conditions(networks=("192.0.2.0/24",))))
    PartnerAccessPolicy.objects.update(networks=["fe80::%x/"])
    client = browser(scene.ann)
    assert client.get(scene.rooms).status_code == 403
    for url in (reverse("rooms", args=[scene.tailwind.pk]), "/customers/", "/sessions/"):
        assert client.get(url).status_code == 200
    assert browser(scene.world.contoso.admin).get(reverse("partner_access", args=[scene.contoso.pk])).status_code == 200


# --- What a weak session prepares for a strong one --------------------------------------------------------------------


def test_weak_session_makes_no_token_that_borrows_a_later_proof():
    scene = Scene(BEFORE_RENAMING)
    weak = shows(browser(scene.ann), "pwd")
    url = reverse("customer_tokens", args=[scene.contoso.pk])
    assert weak.post(url, {"name": "x", "scopes": ["rooms.modify"], "days": 30}).status_code == 403
    assert not ApiToken.objects.exists()
    assert AuditEvent.objects.get(code="step_up_required").object_name == "x"
    assert weak.post(url, {"name": "x", "scopes": ["rooms.view"], "days": 30}).status_code == 200
    assert shows(weak, "mfa").post(url, {"name": "y", "scopes": ["rooms.modify"], "days": 30}).status_code == 200


@pytest.mark.parametrize("by_api", [False, True])
def test_weak_session_makes_no_webhook(by_api):
    scene = Scene(BEFORE_ROLES)
    caller = callers.person(scene.ann)
    if by_api:
        body = {"url": "https://8.8.8.8/x", "events": ["ticket.opened"]}
        answer = caller.post("api-webhooks", scene.contoso.pk, body=body)
    else:
        url = reverse("webhook_add", args=[scene.contoso.pk])
        answer = caller.client.post(url, {"url": "https://8.8.8.8/x", "events_ticket": ["ticket.opened"]})
    assert answer.status_code == 403
    assert not Webhook.objects.exists()


def test_weak_session_does_not_describe_what_a_strong_one_confirms():
    scene = Scene(BEFORE_RENAMING)
    strong, weak = shows(browser(scene.ann), "mfa"), shows(browser(scene.ann), "pwd")
    place = strong.post(reverse("rooms_bulk", args=[scene.contoso.pk]), {"pick": scene.room.pk})["Location"]
    strong.post(place + "?action=edit", {"city": "Bonn"})
    before = AuditEvent.objects.count()
    assert weak.post(place + "?action=edit", {"city": "Stolen"}).status_code == 403
    assert AuditEvent.objects.count() == before + 1
    change = place.rstrip("/").rsplit("/", 1)[-1]
    strong.post(reverse("rooms_bulk_confirm", args=[scene.contoso.pk, change]))
    scene.room.refresh_from_db()
    assert scene.room.city == "Bonn"


def test_weak_session_does_not_leave_the_customer():
    scene = Scene(BEFORE_ROLES)
    client = shows(browser(scene.ann), "pwd")
    url = reverse("customer_remove", args=[scene.contoso.pk])
    assert client.post(url, {"step": "delete"}).status_code == 403
    relationship = PartnerRelationship.objects.get(pk=scene.relationship.pk)
    assert relationship.delegation.state == "active"
    assert shows(client, "mfa").post(url, {"step": "delete"}).status_code == 302


# --- Signing in ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amr", [["mfa", "\x00"], ["mfa", "\ud800"], ["mfa", "\n"]])
def test_whoever_is_told_no_is_not_signed_in(home, amr):
    scene = Scene(SECOND_FACTOR)
    client = Client()
    whom(home, scene.ann, amr=amr)
    answer = sign_in(client, home)
    assert answer.status_code == 302
    assert scene.ann.latest_sign_in.methods == ["mfa"]
    assert client.get(scene.rooms).status_code == 200


def test_sign_in_that_fails_halfway_leaves_nobody_signed_in(home, monkeypatch):
    scene = Scene(SECOND_FACTOR)
    client = Client()
    whom(home, scene.ann, amr=["mfa"])

    def fail(*_: Any) -> None:
        raise ValueError("the database says no")

    monkeypatch.setattr(partner_access, "note_sign_in", fail)
    assert sign_in(client, home).status_code == 403
    assert client.get("/sessions/").url.startswith(reverse("sign_in"))


# --- The policy itself --------------------------------------------------------------------------------------------------


def test_part_that_is_left_out_is_not_loosened_by_a_faster_change(monkeypatch):
    scene = Scene(Policy())
    admin = scene.world.contoso.admin
    real = api._wanted

    def slow(kept: Policy, body: Any) -> Policy:
        monkeypatch.setattr(api, "_wanted", real)
        partner_access.change(scene.contoso, SECOND_FACTOR, by=admin)
        return real(kept, body)

    monkeypatch.setattr(api, "_wanted", slow)
    body = {"step_up": {"max_age": 15, "events": ["rooms.modify"]}}
    answer = callers.person(admin).patch("api-access-policy", scene.contoso.pk, body=body)
    assert callers.code(answer) == (412, "stale_version")
    assert partner_access.of(scene.contoso) == SECOND_FACTOR


def test_preview_tells_no_address_that_the_policy_does_not_ask_for():
    scene = Scene(Policy())
    partner_access.note_sign_in(scene.ann, Proof(now(), frozenset({"pwd"})), "203.0.113.7")
    caller = callers.person(scene.world.contoso.admin)
    for networks, expected in (([], None), (["192.0.2.0/24"], "203.0.113.7")):
        body = {"always": {"mfa": True, "networks": networks}}
        found = caller.post("api-access-policy-preview", scene.contoso.pk, body=body).json()["stopped"]
        assert [one["ip"] for one in found if one["upn"] == scene.ann.upn] == [expected]


# --- Odds and ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["http://[", "\x7f", "http://testserver:99999999/", "//"])
def test_odd_address_of_a_pane_is_no_fault_of_ours(header):
    scene = Scene(SECOND_FACTOR)
    answer = browser(scene.ann).get(scene.rooms, headers={"HX-Request": "true", "HX-Current-URL": header})
    assert answer.headers["HX-Redirect"].startswith(reverse("step_up"))


def test_change_that_is_stopped_at_the_gate_is_on_record():
    scene = Scene(SECOND_FACTOR)
    client = shows(browser(scene.ann), "pwd")
    before = AuditEvent.objects.count()
    assert client.get(scene.edit).status_code == 403
    assert AuditEvent.objects.count() == before
    assert client.post(scene.edit, {"display_name": "x"}).status_code == 403
    [line] = AuditEvent.objects.filter(code="step_up_required")
    assert (line.category, line.object_name, line.user_id) == ("Session", "room_edit", scene.ann.upn)


def test_old_answer_tells_of_no_customer_that_is_withheld_by_now():
    scene = Scene(Policy())
    caller = callers.person(scene.ann)
    body = {"customers": [{"customer": str(scene.contoso.pk), "rooms": [scene.room.pk]}], "action": "enroll"}
    first = caller.post("api-all-rooms-bulk", body=body, headers={"Idempotency-Key": "once"})
    assert first.status_code == 207
    again = caller.post("api-all-rooms-bulk", body=body, headers={"Idempotency-Key": "once"})
    assert again.headers["Idempotent-Replayed"] == "true"
    scene.asks(SECOND_FACTOR)
    later = caller.post("api-all-rooms-bulk", body=body, headers={"Idempotency-Key": "once"})
    assert callers.code(later) == (422, "idempotency_key_reused")


def test_change_does_not_wait_for_ever():
    scene = Scene(Policy())
    client = browser(scene.ann)
    session = client.session
    session[KEPT] = {"user": scene.ann.pk, "then": scene.edit, "sent": [["display_name", "x"]], "at": 1_000.0}
    session.save()
    assert client.get(reverse("carry_on")).url == reverse("home")


def test_own_tokens_are_seen_and_revoked_whatever_the_customer_asks_for():
    scene = Scene(Policy())
    secret = callers.token(scene.relationship, scene.ann, Permission.ROOMS_VIEW)
    [token] = ApiToken.objects.all()
    scene.asks(Policy(Conditions(networks=("192.0.2.0/24",))))
    caller = callers.person(scene.ann)
    page = caller.client.get(reverse("customer_tokens", args=[scene.contoso.pk]))
    assert (page.status_code, len(page.context["rows"])) == (200, 1)
    assert [one["prefix"] for one in caller.get("api-tokens", scene.contoso.pk).json()["items"]] == [token.token_key]
    wanted = {"name": "x", "scopes": ["rooms.view"], "days": 30}
    assert caller.client.post(reverse("customer_tokens", args=[scene.contoso.pk]), wanted).status_code == 403
    assert caller.post("api-tokens", scene.contoso.pk, body=wanted).status_code == 403
    assert callers.tool(secret).get("api-tokens", scene.contoso.pk).status_code == 403
    assert caller.delete("api-token", scene.contoso.pk, token.token_key).status_code == 204
    assert caller.get("api-rooms", scene.contoso.pk).status_code == 403
    other = callers.token(scene.relationship, scene.ann, Permission.ROOMS_VIEW)
    assert other
    newest = ApiToken.objects.exclude(pk=token.pk).get()
    url = reverse("customer_token_revoke", args=[scene.contoso.pk, newest.token_key])
    assert caller.client.post(url).status_code == 302
    assert ApiToken.objects.filter(revoked_at=None).count() == 0
    assert browser(scene.world.northwind.person("eve")).get(url).status_code == 404


def test_holder_of_a_tool_is_asked_for_what_his_latest_sign_in_lacks(home):
    scene = Scene(Policy(Conditions(max_age=60)))
    partner_access.note_sign_in(scene.ann, Proof(now() - timedelta(hours=2), frozenset({"pwd"})), None)
    client = shows(browser(scene.ann), "pwd", at=now())
    page = client.get(reverse("step_up"), {"customer": scene.contoso.pk, "tool": "1"})
    assert page.status_code == 403
    sent = {"step-up-customer": scene.contoso.pk, "step-up-then": "/", "step-up-tool": "1", "step-up-at": "entra"}
    assert "prompt=login" in client.post(reverse("step_up"), sent)["Location"]
