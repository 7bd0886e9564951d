"""What the database refuses by itself, asked in plain SQL as the role that serves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from audit.clock import now
from audit.events import EventType
from partners.models import TenantManager
from partners.services import webhooks
from partners.services.webhooks import Owner
from rbac.catalogue import BuiltIn
from rbac.models import Assignment, AssignmentMember, PendingClaim, Role, SecurityGroupMember, User
from rooms.models import (
    Device,
    HealthPeriod,
    HealthSignal,
    Release,
    ReportRoom,
    Rollout,
    Room,
    RoomActivity,
    RoomDay,
    RoomPeriod,
    RoomUpdate,
    TicketAttachment,
    TicketEntry,
    TicketKind,
    TicketUpload,
)
from tests.factories.world import World, assign, invite, join, make, over, room_group, security_group, ticket, waiting

pytestmark = pytest.mark.django_db

COMPOSITE = """
    SELECT conname, conrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND array_length(conkey, 1) = 2 ORDER BY conname
"""
TIES = {
    "approval_delegation_of_tenant": "rooms_approvalrequest",
    "assignment_role_of_tenant": "rbac_assignment",
    "device_room_of_tenant": "rooms_device",
    "group_member_group_of_tenant": "rooms_roomgroupmember",
    "group_member_room_of_tenant": "rooms_roomgroupmember",
    "healthperiod_room_of_tenant": "rooms_healthperiod",
    "healthsignal_room_of_tenant": "rooms_healthsignal",
    "invitation_relationship_of_tenant": "partners_invitation",
    "manager_user_of_tenant": "partners_tenantmanager",
    "member_group_of_tenant": "rbac_securitygroupmember",
    "member_user_of_tenant": "rbac_securitygroupmember",
    "relationship_delegation_of_tenant": "partners_partnerrelationship",
    "reportroom_room_of_tenant": "rooms_reportroom",
    "role_delegation_of_tenant": "rbac_role",
    "rollout_ring_of_tenant": "rooms_rollout",
    "room_ring_of_tenant": "rooms_room",
    "roomactivity_room_of_tenant": "rooms_roomactivity",
    "roomday_room_of_tenant": "rooms_roomday",
    "roomperiod_room_of_tenant": "rooms_roomperiod",
    "roomupdate_rollout_of_tenant": "rooms_roomupdate",
    "roomupdate_room_of_tenant": "rooms_roomupdate",
    "scope_group_assignment_of_tenant": "rooms_assignmentroomgroup",
    "scope_group_of_tenant": "rooms_assignmentroomgroup",
    "scope_room_assignment_of_tenant": "rooms_assignmentroom",
    "scope_room_of_tenant": "rooms_assignmentroom",
    "ticket_signal_room_of_tenant": "rooms_ticket",
    "ticketattachment_ticket_of_tenant": "rooms_ticketattachment",
    "ticketentry_ticket_of_tenant": "rooms_ticketentry",
    "ticketroom_room_of_tenant": "rooms_ticketroom",
    "ticketroom_ticket_of_tenant": "rooms_ticketroom",
    "ticketupload_ticket_of_tenant": "rooms_ticketupload",
    "webhook_delegation_of_tenant": "partners_webhook",
}


@pytest.fixture
def world() -> World:
    return make()


def execute(statement: str, *parameters: object) -> None:
    """As at a commit: what is deferred speaks at the end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


# --- Tenants ------------------------------------------------------------------------------------


def rows_of_every_kind(world: World) -> None:
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    waiting(relationship, world.contoso.rooms[0], ann)
    owner = Owner(world.contoso.tenant, relationship.delegation_id)
    webhooks.create(owner, "https://hooks.example.com/", by=ann, events=[EventType.SCOPE_CHANGED])
    group = room_group(world.contoso.tenant, "Berlin", *world.contoso.rooms)
    assignment = Assignment.objects.get(role__delegation=relationship.delegation)
    assignment.scoped_groups.create(tenant=world.contoso.tenant, room_group=group)
    security_group(world.contoso.tenant, "Desk", world.contoso.admin)
    TenantManager.objects.create(tenant=world.contoso.tenant, user=world.contoso.admin, appointed_by="x")
    founders = Assignment.objects.get(tenant=world.contoso.tenant, key="founders")
    PendingClaim.objects.create(tenant=world.contoso.tenant, upn="x@contoso.example", assignment=founders)
    rows_of_operations(world.contoso.rooms[0])


