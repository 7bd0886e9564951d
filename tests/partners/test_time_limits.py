"""The end of a relationship: set by the customer, true the second it comes, marked by the clock."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.urls import reverse

from audit import delivery
from audit.clock import now
from audit.events import EventType
from audit.models import AuditEvent
from partners.errors import EndInPast, EndTooFar
from partners.models import ApiToken, Invitation, PartnerRelationship
from partners.schedule import end_relationships
from partners.services import denials, invitations, relationships, restoring, terms, time_limits, tokens, webhooks
from partners.services.webhooks import Owner
from partners.webhooks import Webhook, WebhookDelivery
from rbac import access
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.errors import DelegationOver, StaleVersion, TermsWaiting, WrongState
from rbac.models import Delegation, DelegationState, Role
from rbac.precondition import expecting, tag_of
from rooms import change_control
from rooms.models import Room
from rooms.services import policies, rooms
from tests.factories.browsing import browser, text
from tests.factories.callers import person, token, tool
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, contact, found_customer, invite, join, make, waiting
from tests.partners.test_schedule import at_once

ADMIN, ANN = "admin@contoso.example", "ann@fabrikam.example"
SET = "Contoso: PartnerInvitation/Update fabrikam.example"
OVER = "Contoso: PartnerInvitation/Delete fabrikam.example"
DAY = timedelta(days=1)


@pytest.fixture
def world(db) -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


def until_of(relationship: PartnerRelationship) -> Any:
    return Delegation.objects.get(relationship=relationship).valid_until


def state_of(relationship: PartnerRelationship) -> str:
    return Delegation.objects.get(relationship=relationship).state


def in_days(days: float) -> Any:
    return now() + timedelta(days=days)


def limit(world: World, days: float | None, relationship: PartnerRelationship | None = None) -> None:
    end = None if days is None else in_days(days)
    time_limits.limit(relationship or world.relationship, end, by=world.contoso.admin)


# --- Setting it -----------------------------------------------------------------------------------------------------


def test_end_is_set_moved_and_taken_away(world):
    first, later, sooner = in_days(30), in_days(60), in_days(10)
    before = None
    for end in (first, later, sooner, None):
        with leaves(f"{SET} Successful {ADMIN}") as evidence:
            time_limits.limit(world.relationship, end, by=world.contoso.admin)
        assert evidence.changed() == {"rbac_delegation"}
        assert until_of(world.relationship) == end
        [line] = evidence.events
        told = [None if one is None else one.isoformat() for one in (before, end)]
        assert [line.before, line.after] == [{"valid_until": one} for one in told]
        assert line.relationship_id == world.relationship.delegation_id
        before = end


def test_what_is_so_already_leaves_no_line(world):
    end = in_days(30)
    time_limits.limit(world.relationship, end, by=world.contoso.admin)
    with leaves():
        time_limits.limit(world.relationship, end, by=world.contoso.admin)
    assert until_of(world.relationship) == end


def test_an_invited_and_a_suspended_partner_have_an_end_too(world):
    invited, _ = invite(world.contoso, "x@northwind.example")
    relationships.suspend(world.relationship, by=world.contoso.admin)
    for relationship in (invited, world.relationship):
        limit(world, 3, relationship)
        assert until_of(relationship) is not None


@pytest.mark.parametrize(
    ("days", "error", "code"),
    [(0, EndInPast, "end_in_past"), (-1, EndInPast, "end_in_past"), (3654, EndTooFar, "end_too_far")],
)
def test_an_end_is_in_the_future_and_not_absurd(world, days, error, code):
    end = in_days(days)
    refused(
        error,
        lambda: time_limits.limit(world.relationship, end, by=world.contoso.admin),
        f"{SET} Failed({code}) {ADMIN}",
        code=code,
    )


@pytest.mark.parametrize(("days", "error"), [(-1, EndInPast), (3654, EndTooFar)])
def test_a_partner_is_added_with_its_end_or_not_at_all(world, days, error):
    relationship, _ = invite(world.contoso, "x@northwind.example", valid_until=in_days(90))
    assert until_of(relationship) is not None
    number = PartnerRelationship.objects.count()
    with pytest.raises(error):
        invite(world.contoso, "y@northwind.example", valid_until=in_days(days))
    assert PartnerRelationship.objects.count() == number


def test_what_has_lapsed_or_ended_gets_no_end(world):
    lapsed, (sent,) = invite(world.contoso, "x@northwind.example")
    invitations.revoke(sent, by=world.contoso.admin)
    relationships.remove(world.relationship, by=world.contoso.admin)
    for relationship, error, code in (
        (lapsed, WrongState, "wrong_state"),
        (world.relationship, DelegationOver, "relationship_over"),
    ):
        refused(
            error,
            lambda one=relationship: limit(world, 3, one),
            f"Contoso: PartnerInvitation/Update {relationship.label} Failed({code}) {ADMIN}",
        )


@pytest.mark.parametrize("days", [9, None, 1])
def test_what_is_past_its_end_gets_no_more_time(world, clock, days):
    """Access ended that second, and ended is terminal, though nothing has marked it."""
    limit(world, 2)
    clock.move(2 * DAY)
    refused(DelegationOver, lambda: limit(world, days), f"{SET} Failed(relationship_over) {ADMIN}")


def test_only_those_who_may_modify_settings_set_it(world):
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    for who in (lea, world.ann, world.tailwind.admin):
        refused(
            PermissionDenied,
            lambda who=who: time_limits.limit(world.relationship, in_days(3), by=who),
            f"{SET} Failed(permission_denied) {who.upn}",
        )


def test_who_has_read_something_else_does_not_overwrite_it(world):
    read = tag_of(world.relationship)
    limit(world, 30)
    with expecting(PartnerRelationship, frozenset({read})):
        refused(StaleVersion, lambda: limit(world, 3), f"{SET} Failed(stale_version) {ADMIN}")
    with expecting(PartnerRelationship, frozenset({tag_of(world.relationship)})):
        limit(world, 3)


def test_more_time_asks_for_new_terms_and_less_does_not(world):
    limit(world, 30)
    terms.publish("Wash your hands.", "Waschen Sie sich die Hände.", by=None)
    for more in (31, None):
        refused(TermsWaiting, lambda more=more: limit(world, more), f"{SET} Failed(terms_changed) {ADMIN}")
    limit(world, 29)


def test_end_and_name_are_changed_together_or_not_at_all(world):
    ends = {"valid_until": in_days(-1)}
    with pytest.raises(EndInPast):
        relationships.modify(world.relationship, by=world.contoso.admin, label="Fab", modes={}, ends=ends)
    assert PartnerRelationship.objects.get(pk=world.relationship.pk).label == "fabrikam.example"
    ends = {"valid_until": in_days(1)}
    relationships.modify(world.relationship, by=world.contoso.admin, label="Fab", modes={}, ends=ends)
    assert (PartnerRelationship.objects.get(pk=world.relationship.pk).label, until_of(world.relationship)) == (
        "Fab",
        ends["valid_until"],
    )


# --- Past it, with every job dead -----------------------------------------------------------------------------------


def test_everything_is_closed_that_second_though_no_job_has_run(world, clock):
    """Page, file, API by session and by token, everything over all customers: open a moment before, closed at the end."""
    wingtip = found_customer("Wingtip")
    join(wingtip, world.fabrikam, "ann")
    program = tool(token(world.relationship, world.ann, *CEILING))
    client, caller, contoso = browser(world.ann), person(world.ann), world.contoso.tenant.pk
    room = world.contoso.german[0]
    pages = [
        reverse("overview", args=[contoso]),
        reverse("room", args=[contoso, room.pk]),
        reverse("rooms_export", args=[contoso]),
        reverse("customer", args=[contoso]),
        reverse("api-room", args=[contoso, room.pk]),
    ]

    def answers() -> tuple[set[int], set[int], int, int]:
        everywhere = text(client.get(reverse("all_rooms")))
        return (
            {client.get(page).status_code for page in pages},
            {caller.get("api-room", contoso, room.pk).status_code, caller.get("api-customer", contoso).status_code},
            program.get("api-room", contoso, room.pk).status_code,
            sum(one.display_name in everywhere for one in world.contoso.german),
        )

    limit(world, 2)
    clock.move(2 * DAY - timedelta(seconds=20))
    assert answers() == ({200}, {200}, 200, 2)
    clock.move(timedelta(seconds=20))
    assert answers() == ({404}, {404}, 401, 0)
    assert "Wingtip" in text(client.get(reverse("all_rooms")))
    with pytest.raises(PermissionDenied):
        rooms.modify(room, by=world.ann, changes={"label": "Mine"})
    assert access.effective(world.ann, contoso) == frozenset()
    assert state_of(world.relationship) == DelegationState.ACTIVE, "no job has run: the end alone has closed it"


def test_webhook_of_the_partner_hears_nothing_more_though_no_job_has_run(world, clock):
    owner = Owner(world.contoso.tenant, world.relationship.delegation_id)
    webhook, _ = webhooks.create(owner, "https://hooks.example.com/", by=world.ann, events=[EventType.SCOPE_CHANGED])
    limit(world, 2)
    assert list(Webhook.objects.open()) == [webhook]
    clock.move(2 * DAY)
    assert list(Webhook.objects.open()) == []


def test_request_that_waits_is_not_carried_out_past_the_end(world, clock):
    request = waiting(world.relationship, world.contoso.german[0], world.ann)
    limit(world, 2)
    clock.move(2 * DAY)
    assert change_control.approve(request, by=world.contoso.admin).state == "failed"
    assert Room.objects.get(pk=world.contoso.german[0].pk).label == ""


def test_no_invitation_leads_into_what_is_over(world, clock):
    bob, cat = world.fabrikam.person("bob"), world.fabrikam.person("cat")
    sent = invitations.invite(world.relationship, [contact(bob.upn), contact(cat.upn)], by=world.contoso.admin, days=30)
    limit(world, 2)
    clock.move(2 * DAY - timedelta(hours=1))
    denied = invitations.deny(sent[1], by=cat)
    assert invitations.open_for(bob).count() == 1
    clock.move(timedelta(hours=1))
    assert invitations.open_for(bob).count() == 0
    assert text(browser(bob).get(reverse("invitation", args=[sent[0].pk]))).count("Accept") == 0
    for step in (
        lambda: invitations.accept(sent[0], by=bob),
        lambda: invitations.resend(sent[0], by=world.contoso.admin),
        lambda: denials.undo(denied, by=cat),
        lambda: invitations.invite(world.relationship, [contact("dan@fabrikam.example")], by=world.contoso.admin),
    ):
        with pytest.raises(DelegationOver):
            step()
    assert Invitation.objects.as_of_now().get(pk=sent[0].pk).state_now == "revoked"


def test_nobody_links_to_what_is_over(world, clock):
    relationship, (sent,) = invite(world.contoso, "nora@northwind.example", days=30)
    limit(world, 2, relationship)
    clock.move(2 * DAY)
    with pytest.raises(DelegationOver):
        invitations.accept(sent, by=world.northwind.person("nora"))
    assert Delegation.objects.get(relationship=relationship).held_by is None


def test_what_is_over_stands_in_the_way_of_no_new_relationship(world, clock):
    """The partner is invited anew and accepts, though no job has marked the old one."""
    other, _ = join(world.tailwind, world.fabrikam, "ann")
    limit(world, 2)
    clock.move(2 * DAY)
    again, (sent,) = invite(world.contoso, ANN)
    with leaves(
        f"{OVER} Successful system",
        "Contoso: Assignment/Delete Primary admin / Invited admins Successful system",
        "Contoso: Role/Delete Primary admin Successful system",
        f"Contoso: PartnerInvitation/Update {ANN} Successful {ANN}",
        f"Contoso: PartnerInvitation/Update Fabrikam Successful {ANN}",
        f"Contoso: Assignment/Update Primary admin / Invited admins Successful {ANN}",
    ):
        invitations.accept(sent, by=world.ann)
    assert [state_of(one) for one in (world.relationship, again, other)] == ["ended", "active", "active"]


@pytest.mark.parametrize("step", ["suspend", "resume", "rename", "control", "leave"])
def test_nothing_is_changed_of_what_is_over_but_that_it_can_be_removed(world, clock, step):
    limit(world, 2)
    if step == "resume":
        relationships.suspend(world.relationship, by=world.contoso.admin)
    clock.move(2 * DAY)
    admin, relationship = world.contoso.admin, world.relationship
    steps: dict[str, Callable[[], object]] = {
        "suspend": lambda: relationships.suspend(relationship, by=admin),
        "resume": lambda: relationships.resume(relationship, by=admin),
        "rename": lambda: relationships.rename(relationship, "x", by=admin),
        "control": lambda: policies.change(relationship.delegation, {}, by=admin, label="x"),
        "leave": lambda: relationships.leave(relationship, by=world.ann),
    }
    with pytest.raises(DelegationOver):
        steps[step]()
    relationships.remove(relationship, by=admin)
    assert state_of(relationship) == DelegationState.ENDED


def test_a_restored_backup_leaves_alone_what_is_over(world, clock):
    """To suspend it would be refused; it is closed already."""
    other, _ = join(world.tailwind, world.fabrikam, "ann")
    limit(world, 2)
    clock.move(2 * DAY)
    restoring.make_safe()
    assert (state_of(world.relationship), state_of(other)) == (DelegationState.ACTIVE, DelegationState.SUSPENDED)


# --- The clock ------------------------------------------------------------------------------------------------------


def test_clock_ends_it_as_a_removal_does_and_tells_both_sides(world, clock, smtp_sink):
    admin, relationship = world.contoso.admin, world.relationship
    tokens.issue(relationship.delegation, "tool", by=world.ann, scopes=[Permission.ROOMS_VIEW], lifetime=9 * DAY)
    invitations.invite(relationship, [contact("eve@fabrikam.example")], by=admin)
    listening, _ = webhooks.create(
        Owner(world.contoso.tenant, None), "https://hooks.example.com/", by=admin, events=[EventType.RELATIONSHIP_ENDED]
    )
    limit(world, 2)
    end = until_of(relationship)
    clock.move(2 * DAY + timedelta(minutes=5))
    with leaves(
        f"{OVER} Successful system",
        "Contoso: PartnerInvitation/Update eve@fabrikam.example Successful system",
        "Contoso: Assignment/Delete Primary admin / Invited admins Successful system",
        "Contoso: Role/Delete Primary admin Successful system",
    ) as evidence:
        end_relationships()
    delegation = Delegation.objects.get(pk=relationship.delegation_id)
    assert (delegation.state, delegation.has_expired, delegation.over_since) == (DelegationState.ENDED, True, end)
    assert evidence.events[0].before == {
        "state": "active",
        "people": 1,
        "rooms": 2,
        "invitations": 1,
        "tokens": 1,
        "webhooks": 0,
        "requests": 0,
    }
    assert evidence.events[0].after == {"state": "ended", "has_expired": True}
    assert not Role.objects.filter(delegation=delegation).exists()
    assert not ApiToken.objects.exists()
    assert [(one.webhook, one.type) for one in WebhookDelivery.objects.all()] == [(listening, "relationship.ended")]
    assert evidence.kinds == ["partners.removed", "partners.ended"]

    delivery.deliver_due()
    delivery.deliver_due()
    told = {mail["To"]: mail.get_body(("plain",)).get_content() for mail in smtp_sink.messages}
    assert "The time limit of the partnership was reached." in told[ANN]
    assert "The time limit of the partner fabrikam.example was reached on" in told[ADMIN]
    assert "removed" not in told[ADMIN]


def test_clock_ends_nothing_a_second_too_early(world, clock):
    limit(world, 2)
    clock.move(2 * DAY - timedelta(seconds=20))
    end_relationships()
    assert state_of(world.relationship) == DelegationState.ACTIVE


def test_clock_ends_what_nobody_has_accepted_and_what_is_suspended_or_lapsed(world, clock):
    invited, _ = invite(world.contoso, "x@northwind.example", days=30)
    lapsed, (sent,) = invite(world.contoso, "y@northwind.example")
    for relationship in (invited, lapsed, world.relationship):
        limit(world, 2, relationship)
    invitations.revoke(sent, by=world.contoso.admin)
    relationships.suspend(world.relationship, by=world.contoso.admin)
    clock.move(2 * DAY)
    end_relationships()
    assert {state_of(one) for one in (invited, lapsed, world.relationship)} == {DelegationState.ENDED}


def test_of_invited_partners_the_customer_is_told_and_of_lapsed_ones_nobody(world, clock, smtp_sink):
    invited, _ = invite(world.contoso, "x@northwind.example", days=30, label="Invited")
    lapsed, (sent,) = invite(world.contoso, "y@northwind.example", label="Lapsed")
    for relationship in (invited, lapsed):
        limit(world, 2, relationship)
    invitations.revoke(sent, by=world.contoso.admin)
    delivery.deliver_due()
    delivery.deliver_due()
    smtp_sink.messages.clear()
    clock.move(2 * DAY)
    end_relationships()
    delivery.deliver_due()
    delivery.deliver_due()
    assert [(mail["To"], mail["Subject"]) for mail in smtp_sink.messages] == [
        (ADMIN, "Invited is no longer your partner")
    ]


def test_time_given_in_the_meantime_keeps_it(world, clock):
    limit(world, 2)
    found = time_limits.due()
    limit(world, 4)
    clock.move(2 * DAY)
    assert not found.exists()
    with leaves():
        assert relationships.expire(world.relationship) is False
    assert state_of(world.relationship) == DelegationState.ACTIVE


def test_ending_twice_changes_nothing_more(world, clock):
    limit(world, 2)
    clock.move(2 * DAY)
    end_relationships()
    with leaves():
        end_relationships()
        assert relationships.expire(world.relationship) is False


def test_looking_costs_a_query_for_each_question_when_nothing_is_due(world, django_assert_num_queries):
    limit(world, 2)
    with django_assert_num_queries(2):
        end_relationships()


def test_clock_works_in_sets_the_oldest_first(world, clock, monkeypatch):
    other, _ = join(world.contoso, world.northwind, "eve")
    limit(world, 2)
    limit(world, 1, other)
    clock.move(2 * DAY)
    monkeypatch.setattr("partners.schedule.AT_ONCE", 1)
    end_relationships()
    assert (state_of(other), state_of(world.relationship)) == (DelegationState.ENDED, DelegationState.ACTIVE)
    end_relationships()
    assert state_of(world.relationship) == DelegationState.ENDED


def test_a_new_invitation_begins_a_new_relationship_afterwards(world, clock):
    limit(world, 2)
    clock.move(2 * DAY)
    end_relationships()
    again, _ = join(world.contoso, world.fabrikam, "ann")
    assert (state_of(again), until_of(again)) == (DelegationState.ACTIVE, None)


def test_two_beats_at_once_end_it_once(committed_db, broker_url, clock):
    world = make()
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    time_limits.limit(relationship, in_days(2), by=world.contoso.admin)
    clock.move(2 * DAY)
    assert at_once(end_relationships, end_relationships, end_relationships) == [None] * 3
    ended = AuditEvent.objects.filter(category="PartnerInvitation", operation="Delete", result="Successful")
    assert (state_of(relationship), ended.count()) == (DelegationState.ENDED, 1)


def test_one_that_somebody_holds_keeps_no_other_one_waiting(committed_db, broker_url, clock, caplog):
    world = make()
    held, _ = join(world.contoso, world.fabrikam, "ann")
    free, _ = join(world.tailwind, world.northwind, "eve")
    for relationship, admin in ((held, world.contoso.admin), (free, world.tailwind.admin)):
        time_limits.limit(relationship, in_days(2), by=admin)
    clock.move(2 * DAY)
    with transaction.atomic():
        Delegation.objects.select_for_update().get(relationship=held)
        assert at_once(end_relationships) == [None]
    connection.close()
    assert (state_of(held), state_of(free)) == (DelegationState.ACTIVE, DelegationState.ENDED)
    assert "it is tried again at the next ring" in caplog.text
    end_relationships()
    assert state_of(held) == DelegationState.ENDED


def test_more_time_and_the_end_at_once_come_one_after_the_other(committed_db, broker_url, clock):
    """Whoever is first decides: more time keeps it, the end refuses more time; never both."""
    world = make()
    for number in range(3):
        relationship, _ = join(world.contoso, world.fabrikam, f"ann{number}")
        time_limits.limit(relationship, in_days(2), by=world.contoso.admin)
        clock.move(2 * DAY - timedelta(milliseconds=15))
        more = in_days(5)
        _, given = at_once(
            lambda one=relationship: relationships.expire(one),
            lambda one=relationship, end=more: time_limits.limit(one, end, by=world.contoso.admin),
        )
        if given is None:
            assert (state_of(relationship), until_of(relationship)) == (DelegationState.ACTIVE, more)
            relationships.remove(relationship, by=world.contoso.admin)
        else:
            assert isinstance(given, DelegationOver), given
            end_relationships()
            assert state_of(relationship) == DelegationState.ENDED
        clock.restore()
