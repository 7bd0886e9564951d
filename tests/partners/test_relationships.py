"""Adding a partner, the customer's brake, and removal: complete, at once, and of nobody else."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from audit.clock import now
from audit.models import OutboxMessage
from partners import errors
from partners.models import ApiToken, Invitation, PartnerRelationship, Terms
from partners.services import invitations, relationships, tokens
from rbac import access
from rbac.catalogue import CEILING, CONTROLLED_EVENTS, BuiltIn, Permission
from rbac.errors import DelegationOver, WrongState
from rbac.models import Assignment, AssignmentKey, AssignmentMember, Delegation, DelegationState, Role, User
from rooms import scopes
from rooms.errors import EmptyScope, UnknownRooms
from rooms.models import AssignmentRoom, AssignmentRoomGroup, ControlMode, ControlPolicy, Room, RoomGrantRow
from rooms.scopes import Scope
from tests.factories.evidence import leaves, refused
from tests.factories.world import (
    World,
    assign,
    contact,
    custom_role,
    invite,
    join,
    make,
    over,
    proposal,
    room_group,
    security_group,
)

pytestmark = pytest.mark.django_db

ANN, BOB, ADMIN = "ann@fabrikam.example", "bob@fabrikam.example", "admin@contoso.example"
ADDED = "PartnerInvitation/Create fabrikam.example"


@pytest.fixture
def world() -> World:
    return make()


def line(text: str) -> str:
    return f"Contoso: {text}"


def seen(user: User) -> set[Room]:
    return set(access.visible(user, Permission.ROOMS_VIEW, Room.objects.all()))


# --- Adding -------------------------------------------------------------------------------------


def test_adding_writes_everything_at_once(world):
    with leaves(
        line(f"{ADDED} Successful {ADMIN}"),
        line(f"Role/Create Primary admin Successful {ADMIN}"),
        line(f"Assignment/Create Primary admin / Invited admins Successful {ADMIN}"),
        line(f"{ADDED} Successful {ADMIN}"),
        line(f"PartnerInvitation/Create {ANN} Successful {ADMIN}"),
        line(f"PartnerInvitation/Create {BOB} Successful {ADMIN}"),
    ) as evidence:
        asked = proposal(world.contoso, ANN, BOB, days=3, expected_tid=world.fabrikam.tenant.entra_tid)
        relationship = relationships.add(world.contoso.tenant, asked, by=world.contoso.admin)
    terms = Terms.objects.get()
    delegation = relationship.delegation
    assert (relationship.tenant, relationship.label, relationship.expected_tid) == (
        world.contoso.tenant,
        "fabrikam.example",
        world.fabrikam.tenant.entra_tid,
    )
    assert (relationship.terms_version, relationship.terms_digest, relationship.terms_accepted_by) == (
        1,
        terms.digest,
        ADMIN,
    )
    assert (delegation.tenant, delegation.held_by, delegation.state) == (world.contoso.tenant, None, "invited")
    role = Role.objects.get(delegation=delegation)
    assert (role.key, role.tenant, set(role.permissions)) == (BuiltIn.PARTNER_ADMIN, world.contoso.tenant, CEILING)
    base = Assignment.objects.get(role=role)
    assert (base.key, base.valid_until, base.people.count()) == (AssignmentKey.INVITED_ADMINS, None, 0)
    assert scopes.scope_of(base) == over(*world.contoso.german)
    assert dict(ControlPolicy.objects.filter(delegation=delegation).values_list("event", "mode")) == dict.fromkeys(
        CONTROLLED_EVENTS, ControlMode.AUTO
    )
    sent = Invitation.objects.filter(relationship=relationship).order_by("upn")
    assert [(one.upn, one.expires_at - one.created_at) for one in sent] == [
        (ANN, timedelta(days=3)),
        (BOB, timedelta(days=3)),
    ]
    assert evidence.messages == [("partners.invitation", str(one.pk), "waiting") for one in sent]
    assert not RoomGrantRow.objects.exists()  # nobody is linked, so nothing is granted
    assert evidence.events[0].after == {
        "scope": over(*world.contoso.german).as_data(),
        "terms": {"version": 1, "sha256": terms.digest},
        "policies": {},
    }
    assert {one.relationship_id for one in evidence.events} == {delegation.pk}


def test_each_addition_is_a_relationship_of_its_own(world):
    first, _ = invite(world.contoso, ANN)
    second, _ = invite(world.contoso, ANN)
    assert first.delegation != second.delegation
    assert Invitation.objects.filter(upn=ANN, state="pending").count() == 2


@pytest.mark.parametrize(("label", "name"), [("", "fabrikam.example"), ("  Fabrikam AV ", "Fabrikam AV")])
def test_partner_is_called_as_was_said_or_by_its_domain(world, label, name):
    assert invite(world.contoso, ANN, label=label)[0].label == name


def test_groups_and_all_rooms_can_be_delegated_and_later_rooms_follow(world):
    group = room_group(world.contoso.tenant, "Berlin", world.contoso.rooms[0])
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", scope=Scope(groups=frozenset({group.pk})))
    assert seen(ann) == {world.contoso.rooms[0]}
    with transaction.atomic():
        group.memberships.create(tenant=world.contoso.tenant, room=world.contoso.rooms[2])
        scopes.follow_groups([group.pk])
    assert seen(ann) == {world.contoso.rooms[0], world.contoso.rooms[2]}
    assert relationships.loss_of(relationship) == relationships.Loss(
        people=1, rooms=2, invitations=0, tokens=0, webhooks=0, requests=0
    )


def refuse(
    world: World, error: type[Exception], code: str, *deeper: str, who: User | None = None, **fields: object
) -> None:
    by = who or world.contoso.admin
    asked = proposal(world.contoso, *(fields.pop("upns", (ANN,))), **fields)
    failed = f"Failed({code}) {by.upn}"
    label = fields.get("label") or "fabrikam.example"
    evidence = refused(
        error,
        lambda: relationships.add(world.contoso.tenant, asked, by=by),
        line(f"PartnerInvitation/Create {label} {failed}"),
        *(line(f"{one} {failed}") for one in deeper),
    )
    assert evidence.messages == []


def test_what_cannot_be_added_is_refused_whole(world):
    SETTLED = ("PartnerInvitation/Create fabrikam.example",)  # noqa: N806 - the nested line of inviting
    refuse(world, errors.TermsNotAccepted, "terms_not_accepted", agrees=False)
    refuse(world, errors.TermsChanged, "terms_changed", terms_version=7)
    refuse(world, UnknownRooms, "unknown_rooms", scope=over(world.contoso.rooms[0], world.tailwind.rooms[0]))
    foreign = room_group(world.tailwind.tenant, "Berlin", *world.tailwind.rooms)
    refuse(world, UnknownRooms, "unknown_rooms", scope=Scope(groups=frozenset({foreign.pk})))
    refuse(world, errors.InvalidLifetime, "invalid_lifetime", *SETTLED, days=31)
    refuse(world, errors.DuplicateContact, "duplicate_contact", *SETTLED, upns=(ANN, ANN.upper()))
    refuse(world, errors.OwnPerson, "own_person", *SETTLED, upns=(ANN, "x@contoso.example"))


def test_empty_scope_is_refused(world):
    asked = relationships.Proposal([contact(ANN)], Scope(), 1, agrees=True)
    refused(
        EmptyScope,
        lambda: relationships.add(world.contoso.tenant, asked, by=world.contoso.admin),
        line(f"{ADDED} Failed(empty_scope) {ADMIN}"),
    )


def test_without_contacts_nothing_is_added(world):
    asked = proposal(world.contoso)
    refused(
        errors.NoContact,
        lambda: relationships.add(world.contoso.tenant, asked, by=world.contoso.admin),
        line(f"PartnerInvitation/Create – Failed(no_contact) {ADMIN}"),
        line(f"PartnerInvitation/Create – Failed(no_contact) {ADMIN}"),
    )


@pytest.mark.parametrize("upn", ["ann", "ann@", "ä@x.example", "x" * 300 + "@" + "y" * 300])
def test_upn_that_is_none_is_refused_on_record(world, upn):
    asked = proposal(world.contoso, upn)
    with pytest.raises(ValidationError), leaves(*[]):
        relationships.add(world.contoso.tenant, asked, by=world.contoso.admin)
    assert not PartnerRelationship.objects.exists()


def test_only_those_who_may_modify_settings_add_partners(world):
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    partial = world.contoso.member(BuiltIn.MMR_ADMIN, "pat", over(*world.contoso.rooms))
    for who in (lea, partial, world.tailwind.admin, world.fabrikam.person("ann")):
        refuse(world, PermissionDenied, "permission_denied", who=who)


def test_nobody_delegates_what_he_does_not_hold(world):
    """A custom role with the settings but not the rooms cannot hand the rooms to others."""
    sam = world.contoso.person("sam")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_MODIFY), sam, Scope(all_rooms=True))
    refuse(world, PermissionDenied, "permission_denied", who=sam)


# --- Renaming, suspending -----------------------------------------------------------------------


def test_rename(world):
    relationship, _ = invite(world.contoso, ANN)
    with leaves(line(f"Settings/Update fabrikam.example Successful {ADMIN}")) as evidence:
        relationships.rename(relationship, "Fabrikam AV", by=world.contoso.admin)
    assert PartnerRelationship.objects.get().label == "Fabrikam AV"
    assert (evidence.events[0].before, evidence.events[0].after) == (
        {"label": "fabrikam.example"},
        {"label": "Fabrikam AV"},
    )


def test_brake_stops_everything_at_once_and_lets_go_again(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    rows = RoomGrantRow.objects.count()
    with leaves(line(f"PartnerInvitation/Update fabrikam.example Successful {ADMIN}")) as evidence:
        relationships.suspend(relationship, by=world.contoso.admin)
    assert evidence.changed() == {"rbac_delegation"}
    assert seen(ann) == set()
    assert RoomGrantRow.objects.count() == rows
    with leaves(line(f"PartnerInvitation/Update fabrikam.example Successful {ADMIN}")):
        relationships.resume(relationship, by=world.contoso.admin)
    assert seen(ann) == set(world.contoso.german)


@pytest.mark.parametrize(
    ("step", "state", "error", "code"),
    [
        (relationships.suspend, "invited", WrongState, "wrong_state"),
        (relationships.resume, "invited", WrongState, "wrong_state"),
        (relationships.suspend, "lapsed", WrongState, "wrong_state"),
        (relationships.resume, "lapsed", WrongState, "wrong_state"),
        (relationships.resume, "active", WrongState, "wrong_state"),
        (relationships.suspend, "suspended", WrongState, "wrong_state"),
        (relationships.suspend, "ended", DelegationOver, "relationship_over"),
        (relationships.resume, "ended", DelegationOver, "relationship_over"),
        (relationships.remove, "ended", DelegationOver, "relationship_over"),
    ],
)
def test_step_from_a_wrong_state_is_refused(world, step, state, error, code):
    relationship = in_state(world, state)
    operation = "Delete" if step is relationships.remove else "Update"
    refused(
        error,
        lambda: step(relationship, by=world.contoso.admin),
        line(f"PartnerInvitation/{operation} fabrikam.example Failed({code}) {ADMIN}"),
        code=code,
    )


def in_state(world: World, state: str) -> PartnerRelationship:
    admin = world.contoso.admin
    if state in ("invited", "lapsed"):
        relationship, (sent,) = invite(world.contoso, ANN)
        if state == "lapsed":
            invitations.revoke(sent, by=admin)
    else:
        relationship, _ = join(world.contoso, world.fabrikam, "ann")
        if state == "suspended":
            relationships.suspend(relationship, by=admin)
        if state == "ended":
            relationships.remove(relationship, by=admin)
    found = PartnerRelationship.objects.select_related("delegation").get(pk=relationship.pk)
    assert found.state == state
    return found


@pytest.mark.parametrize("step", [relationships.suspend, relationships.resume, relationships.remove])
def test_only_those_who_may_modify_settings_act_on_a_relationship(world, step):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    operation = "Delete" if step is relationships.remove else "Update"
    for who in (lea, ann, world.tailwind.admin):
        refused(
            PermissionDenied,
            lambda who=who: step(relationship, by=who),
            line(f"PartnerInvitation/{operation} fabrikam.example Failed(permission_denied) {who.upn}"),
        )


# --- Removal ------------------------------------------------------------------------------------


@dataclass
class Rich:
    """A partner with everything: two admins, a help desk, a group, tokens, an open invitation, and two neighbours."""

    world: World
    relationship: PartnerRelationship
    ann: User
    bob: User
    carl: User
    gus: User
    nils: User
    token: ApiToken
    open: Invitation


@pytest.fixture
def rich(world: World) -> Rich:
    contoso, admin = world.contoso, world.contoso.admin
    berlin = room_group(contoso.tenant, "Berlin", contoso.rooms[1])
    scope = Scope(rooms=frozenset({contoso.rooms[0].pk}), groups=frozenset({berlin.pk}))
    _, (nils,) = join(contoso, world.northwind, "nils", rooms=contoso.rooms)
    relationship, (ann, bob) = join(contoso, world.fabrikam, "ann", "bob", scope=scope)
    join(world.tailwind, world.fabrikam, "ann", rooms=world.tailwind.rooms)
    delegation = relationship.delegation
    carl, gus = world.fabrikam.person("carl"), world.fabrikam.person("gus")
    desk = custom_role(contoso.tenant, Permission.ROOMS_VIEW, delegation=delegation)
    assignment = assign(desk, carl, over(contoso.rooms[0]))
    assignment.group_memberships.create(group=security_group(world.fabrikam.tenant, "Desk", gus))
    token, _ = tokens.issue(delegation, "tool", by=ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=9))
    (sent,) = invitations.invite(relationship, [contact("eve@fabrikam.example")], by=admin)
    return Rich(world, relationship, ann, bob, carl, gus, nils, token, sent)


def test_removal_is_complete_at_once(rich):
    contoso = rich.world.contoso
    assert relationships.loss_of(rich.relationship) == relationships.Loss(
        people=3, rooms=2, invitations=1, tokens=1, webhooks=0, requests=0
    )
    with leaves(
        line(f"PartnerInvitation/Delete fabrikam.example Successful {ADMIN}"),
        line(f"PartnerInvitation/Update eve@fabrikam.example Successful {ADMIN}"),
        line(f"Assignment/Delete Primary admin / Invited admins Successful {ADMIN}"),
        line(f"Role/Delete Primary admin Successful {ADMIN}"),
        line(f"Assignment/Delete rooms.view / rooms.view of carl@fabrikam.example Successful {ADMIN}"),
        line(f"Role/Delete rooms.view Successful {ADMIN}"),
    ) as evidence:
        relationships.remove(rich.relationship, by=contoso.admin)
    delegation = Delegation.objects.get(pk=rich.relationship.delegation_id)
    assert (delegation.state, delegation.ended_at is not None) == (DelegationState.ENDED, True)
    assert not Role.objects.filter(delegation=delegation).exists()
    assert not Assignment.objects.filter(role__delegation=delegation).exists()
    assert not ApiToken.objects.filter(delegation=delegation).exists()
    assert Invitation.objects.get(pk=rich.open.pk).state == "revoked"
    for person in (rich.ann, rich.bob, rich.carl, rich.gus):
        assert not seen(person) & set(contoso.rooms)
        assert access.effective(person, contoso.tenant.pk) == frozenset()
    assert set(rich.bob.groups.all()) == set(rich.carl.groups.all()) == set(rich.gus.groups.all()) == set()
    assert evidence.events[0].before == {
        "state": "active",
        "people": 3,
        "rooms": 2,
        "invitations": 1,
        "tokens": 1,
        "webhooks": 0,
        "requests": 0,
    }
    assert evidence.messages == [
        ("partners.removed", str(rich.relationship.pk), "waiting"),
        ("partners.ended", str(rich.relationship.pk), "waiting"),
    ]
    payload = OutboxMessage.objects.get(kind="partners.removed").payload
    assert payload["upns"] == [ANN, BOB, "carl@fabrikam.example"]
    mail = OutboxMessage.objects.get(kind="partners.invitation", subject_id=str(rich.open.pk))
    assert mail.state == "cancelled"


def test_removal_touches_no_other_partner_and_no_other_customer(rich):
    world = rich.world
    before = {
        "nils": seen(rich.nils),
        "tailwind": {room for room in seen(rich.ann) if room.tenant_id == world.tailwind.tenant.pk},
    }
    rows = set(RoomGrantRow.objects.exclude(group__assignment__role__delegation=rich.relationship.delegation_id))
    relationships.remove(rich.relationship, by=world.contoso.admin)
    assert seen(rich.nils) == before["nils"] == set(world.contoso.rooms)
    assert seen(rich.ann) == before["tailwind"] == set(world.tailwind.rooms)
    assert set(RoomGrantRow.objects.all()) == rows
    assert set(AssignmentRoom.objects.values_list("assignment__role__delegation__state", flat=True)) == {"active"}
    assert not AssignmentRoomGroup.objects.exists()


def test_inviting_again_is_a_new_relationship_that_brings_nothing_back(rich):
    world = rich.world
    relationships.remove(rich.relationship, by=world.contoso.admin)
    again, (sent,) = invite(world.contoso, ANN, rooms=world.contoso.rooms[2:])
    assert again.pk != rich.relationship.pk
    assert again.delegation_id != rich.relationship.delegation_id
    assert not seen(rich.ann) & set(world.contoso.rooms)
    invitations.accept(sent, by=rich.ann)
    assert seen(rich.ann) == {world.contoso.rooms[2], *world.tailwind.rooms}
    assert seen(rich.bob) == seen(rich.carl) == seen(rich.gus) == set()
    assert not ApiToken.objects.filter(delegation=again.delegation_id).exists()
    assert Delegation.objects.get(pk=rich.relationship.delegation_id).state == DelegationState.ENDED


@pytest.mark.parametrize("state", ["invited", "lapsed", "active", "suspended"])
def test_removal_is_possible_from_every_open_state(world, state):
    relationship = in_state(world, state)
    relationships.remove(relationship, by=world.contoso.admin)
    relationship.delegation.refresh_from_db()
    assert relationship.state == "ended"


def test_removal_of_a_partner_whose_only_invitation_is_due(world, clock):
    """Marking it lets the relationship lapse in the same breath; that must not stop the removal."""
    relationship, (sent,) = invite(world.contoso, ANN)
    clock.move(timedelta(days=14))
    relationships.remove(relationship, by=world.contoso.admin)
    relationship.delegation.refresh_from_db()
    assert (relationship.state, Invitation.objects.get(pk=sent.pk).state) == ("ended", "expired")


def test_removed_partners_invitation_cannot_be_answered(rich):
    relationships.remove(rich.relationship, by=rich.world.contoso.admin)
    eve = rich.world.fabrikam.person("eve")
    for answer in (invitations.accept, invitations.deny):
        refused(
            errors.InvitationOver,
            lambda answer=answer: answer(rich.open, by=eve),
            line("PartnerInvitation/Update eve@fabrikam.example Failed(invitation_revoked) eve@fabrikam.example"),
        )
    assert not invitations.open_for(eve).exists()


def test_removing_a_partner_nobody_joined_tells_nobody(world):
    relationship, _ = invite(world.contoso, ANN)
    with_mail = OutboxMessage.objects.count()
    relationships.remove(relationship, by=world.contoso.admin)
    assert OutboxMessage.objects.count() == with_mail
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"cancelled"}


# --- Tokens -------------------------------------------------------------------------------------


def issue(rich: Rich, **fields: object) -> tuple[ApiToken, str]:
    asked = {"by": rich.bob, "scopes": [Permission.ROOMS_VIEW], "lifetime": timedelta(days=1)} | fields
    return tokens.issue(rich.relationship.delegation, "other", **asked)


def test_token_is_shown_once_and_stored_hashed(rich):
    with leaves(line(f"User/Update other Successful {BOB}")) as evidence:
        token, secret = issue(rich)
    assert secret.startswith("trm_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM partners_apitoken t WHERE digest = %s", [token.digest])
        assert secret not in cursor.fetchone()[0]
    assert evidence.events[0].after == {"token": token.token_key, "scopes": ["rooms.view"]}
    assert secret not in str(evidence.events[0].after)
    assert token.expiry - now() <= timedelta(days=1)


def test_token_that_cannot_be_is_refused(rich):
    failed = f"Failed({{}}) {BOB}"
    for error, code, fields in (
        (PermissionDenied, "permission_denied", {"scopes": [Permission.ROOMS_UNENROLL]}),
        (PermissionDenied, "permission_denied", {"scopes": [Permission.ROOMS_VIEW, Permission.SETTINGS_VIEW]}),
        (errors.NoScope, "no_scope", {"scopes": []}),
        (errors.InvalidTokenLifetime, "invalid_token_lifetime", {"lifetime": timedelta()}),
        (errors.InvalidTokenLifetime, "invalid_token_lifetime", {"lifetime": timedelta(days=-1)}),
        (errors.InvalidTokenLifetime, "invalid_token_lifetime", {"lifetime": timedelta(days=366)}),
    ):
        refused(error, lambda fields=fields: issue(rich, **fields), line(f"User/Update other {failed.format(code)}"))


def test_tool_makes_no_tools(rich):
    rich.bob.limits = access.Limits(rich.relationship.delegation_id, frozenset(Permission))
    refused(PermissionDenied, lambda: issue(rich), line(f"User/Update other Failed(permission_denied) {BOB}"))


def test_whoever_holds_nothing_there_finds_nothing_there(rich):
    for who in (rich.nils, rich.world.tailwind.admin, rich.world.contoso.admin):
        refused(Http404, lambda who=who: issue(rich, by=who))
    relationships.suspend(rich.relationship, by=rich.world.contoso.admin)
    refused(Http404, lambda: issue(rich))


def test_token_is_revoked_by_its_holder_only(rich):
    for who in (rich.bob, rich.world.contoso.admin):
        refused(Http404, lambda who=who: tokens.revoke(rich.token, by=who))
    with leaves(line(f"User/Update tool Successful {ANN}")):
        tokens.revoke(rich.token, by=rich.ann)
    assert ApiToken.objects.get(pk=rich.token.pk).revoked_at is not None


# --- In the database itself ---------------------------------------------------------------------


def test_database_links_a_partner_once(world):
    first, _ = join(world.contoso, world.fabrikam, "ann")
    second, _ = invite(world.contoso, BOB)
    with pytest.raises(IntegrityError, match="delegation_one_active_per_pair"), transaction.atomic():
        Delegation.objects.filter(pk=second.delegation_id).update(
            state="active", held_by=world.fabrikam.tenant, linked_at=now()
        )
    assert first.delegation.state == "active"


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"state": "active"}, "delegation_active_is_linked"),
        ({"state": "gone"}, "delegation_state"),
        ({"state": "ended"}, "delegation_ended_whole"),
        ({"linked_at": "2026-01-01T00:00Z"}, "delegation_linked_whole"),
    ],
)
def test_database_keeps_a_delegations_facts_together(world, fields, constraint):
    relationship, _ = invite(world.contoso, ANN)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Delegation.objects.filter(pk=relationship.delegation_id).update(**fields)


def test_database_lets_nobody_be_his_own_partner(world):
    relationship, _ = invite(world.contoso, ANN)
    with pytest.raises(IntegrityError, match="delegation_not_to_oneself"), transaction.atomic():
        Delegation.objects.filter(pk=relationship.delegation_id).update(
            held_by=world.contoso.tenant, linked_at=now(), state="active"
        )


def test_token_above_the_ceiling_is_impossible(rich):
    with pytest.raises(IntegrityError, match="token_scopes_below_ceiling"), transaction.atomic():
        ApiToken.objects.filter(pk=rich.token.pk).update(scopes=["settings.modify"])


def test_unknown_delegation_is_refused(world):
    with pytest.raises(Delegation.DoesNotExist):
        tokens.issue(
            Delegation(pk=uuid.uuid4(), tenant=world.contoso.tenant),
            "x",
            by=world.contoso.admin,
            scopes=[Permission.ROOMS_VIEW],
            lifetime=timedelta(days=1),
        )


def test_removed_people_are_gone_from_memberships(rich):
    relationships.remove(rich.relationship, by=rich.world.contoso.admin)
    left = set(AssignmentMember.objects.values_list("user__upn", "assignment__tenant__name"))
    assert left == {
        ("admin@contoso.example", "Contoso"),
        ("admin@tailwind.example", "Tailwind"),
        ("nils@northwind.example", "Contoso"),
        ("ann@fabrikam.example", "Tailwind"),
    }
