"""Importing an inventory: idempotent, one transaction, on record; within the rights of the person who does it."""

import io
from collections import Counter
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied

from audit import verification
from partners.services import relationships
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Role, Tenant
from rooms import change_control, scopes
from rooms.errors import UnreadableInventory
from rooms.inventory_reports import Outcome
from rooms.models import ControlMode, ControlPolicy, Room
from rooms.scopes import Scope
from rooms.services import inventory
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import assign, join, make, over, room_group

pytestmark = pytest.mark.django_db

INVENTORIES = Path(inventory.__file__).parents[2] / "trm_portal" / "development" / "inventories"
GET_PLACE, GRAPH = INVENTORIES / "contoso-get-place.csv", INVENTORIES / "contoso-graph-places.json"
HEAD = "Identity,DisplayName,City,CountryOrRegion,Capacity"


@pytest.fixture
def world():
    return make()


def load_file(customer, path):
    with path.open("rb") as stream:
        return inventory.load(customer.tenant, stream, path.name, by=customer.admin)


def load(tenant, *lines, by, head=HEAD, **options):
    stream = io.BytesIO("\n".join([head, *lines]).encode())
    return inventory.load(tenant, stream, "rooms.csv", by=by, **options)


def check(tenant, *lines, by):
    return inventory.check(tenant, io.BytesIO("\n".join([HEAD, *lines]).encode()), by=by)


def counts(report):
    return [report.counts[outcome] for outcome in Outcome]


def fates(report):
    return [(one.account, one.outcome.value, [problem.code for problem in one.problems]) for one in report.entries]


def stored(tenant):
    return {room.resource_account: room for room in Room.objects.filter(tenant=tenant)}


ROOM0, ROOM1, ROOM2 = (f"room{number}@contoso.example" for number in range(3))


# --- All rooms ----------------------------------------------------------------------------------
def test_importing_either_file_after_the_other_changes_nothing(world):
    tenant = world.contoso.tenant

    reports = [load_file(world.contoso, path) for path in (GET_PLACE, GRAPH, GET_PLACE)]

    assert [counts(report) for report in reports] == [[666, 0, 0, 0], [0, 0, 120, 0], [0, 0, 666, 0]]
    imported = Room.objects.filter(tenant=tenant).exclude(pk__in=[room.pk for room in world.contoso.rooms])
    by_country = Counter(imported.values_list("country", flat=True))
    assert (len(imported), by_country["DE"], by_country["US"]) == (666, 114, 167)
    assert set(imported.values_list("version", flat=True)) == {1}


def test_the_other_file_first_changes_nothing_either(world):
    reports = [load_file(world.contoso, path) for path in (GRAPH, GET_PLACE, GRAPH)]

    assert [counts(report) for report in reports] == [[120, 0, 0, 0], [546, 0, 120, 0], [0, 0, 120, 0]]


def test_rooms_become_what_the_file_says(world):
    report = load(
        world.contoso.tenant,
        f"{ROOM0},Contoso room 0,Bonn,Germany,12",
        f"{ROOM1},Contoso room 1,Berlin,DE,",
        "New@contoso.example,New one,Paris,France,4",
        by=world.contoso.admin,
    )

    rooms = stored(world.contoso.tenant)
    assert fates(report) == [
        (ROOM0, "changed", []),
        (ROOM1, "unchanged", []),
        ("new@contoso.example", "created", []),
    ]
    assert report.entries[0].fields == ("city", "capacity")
    assert (rooms[ROOM0].city, rooms[ROOM0].capacity, rooms[ROOM0].version) == ("Bonn", 12, 2)
    assert rooms[ROOM0].building == "Contoso tower"  # no column speaks of it
    assert rooms[ROOM1].version == 1
    assert (rooms[ROOM2].city, rooms[ROOM2].version) == ("Seattle", 1)  # no row speaks of it
    new = rooms["new@contoso.example"]
    assert (new.display_name, new.country, new.capacity, new.state) == ("New one", "FR", 4, "onboarding")