def test_claim_stands_in_the_tenant_that_holds_the_role(world):
    """The partner's for a partner's role, the customer's for its own; a place elsewhere is refused by the database."""
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    theirs = Assignment.objects.get(role__delegation=relationship.delegation)
    founders = Assignment.objects.get(tenant=world.contoso.tenant, key="founders")
    for tenant, assignment in ((world.contoso.tenant, theirs), (world.fabrikam.tenant, founders)):
        with (
            pytest.raises(IntegrityError, match="A claim stands in the tenant that holds the role"),
            transaction.atomic(),
        ):
            PendingClaim.objects.create(tenant=tenant, upn="x@y.example", assignment=assignment)
    PendingClaim.objects.create(tenant=world.fabrikam.tenant, upn="x@y.example", assignment=theirs)


def rows_of_operations(room: Room) -> None:
    """One of each thing that hangs on a room: a device and what it said, an update, a ticket of its signal."""
    tied, at = {"tenant_id": room.tenant_id, "room": room}, now()
    later = at + timedelta(hours=5)
    Device.objects.create(**tied, token_digest=b"x" * 32, token_prefix="trmd_x", key_version=1, enrolled_at=at)
    said = {"category": "audio", "name": "microphone", "severity": "important", "is_ok": False}
    HealthSignal.objects.create(**tied, **said, since=at, reported_at=at)
    HealthPeriod.objects.create(**tied, health="unhealthy", began_at=at)
    RoomActivity.objects.create(**tied, at=at, kind="health")
    release = Release.objects.create(version="5.1.0", order=5_001_000, published_at=at)
    wednesday = at.date() + timedelta(days=(2 - at.weekday()) % 7)
    rollout = Rollout.objects.create(
        tenant_id=room.tenant_id,
        ring=room.ring,
        release=release,
        starts_on=wednesday,
        ends_on=wednesday,
        state_changed_at=at,
    )
    RoomUpdate.objects.create(**tied, rollout=rollout, starts_at=at, ends_at=later, changed_at=at)
    signal = {"signal_room": room, "signal_category": "audio", "signal_name": "microphone"}
    raised = ticket(room, kind=TicketKind.SYSTEM, **signal)
    of_ticket = {"tenant_id": room.tenant_id, "ticket": raised}
    entry = TicketEntry.objects.create(**of_ticket, kind="attachment", at=at, by="system")
    log = {"file_name": "log.txt", "content_type": "text/plain", "size": 1, "sha256": ""}
    TicketAttachment.objects.create(**of_ticket, entry=entry, **log, stored_as="x")
    somebody = User.objects.filter(tenant=room.tenant_id)[0]
    TicketUpload.objects.create(**of_ticket, by=somebody, at=at, **log, stored_as="y")
    rows_of_reports(room)


def rows_of_reports(room: Room) -> None:
    tied = {"tenant_id": room.tenant_id, "room_id": room.pk}
    RoomDay.objects.create(**tied, day=now().date())
    ReportRoom.objects.update_or_create(
        room=room, defaults={"tenant_id": room.tenant_id, "slot": 1, "settled_through": now()}
    )
    sums = ("watched_days", "unhealthy_days", "unhealthy_seconds", "used_days", "booked_minutes", "calls", "poor_calls")
    RoomPeriod.objects.create(**tied, days=30, **dict.fromkeys(sums, 0))


def test_ties_between_tenants_are_known(world):
    with connection.cursor() as cursor:
        cursor.execute(COMPOSITE)
        assert dict(cursor.fetchall()) == TIES


@pytest.mark.parametrize("table", sorted(set(TIES.values())))
def test_no_row_moves_to_another_tenant(world, table):
    rows_of_every_kind(world)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [world.contoso.tenant.pk])
        assert cursor.fetchone()[0] > 0
    with pytest.raises(
        IntegrityError, match=r"_of_tenant|Built-in roles are immutable|history is never changed|never changes"
    ):
        execute(
            f"UPDATE {table} SET tenant_id = %s WHERE tenant_id = %s", world.tailwind.tenant.pk, world.contoso.tenant.pk
        )


def test_no_row_ties_two_tenants(world):
    """Both ways round: each tie with the tenant of one end, and with that of the other."""
    ours = assign(
        Role.objects.get(tenant=world.contoso.tenant, key="site_tech"),
        world.contoso.admin,
        over(world.contoso.rooms[0]),
    )
    our_group, their_group = room_group(world.contoso.tenant, "x"), room_group(world.tailwind.tenant, "x")
    people, theirs = security_group(world.contoso.tenant, "x"), world.tailwind.admin
    foreign = world.tailwind.rooms[0].pk
    for tenant in (world.contoso.tenant.pk, world.tailwind.tenant.pk):
        for table, left, right in (
            ("rooms_assignmentroom (assignment_id, room_id, tenant_id)", ours.pk, foreign),
            ("rooms_assignmentroomgroup (assignment_id, room_group_id, tenant_id)", ours.pk, their_group.pk),
            ("rooms_roomgroupmember (room_group_id, room_id, tenant_id)", our_group.pk, foreign),
            ("rbac_securitygroupmember (group_id, user_id, tenant_id)", people.pk, theirs.pk),
        ):
            with pytest.raises(IntegrityError, match="_of_tenant"):
                execute(f"INSERT INTO {table} VALUES (%s, %s, %s)", left, right, tenant)


