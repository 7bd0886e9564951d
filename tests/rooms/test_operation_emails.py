"""The mails about operations: that the enrolment key was reset, that a rollout is over with failures."""

from datetime import timedelta

import pytest
from django.core import mail

from audit import outbox
from audit.clock import now
from audit.delivery import deliver_due
from audit.models import OutboxMessage
from rbac.services import notifications
from rbac.services.notifications import Choice, Event
from rooms import operation_emails
from rooms.models import Rollout, Room, RoomUpdate
from rooms.services import keys, releases, rollout_clock
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings) -> World:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    found = make()
    OutboxMessage.objects.all().delete()
    return found


def sent() -> dict[str, str]:
    """Whom a mail reached now, and its text."""
    mail.outbox = []
    deliver_due()
    return {one.to[0]: f"{one.subject}\n{one.body}" for one in mail.outbox}


def failed_rollout(world: World) -> Rollout:
    """The last room of Contoso's rollout has failed; the clock has not looked yet."""
    tenant = world.contoso.tenant
    Room.objects.filter(tenant=tenant).update(state="enrolled", app_version="5.0")
    releases.publish("5.1", by=None)
    rollout_clock.schedule(tenant.pk)
    running = Rollout.objects.select_related("ring").get(tenant=tenant, ring__key="general")
    Rollout.objects.filter(pk=running.pk).update(state="in_progress")
    at = now()
    failed = {"starts_at": at, "ends_at": at + timedelta(hours=5), "changed_at": at, "state": "failed"}
    for room in world.contoso.rooms:
        RoomUpdate.objects.update_or_create(rollout=running, room=room, defaults={"tenant_id": tenant.pk, **failed})
    OutboxMessage.objects.all().delete()
    return running


def test_every_kind_is_delivered_by_somebody():
    kinds = (operation_emails.KEY_RESET, operation_emails.ROLLOUT_FAILED)
    assert len({outbox.handler_of(kind) for kind in kinds}) == 2


def test_a_reset_key_is_told_but_not_the_first_one(world):
    keys.reset(world.contoso.tenant, by=world.contoso.admin)
    assert sent() == {}
    keys.reset(world.contoso.tenant, by=world.contoso.admin)
    [(address, said)] = sent().items()
    assert address == world.contoso.admin.upn
    for part in (
        "The enrolment key of Contoso was reset",
        "admin@contoso.example has reset the enrolment key of Contoso; version 2 enrols devices",
        f"/c/{world.contoso.tenant.pk}/settings/keys/",
    ):
        assert part in said
    assert "trmk_" not in said


def test_only_the_last_of_two_resets_is_told(world):
    for _ in range(3):
        keys.reset(world.contoso.tenant, by=world.contoso.admin)
    assert ["version 3" in said for said in sent().values()] == [True]


def test_a_rollout_with_failures_is_told_to_whom_the_customer_chose(world):
    choice = Choice(to_admins=False, addresses=("desk@contoso.example",))
    notifications.change(world.contoso.tenant, {Event.ROLLOUT_FAILED: choice}, by=world.contoso.admin)
    rollout_clock.finish(failed_rollout(world).pk)
    [(address, said)] = sent().items()
    assert address == "desk@contoso.example"
    assert "An update has failed in rooms of Contoso" in said
    assert "Release 5.1 is through in the ring “General”. Rooms in which it failed: 3." in said
    assert "/rollouts/" not in said  # nobody's account: it opens no page


def test_failures_made_good_meanwhile_are_not_told(world):
    running = failed_rollout(world)
    rollout_clock.finish(running.pk)
    Rollout.objects.filter(pk=running.pk).update(state="completed")
    assert sent() == {}
