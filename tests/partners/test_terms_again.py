"""New terms ask the customer again: at its next change of a partner, there and then, and nowhere else."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from audit import delivery
from audit.models import AuditEvent, OutboxMessage
from partners import parcels
from partners.errors import TermsChanged
from partners.models import PartnerRelationship, Terms, TermsAcceptance
from partners.services import invitations, relationships, terms
from rbac.catalogue import BuiltIn
from rbac.errors import TermsWaiting
from rbac.services import delegations
from rooms import scopes
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.browsing import browser, text
from tests.factories.callers import person
from tests.factories.world import contact, join, make, over

pytestmark = pytest.mark.django_db


class Scene:
    """Contoso with a partner, agreed to version 1; version 2 has been published since."""

    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        self.terms = terms.publish("Be careful.\n\nWash your hands.", "Vorsicht.\n\nHände waschen.", by=None)

    @property
    def admin(self):
        return self.contoso.admin

    @property
    def base(self):
        return delegations.base_assignment(self.relationship.delegation)

    def url(self, name, *args):
        return reverse(name, args=[self.contoso.tenant.pk, *args])

    def agree(self, **fields):
        return {"terms-version": self.terms.version, "terms-agrees": "on"} | fields


@pytest.fixture
def scene():
    return Scene()


def label_of(scene):
    return PartnerRelationship.objects.get(pk=scene.relationship.pk).label


def test_every_change_that_gives_something_waits_and_leaves_a_failed_line(scene):
    more = over(*scene.contoso.rooms)
    waits = [
        lambda: invitations.invite(scene.relationship, [contact("bob@fabrikam.example")], by=scene.admin),
        lambda: relationships.rename(scene.relationship, "Another name", by=scene.admin),
        lambda: scopes.change(scene.base, more, by=scene.admin),
        lambda: scopes.change(scene.base, Scope(all_rooms=True), by=scene.admin),
    ]
    relationships.suspend(scene.relationship, by=scene.admin)
    waits.append(lambda: relationships.resume(scene.relationship, by=scene.admin))
    for change in waits:
        with pytest.raises(TermsWaiting):
            change()
    failed = AuditEvent.objects.filter(tenant_id=scene.contoso.tenant.pk, result="Failed")
    assert set(failed.values_list("code", flat=True)) == {"terms_changed"}
    assert failed.count() == len(waits)
    assert label_of(scene) == scene.relationship.label
    assert scopes.rooms_of(scene.base).count() == len(scene.contoso.german)

    terms.accept(scene.contoso.tenant, scene.terms.version, by=scene.admin)
    for change in waits:
        change()


def test_what_takes_something_away_never_waits(scene):
    relationships.suspend(scene.relationship, by=scene.admin)
    scopes.change(scene.base, over(scene.contoso.german[0]), by=scene.admin)
    relationships.remove(scene.relationship, by=scene.admin)


def test_the_partner_goes_on_working(scene):
    room = scene.contoso.german[0]
    answer = person(scene.ann).patch("api-room", scene.contoso.tenant.pk, room.pk, body={"city": "Bonn"})
    assert answer.status_code == 200, answer.content
    assert Room.objects.get(pk=room.pk).city == "Bonn"


def test_a_customer_without_partners_is_not_asked(scene):
    assert Terms.objects.waiting_for(scene.world.tailwind.tenant) is None
    assert Terms.objects.waiting_for(scene.contoso.tenant) == scene.terms


def test_agreeing_is_kept_and_on_record_once(scene):
    first = terms.accept(scene.contoso.tenant, 2, by=scene.admin)
    assert terms.accept(scene.contoso.tenant, 2, by=scene.admin) == first
    assert (first.version, first.digest, first.accepted_by) == (2, scene.terms.digest, scene.admin.upn)
    line = AuditEvent.objects.get(tenant_id=scene.contoso.tenant.pk, object_name="terms 2")
    assert (line.category, line.operation, line.result) == ("Settings", "Update", "Successful")
    assert line.after == {"version": 2, "sha256": scene.terms.digest}
    assert PartnerRelationship.objects.get(pk=scene.relationship.pk).terms_version == 1


def test_only_the_newest_and_only_by_who_may_modify_settings(scene):
    with pytest.raises(TermsChanged):
        terms.accept(scene.contoso.tenant, 1, by=scene.admin)
    for stranger in (scene.ann, scene.contoso.member(BuiltIn.SITE_LEAD, "lea"), scene.world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            terms.accept(scene.contoso.tenant, 2, by=stranger)
    assert list(TermsAcceptance.objects.values_list("tenant__name", "version")) == [("Contoso", 1)]


def test_what_was_agreed_to_never_changes(scene):
    for change in ("UPDATE partners_termsacceptance SET version = 9", "DELETE FROM partners_termsacceptance"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert TermsAcceptance.objects.get().version == 1


def test_a_change_shows_the_terms_and_goes_on_with_nothing_lost(scene):
    client, url = browser(scene.admin), scene.url("partner_rename", scene.relationship.pk)
    asked = client.post(url, {"label": "Fabrikam <AV>"})
    assert asked.status_code == 409
    shown = text(asked)
    assert "New Wash your hands." in shown
    assert "No longer there Be careful with the rooms." in shown
    assert 'name="label" value="Fabrikam &lt;AV&gt;"' in asked.content.decode()
    assert label_of(scene) != "Fabrikam <AV>"

    agreed = {"label": "Fabrikam <AV>", "terms-then": url} | scene.agree()
    answer = client.post(scene.url("settings_terms"), agreed)
    assert (answer.status_code, answer.url) == (307, url)  # a browser sends the same body again
    assert client.post(answer.url, agreed).status_code == 302
    assert label_of(scene) == "Fabrikam <AV>"


def test_without_the_tick_nothing_goes_on_and_nothing_is_lost(scene):
    url = scene.url("partner_rename", scene.relationship.pk)
    answer = browser(scene.admin).post(
        scene.url("settings_terms"), {"label": "Kept", "terms-then": url, "terms-version": 2}
    )
    assert answer.status_code == 200
    assert "Agree to the terms to go on." in text(answer)
    assert 'name="label" value="Kept"' in answer.content.decode()
    assert Terms.objects.waiting_for(scene.contoso.tenant) == scene.terms


def test_terms_published_while_one_read_are_shown_anew(scene):
    newest = terms.publish("Newer still.", "Noch neuer.", by=None)
    answer = browser(scene.admin).post(scene.url("settings_terms"), scene.agree())
    assert "Newer still." in text(answer)
    assert f'name="terms-version" value="{newest.version}"' in answer.content.decode()
    assert TermsAcceptance.objects.get().version == 1


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "/c/x/", "javascript:1"])
def test_going_on_leads_nowhere_else(scene, place):
    answer = browser(scene.admin).post(scene.url("settings_terms"), scene.agree(**{"terms-then": place}))
    assert (answer.status_code, answer.url) == (302, scene.url("settings_terms"))


def test_adding_rooms_on_the_scope_page_asks_too(scene):
    url = scene.url("assignment_scope", scene.base.role_id, scene.base.pk)
    client = browser(scene.admin)
    client.post(url, {"all_rooms": "1", "toggle_all": "1"})
    session = client.session
    session[f"scope of {scene.base.pk}"] = {
        "begun": scopes.scope_of(scene.base).as_data(),
        "now": Scope(all_rooms=True).as_data(),
    }
    session.save()
    asked = client.post(url, {"save": "1"})
    assert asked.status_code == 409
    answer = client.post(scene.url("settings_terms"), {"save": "1", "terms-then": url} | scene.agree())
    client.post(answer.url, {"save": "1"} | scene.agree())
    assert scene.base.all_rooms


def test_the_banner_is_for_those_who_may_agree(scene):
    waits = "Version 2 of the operator’s terms waits for your agreement."
    lead = scene.contoso.member(BuiltIn.SITE_LEAD, "lea")
    for name in ("overview", "partners", "settings_general"):
        assert waits in text(browser(scene.admin).get(scene.url(name)))
    assert waits not in text(browser(lead).get(scene.url("overview")))
    client = browser(scene.admin)
    client.post(scene.url("settings_terms"), scene.agree())
    assert waits not in text(client.get(scene.url("overview")))
    assert f"{scene.admin.upn} agreed to it on" in text(client.get(scene.url("settings_general")))


def test_the_api_says_how_to_agree(scene):
    admin, place = person(scene.admin), scene.contoso.tenant.pk
    body = {"contacts": [{"name": "Bob", "upn": "bob@fabrikam.example"}]}
    refused = admin.post("api-partner-invitations", place, scene.relationship.pk, body=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "terms_changed")
    assert admin.get("api-customer-terms", place).json()["is_waiting"] is True
    no = admin.post("api-customer-terms-accept", place, body={"version": 2, "agrees": False})
    assert (no.status_code, no.json()["code"]) == (400, "terms_not_accepted")
    old = admin.post("api-customer-terms-accept", place, body={"version": 1, "agrees": True})
    assert (old.status_code, old.json()["code"]) == (409, "terms_changed")
    yes = admin.post("api-customer-terms-accept", place, body={"version": 2, "agrees": True})
    assert (yes.status_code, yes.json()["is_waiting"]) == (200, False)
    assert [one["version"] for one in yes.json()["acceptances"]] == [2, 1]
    assert admin.post("api-partner-invitations", place, scene.relationship.pk, body=body).status_code == 201


def test_customers_with_partners_are_told_of_new_terms(scene, smtp_sink):
    OutboxMessage.objects.exclude(kind=parcels.TERMS).delete()
    for _ in range(3):
        delivery.deliver_due()
    assert smtp_sink.recipients == [[scene.admin.upn]]
    (mail,) = smtp_sink.messages
    assert mail["Subject"] == "There are new terms for working with partners"
    assert scene.url("settings_terms") in mail.get_body(("plain",)).get_content()


def test_a_customer_that_has_agreed_is_not_told(scene, smtp_sink):
    terms.accept(scene.contoso.tenant, 2, by=scene.admin)
    OutboxMessage.objects.exclude(kind=parcels.TERMS).delete()
    for _ in range(3):
        delivery.deliver_due()
    assert smtp_sink.recipients == []
