"""Drafts of *Add partner*: of one person in one tenant, sent once."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from audit.models import AuditEvent
from partners.errors import OwnPerson, TermsChanged
from partners.models import Invitation, PartnerDraft, PartnerRelationship, Terms
from partners.services import drafts
from partners.services.drafts import DraftChanged, DraftGone, Step
from rbac.catalogue import BuiltIn
from rooms.scopes import Scope
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, make, over, sign_in

ADMIN = "admin@contoso.example"


def filled(world: World) -> PartnerDraft:
    """Everything entered by Contoso's admin for two people of Fabrikam and the German rooms."""
    rows = [
        {"name": name, "upn": f"{name.lower()}@fabrikam.example", "delivery_address": ""} for name in ("Ann", "Bob")
    ]
    draft = drafts.of(world.contoso.admin, world.contoso.tenant)
    entries = {"contacts": rows, "label": "Fabrikam AV", "days": "3", "expected_tid": ""}
    drafts.keep(draft, Step.CONTACTS, entries, is_complete=True)
    drafts.keep(draft, Step.CHANGE_CONTROL, {"policies": {}}, is_complete=True)
    drafts.keep(draft, Step.ROOMS, {"scope": over(*world.contoso.german).as_data()}, is_complete=True)
    return drafts.keep(draft, Step.TERMS, {"terms_version": 1}, is_complete=True)


@pytest.fixture
def world(db) -> World:
    return make()


def test_entries_of_other_steps_stay(world):
    draft = filled(world)
    drafts.keep(draft, Step.ROOMS, {"scope": Scope(all_rooms=True).as_data()}, is_complete=True)
    kept = drafts.of(world.contoso.admin, world.contoso.tenant)
    assert kept.data == {**draft.data, "scope": {"all_rooms": True, "rooms": [], "groups": []}}


def test_first_open_step_follows_what_is_done(world):
    terms = Terms.objects.get()
    draft = filled(world)
    assert drafts.first_open(draft, terms) is Step.REVIEW
    assert drafts.first_open(draft, None) is Step.TERMS
    assert drafts.first_open(draft, Terms(version=2)) is Step.TERMS
    for step in (Step.TERMS, Step.ROOMS, Step.CHANGE_CONTROL, Step.CONTACTS):
        draft = drafts.keep(draft, step, {}, is_complete=False)
        assert drafts.first_open(draft, terms) is step
    assert drafts.first_open(drafts.of(world.tailwind.admin, world.tailwind.tenant), terms) is Step.CONTACTS


def test_empty_scope_is_no_choice_of_rooms(world):
    draft = drafts.keep(filled(world), Step.ROOMS, {"scope": Scope().as_data()}, is_complete=True)
    assert drafts.first_open(draft, Terms.objects.get()) is Step.ROOMS


def test_drafts_of_two_people_and_two_tenants_are_apart(world):
    filled(world)
    colleague = world.contoso.member(BuiltIn.MMR_ADMIN, "max")
    assert drafts.kept_by(colleague, world.contoso.tenant) is None
    assert drafts.kept_by(world.contoso.admin, world.tailwind.tenant) is None
    drafts.keep(drafts.of(colleague, world.contoso.tenant), Step.CONTACTS, {"contacts": []}, is_complete=False)
    drafts.discard(drafts.of(colleague, world.contoso.tenant))
    assert [one.user for one in PartnerDraft.objects.all()] == [world.contoso.admin]


def test_keeping_and_discarding_leave_no_line_in_the_log(world):
    with leaves():
        drafts.discard(filled(world))


def test_all_rooms_outweigh_single_ones(world):
    chosen = Scope(all_rooms=True, rooms=over(*world.contoso.german).rooms)
    draft = drafts.keep(filled(world), Step.ROOMS, {"scope": chosen.as_data()}, is_complete=True)
    assert drafts.proposal_of(draft).scope == Scope(all_rooms=True)


def test_sending_adds_the_partner_and_ends_the_draft(world):
    draft = filled(world)
    relationship = drafts.send(draft, by=world.contoso.admin, reviewed=drafts.fingerprint(draft))
    assert (relationship.label, relationship.tenant) == ("Fabrikam AV", world.contoso.tenant)
    assert [one.upn for one in Invitation.objects.order_by("upn")] == ["ann@fabrikam.example", "bob@fabrikam.example"]
    assert not PartnerDraft.objects.exists()


def test_sent_draft_is_gone(world):
    draft = filled(world)
    reviewed = drafts.fingerprint(draft)
    drafts.send(draft, by=world.contoso.admin, reviewed=reviewed)
    before = mark()
    with pytest.raises(DraftGone):
        drafts.send(draft, by=world.contoso.admin, reviewed=reviewed)
    assert (before.changed(), before.lines) == (set(), [])


def test_changed_draft_is_not_sent(world):
    draft = filled(world)
    reviewed = drafts.fingerprint(draft)
    drafts.keep(draft, Step.CONTACTS, {"label": "Another"}, is_complete=True)
    with pytest.raises(DraftChanged), leaves():
        drafts.send(draft, by=world.contoso.admin, reviewed=reviewed)
    assert not PartnerRelationship.objects.exists()


def test_draft_with_an_open_step_is_not_sent(world):
    draft = drafts.keep(filled(world), Step.CONTACTS, {"days": "x"}, is_complete=False)
    with pytest.raises(DraftChanged):
        drafts.send(draft, by=world.contoso.admin, reviewed=drafts.fingerprint(draft))


def test_refused_partner_keeps_the_draft_and_the_line_of_the_failure(world):
    draft = filled(world)
    sign_in(world.contoso.tenant, "ann@fabrikam.example")
    before = mark()
    with pytest.raises(OwnPerson):
        drafts.send(draft, by=world.contoso.admin, reviewed=drafts.fingerprint(draft))
    assert before.changed() == set()
    assert before.lines == [
        f"Contoso: PartnerInvitation/Create Fabrikam AV Failed(own_person) {ADMIN}",
        f"Contoso: PartnerInvitation/Create Fabrikam AV Failed(own_person) {ADMIN}",
    ]
    assert drafts.kept_by(world.contoso.admin, world.contoso.tenant) is not None


def test_whoever_lost_his_rights_sends_nothing(world):
    draft = filled(world)
    outsider = world.contoso.person("otto")
    PartnerDraft.objects.update(user=outsider)
    draft.refresh_from_db()
    with pytest.raises(PermissionDenied):
        drafts.send(draft, by=outsider, reviewed=drafts.fingerprint(draft))
    assert not PartnerRelationship.objects.exists()
    assert AuditEvent.objects.filter(code="permission_denied", user_id=outsider.upn).count() == 1


@pytest.mark.parametrize(
    ("error", "step"),
    [(OwnPerson(), Step.CONTACTS), (TermsChanged(), Step.TERMS), (DraftGone(), Step.REVIEW)],
)
def test_error_knows_the_step_that_mends_it(error, step):
    assert drafts.mended_by(error) is step


def test_two_clicks_at_once_add_one_partner(committed_db):
    world = make()
    draft = filled(world)
    reviewed = drafts.fingerprint(draft)
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def click() -> None:
        start.wait()
        try:
            drafts.send(draft, by=world.contoso.admin, reviewed=reviewed)
            outcomes.append("added")
        except DraftGone:
            outcomes.append("gone")
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added", *["gone"] * 5]
    assert PartnerRelationship.objects.count() == 1
    assert Invitation.objects.count() == 2
