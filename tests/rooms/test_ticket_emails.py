"""The mails about tickets: to whom, in which language, and which rooms they name."""

import pytest
from django.core import mail

from audit import outbox
from audit.clock import now
from audit.delivery import deliver_due
from audit.models import OutboxMessage
from partners.services import relationships
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, User
from rbac.services import notifications
from rbac.services.notifications import Choice, Event
from rooms import parcels
from rooms.models import Ticket
from rooms.scopes import Scope
from rooms.services import tickets
from tests.factories import join
from tests.factories.tickets import reported
from tests.factories.world import World, assign, custom_role, make, over

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"


@pytest.fixture
def world(settings) -> World:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return make()


def sent() -> dict[str, str]:
    """Whom a mail reached now, and its text."""
    others = OutboxMessage.objects.filter(state="waiting").exclude(kind__startswith="tickets.")
    others.update(state="cancelled", settled_at=now())
    mail.outbox = []
    assert deliver_due()
    assert not OutboxMessage.objects.filter(state="waiting").exists()
    return {one.to[0]: f"{one.subject}\n{one.body}" for one in mail.outbox}


def test_every_kind_is_delivered_by_somebody():
    assert len({outbox.handler_of(kind) for kind in parcels.KINDS}) == 4


def test_high_impact_is_told_to_those_who_may_work_on_it_with_rooms_they_see(world):
    contoso = world.contoso
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea")
    silent = contoso.member(BuiltIn.SITE_LEAD, "sue")
    Assignment.objects.filter(people=silent).update(sends_email=False)
    contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[0]))
    assign(custom_role(contoso.tenant, Permission.TICKETS_VIEW), contoso.person("vic"), Scope(all_rooms=True))
    reported(world, *contoso.rooms, is_high_impact=True, justification="The board meets")
    told = sent()
    assert set(told) == {ann.upn, lead.upn, "tess@contoso.example"}
    assert "High impact: ticket #" in told[ann.upn]
    assert "The board meets" in told[ann.upn]
    assert "Contoso room 0, Contoso room 1\n" in told[ann.upn]
    assert "Contoso room 2" in told[lead.upn]
    assert "Contoso room 1" not in told["tess@contoso.example"]
    assert f"/c/{contoso.tenant.pk}/tickets/" in told[ann.upn]


def test_other_tickets_are_told_to_whom_the_customer_chose(world):
    contoso = world.contoso
    contoso.member(BuiltIn.MMR_ADMIN, "keeper")
    reported(world)
    assert sent() == {}
    choice = Choice(to_admins=True, addresses=("desk@helpdesk.example",))
    notifications.change(contoso.tenant, {Event.TICKET_IMPORTANT: choice}, by=contoso.admin)
    reported(world, severity="warning")
    assert sent() == {}
    reported(world)
    told = sent()
    assert set(told) == {"keeper@contoso.example", "desk@helpdesk.example"}
    assert "Contoso room 0" in told["keeper@contoso.example"]
    assert "Contoso room" not in told["desk@helpdesk.example"]
    assert "/tickets/" not in told["desk@helpdesk.example"]


def test_a_message_reaches_those_who_take_part_in_their_language(world):
    contoso = world.contoso
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    contoso.member(BuiltIn.SITE_LEAD, "lea")
    ticket = reported(world)
    tickets.write(ticket, by=ann, text="First\nline")
    User.objects.filter(pk=ann.pk).update(language="de")
    tickets.write(ticket, by=contoso.admin, text="Second")
    told = sent()
    assert set(told) == {ADMIN, ann.upn}
    assert "First line" in told[ADMIN]
    assert f"{ann.upn} has written" in told[ADMIN]
    assert told[ann.upn].startswith(f"Neue Nachricht in Ticket #{ticket.pk}: No sound")


def test_who_may_not_see_it_any_more_is_not_told(world):
    contoso = world.contoso
    relationship, (ann,) = join(contoso, world.fabrikam, "ann")
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea")
    ticket = reported(world)
    for person in (ann, lead):
        tickets.write(ticket, by=person, text="Hello")
    sent()
    tickets.assign(ticket, by=contoso.admin, person=ann.pk)
    tickets.write(ticket, by=contoso.admin, text="Secret")
    relationships.remove(relationship, by=contoso.admin)
    User.objects.filter(pk=lead.pk).update(is_active=False)
    assert sent() == {}


def test_a_split_mail_is_asked_again_before_it_leaves(world):
    contoso = world.contoso
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea")
    ticket = reported(world)
    tickets.write(ticket, by=lead, text="Hello")
    sent()
    payload = {"by": contoso.admin.pk, "who": ADMIN, "to": lead.upn, "account": lead.pk}
    OutboxMessage.objects.create(
        due_at=now(),
        kind=parcels.ASSIGNED,
        subject_id=str(ticket.pk),
        tenant_id=contoso.tenant.pk,
        payload=payload | {"person": lead.pk},
    )
    assert sent() == {}  # not assigned to her
    tickets.assign(ticket, by=contoso.admin, person=lead.pk)
    assert set(sent()) == {lead.upn}


def test_closing_is_told_and_reopening_stops_it(world):
    contoso = world.contoso
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    ticket = reported(world)
    tickets.write(ticket, by=ann, text="We look")
    sent()
    tickets.close(ticket, by=ann, reason="no_fault", note="It was off")
    told = sent()
    assert set(told) == {ADMIN}
    assert "No fault" in told[ADMIN]
    assert "It was off" in told[ADMIN]
    tickets.change_state(ticket, by=contoso.admin, state="needs_action")
    tickets.close(ticket, by=contoso.admin, reason="fixed")
    tickets.change_state(ticket, by=contoso.admin, state="needs_action")
    assert sent() == {}


def test_a_ticket_closed_meanwhile_is_news_to_nobody(world):
    contoso = world.contoso
    contoso.member(BuiltIn.SITE_LEAD, "lea")
    ticket = reported(world, is_high_impact=True, justification="x")
    tickets.close(ticket, by=contoso.admin, reason="fixed")
    assert sent() == {}
    assert Ticket.objects.get().state == "closed"