# --- Built-in roles -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", BuiltIn)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rbac_role SET permissions = permissions || 'rooms.unenroll'::varchar WHERE key = %s",
        "UPDATE rbac_role SET name = 'mine' WHERE key = %s",
        "UPDATE rbac_role SET key = '' WHERE key = %s",
        "DELETE FROM rbac_role WHERE key = %s",
    ],
)
def test_built_in_roles_never_change(world, key, change):
    invite(world.contoso, "ann@fabrikam.example")
    with pytest.raises(IntegrityError, match="Built-in roles are immutable"):
        execute(change, key.value)


def test_no_second_built_in_role_and_none_of_the_wrong_side(world):
    relationship, _ = invite(world.contoso, "ann@fabrikam.example")
    insert = (
        "INSERT INTO rbac_role (tenant_id, delegation_id, key, name, description, permissions, version)"
        " VALUES (%s, %s, %s, 'x', '', '{}', 1)"
    )
    for delegation, key, constraint in (
        (None, "mmr_admin", "role_built_in_once"),
        (relationship.delegation_id, "partner_admin", "role_partner_built_in_once"),
        (None, "partner_admin", "role_key"),
        (relationship.delegation_id, "mmr_admin", "role_key"),
    ):
        with pytest.raises(IntegrityError, match=constraint):
            execute(insert, world.contoso.tenant.pk, delegation, key)


def test_role_holds_known_permissions_only(world):
    with pytest.raises(IntegrityError, match="role_permissions_known"):
        execute(
            "INSERT INTO rbac_role (tenant_id, key, name, description, permissions, version)"
            " VALUES (%s, '', 'x', '', '{rooms.all}', 1)",
            world.contoso.tenant.pk,
        )


# --- The last admin -----------------------------------------------------------------------------

Ways = dict[str, Callable[[Assignment, User], None]]


def by_row(assignment: Assignment, person: User) -> None:
    execute("DELETE FROM rbac_assignmentmember WHERE assignment_id = %s", assignment.pk)


def by_move(assignment: Assignment, person: User) -> None:
    other = assign(
        Role.objects.get(tenant=assignment.tenant, key="site_tech"), person, over(assignment.tenant.rooms.first())
    )
    AssignmentMember.objects.filter(assignment=other).delete()
    execute("UPDATE rbac_assignmentmember SET assignment_id = %s WHERE assignment_id = %s", other.pk, assignment.pk)


def by_assignment(assignment: Assignment, person: User) -> None:
    AssignmentMember.objects.filter(assignment=assignment).update(assignment=assignment)
    with transaction.atomic():
        Assignment.objects.filter(pk=assignment.pk).delete()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


WAYS: Ways = {"member row": by_row, "moved row": by_move, "whole assignment": by_assignment}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("key", "message"), [("mmr_admin", "mmr"), ("partner_admin", "primary")])
def test_last_admin_stays_whatever_the_statement(world, way, key, message):
    join(world.contoso, world.fabrikam, "ann")
    assignment = Assignment.objects.get(role__key=key, tenant=world.contoso.tenant)
    with pytest.raises(IntegrityError, match="The last admin stays") as caught:
        WAYS[way](assignment, assignment.people.get())
    assert message in caught.value.__cause__.diag.constraint_name


def test_last_admin_by_group_stays(world):
    join(world.contoso, world.fabrikam, "ann")
    assignment = Assignment.objects.get(role__key="partner_admin", tenant=world.contoso.tenant)
    bob = world.fabrikam.person("bob")
    group = security_group(world.fabrikam.tenant, "Admins", bob)
    assignment.group_memberships.create(group=group)
    execute("DELETE FROM rbac_assignmentmember WHERE assignment_id = %s", assignment.pk)  # Bob is left
    for statement in (
        "DELETE FROM rbac_securitygroupmember WHERE group_id = %s",
        "DELETE FROM rbac_assignmentgroup WHERE group_id = %s",
    ):
        with pytest.raises(IntegrityError, match="The last admin stays"):
            execute(statement, group.pk)
    refusal = pytest.raises(IntegrityError, match="The last admin stays")
    with refusal, transaction.atomic():
        group.delete()
        execute("SELECT 1")


