"""Every break of what must hold is named: each test breaks one thing with the owner's rights, past what forbids it."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from audit.events import EventType
from audit.models import OutboxMessage
from partners.invariants import CHECKS, STUCK_AFTER, TRIGGERS
from partners.models import Invitation
from partners.services import invitations, relationships, tokens, webhooks
from partners.services.webhooks import Owner
from partners.webhooks import Webhook
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, AssignmentMember, Role
from rooms.models import ApprovalRequest, Release, Rollout, RoomGroup, RoomUpdate, UpdateRing
from rooms.services import releases, rollout_clock, room_updates
from tests.factories.world import World, custom_role, invite, join, make, waiting

Run = Callable[..., None]


@pytest.fixture
def owner(owner_connection: Connection) -> Run:
    """Runs SQL as the tables' owner."""

    def run(query: str, *parameters: object) -> None:
        with owner_connection.cursor() as cursor:
            cursor.execute(query, parameters)

    return run


@pytest.fixture
def loosen(owner_connection: Connection) -> Iterator[Callable[[str, str], None]]:
    """Drops a constraint until the tables have been emptied again: ask for it before anything with rows."""
    dropped: list[str] = []

    def drop(table: str, name: str) -> None:
        with owner_connection.cursor() as cursor:
            query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass"
            cursor.execute(query, [name, table])
            dropped.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {cursor.fetchone()[0]}")
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    yield drop
    with owner_connection.cursor() as cursor:
        for statement in dropped:
            cursor.execute(statement)


@pytest.fixture
def unguarded(owner: Run) -> Iterator[None]:
    """The triggers are off: ask for it before anything with rows."""
    tables = (
        "rbac_role",
        "rbac_assignment",
        "rbac_assignmentmember",
        "rbac_assignmentgroup",
        "rbac_securitygroupmember",
        "partners_invitation",
        "audit_auditevent",
        "audit_chainlink",
        "rbac_pendingclaim",
        "partners_termsacceptance",
        "rooms_updatering",
        "rooms_approvalrequest",
        "rooms_ticketentry",
    )
    for table in tables:
        owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def world(committed_db) -> World:
    return make()


def broken() -> dict[str, list[str]]:
    """The checks that fail, and what they name; the database's own guards aside, which these tests switch off."""
    found = {name: list(check()) for name, check in CHECKS.items() if name != "guards"}
    return {name: breaks for name, breaks in found.items() if breaks}


def test_nothing_is_broken_by_what_the_portal_does(world):
    relationship, (ann, _) = join(world.contoso, world.fabrikam, "ann", "bob")
    tokens.issue(relationship.delegation, "tool", by=ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=1))
    _, (zed, yan) = invite(world.tailwind, "yan@northwind.example", "zed@northwind.example")
    invitations.deny(zed, by=world.northwind.person(zed.upn.partition("@")[0]))
    invitations.revoke(yan, by=world.tailwind.admin)
    relationships.remove(relationship, by=world.contoso.admin)
    join(world.contoso, world.fabrikam, "ann", "bob")
    invite(world.contoso, "yan@northwind.example")

    assert {name: list(check()) for name, check in CHECKS.items()} == {name: [] for name in CHECKS}


def test_expiry_is_no_break(world, clock):
    _, (invitation,) = invite(world.contoso, "ann@fabrikam.example")
    OutboxMessage.objects.all().delete()

    clock.move(timedelta(days=15))
    assert invitations.expire_due(Invitation.objects.all()) == 1

    assert broken() == {}
    assert Invitation.objects.get(pk=invitation.pk).state == "expired"


