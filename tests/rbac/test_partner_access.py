"""What a customer asks of its partners' people: what is shown and what is missing, and that nothing opens without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from rbac import access
from rbac.access_policy import PartnerAccessPolicy
from rbac.catalogue import Permission
from rbac.errors import (
    EventsAskNothing,
    InvalidNetwork,
    InvalidSignInAge,
    NoEventsChosen,
    StaleVersion,
    StepUpRequired,
    TooManyNetworks,
)
from rbac.models import User
from rbac.partner_access import (
    Condition,
    Conditions,
    Evidence,
    Policy,
    Proof,
    claims_of,
    evidence,
    lies_in,
    proof_of,
)
from rbac.precondition import tag_of
from rbac.services import partner_access
from rooms import change_control
from rooms.models import Room
from rooms.scopes import Scope
from rooms.services import bulk_changes, rooms
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, ask_first, asked, join, make

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NONE = Proof()
MFA = Proof(NOW, frozenset({"pwd", "mfa"}))
RENAME = frozenset({Permission.ROOMS_MODIFY})


# --- What is missing ----------------------------------------------------------------------------------------------


def shown(proof: Proof = NONE, address: str | None = None) -> Evidence:
    return Evidence(1, proof, address)


@pytest.mark.parametrize(
    ("minutes", "is_missing"), [(0, False), (59, False), (60, False), (61, True), (-5, False), (-6, True)]
)
def test_sign_in_is_recent_for_so_many_minutes_and_never_from_the_future(minutes, is_missing):
    proof = Proof(NOW - timedelta(minutes=minutes))
    missing = Conditions(max_age=60).missing(shown(proof), NOW)
    assert missing == ({Condition.SIGN_IN_AGE} if is_missing else set())


def test_sign_in_of_unknown_age_is_not_recent():
    assert Conditions(max_age=60).missing(shown(), NOW) == {Condition.SIGN_IN_AGE}


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("198.51.100.7", True),
        ("::ffff:198.51.100.7", True),
        ("2001:db8::1", True),
        ("198.51.101.7", False),
        ("2001:db9::1", False),
        ("", False),
        (None, False),
        ("198.51.100.7, 10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_address_lies_in_a_network_or_does_not(address, is_in):
    assert lies_in(address, ["203.0.113.0/24", "198.51.100.0/24", "2001:db8::/32"]) is is_in


def test_second_factor_is_what_this_installation_takes_for_one(settings):
    asks = Conditions(mfa=True)
    assert asks.missing(shown(Proof(NOW, frozenset({"pwd", "otp"}))), NOW) == {Condition.MFA}
    assert asks.missing(shown(MFA), NOW) == set()
    settings.MFA_METHODS, settings.MFA_CONTEXTS = frozenset(), frozenset({"c1"})
    assert asks.missing(shown(MFA), NOW) == {Condition.MFA}
    assert asks.missing(shown(Proof(NOW, contexts=frozenset({"c1"}))), NOW) == set()


def test_events_ask_for_more_and_nothing_else_does():
    policy = Policy(Conditions(mfa=True), Conditions(max_age=15), RENAME)
    unmet = policy.unmet(shown(Proof(NOW - timedelta(hours=1))), NOW)
    assert unmet.always == {Condition.MFA}
    assert unmet.of(Permission.ROOMS_VIEW) == {Condition.MFA}
    assert unmet.of(Permission.ROOMS_MODIFY) == {Condition.MFA, Condition.SIGN_IN_AGE}


@pytest.mark.parametrize(
    "claims",
    [
        {"auth_time": True, "amr": {"mfa": 1}, "acr": 3},
        {"auth_time": "1790000000", "amr": 7},
        {"auth_time": 1e308},
        {"auth_time": float("nan"), "amr": [None, ["mfa"]]},
        {"auth_time": -(2**70), "amr": ""},
        {"amr": ["x" * 101], "acrs": [0]},
        {},
    ],
)
def test_nonsense_of_a_provider_shows_nothing(claims):
    assert proof_of(claims) == Proof()


def test_proof_survives_the_session():
    claims = {"auth_time": 1_790_000_000, "amr": ["pwd", "mfa"], "acr": "1", "acrs": ["c1"]}
    proof = proof_of(claims)
    assert proof == Proof(datetime.fromtimestamp(1_790_000_000, UTC), frozenset({"pwd", "mfa"}), frozenset({"1", "c1"}))
    assert proof_of(claims_of(proof)) == proof
    assert proof_of(claims_of(Proof())) == Proof()
    assert proof_of({"amr": "mfa"}).has_second_factor  # a single one, not in a list


# --- What is kept -------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return make()


def change(world: World, policy: Policy, **more: Any) -> Policy:
    return partner_access.change(world.contoso.tenant, policy, by=world.contoso.admin, **more)


@pytest.mark.django_db
def test_what_is_asked_is_kept_and_on_record(world):
    policy = Policy(Conditions(True, 480, ("198.51.100.7", "2001:db8::/32")), Conditions(max_age=15), RENAME)
    with leaves("Contoso: Settings/Update partner access policy Successful admin@contoso.example"):
        kept = change(world, policy)
    assert kept == partner_access.of(world.contoso.tenant)
    assert kept.always.networks == ("198.51.100.7/32", "2001:db8::/32")
    assert partner_access.of(world.tailwind.tenant) == Policy()
    line = AuditEvent.objects.get(object_name="partner access policy")
    assert line.before["always"] == {"mfa": False, "max_age": None, "networks": []}
    assert line.after["events"] == ["rooms.modify"]
    with leaves():
        change(world, policy)  # the same again


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (Policy(Conditions(networks=("198.51.100.1/24",))), InvalidNetwork),
        (Policy(Conditions(networks=("anywhere",))), InvalidNetwork),
        (Policy(Conditions(networks=("",))), InvalidNetwork),
        (Policy(Conditions(networks=tuple(f"10.0.{one}.0/24" for one in range(51)))), TooManyNetworks),
        (Policy(Conditions(max_age=4)), InvalidSignInAge),
        (Policy(Conditions(max_age=30 * 24 * 60 + 1)), InvalidSignInAge),
        (Policy(events=RENAME), EventsAskNothing),
        (Policy(step_up=Conditions(mfa=True)), NoEventsChosen),
        (Policy(step_up=Conditions(mfa=True), events=frozenset({Permission.ROOMS_VIEW})), NoEventsChosen),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(world, policy, error):
    line = f"Contoso: Settings/Update partner access policy Failed({error.code}) admin@contoso.example"
    refused(error, lambda: change(world, policy), line)


@pytest.mark.django_db
def test_whoever_read_an_older_one_is_told(world):
    seen = tag_of(partner_access.of(world.contoso.tenant))
    change(world, Policy(Conditions(mfa=True)), seen=seen)
    with pytest.raises(StaleVersion):
        change(world, Policy(), seen=seen)


@pytest.mark.django_db
def test_only_who_may_modify_the_settings_changes_it(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann", scope=Scope(all_rooms=True))
    for somebody in (ann, world.tailwind.admin, world.contoso.person("eve")):
        with pytest.raises(PermissionDenied):
            partner_access.change(world.contoso.tenant, Policy(Conditions(mfa=True)), by=somebody)
    assert not PartnerAccessPolicy.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields", [{"max_age": 4}, {"step_up_max_age": 43_201}, {"networks": ["::/0"] * 51}, {"events": ["rooms.view"]}]
)
def test_database_keeps_the_bounds(world, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        PartnerAccessPolicy.objects.create(tenant=world.contoso.tenant, **fields)


# --- What opens ---------------------------------------------------------------------------------------------------


class Scene:
    """Ann is a primary admin at two customers; only Contoso asks for something."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.relationship, (self.ann,) = join(world.contoso, world.fabrikam, "ann", scope=Scope(all_rooms=True))
        join(world.tailwind, world.fabrikam, "ann", scope=Scope(all_rooms=True))
        self.room = world.contoso.rooms[0]

    @contextmanager
    def request(self, person: User | None = None, proof: Proof = NONE, address: str | None = None) -> Iterator[None]:
        """In the block `person` (Ann) asks, and shows this."""
        token = evidence.set(Evidence((person or self.ann).pk, proof, address))
        try:
            yield
        finally:
            evidence.reset(token)

    def rename(self, by: User | None = None) -> Any:
        return change_control.submit(
            Permission.ROOMS_MODIFY, self.room, by=by or self.ann, changes={"display_name": "Renamed"}
        )