@pytest.mark.parametrize("state", ["active", "suspended"])
def test_who_cannot_act_does_not_count_as_the_last_admin(world, state):
    """Inactive, a guest, of another tenant, not yet or not for ever: none of them keeps the partner manageable."""
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    role = Role.objects.get(delegation=relationship.delegation, key="partner_admin")
    base = Assignment.objects.get(role=role)
    relationship.delegation.__class__.objects.update(state=state)
    for name, fields in (("ina", {"is_active": False}), ("gus", {"is_home_member": False}), ("moe", {})):
        person = world.fabrikam.person(name)
        User.objects.filter(pk=person.pk).update(**fields)
        if name == "moe":
            User.objects.filter(pk=person.pk).update(tenant=world.northwind.tenant)
        AssignmentMember.objects.create(assignment=base, user=person)
    assign(role, world.fabrikam.person("eve"), over(world.contoso.rooms[0]), valid_until=now() + timedelta(days=1))
    assign(role, world.fabrikam.person("fay"), over(world.contoso.rooms[0]), valid_from=now() + timedelta(days=1))
    with pytest.raises(IntegrityError, match="The last admin stays"):
        execute("DELETE FROM rbac_assignmentmember m USING rbac_user u WHERE u.id = user_id AND u.upn LIKE 'ann@%%'")
    assign(role, world.fabrikam.person("zoe"), over(world.contoso.rooms[0]))
    execute("DELETE FROM rbac_assignmentmember m USING rbac_user u WHERE u.id = user_id AND u.upn LIKE 'ann@%%'")


@pytest.mark.parametrize("state", ["invited", "lapsed", "ended"])
def test_relationship_without_a_partner_needs_no_admin(world, state):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    ended = now() if state == "ended" else None
    relationship.delegation.__class__.objects.update(state=state, ended_at=ended)
    execute("DELETE FROM rbac_assignmentmember m USING rbac_user u WHERE u.id = user_id AND u.upn LIKE 'ann@%%'")


def test_primary_admins_assignment_has_no_end(world):
    join(world.contoso, world.fabrikam, "ann")
    with pytest.raises(IntegrityError, match="assignment_primary_has_no_end"):
        execute("UPDATE rbac_assignment SET valid_until = now() + interval '1 day' WHERE key = 'invited_admins'")


# --- The log ------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["audit_auditevent", "audit_chainlink"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = 7", "DELETE FROM {}", "TRUNCATE {}"])
def test_log_is_never_rewritten(world, table, statement):
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(statement.format(table))


@pytest.mark.parametrize("table", ["audit_auditevent", "audit_chainlink"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq", "DELETE FROM {} WHERE false"])
def test_not_even_the_owner_rewrites_the_log_by_accident(owner_connection, table, statement):
    with owner_connection.cursor() as cursor, pytest.raises(Exception, match="The audit log is append-only"):
        cursor.execute(statement.format(table))


SWITCHES = [
    "DROP TRIGGER role_built_in ON rbac_role",
    "ALTER TABLE rbac_role DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION trm_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()'",
    "SET ROLE trm_owner",
    "SET session_replication_role = replica",
    "CREATE TABLE mine (id int)",
]


@pytest.mark.parametrize("statement", SWITCHES)
def test_serving_role_cannot_switch_the_rules_off(world, statement):
    with pytest.raises(DatabaseError, match=r"must be owner|permission denied"):
        execute(statement)


@pytest.mark.parametrize("field", ["category", "operation", "result"])
def test_log_knows_its_words(world, field):
    columns = ["tenant_id", "at", "category", "operation", "object_name", "result", "code", "user_id", "approver"]
    columns += ["request_id", "digest"]
    values = ["'Mischief'" if column == field else column for column in columns]
    with pytest.raises(IntegrityError, match=f"audit_event_{field}"):
        execute(
            f"INSERT INTO audit_auditevent (seq, position, {', '.join(columns)})"
            f" SELECT 9999, 0, {', '.join(values)} FROM audit_auditevent LIMIT 1"
        )


def test_user_of_a_tenant_is_never_staff(world):
    for statement, constraint in (
        ("UPDATE rbac_user SET is_staff = true WHERE tenant_id IS NOT NULL", "user_tenant_or_staff"),
        ("UPDATE rbac_user SET entra_oid = NULL", "user_identity_whole"),
    ):
        with pytest.raises(IntegrityError, match=constraint):
            execute(statement)


def test_identity_belongs_to_one_account(world):
    admin = world.contoso.admin
    with pytest.raises(IntegrityError, match="user_identity"):
        execute(
            "UPDATE rbac_user SET entra_tid = %s, entra_oid = %s WHERE id = %s",
            admin.entra_tid,
            admin.entra_oid,
            world.tailwind.admin.pk,
        )


def test_people_of_a_group_are_of_its_tenant(world):
    group = security_group(world.contoso.tenant, "Desk")
    refusal = pytest.raises(IntegrityError, match="_of_tenant")
    with refusal, transaction.atomic():
        SecurityGroupMember.objects.create(group=group, user=world.tailwind.admin, tenant=world.contoso.tenant)
        execute("SELECT 1")
