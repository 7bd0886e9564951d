"""Machines whose clocks are wrong decide nothing: what is due, open or over is judged by the database."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from audit import delivery
from audit.clock import now
from audit.models import OutboxMessage
from partners.errors import InvitationOver
from partners.models import Invitation, InvitationState
from partners.schedule import expire_invitations, remind_invited
from partners.services import invitations
from tests.factories.world import World, invite, make
from tests.foundation.clock import Clock
from tests.foundation.mail import Behaviour, SmtpSink

ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"
OFF = [timedelta(hours=2), timedelta(hours=-2), timedelta(days=400)]

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.mark.parametrize("off", OFF)
def test_an_invitation_is_open_until_the_databases_second(world: World, clock: Clock, off: timedelta):
    ann, bob = world.fabrikam.person("ann"), world.fabrikam.person("bob")
    with time_machine.travel(datetime.now(UTC) + off):
        _, (first, second) = invite(world.contoso, ANN, BOB)
        assert abs(first.expires_at - now() - timedelta(days=14)) < timedelta(minutes=1)

        clock.move(timedelta(days=14, minutes=-1))
        expire_invitations()
        assert invitations.accept(first, by=ann).state == InvitationState.ACCEPTED

        clock.move(timedelta(minutes=1))
        with pytest.raises(InvitationOver):
            invitations.accept(second, by=bob)
        expire_invitations()
        assert Invitation.objects.get(pk=second.pk).state == InvitationState.EXPIRED


@pytest.mark.parametrize("off", OFF)
def test_a_mail_leaves_when_the_database_says_it_is_due(
    world: World, clock: Clock, smtp_sink: SmtpSink, off: timedelta
):
    with time_machine.travel(datetime.now(UTC) + off):
        invite(world.contoso, ANN)
        smtp_sink.behaviour = Behaviour.REFUSE_FOR_NOW
        delivery.deliver_due()
        smtp_sink.behaviour = Behaviour.ACCEPT
        delivery.deliver_due()
        assert smtp_sink.messages == []
        assert OutboxMessage.objects.get().due_at - now() < timedelta(seconds=40)

        clock.move(timedelta(minutes=1))
        delivery.deliver_due()
        assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("off", OFF)
def test_a_reminder_is_due_by_the_database(world: World, clock: Clock, smtp_sink: SmtpSink, off: timedelta):
    with time_machine.travel(datetime.now(UTC) + off):
        _, (invitation,) = invite(world.contoso, ANN)
        delivery.deliver_due()
        remind_invited()
        assert Invitation.objects.get(pk=invitation.pk).reminded_at is None

        clock.move(timedelta(days=11))
        remind_invited()
        assert abs(Invitation.objects.get(pk=invitation.pk).reminded_at - now()) < timedelta(minutes=1)
