"""After a restore nothing opens by itself: partners wait for the customer, invitations, tokens and sessions are over."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from audit.models import OutboxMessage, OutboxState
from partners.errors import InvitationOver
from partners.invariants import CHECKS
from partners.models import ApiToken, Invitation, PartnerRelationship
from partners.services import invitations, relationships, restoring, tokens
from rbac import access
from rbac.catalogue import Permission
from rbac.models import Delegation, PersonSession
from rooms.models import Room
from tests.factories.evidence import leaves
from tests.factories.world import World, invite, join, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def seen(person) -> int:
    return access.visible(person, Permission.ROOMS_VIEW, Room.objects.all()).count()


def test_partner_sees_nothing_until_the_customer_resumes(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    assert seen(ann) == 2

    assert restoring.make_safe().relationships == 1

    assert seen(ann) == 0
    relationships.resume(PartnerRelationship.objects.get(pk=relationship.pk), by=world.contoso.admin)
    assert seen(ann) == 2


def test_open_invitations_are_withdrawn_for_good(world):
    first, (zed,) = invite(world.contoso, "zed@northwind.example")
    joined, _ = join(world.tailwind, world.fabrikam, "ann")
    invitations.invite(joined, [restoring_contact("bob@fabrikam.example")], by=world.tailwind.admin)

    assert restoring.make_safe().invitations == 2

    with pytest.raises(InvitationOver):
        invitations.accept(zed, by=world.northwind.person("zed"))
    assert set(Invitation.objects.values_list("state", flat=True)) == {"accepted", "revoked"}
    states = dict(Delegation.objects.values_list("pk", "state"))
    assert states == {first.delegation_id: "lapsed", joined.delegation_id: "suspended"}


def restoring_contact(upn: str) -> invitations.Contact:
    return invitations.Contact("Bob", upn)


def test_tokens_and_sessions_are_over(world, client):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    tokens.issue(relationship.delegation, "tool", by=ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=1))
    client.force_login(world.contoso.admin, backend="rbac.backends.LocalAccounts")

    measures = restoring.make_safe()

    assert (measures.tokens, measures.sessions) == (1, 1)
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    assert not PersonSession.objects.exists()


def test_messages_are_held_and_then_released_or_dropped(world, clock):
    join(world.contoso, world.fabrikam, "ann")
    waiting = OutboxMessage.objects.filter(state=OutboxState.WAITING)
    held = waiting.count()
    assert held > 0

    assert restoring.make_safe().messages == held
    clock.move(timedelta(days=365))
    assert list(CHECKS["outbox"]()) == []
    assert set(waiting.values_list("due_at", flat=True)) == {restoring.HELD}

    kept = waiting.order_by("pk").first()
    assert restoring.release_messages() == held
    kept.refresh_from_db()
    assert kept.due_at == pytest.approx(clock.now(), abs=timedelta(minutes=1))
    restoring.make_safe()
    assert restoring.drop_messages() == held
    assert not waiting.exists()


def test_everything_is_on_record(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    invite(world.contoso, "zed@northwind.example")
    before = PartnerRelationship.objects.exclude(pk=relationship.pk).get()

    with leaves(
        "platform: Settings/Update after a restore Successful system",
        f"Contoso: PartnerInvitation/Update {relationship.label} Successful system",
        "Contoso: PartnerInvitation/Update zed@northwind.example Successful system",
        f"Contoso: PartnerInvitation/Update {before.label} Successful system",
    ) as evidence:
        restoring.make_safe()

    platform = next(event for event in evidence.events if event.category == "Settings")
    assert platform.after == {
        "relationships": 1,
        "invitations": 1,
        "tokens": 0,
        "sessions": 0,
        "messages": 2,
        "webhooks": 0,
    }


def test_twice_does_no_harm(world):
    join(world.contoso, world.fabrikam, "ann")
    restoring.make_safe()

    assert restoring.make_safe() == restoring.Measures(0, 0, 0, 0, 0, 0)
    assert {name: list(check()) for name, check in CHECKS.items()} == {name: [] for name in CHECKS}


def test_command_says_what_it_did(world):
    join(world.contoso, world.fabrikam, "ann")

    def call(*arguments: str) -> str:
        out = StringIO()
        call_command("after_restore", *arguments, stdout=out)
        return out.getvalue()

    assert "- 1 relationships are suspended" in call()
    assert call("--release-messages") == "1 messages leave now.\n"
    call()
    assert call("--drop-messages") == "1 messages are cancelled.\n"