def test_an_empty_cell_empties(world):
    load(world.contoso.tenant, f"{ROOM0},Contoso room 0,,DE,3", by=world.contoso.admin)
    load(world.contoso.tenant, f"{ROOM0},Contoso room 0,,DE,", by=world.contoso.admin)

    room = stored(world.contoso.tenant)[ROOM0]
    assert (room.city, room.capacity, room.version) == ("", None, 3)


def test_the_time_zone_follows_the_country_until_somebody_chooses_one(world):
    tenant, admin = world.contoso.tenant, world.contoso.admin
    accounts = ["a@contoso.example", "b@contoso.example", "c@contoso.example"]

    def zones():
        rooms = stored(tenant)
        return [rooms[account].time_zone for account in accounts]

    load(
        tenant, *(f"{account},A,,{land}," for account, land in zip(accounts, ["DE", "US", "DE"], strict=True)), by=admin
    )
    assert zones() == ["Europe/Berlin", "", "Europe/Berlin"]

    Room.objects.filter(resource_account=accounts[2]).update(time_zone="UTC")
    report = load(tenant, *(f"{account},A,,FR," for account in accounts), by=admin)
    assert zones() == ["Europe/Paris", "Europe/Paris", "UTC"]
    assert [one.fields for one in report.entries] == [("country", "time_zone"), ("country", "time_zone"), ("country",)]


def test_a_bad_row_takes_no_good_one_with_it(world):
    report = load(
        world.contoso.tenant,
        f"{ROOM0},Contoso room 0,Bonn,DE,",
        "bad room@contoso.example,Bad,,DE,",
        "new@contoso.example,New,,Atlantis,-1",
        f"{ROOM0},Again,,DE,",
        "good@contoso.example,Good,,DE,1",
        by=world.contoso.admin,
    )

    assert fates(report) == [
        (ROOM0, "changed", []),
        ("bad room@contoso.example", "refused", ["upn_blank"]),
        ("new@contoso.example", "refused", ["unknown_country", "out_of_range"]),
        (ROOM0, "refused", ["duplicate"]),
        ("good@contoso.example", "created", []),
    ]
    assert set(stored(world.contoso.tenant)) == {ROOM0, ROOM1, ROOM2, "good@contoso.example"}


def test_the_same_account_in_another_tenant_is_another_room(world):
    load(world.contoso.tenant, "room0@tailwind.example,Ours,Bonn,DE,", by=world.contoso.admin)

    assert stored(world.tailwind.tenant)["room0@tailwind.example"].city == "Berlin"
    assert stored(world.contoso.tenant)["room0@tailwind.example"].city == "Bonn"


def test_an_import_leaves_a_line_for_itself_one_for_what_is_new_and_one_for_each_change(world):
    admin = world.contoso.admin.upn

    with leaves(
        f"Contoso: Room/Update rooms.csv Successful {admin}",
        f"Contoso: Room/Create rooms.csv Successful {admin}",
        f"Contoso: Room/Update Contoso room 0 Successful {admin}",
        f"Contoso: Room/Update Contoso room 2 Successful {admin}",
    ) as evidence:
        load(
            world.contoso.tenant,
            f"{ROOM0},Renamed,Berlin,DE,",
            "n1@contoso.example,N1,,DE,",
            "n2@contoso.example,N2,,DE,",
            f"{ROOM1},Contoso room 1,Berlin,DE,",
            f"{ROOM2},Contoso room 2,Seattle,US,7",
            "#,Bad,,,",
            by=world.contoso.admin,
        )

    itself, new, first, second = evidence.events
    assert itself.after == {"rows": 6, "created": 2, "changed": 2, "unchanged": 1, "refused": 1}
    assert new.after == {"rooms": ["n1@contoso.example", "n2@contoso.example"]}
    assert (first.before, first.after) == ({"display_name": "Contoso room 0"}, {"display_name": "Renamed"})
    assert (second.before, second.after) == ({"capacity": None}, {"capacity": 7})
    assert verification.verify(world.contoso.tenant.pk) == ""


