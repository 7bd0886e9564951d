"""The clock rings twice, or not at all."""

from datetime import timedelta

import pytest

from audit.models import AuditEvent
from partners.errors import InvitationOver
from partners.models import Invitation, InvitationState
from partners.services import invitations
from tests.factories.world import World, invite, join
from tests.faults.scene import Browser, stays, wait_until
from tests.foundation.clock import Clock
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal

ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"


def expired() -> int:
    return AuditEvent.objects.filter(category="PartnerInvitation", after__state="expired").count()


def test_two_beats_do_nothing_twice(broker_url: str, smtp_sink: SmtpSink, portal: Portal, world: World, clock: Clock):
    names = [f"person{number}@fabrikam.example" for number in range(6)]
    portal.beat()
    portal.beat()
    portal.worker(concurrency=2)
    _, sent = invite(world.contoso, *names)

    smtp_sink.wait_for(6)
    clock.move(timedelta(days=14))
    wait_until(lambda: expired() == 6)
    smtp_sink.wait_for(7)  # nobody is left to accept: the customer is told, once

    stays(smtp_sink, *names, world.contoso.admin.upn)
    assert expired() == 6
    states = Invitation.objects.filter(pk__in=[one.pk for one in sent]).values_list("state", flat=True)
    assert list(states) == [InvitationState.EXPIRED] * 6


def test_without_a_beat_expiry_holds_and_mails_leave(smtp_sink: SmtpSink, portal: Portal, world: World, clock: Clock):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    (bob,) = invitations.invite(relationship, [invitations.Contact("Bob", BOB)], by=world.contoso.admin)
    portal.worker()
    invitee = Browser.of(world.fabrikam.person("bob"), portal.web())
    clock.move(timedelta(days=14))

    status, _ = invitee.post("invitation_accept", bob.pk)

    assert status == 410
    assert Invitation.objects.get(pk=bob.pk).state == InvitationState.PENDING
    with pytest.raises(InvitationOver):
        invitations.accept(bob, by=world.fabrikam.person("bob"))
    (again,) = invitations.invite(relationship, [invitations.Contact("Bob", BOB)], by=world.contoso.admin)
    smtp_sink.wait_for(1)
    assert Invitation.objects.get(pk=bob.pk).state == InvitationState.EXPIRED
    assert again.pk != bob.pk