@pytest.fixture
def scene(world) -> Scene:
    return Scene(world)


@pytest.mark.django_db
def test_nothing_opens_at_the_customer_that_asks_and_everything_elsewhere(scene):
    change(scene.world, Policy(Conditions(mfa=True)))
    contoso, tailwind = scene.world.contoso.tenant, scene.world.tailwind.tenant
    with scene.request():
        assert {one.tenant_id for one in access.rights(scene.ann)} == {tailwind.pk}
        assert access.rights(scene.ann, contoso.pk) == ()
        assert not access.can(scene.ann, Permission.ROOMS_VIEW, scene.room)
        assert not scene.ann.has_perm("rooms.rooms_view", scene.room)
        seen = access.visible(scene.ann, Permission.ROOMS_VIEW, Room.objects.all())
        assert {one.tenant_id for one in seen} == {tailwind.pk}
        with pytest.raises(StepUpRequired) as error:
            scene.rename()
        assert (error.value.tenant_id, error.value.missing) == (contoso.pk, {Condition.MFA})
    with scene.request(proof=MFA):
        assert access.can(scene.ann, Permission.ROOMS_VIEW, scene.room)
        scene.rename()


@pytest.mark.django_db
def test_account_that_was_read_anew_shows_no_more_than_its_request(scene):
    change(scene.world, Policy(Conditions(mfa=True)))
    with scene.request():
        assert not access.can(User.objects.get(pk=scene.ann.pk), Permission.ROOMS_VIEW, scene.room)


