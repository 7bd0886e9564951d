"""Two people and one ticket, or a ticket and the end of a partner, at the same moment."""

from dataclasses import dataclass

from audit.models import AuditEvent, OutboxMessage
from partners.models import PartnerRelationship
from partners.services import invitations, relationships
from rbac.models import User
from rooms.models import Ticket, TicketEntry
from rooms.services import ticket_silence, tickets
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.tickets import reported
from tests.factories.world import World, invite
from tests.invariants import check
from tests.races.guards import no_row_locks
from tests.races.harness import Race


@dataclass
class Case:
    """A partner of its own for each round, and a ticket about rooms that it cares for."""

    relationship: PartnerRelationship
    ann: User
    admin: User
    ticket: Ticket

    @property
    def now(self) -> Ticket:
        return Ticket.objects.get(pk=self.ticket.pk)

    def kinds(self) -> list[str]:
        return list(TicketEntry.objects.filter(ticket=self.ticket).order_by("at", "id").values_list("kind", flat=True))


def case_of(world: World) -> Case:
    partner = TenantFactory()
    ann = UserFactory(tenant=partner, upn=f"ann@p{partner.pk.hex[:8]}.example")
    relationship, (to_ann,) = invite(world.contoso, ann.upn)
    invitations.accept(to_ann, by=ann)
    return Case(relationship, ann, world.contoso.admin, reported(world))


def remove(case: Case) -> None:
    relationships.remove(case.relationship, by=case.admin)


# --- Written, or removed before -----------------------------------------------------------------


def wrote_before_or_not_at_all(case: Case, names: list[str]) -> None:
    assert names[1] == "ok"
    assert names[0] in ("ok", "403")
    assert case.kinds() == (["opened", "message"] if names[0] == "ok" else ["opened"])
    if names[0] == "ok":
        lines = AuditEvent.objects.filter(result="Successful")
        written = lines.filter(category="Ticket", user_id=case.ann.upn).latest("seq")
        removed = lines.filter(category="PartnerInvitation", operation="Delete").latest("seq")
        assert written.seq < removed.seq


def write_or_remove(world: World) -> Race[Case]:
    write = lambda case: tickets.write(case.ticket, by=case.ann, text="Still here") and None  # noqa: E731
    return Race(lambda number: case_of(world), [write, remove], wrote_before_or_not_at_all)


def test_nothing_is_written_after_the_removal(world):
    write_or_remove(world).must_win()


def test_control_write_and_remove(world):
    with no_row_locks():
        write_or_remove(world).must_lose()


# --- Assigned, or removed -----------------------------------------------------------------------


def assigned_to_nobody_gone(case: Case, names: list[str]) -> None:
    assert names[1] == "ok"
    assert names[0] in ("ok", "unknown_person")
    assert (case.now.assigned_to, case.now.assigned_upn) == (None, "")
    assert case.kinds() == (["opened", "assigned", "assigned"] if names[0] == "ok" else ["opened"])


def assign_or_remove(world: World) -> Race[Case]:
    assign = lambda case: tickets.assign(case.ticket, by=case.admin, person=case.ann.pk) and None  # noqa: E731
    return Race(lambda number: case_of(world), [assign, remove], assigned_to_nobody_gone)


def test_nothing_stays_assigned_to_people_who_are_gone(world):
    assign_or_remove(world).must_win()


def test_control_assign_and_remove(world):
    with no_row_locks():
        assign_or_remove(world).must_lose()


# --- Closed twice -------------------------------------------------------------------------------


def closed_once(case: Case, names: list[str]) -> None:
    assert sorted(names) == ["ok", "ticket_closed"]
    assert case.kinds() == ["opened", "closed"]
    assert OutboxMessage.objects.filter(kind="tickets.closed", subject_id=str(case.ticket.pk)).count() == 1


def close_twice(world: World) -> Race[Case]:
    close = lambda case: tickets.close(case.ticket, by=case.admin, reason="fixed") and None  # noqa: E731
    partners = lambda case: tickets.close(case.ticket, by=case.ann, reason="other") and None  # noqa: E731
    return Race(lambda number: case_of(world), [close, partners], closed_once)


def test_a_ticket_is_closed_once(world):
    close_twice(world).must_win()


def test_control_close_twice(world):
    with no_row_locks():
        close_twice(world).must_lose()


# --- The clock twice, and a message in its way ---------------------------------------------------


def silent_case(world: World) -> Case:
    case = Case(None, world.contoso.admin, world.contoso.admin, reported(world))  # type: ignore[arg-type]
    Ticket.objects.filter(pk=case.ticket.pk).update(touched_at="2026-01-05T08:00Z")
    return case


def closed_by_one_clock(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert case.kinds() == ["opened", "closed"]


def two_clocks(world: World) -> Race[Case]:
    ring = lambda case: ticket_silence.close_silent() and None  # noqa: E731
    return Race(lambda number: silent_case(world), [ring, ring], closed_by_one_clock)


def test_two_clocks_close_once(world):
    two_clocks(world).must_win()


def test_control_two_clocks(world):
    with no_row_locks():
        two_clocks(world).must_lose()


def heard_or_closed(case: Case, names: list[str]) -> None:
    assert names[1] == "ok"
    assert names[0] in ("ok", "ticket_closed")
    assert case.kinds() == (["opened", "message"] if names[0] == "ok" else ["opened", "closed"])


def test_whoever_writes_in_time_keeps_it_open(world):
    write = lambda case: tickets.write(case.ticket, by=case.admin, text="Wait") and None  # noqa: E731
    ring = lambda case: ticket_silence.close_silent() and None  # noqa: E731
    Race(lambda number: silent_case(world), [write, ring], heard_or_closed).must_win()
    check()