def test_an_import_that_changes_nothing_still_leaves_its_line(world):
    with leaves(f"Contoso: Room/Update rooms.csv Successful {world.contoso.admin.upn}"):
        load(world.contoso.tenant, f"{ROOM1},Contoso room 1,Berlin,DE,", by=world.contoso.admin)


def test_the_tenant_knows_how_many_rooms_it_has(world):
    load(world.contoso.tenant, "n1@contoso.example,N1,,DE,", by=world.contoso.admin)

    assert Tenant.objects.get(pk=world.contoso.tenant.pk).room_count == 4
    assert Tenant.objects.get(pk=world.tailwind.tenant.pk).room_count == 0  # counted with its first import


def test_new_rooms_are_seen_by_who_covers_all_rooms_and_by_nobody_else(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=world.contoso.rooms)
    lead = world.contoso.member(BuiltIn.SITE_LEAD, "lena")
    tech = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(*world.contoso.rooms))
    load(world.contoso.tenant, "n1@contoso.example,N1,,DE,", by=world.contoso.admin)

    new = Room.objects.filter(resource_account="n1@contoso.example")
    sees = [access.visible(who, Permission.ROOMS_VIEW, new).exists() for who in (world.contoso.admin, lead, tech, ann)]
    assert sees == [True, True, False, False]


def test_checking_writes_nothing_and_says_the_same(world):
    lines = [f"{ROOM0},Contoso room 0,Bonn,DE,", "n1@contoso.example,N1,,DE,", "#,Bad,,,"]
    before = mark()

    checked = check(world.contoso.tenant, *lines, by=world.contoso.admin)

    assert before.changed() == set()
    assert before.lines == []
    assert checked == load(world.contoso.tenant, *lines, by=world.contoso.admin)


def test_a_file_that_turns_out_bad_at_its_end_changes_nothing(world, settings):
    settings.INVENTORY_MAX_ROWS = 1

    refused(
        UnreadableInventory,
        lambda: load(world.contoso.tenant, f"{ROOM0},X,,,", f"{ROOM1},Y,,,", by=world.contoso.admin),
    )


def test_statements_grow_with_batches_not_with_rows(world, django_assert_num_queries):
    rows = [f"n{number}@contoso.example,N{number},,DE,{number}" for number in range(3)]

    with django_assert_num_queries(22):
        load(world.contoso.tenant, rows[0], by=world.contoso.admin)
    with django_assert_num_queries(22):
        load(world.contoso.tenant, *rows[1:], by=world.contoso.admin)


# --- Some rooms ---------------------------------------------------------------------------------
def as_submitted(tenant, *lines, by):
    return load(tenant, *lines, by=by, submit=change_control.submit)