@pytest.mark.django_db
def test_the_customers_own_people_are_not_asked(scene):
    change(scene.world, Policy(Conditions(True, 5, ("192.0.2.0/24",)), Conditions(True), RENAME))
    admin = scene.world.contoso.admin
    with scene.request(admin):
        assert access.can(admin, Permission.ROOMS_VIEW, scene.room)
        scene.rename(by=admin)


@pytest.mark.django_db
def test_what_is_asked_for_an_event_stops_the_event_alone_and_is_on_record(scene):
    change(scene.world, Policy(step_up=Conditions(mfa=True), events=RENAME))
    with scene.request():
        assert access.can(scene.ann, Permission.ROOMS_MODIFY, scene.room)  # it is offered
        line = f"Contoso: Room/Update {scene.room} Failed(step_up_required) {scene.ann.upn}"
        refused(StepUpRequired, scene.rename, line)
    with scene.request(proof=MFA), leaves(f"Contoso: Room/Update {scene.room} Successful {scene.ann.upn}"):
        scene.rename()


@pytest.mark.django_db
def test_change_that_waits_for_approval_is_stopped_when_asked_for_and_carried_out_without_the_person(scene):
    ask_first(scene.relationship, Permission.ROOMS_MODIFY)
    change(scene.world, Policy(Conditions(networks=("192.0.2.0/24",)), Conditions(mfa=True), RENAME))
    with scene.request(address="192.0.2.1"), pytest.raises(StepUpRequired):
        scene.rename()
    with scene.request(proof=MFA, address="192.0.2.1"):
        waiting = asked(scene.rename)
    admin = scene.world.contoso.admin
    with scene.request(admin):  # the customer's own, who decides
        assert change_control.approve(waiting, by=admin).state == "executed"


@pytest.mark.django_db
def test_bulk_change_is_stopped_when_it_is_confirmed(scene):
    change(scene.world, Policy(step_up=Conditions(mfa=True), events=RENAME))
    made = bulk_changes.prepare(scene.world.contoso.tenant, [scene.room.pk], by=scene.ann)
    bulk_changes.describe(made, "edit", {"city": "Bonn"})
    made.refresh_from_db()
    with scene.request(), pytest.raises(StepUpRequired):
        bulk_changes.confirm(made, submit=change_control.submit)
    with scene.request(proof=MFA):
        bulk_changes.confirm(made, submit=change_control.submit)
    scene.room.refresh_from_db()
    assert scene.room.city == "Bonn"


@pytest.mark.django_db
def test_job_is_not_asked(scene):
    change(scene.world, Policy(Conditions(mfa=True), Conditions(max_age=5), RENAME))
    assert access.can(scene.ann, Permission.ROOMS_VIEW, scene.room)
    rooms.modify(scene.room, by=scene.ann, changes={"display_name": "Renamed"})


@pytest.mark.django_db
def test_age_is_judged_by_the_database_clock(scene, clock):
    change(scene.world, Policy(Conditions(max_age=60)))
    with scene.request(proof=Proof(clock.now())):
        assert access.can(scene.ann, Permission.ROOMS_VIEW, scene.room)
        clock.move(timedelta(minutes=59))
        assert access.can(scene.ann, Permission.ROOMS_VIEW, scene.room)
        clock.move(timedelta(minutes=2))
        assert not access.can(scene.ann, Permission.ROOMS_VIEW, scene.room)


@pytest.mark.django_db
def test_policy_costs_no_statement_of_its_own(scene):
    change(scene.world, Policy(Conditions(mfa=True), Conditions(max_age=5), RENAME))
    with scene.request(proof=MFA):
        for ask in (
            lambda: access.rights(scene.ann),
            lambda: access.can(scene.ann, Permission.ROOMS_VIEW, scene.room),
        ):
            with CaptureQueriesContext(connection) as statements:
                ask()
            assert len(statements) == 1
