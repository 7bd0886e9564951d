"""Who may be told and chosen: compared with the answer for each person alone; and what a removal lets go."""

import pytest

from partners.services import relationships
from rbac.access import can, visible
from rbac.catalogue import BuiltIn, Permission
from rbac.holders import holders
from rbac.models import Assignment, User
from rooms.models import Room, Ticket, TicketEntry
from rooms.scopes import Scope
from rooms.services import tickets
from tests.factories import join
from tests.factories.evidence import mark
from tests.factories.tickets import reported
from tests.factories.world import World, assign, custom_role, make, over, security_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def crowd(world: World) -> None:
    """People who hold something in every way there is."""
    contoso = world.contoso
    relationship, (ann, _) = join(contoso, world.fabrikam, "ann", "bob")
    join(contoso, world.northwind, "nils", scope=Scope(all_rooms=True))
    contoso.member(BuiltIn.SITE_LEAD, "lea")
    contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[2]))
    assign(custom_role(contoso.tenant, Permission.TICKETS_VIEW), contoso.person("vic"), over(contoso.rooms[0]))
    late = assign(custom_role(contoso.tenant, Permission.TICKETS_UPDATE), contoso.person("late"), Scope(all_rooms=True))
    Assignment.objects.filter(pk=late.pk).update(valid_until="2026-01-01T00:00Z")
    helper = custom_role(contoso.tenant, Permission.TICKETS_UPDATE, delegation=relationship.delegation)
    assign(helper, world.fabrikam.person("hal"), Scope(all_rooms=True))
    assign(helper, world.fabrikam.person("hanna"), over(contoso.rooms[2]))
    group = security_group(contoso.tenant, "Staff", contoso.person("gus"))
    wide = assign(custom_role(contoso.tenant, Permission.TICKETS_UPDATE), contoso.person("gil"), Scope(all_rooms=True))
    wide.group_memberships.create(group=group)
    gone = contoso.member(BuiltIn.SITE_LEAD, "ina")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert ann.pk


@pytest.mark.parametrize(
    "permission", [Permission.TICKETS_UPDATE, Permission.TICKETS_VIEW, Permission.TICKETS_CREATE_INCIDENT]
)
def test_holders_are_those_who_get_the_same_answer_alone(world, permission):
    crowd(world)
    for rooms in ([world.contoso.rooms[0]], world.contoso.german, [world.contoso.rooms[2]], world.contoso.rooms):
        wanted = Room.objects.filter(pk__in=[room.pk for room in rooms])
        alone = {one.pk for one in User.objects.all() if visible(one, permission, wanted).exists()}
        assert set(holders(permission, rooms)) == alone
        assert len(alone) > 2
    assert holders(permission, []) == {}


def test_holders_take_two_statements(world, django_assert_num_queries):
    crowd(world)
    rooms = list(world.contoso.rooms)
    with django_assert_num_queries(2):
        holders(Permission.TICKETS_UPDATE, rooms)


def test_a_removal_lets_go_what_was_assigned_and_says_so(world):
    contoso = world.contoso
    relationship, (ann,) = join(contoso, world.fabrikam, "ann")
    _, (nils,) = join(contoso, world.northwind, "nils")
    hers, closed, his = (reported(world, title=title) for title in ("Hers", "Closed", "His"))
    for ticket, person in ((hers, ann), (closed, ann), (his, nils)):
        tickets.assign(ticket, by=contoso.admin, person=person.pk)
    tickets.write(hers, by=ann, text="Mine")
    tickets.close(closed, by=ann, reason="fixed")
    evidence = mark()
    relationships.remove(relationship, by=contoso.admin)

    now = {ticket.title: ticket for ticket in Ticket.objects.all()}
    assert (now["Hers"].assigned_to, now["Hers"].assigned_upn) == (None, "")
    assert (now["Closed"].assigned_to, now["Closed"].assigned_upn) == (None, ann.upn)
    assert now["His"].assigned_to == nils
    last = TicketEntry.objects.filter(ticket=hers).latest("id")
    assert (last.kind, last.by, last.detail) == (
        "assigned",
        contoso.admin.upn,
        {"from": ann.upn, "cause": "partner_removed"},
    )
    assert [(one.by, one.organisation) for one in TicketEntry.objects.filter(kind="message")] == [(ann.upn, "Fabrikam")]
    of_tickets = [line for line in evidence.lines if "Ticket/" in line]
    assert of_tickets == [f"Contoso: Ticket/Update #{hers.pk} Hers Successful {contoso.admin.upn}"]
    assert not can(ann, Permission.TICKETS_VIEW, hers)
    tickets.change_state(closed, by=contoso.admin, state="needs_action")
    assert Ticket.objects.get(pk=closed.pk).assigned_upn == ""