def test_a_partner_updates_the_rooms_in_his_scope_and_finds_no_others(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    relationship = world.contoso.tenant.delegations.get()

    with leaves(f"Contoso: Room/Update Contoso room 0 Successful {ann.upn}") as evidence:
        report = as_submitted(
            world.contoso.tenant,
            f"{ROOM0},Contoso room 0,Bonn,DE,9",
            f"{ROOM1},Contoso room 1,Berlin,DE,",
            f"{ROOM2},Contoso room 2,Reno,US,",
            "never@contoso.example,Never,,DE,",
            by=ann,
        )

    assert fates(report) == [
        (ROOM0, "changed", []),
        (ROOM1, "unchanged", []),
        (ROOM2, "refused", ["not_yours"]),
        ("never@contoso.example", "refused", ["not_yours"]),
    ]
    assert report.entries[2].reasons == report.entries[3].reasons
    assert evidence.events[0].before == {"city": "Berlin", "capacity": None}
    assert access.visible(ann, Permission.ROOMS_VIEW, Room.objects.all()).count() == 2
    assert relationship.held_by == world.fabrikam.tenant
    rooms = stored(world.contoso.tenant)
    assert (rooms[ROOM0].city, rooms[ROOM0].version) == ("Bonn", 2)
    assert rooms[ROOM2].city == "Seattle"


def test_a_partner_for_all_rooms_still_adds_none(world):
    proposal_rooms = Scope(all_rooms=True)
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    base = ann.assignments.get()
    scopes.change(base, proposal_rooms, by=world.contoso.admin)

    report = as_submitted(world.contoso.tenant, "n1@contoso.example,N1,,DE,", f"{ROOM2},Renamed,,US,", by=ann)

    assert fates(report) == [("n1@contoso.example", "refused", ["not_yours"]), (ROOM2, "changed", [])]


def test_a_scoped_member_updates_his_rooms_only(world):
    group = room_group(world.contoso.tenant, "Ground floor", world.contoso.rooms[0])
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", Scope(groups=frozenset({group.pk})))

    report = as_submitted(world.contoso.tenant, f"{ROOM0},A,,DE,", f"{ROOM1},B,,DE,", by=tess)

    assert fates(report) == [(ROOM0, "changed", []), (ROOM1, "refused", ["not_yours"])]


def test_a_policy_that_wants_approval_stops_each_change(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ControlPolicy.objects.filter(event=Permission.ROOMS_MODIFY).update(mode=ControlMode.MANUAL)

    report = as_submitted(world.contoso.tenant, f"{ROOM0},A,,DE,", f"{ROOM1},Contoso room 1,Berlin,DE,", by=ann)

    assert fates(report) == [(ROOM0, "refused", ["awaits_approval"]), (ROOM1, "unchanged", [])]
    assert stored(world.contoso.tenant)[ROOM0].display_name == "Contoso room 0"


def test_a_partner_who_is_removed_half_way_changes_nothing_more(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")

    def submit_then_remove(*args, **params):
        answer = change_control.submit(*args, **params)
        relationships.remove(relationship, by=world.contoso.admin)
        return answer

    report = load(world.contoso.tenant, f"{ROOM0},A,,DE,", f"{ROOM1},B,,DE,", by=ann, submit=submit_then_remove)

    assert fates(report) == [(ROOM0, "changed", []), (ROOM1, "refused", ["not_yours"])]


def test_a_room_that_changes_meanwhile_is_left_alone(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")

    def change_then_submit(*args, **params):
        Room.objects.filter(resource_account=ROOM0).update(version=5)
        return change_control.submit(*args, **params)

    report = load(world.contoso.tenant, f"{ROOM0},A,,DE,", by=ann, submit=change_then_submit)

    assert fates(report) == [(ROOM0, "refused", ["changed_meanwhile"])]


# --- Nobody -------------------------------------------------------------------------------------
def nobodies(world):
    viewer = world.contoso.person("vera")
    role = Role.objects.create(tenant=world.contoso.tenant, name="Viewer", permissions=[Permission.ROOMS_VIEW])
    assign(role, viewer, Scope(all_rooms=True))
    return {"viewer": viewer, "no role": world.contoso.person("nora"), "neighbour": world.tailwind.admin}


@pytest.mark.parametrize("who", ["viewer", "no role", "neighbour"])
def test_who_may_change_no_room_imports_nothing(world, who):
    person = nobodies(world)[who]
    line = f"Contoso: Room/Update rooms.csv Failed(permission_denied) {person.upn}"

    refused(PermissionDenied, lambda: check(world.contoso.tenant, f"{ROOM0},A,,,", by=person))
    refused(PermissionDenied, lambda: load(world.contoso.tenant, f"{ROOM0},A,,,", by=person), line)
    refused(PermissionDenied, lambda: as_submitted(world.contoso.tenant, f"{ROOM0},A,,,", by=person), line)


def test_who_may_change_some_rooms_needs_the_door(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    line = f"Contoso: Room/Update rooms.csv Failed(permission_denied) {ann.upn}"

    refused(PermissionDenied, lambda: load(world.contoso.tenant, f"{ROOM0},A,,,", by=ann), line)
