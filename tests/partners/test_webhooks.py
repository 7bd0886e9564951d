"""Webhooks as services: who keeps them, what is on record, what never leaves, and what ends them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from audit.events import EventType
from audit.models import AuditEvent
from partners.errors import InvalidWebhookAddress, NoEvents, TooManyTests, TooManyWebhooks, WebhookOff
from partners.models import PartnerRelationship
from partners.services import relationships, restoring, webhooks
from partners.services.webhooks import Owner
from partners.webhooks import DeliveryState, Webhook, WebhookDelivery
from rbac.access import Limits
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.models import User
from rooms.errors import InvalidGrace
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/rooms?key=secret-in-the-address"
ALL = tuple(EventType)


class Scene:
    """Contoso and its partner Fabrikam, who may each keep webhooks."""

    def __init__(self) -> None:
        self.world: World = make()
        self.contoso = self.world.contoso
        self.relationship: PartnerRelationship
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        self.rivals, (self.nils,) = join(self.contoso, self.world.northwind, "nils", rooms=[self.contoso.rooms[2]])

    @property
    def admin(self) -> User:
        return self.contoso.admin

    @property
    def own(self) -> Owner:
        return Owner(self.contoso.tenant, None)

    @property
    def partners(self) -> Owner:
        return Owner(self.contoso.tenant, self.relationship.delegation_id)

    def make(self, *events: EventType, by: User | None = None, url: str = URL) -> Webhook:
        """A webhook of Contoso's, or of the partner's if `by` is Ann."""
        owner = self.partners if by == self.ann else self.own
        return webhooks.create(owner, url, by=by or self.admin, events=events or ALL, description="Desk")[0]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def tool(person: User, delegation_id: object) -> User:
    """`person`, as a token of his acts."""
    found = User.objects.get(pk=person.pk)
    found.limits = Limits(delegation_id, frozenset(CEILING))  # type: ignore[attr-defined,arg-type]
    return found


def test_create_answers_the_secret_once_and_keeps_it_from_the_database(scene):
    with leaves("Contoso: Settings/Create Desk Successful admin@contoso.example") as evidence:
        webhook, secret = webhooks.create(
            scene.own, URL, by=scene.admin, events=[EventType.TICKET_OPENED], description="Desk"
        )

    assert secret.startswith("whsec_")
    assert secret.encode() not in bytes(webhook.secret)
    assert webhooks.secrets_of(webhook) == [secret]
    [event] = evidence.events
    assert event.after == {"host": "hooks.example.com", "events": ["ticket.opened"], "description": "Desk"}
    assert event.relationship_id is None


def test_of_a_partner_it_is_in_the_log_of_the_customer_with_the_relationship(scene):
    with leaves("Contoso: Settings/Create Desk Successful ann@fabrikam.example") as evidence:
        scene.make(by=scene.ann)
    assert evidence.events[0].relationship_id == scene.relationship.delegation_id


def test_who_keeps_whose(scene):
    contoso, tenant = scene.contoso, scene.contoso.tenant
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea")
    helper = scene.world.fabrikam.person("helga")
    role = custom_role(tenant, Permission.ROLES_MODIFY, delegation=scene.relationship.delegation)
    assign(role, helper, over(contoso.rooms[0]))

    found = {
        person.upn: webhooks.kept_by(person, tenant)
        for person in (contoso.admin, scene.ann, scene.nils, lead, helper, scene.world.tailwind.admin)
    }
    assert found == {
        "admin@contoso.example": scene.own,
        "ann@fabrikam.example": scene.partners,
        "nils@northwind.example": Owner(tenant, scene.rivals.delegation_id),
        "lea@contoso.example": None,
        "helga@fabrikam.example": None,
        "admin@tailwind.example": None,
    }
    for person in (lead, helper, scene.nils, scene.world.tailwind.admin, scene.admin):
        with pytest.raises(PermissionDenied):
            webhooks.create(scene.partners, URL, by=person, events=ALL)
    for person in (lead, helper, scene.ann, scene.world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            webhooks.create(scene.own, URL, by=person, events=ALL)
    assert not Webhook.objects.exists()


def test_nobody_touches_or_sees_anothers(scene):
    own, theirs = scene.make(), scene.make(by=scene.ann)
    assert list(webhooks.own(scene.admin, scene.own)) == [own]
    assert list(webhooks.own(scene.ann, scene.partners)) == [theirs]
    assert not webhooks.own(scene.nils, scene.partners).exists()
    assert not webhooks.own(scene.admin, scene.partners).exists()
    for webhook, others in ((own, (scene.ann, scene.nils)), (theirs, (scene.admin, scene.nils))):
        for person in others:
            for change in (webhooks.rotate, webhooks.turn_off, webhooks.delete, webhooks.send_test):
                with pytest.raises(PermissionDenied):
                    change(webhook, by=person)


def test_a_tool_reads_and_redelivers_and_nothing_else(scene):
    webhook = scene.make(by=scene.ann)
    delivery = webhooks.send_test(webhook, by=scene.ann)
    ann = tool(scene.ann, scene.relationship.delegation_id)

    assert list(webhooks.own(ann, scene.partners)) == [webhook]
    assert webhooks.redeliver(delivery, by=ann).pk == delivery.pk
    for change in (
        lambda: webhooks.create(scene.partners, URL, by=ann, events=ALL),
        lambda: webhooks.modify(webhook, by=ann, url=URL, events=ALL),
        lambda: webhooks.rotate(webhook, by=ann),
        lambda: webhooks.turn_off(webhook, by=ann),
        lambda: webhooks.delete(webhook, by=ann),
        lambda: webhooks.send_test(webhook, by=ann),
    ):
        with pytest.raises(PermissionDenied):
            change()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "https://user:pass@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:8443/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://intranet/",
        "https://[::1]/",
        "https://hooks.example.com\n.evil/",
        "https://" + "x" * 500 + ".example/",
    ],
)
def test_addresses_that_are_none_are_refused(scene, url):
    line = "Contoso: Settings/Create webhook Failed(invalid_webhook_address) admin@contoso.example"
    refused(
        InvalidWebhookAddress,
        lambda: webhooks.create(scene.own, url, by=scene.admin, events=ALL),
        line,
        code="invalid_webhook_address",
    )


def test_events_are_chosen_and_webhooks_are_few(scene):
    refused(
        NoEvents,
        lambda: webhooks.create(scene.own, URL, by=scene.admin, events=[]),
        "Contoso: Settings/Create webhook Failed(no_events) admin@contoso.example",
    )
    for _ in range(webhooks.MOST):
        scene.make()
    refused(
        TooManyWebhooks,
        lambda: scene.make(),
        "Contoso: Settings/Create webhook Failed(too_many_webhooks) admin@contoso.example",
    )
    scene.make(by=scene.ann)  # another owner's are not counted


def test_modify_is_on_record_without_the_secret_parts(scene):
    webhook = scene.make()
    with leaves("Contoso: Settings/Update Desk Successful admin@contoso.example") as evidence:
        changed = webhooks.modify(
            webhook,
            by=scene.admin,
            url="https://other.example.org/x?token=zzz",
            events=[EventType.TICKET_CLOSED],
        )
    assert (changed.url, changed.events, changed.version) == (
        "https://other.example.org/x?token=zzz",
        ["ticket.closed"],
        2,
    )
    assert "zzz" not in str(evidence.events[0].after)
    with leaves():
        webhooks.modify(changed, by=scene.admin, url=changed.url, events=[EventType.TICKET_CLOSED])


def test_rotate_keeps_the_old_secret_for_its_grace(scene, clock):
    webhook, first = webhooks.create(scene.own, URL, by=scene.admin, events=ALL)
    with leaves("Contoso: Settings/Update hooks.example.com Successful admin@contoso.example") as evidence:
        second = webhooks.rotate(webhook, by=scene.admin, grace=timedelta(hours=2))
    assert evidence.events[0].after == {"secret": "rotated", "grace_hours": 2}
    webhook.refresh_from_db()
    assert webhooks.secrets_of(webhook) == [second, first]
    clock.move(timedelta(hours=3))
    assert webhooks.secrets_of(webhook) == [second]
    third = webhooks.rotate(webhook, by=scene.admin, grace=timedelta())
    webhook.refresh_from_db()
    assert webhooks.secrets_of(webhook) == [third]
    with pytest.raises(InvalidGrace):
        webhooks.rotate(webhook, by=scene.admin, grace=timedelta(hours=73))


def test_off_and_on(scene):
    webhook = scene.make()
    delivery = webhooks.send_test(webhook, by=scene.admin)
    with leaves("Contoso: Settings/Update Desk Successful admin@contoso.example"):
        assert not webhooks.turn_off(webhook, by=scene.admin).is_active
    with leaves():
        webhooks.turn_off(webhook, by=scene.admin)
    for change in (
        lambda: webhooks.send_test(webhook, by=scene.admin),
        lambda: webhooks.redeliver(delivery, by=scene.admin),
    ):
        with pytest.raises(WebhookOff):
            change()
    assert webhooks.turn_on(webhook, by=scene.admin).off_reason == ""
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.WAITING


def test_tests_are_counted(scene):
    webhook = scene.make()
    for _ in range(webhooks.TESTS_PER_HOUR):
        webhooks.send_test(webhook, by=scene.admin)
    with pytest.raises(TooManyTests):
        webhooks.send_test(webhook, by=scene.admin)


def test_delete_takes_secret_and_what_waits(scene):
    webhook = scene.make()
    webhooks.send_test(webhook, by=scene.admin)
    with leaves("Contoso: Settings/Delete Desk Successful admin@contoso.example") as evidence:
        webhooks.delete(webhook, by=scene.admin)
    assert evidence.events[0].before["waiting"] == 1
    webhook.refresh_from_db()
    assert (bytes(webhook.secret), webhook.is_active, webhook.ended_at is not None) == (b"", False, True)
    assert not webhooks.own(scene.admin, scene.own).exists()
    assert WebhookDelivery.objects.get().state == DeliveryState.CANCELLED
    with pytest.raises(Http404):
        webhooks.rotate(webhook, by=scene.admin)


def test_removing_the_partner_ends_its_webhooks_and_nobody_elses(scene):
    theirs, own = scene.make(by=scene.ann), scene.make()
    webhooks.send_test(theirs, by=scene.ann)
    assert relationships.loss_of(scene.relationship).webhooks == 1

    relationships.remove(scene.relationship, by=scene.admin)

    theirs.refresh_from_db()
    assert (theirs.is_active, bytes(theirs.secret)) == (False, b"")
    assert not WebhookDelivery.objects.filter(webhook=theirs).exclude(state=DeliveryState.CANCELLED).exists()
    assert list(Webhook.objects.live()) == [own]
    removal = AuditEvent.objects.get(category="PartnerInvitation", operation="Delete")
    assert removal.before["webhooks"] == 1


def test_after_a_restore_everything_is_off_until_somebody_turns_it_on(scene):
    own, theirs = scene.make(), scene.make(by=scene.ann)
    waiting = webhooks.send_test(own, by=scene.admin)
    assert restoring.make_safe().webhooks == 2
    assert set(Webhook.objects.values_list("is_active", "off_reason")) == {(False, "restore")}
    assert not Webhook.objects.open().exists()
    theirs.refresh_from_db()
    assert webhooks.turn_on(own, by=scene.admin).is_active
    waiting.refresh_from_db()
    assert waiting.state == DeliveryState.WAITING


def test_dropping_what_was_held_drops_events_too(scene):
    delivery = webhooks.send_test(scene.make(), by=scene.admin)
    restoring.make_safe()
    restoring.drop_messages()
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.CANCELLED
