"""Add partner, as a person without JavaScript clicks through it: five steps, one partner, nothing lost."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from audit.clock import now
from partners.models import Invitation, PartnerDraft, PartnerRelationship, Terms
from partners.services import drafts
from partners.services.drafts import Step
from rbac.catalogue import CONTROLLED_EVENTS, BuiltIn
from rbac.models import Assignment, AssignmentKey, SecurityGroup, Tenant
from rooms import scopes
from rooms.models import ControlPolicy
from rooms.scopes import Scope
from tests.factories.browsing import browser, links, text, told
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, assign, custom_role, invite, make, over, sign_in

pytestmark = pytest.mark.django_db

ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"


class Wizard:
    """Somebody of Contoso at *Add partner*."""

    def __init__(self, world: World, person: Any = None) -> None:
        self.world, self.person = world, person or world.contoso.admin
        self.client = browser(self.person)

    def url(self, step: str) -> str:
        return reverse("add_partner_step", args=[self.world.contoso.tenant.pk, step])

    def get(self, step: str, query: str = "") -> Any:
        return self.client.get(self.url(step) + query)

    def post(self, step: str, query: str = "", **data: Any) -> Any:
        return self.client.post(self.url(step) + query, data)

    def contacts(self, *rows: tuple[str, ...], button: str = "next", **fields: Any) -> Any:
        data = {
            "contact-TOTAL_FORMS": str(len(rows)),
            "label": "",
            "days": "14",
            **fields,
            button: fields.get(button, "1"),
        }
        for number, row in enumerate(rows):
            names = ("name", "upn", "delivery_address")
            data |= {f"contact-{number}-{name}": value for name, value in zip(names, row, strict=False)}
        return self.client.post(self.url("contacts"), data)

    def change_control(self, **modes: str) -> Any:
        data = {f"mode_{event.codename}": modes.get(event.codename, "auto") for event in CONTROLLED_EVENTS}
        return self.post("change-control", next="1", **data)

    def rooms(self, *rooms: Any) -> Any:
        return self.post("rooms", next="1", pick=[room.pk for room in rooms])

    def terms(self) -> Any:
        return self.post("terms", version="1", agrees="on", next="1")

    def to_review(self) -> Any:
        """All steps done; the review page."""
        self.contacts(("Ann", ANN), ("Bob", BOB))
        self.change_control()
        self.rooms(*self.world.contoso.german)
        self.terms()
        return self.get("review")

    def add(self, **data: Any) -> Any:
        reviewed = drafts.kept_by(self.person, self.world.contoso.tenant)
        sent = {"add": "1", "reviewed": drafts.fingerprint(reviewed) if reviewed else "", **data}
        return self.client.post(self.url("review"), sent, follow=True)

    @property
    def draft(self) -> PartnerDraft:
        return PartnerDraft.objects.get(tenant=self.world.contoso.tenant, user=self.person)


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def wizard(world) -> Wizard:
    return Wizard(world)


# --- The whole way ------------------------------------------------------------------------------


def test_five_steps_add_a_partner(world, wizard):
    start = wizard.client.get(reverse("add_partner", args=[world.contoso.tenant.pk]))
    assert start.url == wizard.url("contacts")
    assert wizard.contacts(
        ("Ann", ANN), ("Bob", BOB, "bob@mail.example"), label="Fabrikam AV", days="7"
    ).url == wizard.url("change-control")
    assert wizard.change_control().url == wizard.url("rooms")
    assert wizard.rooms(*world.contoso.german).url == wizard.url("terms")
    assert wizard.terms().url == wizard.url("review")
    shown = text(wizard.get("review"))
    for entered in ("Fabrikam AV", "Ann", ANN, "Bob", BOB, "Mail to bob@mail.example", "7 days", "2 rooms in all"):
        assert entered in shown
    answer = wizard.add()

    relationship = PartnerRelationship.objects.get()
    assert answer.redirect_chain == [(reverse("partner", args=[world.contoso.tenant.pk, relationship.pk]), 302)]
    assert told(answer) == ["Fabrikam AV has been added. 2 invitations are on their way."]
    assert (relationship.label, relationship.terms_version, relationship.terms_accepted_by) == (
        "Fabrikam AV",
        1,
        "admin@contoso.example",
    )
    sent = Invitation.objects.order_by("upn")
    assert [
        (one.contact_name, one.upn, one.delivery_address, (one.expires_at - one.created_at).days) for one in sent
    ] == [
        ("Ann", ANN, "", 7),
        ("Bob", BOB, "bob@mail.example", 7),
    ]
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    assert scopes.scope_of(base) == over(*world.contoso.german)
    assert set(ControlPolicy.objects.values_list("event", "mode")) == {
        (event.value, "auto") for event in CONTROLLED_EVENTS
    }
    assert not PartnerDraft.objects.exists()


def test_review_page_links_back_to_every_step(wizard):
    assert {wizard.url(step) for step in ("contacts", "change-control", "rooms", "terms")} <= links(wizard.to_review())


def test_second_click_adds_no_second_partner(world, wizard):
    wizard.to_review()
    reviewed = drafts.fingerprint(wizard.draft)
    wizard.add(reviewed=reviewed)
    before = mark()
    again = wizard.add(reviewed=reviewed)
    assert again.redirect_chain[0][0] == reverse("partners", args=[world.contoso.tenant.pk])
    assert "nothing left to send" in text(again)
    assert before.changed() - {"django_session"} == set()
    assert PartnerRelationship.objects.count() == 1


def test_only_what_was_reviewed_is_sent(wizard):
    wizard.to_review()
    reviewed = drafts.fingerprint(wizard.draft)
    wizard.contacts(("Eve", "eve@fabrikam.example"))
    answer = wizard.add(reviewed=reviewed)
    assert "was changed in another window" in text(answer)
    assert answer.redirect_chain[-1][0] == wizard.url("review")
    assert not PartnerRelationship.objects.exists()


@pytest.mark.parametrize("step", ["change-control", "rooms", "terms", "review"])
def test_jumping_ahead_leads_to_the_first_open_step(wizard, step):
    assert wizard.get(step).url == wizard.url("contacts")
    wizard.contacts(("Ann", ANN))
    if step != "change-control":
        assert wizard.get(step).url == wizard.url("change-control")
    assert wizard.post("review", next="1").url == wizard.url("change-control")


def test_adding_before_all_steps_are_done_adds_nothing(wizard):
    wizard.contacts(("Ann", ANN))
    answer = wizard.add()
    assert answer.redirect_chain[-1][0] == wizard.url("change-control")
    assert not PartnerRelationship.objects.exists()


def test_unknown_step_is_not_found(wizard):
    assert wizard.get("payment").status_code == 404


# --- What was entered stays -----------------------------------------------------------------------


def test_draft_survives_a_new_sign_in(wizard):
    wizard.to_review()
    again = Wizard(wizard.world)
    assert again.get("review").status_code == 200
    assert text(again.get("review")) == text(wizard.get("review"))


def test_draft_is_of_one_person_and_one_tenant(world, wizard):
    wizard.contacts(("Ann", ANN))
    colleague = Wizard(world, world.contoso.member(BuiltIn.MMR_ADMIN, "max"))
    assert ANN not in text(colleague.get("contacts"))
    elsewhere = browser(world.tailwind.admin).get(
        reverse("add_partner_step", args=[world.tailwind.tenant.pk, "contacts"])
    )
    assert ANN not in elsewhere.content.decode()


@pytest.mark.parametrize("button", ["cancel", "remove"])
def test_contacts_are_kept_even_if_they_are_wrong(wizard, button):
    answer = wizard.contacts(("Ann", "no address"), ("", ""), button=button, remove="1", label="Fab", days="99")
    assert answer.status_code == 302
    shown = wizard.get("contacts")
    assert b'value="no address"' in shown.content
    assert b'value="Fab"' in shown.content
    assert b'value="99"' in shown.content
    assert "needs your attention" not in text(shown)
    assert wizard.get("rooms").url == wizard.url("contacts")


def test_cancel_says_that_everything_is_kept(world, wizard):
    answer = wizard.client.post(
        wizard.url("contacts"),
        {"contact-TOTAL_FORMS": "1", "contact-0-name": "Ann", "contact-0-upn": ANN, "cancel": "1"},
        follow=True,
    )
    assert answer.redirect_chain == [(reverse("partners", args=[world.contoso.tenant.pk]), 302)]
    assert "What you entered is kept" in text(answer)
    assert f"You have begun to add a partner. {ANN}" in text(answer)


def test_going_back_and_on_again_loses_nothing(wizard):
    wizard.to_review()
    before = wizard.draft.data
    for step in ("review", "terms", "rooms", "change-control"):
        data = {"agrees": "on", "version": "1"} if step == "terms" else {}
        assert wizard.post(step, previous="1", **data).status_code == 302
    wizard.change_control()
    assert wizard.draft.data == before
    assert wizard.get("review").status_code == 200


def test_starting_over_discards_the_draft(world, wizard):
    wizard.to_review()
    wizard.client.post(reverse("add_partner", args=[world.contoso.tenant.pk]), {"discard": "1"})
    assert not PartnerDraft.objects.exists()
    assert wizard.get("review").url == wizard.url("contacts")


def test_add_partner_goes_on_where_one_left_off(world, wizard):
    wizard.contacts(("Ann", ANN))
    wizard.change_control()
    start = wizard.client.get(reverse("add_partner", args=[world.contoso.tenant.pk]))
    assert start.url == wizard.url("rooms")


# --- Contacts -----------------------------------------------------------------------------------


def test_add_contact_confirms_the_row_and_offers_another(wizard):
    answer = wizard.contacts(("Ann", ANN), button="add")
    assert answer.url == wizard.url("contacts")
    shown = wizard.get("contacts").content.decode()
    assert f'value="{ANN}"' in shown
    assert 'name="contact-1-upn"' in shown
    assert 'name="contact-2-upn"' not in shown
    assert wizard.get("change-control").url == wizard.url("contacts")  # confirmed, but not yet *Next*


def test_bin_removes_its_row_only(wizard):
    wizard.contacts(("Ann", ANN), ("Bob", BOB), ("Cy", "cy@fabrikam.example"), button="remove", remove="1")
    assert [row["upn"] for row in wizard.draft.data["contacts"]] == [ANN, "cy@fabrikam.example"]


def test_next_takes_the_last_row_along(wizard):
    wizard.contacts(("Ann", ANN), ("Bob", BOB), ("", ""))
    assert [row["upn"] for row in wizard.draft.data["contacts"]] == [ANN, BOB]


NAME, UPN = "Name", "User principal name (UPN)"


@pytest.mark.parametrize(
    ("name", "upn", "where", "message"),
    [
        ("Ann", "änn@fabrikam.example", UPN, "“ä” is not allowed in a user principal name."),
        ("Ann", "ann/fabrikam", UPN, "“/” is not allowed in a user principal name."),
        ("Ann", "ann", UPN, "Enter a user principal name like name@example.com."),
        ("Ann", "ann_fabrikam.example#EXT#@contoso.example", UPN, "This is a guest account."),
        ("Ann", "she@contoso.example", UPN, "she@contoso.example belongs to your own organisation"),
        ("Sales", "sales@fabrikam.example", UPN, "sales@fabrikam.example is a group. Invite people, one by one."),
        ("", ANN, NAME, "Enter the person’s name."),
        ("Ann", "", UPN, "Enter the person’s user principal name."),
        ("Ann\nBcc: eve@evil.example", ANN, NAME, "Enter one line of plain text."),
        ("Ann\u202eelpmaxe", ANN, NAME, "Enter one line of plain text."),
    ],
)
@pytest.mark.parametrize("button", ["add", "next"])
def test_what_is_wrong_stands_at_the_row(world, wizard, name, upn, where, message, button):
    SecurityGroup.objects.create(tenant=world.fabrikam.tenant, name="Sales", address="sales@fabrikam.example")
    answer = wizard.contacts(("Bob", BOB), (name, upn), button=button)
    assert answer.status_code == 200
    assert f"One thing needs your attention Row 2, {where}: {message}" in text(answer)
    assert text(answer).count(message) == 2  # in the summary, and at the field
    assert wizard.get("rooms").url == wizard.url("contacts")


def test_duplicate_is_seen_whatever_the_case(wizard):
    answer = wizard.contacts(("Ann", ANN), ("Ann again", ANN.upper()))
    assert f"Row 2, User principal name (UPN): {ANN} is entered more than once." in text(answer)


def test_own_person_is_refused_by_name_where_the_domain_is_not_verified(world, wizard):
    sign_in(world.contoso.tenant, "odd@other.example")
    answer = wizard.contacts(("Odd", "odd@other.example"))
    assert "odd@other.example belongs to your own organisation" in text(answer)


def test_at_least_one_contact(wizard):
    assert "Enter at least one contact." in text(wizard.contacts(("", "")))


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "", "1e3", "9" * 40])
def test_lifetime_is_between_1_and_30_days(wizard, days):
    answer = wizard.contacts(("Ann", ANN), days=days)
    assert "An invitation lives between 1 and 30 days." in text(answer)


@pytest.mark.parametrize("days", ["1", "30"])
def test_lifetime_bounds_are_allowed(wizard, days):
    assert wizard.contacts(("Ann", ANN), days=days).url == wizard.url("change-control")


def test_partner_tenant_id_is_kept_and_checked(world, wizard):
    assert "Enter an id like" in text(wizard.contacts(("Ann", ANN), expected_tid="fabrikam"))
    tid = str(world.fabrikam.tenant.entra_tid)
    wizard.contacts(("Ann", ANN), expected_tid=tid)
    wizard.change_control()
    wizard.rooms(*world.contoso.german)
    wizard.terms()
    assert tid in text(wizard.get("review"))
    wizard.add()
    assert str(PartnerRelationship.objects.get().expected_tid) == tid


def test_last_day_is_kept_shown_and_set_in_the_customers_time_zone(world, wizard):
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(time_zone="Europe/Berlin")
    wizard.contacts(("Ann", ANN), last_day="2031-06-30")
    wizard.change_control()
    wizard.rooms(*world.contoso.german)
    wizard.terms()
    assert "Last day June 30, 2031" in text(wizard.get("review"))
    assert 'value="2031-06-30"' in wizard.get("contacts").content.decode()
    with leaves(
        "Contoso: PartnerInvitation/Create fabrikam.example Successful admin@contoso.example",
        "Contoso: Role/Create Primary admin Successful admin@contoso.example",
        "Contoso: Assignment/Create Primary admin / Invited admins Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Update fabrikam.example Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create fabrikam.example Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create ann@fabrikam.example Successful admin@contoso.example",
    ):
        wizard.add()
    until = PartnerRelationship.objects.get().delegation.valid_until
    assert until == datetime(2031, 7, 1, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2020-01-01", "The end has to be in the future."),
        ("2099-01-01", "The end can be at most ten years from now."),
        ("9999-12-31", "Enter a day between 2000 and 9998."),
        ("soon", "Enter a valid date."),
    ],
)
def test_last_day_that_cannot_be_is_told_at_once(wizard, day, message):
    answer = wizard.contacts(("Ann", ANN), last_day=day)
    assert answer.status_code == 200
    assert message in text(answer)
    assert f'value="{day}"' in answer.content.decode()
    assert wizard.draft.data["last_day"] == day


def test_last_day_that_has_passed_on_the_way_leads_back_to_it(wizard, clock):
    wizard.contacts(("Ann", ANN), last_day=str(now().date()))
    wizard.change_control()
    wizard.rooms(*wizard.world.contoso.german)
    wizard.terms()
    clock.move(timedelta(days=1))
    answer = wizard.add()
    assert answer.redirect_chain[-1][0].startswith(wizard.url("contacts"))
    assert any("The end has to be in the future." in message for message in told(answer))
    assert not PartnerRelationship.objects.exists()


def test_open_invitation_elsewhere_is_pointed_out(world, wizard):
    invite(world.contoso, ANN, label="Fabrikam Nord")
    invite(world.tailwind, BOB, label="Tailwind’s secret")
    wizard.contacts(("Ann", ANN.upper()), ("Bob", BOB))
    for step in ("contacts", "contacts"):
        shown = text(wizard.get(step))
        assert f"{ANN} already has an open invitation from you, to Fabrikam Nord." in shown
        assert "Tailwind" not in shown


@pytest.mark.parametrize(
    "data",
    [
        {"contact-TOTAL_FORMS": "x"},
        {"contact-TOTAL_FORMS": "-3"},
        {"contact-TOTAL_FORMS": "9" * 30},
        {"contact-TOTAL_FORMS": "1", "contact-0-upn": "a\x00b@c.example", "contact-0-name": "\x00"},
        {"contact-TOTAL_FORMS": "1", "contact-0-upn": "a" * 100_000, "contact-0-name": "n" * 100_000},
        {"label": "\x00", "days": "\x00", "expected_tid": "\x00"},
        {"remove": "9" * 30},
        {"remove": "²"},
    ],
)
@pytest.mark.parametrize("button", ["next", "add", "cancel"])
def test_bad_input_is_never_a_server_error(wizard, data, button):
    answer = wizard.client.post(wizard.url("contacts"), {button: "1", **data})
    assert answer.status_code in (200, 302)
    assert wizard.get("contacts").status_code == 200
    assert wizard.get("review").url == wizard.url("contacts")


# --- Change control ---------------------------------------------------------------------------------


def test_automatic_is_what_is_chosen_at_first_and_manual_can_be(wizard):
    wizard.contacts(("Ann", ANN))
    shown = wizard.get("change-control").content.decode()
    for event in CONTROLLED_EVENTS:
        assert f'name="mode_{event.codename}" value="auto" checked' in shown
        assert f'name="mode_{event.codename}" value="manual" aria-label' in shown
    wizard.change_control(rooms_modify="manual")
    assert 'name="mode_rooms_modify" value="manual" checked' in wizard.get("change-control").content.decode()


@pytest.mark.parametrize("mode", ["", "never", "\x00"])
def test_unknown_mode_is_refused(wizard, mode):
    wizard.contacts(("Ann", ANN))
    assert wizard.change_control(rooms_modify=mode).status_code == 200
    assert wizard.get("rooms").url == wizard.url("change-control")


# --- Terms --------------------------------------------------------------------------------------


def to_terms(wizard: Wizard) -> None:
    wizard.contacts(("Ann", ANN))
    wizard.change_control()
    wizard.rooms(*wizard.world.contoso.german)


def test_terms_are_shown_in_full_and_have_to_be_agreed_to(wizard):
    to_terms(wizard)
    shown = wizard.get("terms")
    assert "Be careful with the rooms." in text(shown)
    assert b"checked" not in shown.content
    answer = wizard.post("terms", version="1", next="1")
    assert "Agree to the terms to go on." in text(answer)
    assert wizard.get("review").url == wizard.url("terms")


def test_agreeing_to_an_older_version_does_not_count(wizard):
    to_terms(wizard)
    Terms.objects.create(version=2, text_en="Be more careful.", text_de="Vorsichtiger.")
    answer = wizard.terms()
    assert "The terms have changed in the meantime." in text(answer)
    assert "Be more careful." in text(answer)
    assert wizard.get("review").url == wizard.url("terms")


def test_new_terms_after_agreeing_lead_back_to_them(wizard):
    wizard.to_review()
    Terms.objects.create(version=2, text_en="Be more careful.", text_de="Vorsichtiger.")
    answer = wizard.add()
    assert answer.redirect_chain[-1][0] == wizard.url("terms")
    assert b"checked" not in answer.content
    assert not PartnerRelationship.objects.exists()


def test_without_terms_nobody_can_be_added(wizard):
    to_terms(wizard)
    Terms.objects.all().delete()
    assert "There are no terms yet" in text(wizard.get("terms"))
    wizard.terms()
    assert wizard.get("review").url == wizard.url("terms")


def test_unticking_takes_the_agreement_back(wizard):
    wizard.to_review()
    wizard.post("terms", version="1", previous="1")
    assert wizard.get("review").url == wizard.url("terms")


# --- When adding is refused -----------------------------------------------------------------------


def test_contact_that_became_ones_own_is_shown_at_its_row(world, wizard):
    wizard.to_review()
    sign_in(world.contoso.tenant, ANN)  # meanwhile somebody of that name arrived at home
    with leaves(
        "Contoso: PartnerInvitation/Create fabrikam.example Failed(own_person) admin@contoso.example",
        "Contoso: PartnerInvitation/Create fabrikam.example Failed(own_person) admin@contoso.example",
    ):
        answer = wizard.add()
    assert answer.redirect_chain[-1][0] == wizard.url("contacts") + "?check=1"
    assert f"Row 1, User principal name (UPN): {ANN} belongs to your own organisation" in text(answer)
    assert [row["upn"] for row in wizard.draft.data["contacts"]] == [ANN, BOB]
    assert not PartnerRelationship.objects.exists()


def test_room_that_is_gone_leads_back_to_the_rooms(world, wizard):
    wizard.to_review()
    world.contoso.german[0].delete()
    answer = wizard.add()
    assert answer.redirect_chain[-1][0] == wizard.url("rooms")
    assert "Some of the rooms do not exist any more." in text(answer)
    assert wizard.post("rooms", next="1").url == wizard.url("terms")  # what is left goes on
    assert wizard.draft.data["scope"]["rooms"] == [world.contoso.german[1].pk]
    assert wizard.add().redirect_chain[-1][0].endswith(f"/partners/{PartnerRelationship.objects.get().pk}/")


def test_daily_limit_is_told_at_the_review(world, wizard, monkeypatch):
    wizard.to_review()
    monkeypatch.setattr("partners.services.invitations.DAILY_LIMIT", 1)
    answer = wizard.add()
    assert answer.status_code == 429
    assert "the most invitations allowed in one day" in text(answer)
    assert ANN in text(answer)
    assert not PartnerRelationship.objects.exists()


def test_nobody_gives_more_than_he_holds(world):
    """Settings may be changed by somebody who holds nothing on rooms: the rooms are not his to give."""
    keeper = world.contoso.person("kim")
    role = custom_role(
        world.contoso.tenant, *(code for code in drafts.Permission if code.value.startswith("settings."))
    )
    assign(role, keeper, Scope(all_rooms=True))
    wizard = Wizard(world, keeper)
    wizard.contacts(("Ann", ANN))
    wizard.change_control()
    wizard.rooms(*world.contoso.german)
    assert wizard.get("terms").url == wizard.url("rooms")  # he sees no room, so he can choose none
    drafts.keep(wizard.draft, Step.ROOMS, {"scope": over(*world.contoso.german).as_data()}, is_complete=True)
    wizard.terms()
    answer = wizard.add()
    assert answer.status_code == 403
    assert "You cannot give a partner more than you hold yourself." in text(answer)
    assert wizard.draft.data["contacts"]
    assert not PartnerRelationship.objects.exists()


def test_rights_lost_on_the_way_end_the_wizard(world):
    person = world.contoso.member(BuiltIn.MMR_ADMIN, "max")
    wizard = Wizard(world, person)
    wizard.to_review()
    Assignment.objects.get(people=person).delete()
    assert wizard.add().status_code == 403
    assert not PartnerRelationship.objects.exists()


def test_founders_assignment_is_not_the_partners(world, wizard):
    """Adding a partner touches no assignment of the customer's own."""
    before = list(Assignment.objects.filter(role__delegation=None).values_list("pk", "room_count", "all_rooms"))
    wizard.to_review()
    wizard.add()
    assert list(Assignment.objects.filter(role__delegation=None).values_list("pk", "room_count", "all_rooms")) == before
    assert Assignment.objects.filter(key=AssignmentKey.INVITED_ADMINS).count() == 1