def test_role_left_under_an_ended_relationship(unguarded, owner, world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    role = Role.objects.get(delegation=relationship.delegation)
    invite_more = Invitation.objects.get()

    owner("UPDATE rbac_delegation SET state = 'ended', ended_at = now() WHERE id = %s", str(relationship.delegation_id))
    owner(
        "UPDATE partners_invitation SET state = 'pending', accepted_by_id = NULL, decided_at = NULL, decided_by = ''"
        " WHERE id = %s",
        str(invite_more.pk),
    )

    assert broken()["ended"] == [f"role {role.pk}", f"invitation {invite_more.pk}"]


def test_partner_without_primary_admin(unguarded, owner, world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")

    owner("UPDATE rbac_user SET is_active = false WHERE id = %s", ann.pk)

    assert broken() == {"admins": [f"delegation {relationship.delegation_id} has no primary admin"]}
    owner("UPDATE rbac_delegation SET needs_primary_admin = true")
    assert broken() == {}
    owner("UPDATE rbac_user SET is_active = true WHERE id = %s", ann.pk)
    marked = f"delegation {relationship.delegation_id} has a primary admin, and is marked as needing one"
    assert broken() == {"admins": [marked]}


def test_primary_admin_who_is_a_guest_or_for_a_time_does_not_count(unguarded, owner, loosen, world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")

    owner("UPDATE rbac_user SET is_home_member = false WHERE id = %s", ann.pk)
    assert broken() == {"admins": [f"delegation {relationship.delegation_id} has no primary admin"]}

    owner("UPDATE rbac_user SET is_home_member = true WHERE id = %s", ann.pk)
    assert broken() == {}
    loosen("rbac_assignment", "assignment_primary_has_no_end")
    owner("UPDATE rbac_assignment SET valid_until = now() + interval '1 day' WHERE key = 'invited_admins'")
    assert broken() == {"admins": [f"delegation {relationship.delegation_id} has no primary admin"]}
    owner("UPDATE rbac_assignment SET valid_until = NULL")


def test_customer_without_mmr_admin(unguarded, owner, world):
    owner("UPDATE rbac_user SET is_active = false WHERE id = %s", world.contoso.admin.pk)
    assert broken() == {}  # support staff or a directory may: the back office says so

    owner("DELETE FROM rbac_assignmentmember WHERE user_id = %s", world.contoso.admin.pk)
    assert broken()["admins"] == [f"tenant {world.contoso.tenant.pk} has no MMR Admin"]


@pytest.fixture
def without_pair_index(owner: Run, owner_connection: Connection) -> Iterator[None]:
    """Two live relationships of one pair are possible: ask for it before anything with rows."""
    with owner_connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('delegation_one_active_per_pair'::regclass)")
        definition = cursor.fetchone()[0]
    owner("DROP INDEX delegation_one_active_per_pair")
    yield
    owner(definition)


def test_two_live_relationships_with_one_partner(without_pair_index, owner, world):
    join(world.contoso, world.fabrikam, "ann")
    second, _ = invite(world.contoso, "bob@fabrikam.example")

    owner(
        "UPDATE rbac_delegation SET state = 'active', held_by_id = %s, linked_at = now(), needs_primary_admin = true"
        " WHERE id = %s",
        str(world.fabrikam.tenant.pk),
        str(second.delegation_id),
    )

    assert broken()["pairs"] == [
        f"tenant {world.contoso.tenant.pk} has 2 live relationships with {world.fabrikam.tenant.pk}"
    ]


def test_foreign_room_in_a_scope(loosen, owner, world):
    loosen("rooms_assignmentroom", "scope_room_of_tenant")
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    tie = base.scoped_rooms.order_by("pk").first()

    owner("UPDATE rooms_assignmentroom SET room_id = %s WHERE id = %s", world.tailwind.rooms[0].pk, tie.pk)

    assert broken()["scopes"] == [f"assignmentroom {tie.pk}"]


def test_foreign_room_in_a_group(loosen, owner, world):
    loosen("rooms_roomgroupmember", "group_member_room_of_tenant")
    group = RoomGroup.objects.create(tenant=world.contoso.tenant, name="Berlin")

    owner(
        "INSERT INTO rooms_roomgroupmember (tenant_id, room_group_id, room_id) VALUES (%s, %s, %s)",
        str(world.contoso.tenant.pk),
        group.pk,
        world.tailwind.rooms[0].pk,
    )

    assert broken() == {"scopes": [f"roomgroupmember {group.memberships.get().pk}"]}


def test_member_from_elsewhere(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    stranger = world.northwind.person("zed")
    base = Assignment.objects.get(role__delegation=relationship.delegation)

    tie = AssignmentMember.objects.create(assignment=base, user=stranger)

    assert set(broken()) == {"members", "index"}
    assert broken()["members"] == [f"assignmentmember {tie.pk}"]


def test_invitation_accepted_without_a_line(unguarded, owner, world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    (invitation,) = Invitation.objects.all()

    owner("UPDATE partners_invitation SET state = 'revoked', accepted_by_id = NULL")

    upn, delegation = invitation.upn, relationship.delegation_id
    assert broken() == {
        "answers": [
            f"{upn} of delegation {delegation}: 0 invitations accepted, 1 such audit lines",
            f"{upn} of delegation {delegation}: 1 invitations revoked, 0 such audit lines",
        ]
    }


def test_partner_role_above_the_ceiling(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    role = custom_role(world.contoso.tenant, Permission.SETTINGS_MODIFY, delegation=relationship.delegation)

    assert broken() == {"ceiling": [f"role {role.pk}"]}


def test_built_in_role_that_permits_something_else(unguarded, owner, world):
    role = Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.SITE_TECH)

    owner("UPDATE rbac_role SET permissions = permissions || '{settings.modify}' WHERE id = %s", role.pk)

    assert broken() == {"ceiling": [f"role {role.pk} is site_tech, but permits something else"]}


def test_altered_audit_line(unguarded, owner, world):
    owner("UPDATE audit_auditevent SET code = 'x' WHERE tenant_id = %s", str(world.contoso.tenant.pk))

    (found,) = broken()["chains"]
    assert found.startswith(f"audit log of {world.contoso.tenant.pk}: line 1.0 ")


def test_message_that_is_stuck(world, clock):
    invite(world.contoso, "ann@fabrikam.example")
    message = OutboxMessage.objects.get()

    clock.move(STUCK_AFTER - timedelta(seconds=30))
    assert broken() == {}
    clock.move(timedelta(minutes=1))
    assert broken() == {
        "outbox": [f"message {message.pk} (partners.invitation) has waited since {message.due_at.isoformat()}"]
    }


def webhook_of(world):
    """Of a partner, with an event that waits."""
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    owner = Owner(world.contoso.tenant, relationship.delegation_id)
    made, _ = webhooks.create(owner, "https://hooks.example.com/", by=ann, events=[EventType.SCOPE_CHANGED])
    return relationship, made, webhooks.send_test(made, by=ann)


def test_event_that_is_stuck(world, clock):
    relationship, _, delivery = webhook_of(world)
    OutboxMessage.objects.all().delete()
    clock.move(STUCK_AFTER + timedelta(seconds=1))
    assert broken() == {
        "outbox": [f"delivery {delivery.pk} (webhook.test) has waited since {delivery.due_at.isoformat()}"]
    }
    relationships.suspend(relationship, by=world.contoso.admin)  # now it may wait
    OutboxMessage.objects.all().delete()
    assert broken() == {}


def test_webhook_left_under_an_ended_relationship_and_a_secret_kept_for_nobody(world):
    relationship, made, _ = webhook_of(world)
    relationships.remove(relationship, by=world.contoso.admin)
    OutboxMessage.objects.all().delete()
    assert broken() == {}
    Webhook.objects.filter(pk=made.pk).update(secret=b"still there")
    assert broken() == {"webhooks": [f"webhook {made.pk}"]}
    Webhook.objects.filter(pk=made.pk).update(ended_at=None)
    assert broken() == {"ended": [f"webhook {made.pk}"]}


def test_webhook_of_another_customers_partner(loosen, owner, world):
    loosen("partners_webhook", "webhook_delegation_of_tenant")
    _, made, _ = webhook_of(world)
    owner("UPDATE partners_webhook SET tenant_id = %s WHERE id = %s", str(world.tailwind.tenant.pk), str(made.pk))
    assert broken() == {"webhooks": [f"webhook {made.pk}"]}


def test_upn_in_capitals_and_shared_identity(loosen, owner, world):
    loosen("rbac_user", "user_upn_form")
    loosen("rbac_user", "user_identity")
    ann, bob = world.contoso.person("ann"), world.contoso.person("bob")

    owner("UPDATE rbac_user SET upn = 'Ann@contoso.example', entra_oid = %s WHERE id = %s", str(bob.entra_oid), ann.pk)

    assert broken() == {
        "identities": [f"user {ann.pk}", f"2 people are {bob.entra_tid}:{bob.entra_oid}"],
    }


def test_person_with_the_identity_of_another_tenant(owner, world):
    ann = world.contoso.person("ann")

    owner("UPDATE rbac_user SET entra_tid = %s WHERE id = %s", str(uuid.uuid4()), ann.pk)

    assert broken() == {"identities": [f"user {ann.pk}"]}


def test_guards_that_are_off(unguarded, owner, committed_db):
    owner("GRANT UPDATE ON audit_auditevent TO trm_app")
    try:
        assert list(CHECKS["guards"]()) == [
            *(f"trigger {name} is off or missing" for name in TRIGGERS),
            "the app's role may rewrite audit_auditevent",
        ]
    finally:
        owner("REVOKE UPDATE ON audit_auditevent FROM trm_app")


def test_rings_that_take_too_long(owner, world):
    tenant = world.contoso.tenant
    owner("ALTER TABLE rooms_updatering DISABLE TRIGGER USER")
    try:
        UpdateRing.objects.filter(tenant=tenant, key="staging").update(test_days=26, is_default=False)
    finally:
        owner("ALTER TABLE rooms_updatering ENABLE TRIGGER USER")
    assert broken() == {"rings": [f"the rings of tenant {tenant.pk} take 61 days and have 1 defaults"]}
    UpdateRing.objects.filter(tenant=tenant).update(test_days=0, is_default=False)
    assert broken() == {"rings": [f"the rings of tenant {tenant.pk} take 28 days and have 0 defaults"]}


@pytest.mark.parametrize("state", ["completed", "deprecated", "paused"])
def test_room_that_is_still_open_in_a_rollout_that_does_not_run(world, state):
    contoso = world.contoso
    releases.publish("5.1", by=None)
    rollout_clock.schedule(contoso.tenant.pk)
    rollout = Rollout.objects.select_related("release", "tenant").get(ring__is_default=True, tenant=contoso.tenant)
    contoso.rooms[0].ring.rooms.filter(pk=contoso.rooms[0].pk).update(state="enrolled", app_version="5.0")
    room_updates.take_in(rollout)
    Rollout.objects.filter(pk=rollout.pk).update(state="in_progress")
    assert broken() == {}
    Rollout.objects.filter(pk=rollout.pk).update(state=state)
    assert broken() == {"rings": [f"roomupdate {RoomUpdate.objects.get().pk}"]}
    assert Release.objects.count() == 1


def test_request_that_waits_under_an_ended_relationship_and_one_that_was_altered(owner, world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    request = waiting(relationship, world.contoso.rooms[0], ann)
    assert broken() == {}
    owner("ALTER TABLE rooms_approvalrequest DISABLE TRIGGER USER")
    try:
        ApprovalRequest.objects.update(params={"changes": {"capacity": 3}})
        assert broken() == {"approvals": [f"request {request.pk} was altered"]}
        ApprovalRequest.objects.update(params=request.params)
    finally:
        owner("ALTER TABLE rooms_approvalrequest ENABLE TRIGGER USER")
    relationships.remove(relationship, by=world.contoso.admin)
    assert broken() == {}
    owner("ALTER TABLE rooms_approvalrequest DISABLE TRIGGER USER")
    try:
        ApprovalRequest.objects.update(state="pending", decided_at=None, decided_upn="", decided_by=None)
    finally:
        owner("ALTER TABLE rooms_approvalrequest ENABLE TRIGGER USER")
    assert broken() == {"approvals": [f"request {request.pk}"]}


def test_constraint_that_was_never_validated(loosen, owner, committed_db):
    loosen("rbac_user", "user_upn_form")
    owner("ALTER TABLE rbac_user ADD CONSTRAINT made_in_haste CHECK (upn <> '') NOT VALID")
    try:
        assert list(CHECKS["guards"]()) == ["constraint made_in_haste was never validated"]
    finally:
        owner("ALTER TABLE rbac_user DROP CONSTRAINT made_in_haste")


def test_command_passes_and_fails(world):
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert out.getvalue().count(": holds. ") == len(CHECKS)

    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    role = custom_role(world.contoso.tenant, Permission.SETTINGS_MODIFY, delegation=relationship.delegation)
    said = StringIO()
    with pytest.raises(CommandError, match="does not: ceiling"):
        call_command("check_invariants", stdout=StringIO(), stderr=said)
    assert f"ceiling: role {role.pk}" in said.getvalue()
    call_command("check_invariants", "--skip", "ceiling", stdout=StringIO())
    call_command("check_invariants", "--only", "admins", "index", stdout=StringIO())
