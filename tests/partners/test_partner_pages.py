"""Settings > Partners: the list, the detail pane, invitations sent again or withdrawn, the brake, and removal."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from audit.clock import Now
from audit.models import AuditEvent, OutboxMessage
from partners.models import ApiToken, Invitation, PartnerRelationship
from partners.services import invitations, relationships, tokens
from rbac.catalogue import Permission
from rbac.models import Delegation
from rooms.scopes import Scope
from tests.factories.browsing import browser, links, text, told
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, assign, custom_role, found_partner, invite, join, make, room_group

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"
PANE = {"HX-Request": "true"}


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def client(world) -> Any:
    return browser(world.contoso.admin)


def url(name: str, *of: Any) -> str:
    """The address of a partner's page, or of the list."""
    if not of:
        raise ValueError("whose?")
    first, *rest = of
    tenant = first.tenant_id if isinstance(first, PartnerRelationship) else first.pk
    own = [first.pk] if isinstance(first, PartnerRelationship) else []
    return reverse(name, args=[tenant, *own, *(one.pk for one in rest)])


# --- The list -----------------------------------------------------------------------------------


def test_list_shows_what_matters_of_each_partner(world, client):
    join(world.contoso, world.fabrikam, "ann", "bob")
    invite(world.contoso, "x@northwind.example", "y@northwind.example", scope=Scope(all_rooms=True), label="Nord AG")
    join(world.tailwind, world.northwind, "eve")
    shown = text(client.get(url("partners", world.contoso.tenant)))
    assert "fabrikam.example Fabrikam 2 rooms · 2 primary admins Active Fabrikam 2 2 0" in shown
    assert "Nord AG All rooms · 2 open invitations Invited not linked yet All (3) 0 2" in shown
    assert "2 partners" in shown
    assert "Tailwind" not in shown


def test_row_opens_the_pane_and_has_its_own_address(world, client):
    relationship, _ = invite(world.contoso, "x@northwind.example")
    page = client.get(url("partners", world.contoso.tenant)).content.decode()
    assert f'href="{url("partner", relationship)}" hx-get="{url("partner", relationship)}" hx-target="#pane"' in page


def test_empty_list_says_what_to_do(world, client):
    page = client.get(url("partners", world.contoso.tenant))
    assert "No partner yet" in text(page)
    assert url("add_partner", world.contoso.tenant) in links(page)


def test_ended_partners_are_shown_when_asked_for(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    invite(world.contoso, "x@northwind.example")
    relationships.remove(relationship, by=world.contoso.admin)
    home = url("partners", world.contoso.tenant)
    listed = {
        query: [
            "fabrikam.example" in text(client.get(home + query)),
            "northwind.example" in text(client.get(home + query)),
        ]
        for query in ("", "?state=ended", "?state=all", "?state=invited", "?state=suspended")
    }
    assert listed == {
        "": [False, True],
        "?state=ended": [True, False],
        "?state=all": [True, True],
        "?state=invited": [False, True],
        "?state=suspended": [False, False],
    }


@pytest.mark.parametrize(
    ("words", "found"), [("fab", True), ("FABRIKAM av", True), ("ann@", True), ("x@north", False), ("fab north", False)]
)
def test_search_looks_at_name_organisation_and_invited_people(world, client, words, found):
    invite(world.contoso, "ann@fabrikam.example", label="Fabrikam AV")
    invite(world.contoso, "x@northwind.example", label="Nord AG")
    shown = text(client.get(url("partners", world.contoso.tenant), {"q": words}))
    assert ("Fabrikam AV" in shown) is found


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Alpha", "Beta", "Gamma"]),
        ("-name", ["Gamma", "Beta", "Alpha"]),
        ("since", ["Gamma", "Alpha", "Beta"]),
        ("-since", ["Beta", "Alpha", "Gamma"]),
        ("state", ["Beta", "Alpha", "Gamma"]),
    ],
)
def test_list_is_sorted_as_asked(world, client, sort, names):
    for label in ("Gamma", "Alpha"):
        invite(world.contoso, f"{label.lower()}@x.example", label=label)
    beta, _ = join(world.contoso, world.fabrikam, "ann")
    relationships.rename(beta, "Beta", by=world.contoso.admin)
    for days, label in enumerate(("Alpha", "Gamma"), start=1):
        PartnerRelationship.objects.filter(label=label).update(created_at=Now() - timedelta(days=days))
    shown = text(client.get(url("partners", world.contoso.tenant), {"sort": sort}))
    assert sorted(names, key=shown.index) == names


def test_long_list_comes_in_pages(world, client):
    for number in range(53):
        invite(world.contoso, f"p{number}@x.example", label=f"Partner {number:02d}")
    home = url("partners", world.contoso.tenant)
    first = client.get(home + "?state=invited")
    assert "Partner 49" in text(first)
    assert "Partner 50" not in text(first)
    (following,) = [link for link in links(first) if "cursor" in link]
    second = client.get(home + following)
    assert "Partner 50" in text(second)
    assert "Partner 49" not in text(second)


@pytest.mark.parametrize("query", ["?colour=red", "?sort=colour", "?cursor=x", "?sort=--name"])
def test_unknown_parameters_are_refused(world, client, query):
    assert client.get(url("partners", world.contoso.tenant) + query).status_code == 400


@pytest.mark.parametrize("query", ["?state=colour", "?q=" + "x" * 101])
def test_values_that_cannot_be_are_told(world, client, query):
    invite(world.contoso, "x@northwind.example")
    answer = client.get(url("partners", world.contoso.tenant) + query)
    assert answer.status_code == 400
    assert "needs your attention" in text(answer)
    assert "northwind.example" not in text(answer)


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_the_list_do_not_grow(world, client, django_assert_num_queries, count):
    for number in range(count):
        join(world.contoso, found_partner(f"Partner{number}"), "ann", "bob")
        invite(world.contoso, f"x@new{number}.example")
    with django_assert_num_queries(12):
        client.get(url("partners", world.contoso.tenant))


# --- One partner ----------------------------------------------------------------------------------


def test_detail_tells_everything_of_a_partner(world, client):
    group = room_group(world.contoso.tenant, "Boardrooms", world.contoso.rooms[2])
    scope = Scope(rooms=frozenset(room.pk for room in world.contoso.german), groups=frozenset({group.pk}))
    relationship, _ = join(world.contoso, world.fabrikam, "ann", "bob", scope=scope)
    page = client.get(url("partner", relationship))
    shown = text(page)
    for expected in (
        "Active",
        "Fabrikam fabrikam.example",
        str(world.fabrikam.tenant.entra_tid),
        "3 rooms are delegated. Whole groups: Boardrooms",
        "Ann ann@fabrikam.example",
        "Bob bob@fabrikam.example",
        "Accepted",
        "Rooms: Modify Auto approval",
        "Version 1, agreed to by admin@contoso.example",
        "Remove partner",
        "Suspend",
    ):
        assert expected in shown
    assert {
        url("partner_remove", relationship),
        url("invited_admins", relationship),
        reverse("audit_logs", args=[world.contoso.tenant.pk]),
    } <= links(page)


def test_whoever_may_only_look_finds_nothing_to_press(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    invitations.invite(relationship, [invitations.Contact("Cy", "cy@fabrikam.example")], by=world.contoso.admin)
    viewer = world.contoso.person("vera")
    role = custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW, Permission.ROLES_VIEW)
    assign(role, viewer, Scope(all_rooms=True))
    page = browser(viewer).get(url("partner", relationship))
    for button in ("Remove partner", "Suspend", "Resend", "Withdraw", "Add or remove", "Change rooms"):
        assert button not in text(page)
    assert "Show rooms" in text(page)
    assert {browser(viewer).get(link).status_code for link in links(page) if link.startswith("/c/")} == {200}
    assert "Add partner" not in text(browser(viewer).get(url("partners", world.contoso.tenant)))


def test_invited_partner_is_not_linked_yet(world, client):
    relationship, _ = invite(world.contoso, "x@northwind.example", expected_tid=world.northwind.tenant.entra_tid)
    shown = text(client.get(url("partner", relationship)))
    assert "Not linked yet: nobody has accepted." in shown
    assert f"Only this Entra tenant {world.northwind.tenant.entra_tid}" in shown
    assert "Nobody yet. Whoever accepts an invitation becomes one." in shown
    assert "Suspend" not in shown


def test_tenant_nobody_has_verified_is_said_to_be_so(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    world.fabrikam.tenant.domains.all().delete()
    assert "Its domain has not been verified." in text(client.get(url("partner", relationship)))


def test_pane_is_the_same_page_without_its_frame(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    pane = client.get(url("partner", relationship), headers=PANE)
    assert b"<html" not in pane.content
    assert b'id="pane-title"' in pane.content
    assert "Ann ann@fabrikam.example" in text(pane)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "sent", "settled_at": Now()}, "Mail sent"),
        ({"state": "undeliverable", "settled_at": Now()}, "Mail undeliverable"),
        ({}, "The mail is waiting to be sent."),
        ({"attempts": 2}, "The mail server did not take the mail yet; it is tried again."),
    ],
)
def test_delivery_of_each_mail_is_shown(world, client, change, words):
    relationship, _ = invite(world.contoso, "x@northwind.example")
    OutboxMessage.objects.filter(kind="partners.invitation").update(**change)
    assert words in text(client.get(url("partner", relationship)))


def test_newest_mail_counts(world, client):
    relationship, (invitation,) = invite(world.contoso, "x@northwind.example")
    OutboxMessage.objects.filter(kind="partners.invitation").update(state="undeliverable", settled_at=Now())
    invitations.resend(invitation, by=world.contoso.admin)
    shown = text(client.get(url("partner", relationship)))
    assert "waiting to be sent" in shown
    assert "undeliverable" not in shown


def test_invitation_that_is_due_is_shown_as_expired(world, client, clock):
    relationship, _ = invite(world.contoso, "x@northwind.example", days=1)
    clock.move(timedelta(days=1, seconds=1))
    shown = text(client.get(url("partner", relationship)))
    assert "Expired" in shown
    assert "Resend" not in shown
    assert Invitation.objects.get().state == "pending"  # shown as it is, though no job has marked it


def test_ended_partner_stays_to_be_looked_at(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    relationships.remove(relationship, by=world.contoso.admin)
    shown = text(client.get(url("partner", relationship)))
    assert "Ended" in shown
    assert "Version 1, agreed to by" in shown
    for gone in ("Remove partner", "Change rooms", "Suspend", "Resend"):
        assert gone not in shown


def test_partner_without_an_active_primary_admin_is_pointed_out(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    Delegation.objects.filter(pk=relationship.delegation_id).update(needs_primary_admin=True)
    assert "No active person of the partner is a primary admin any more." in text(
        client.get(url("partner", relationship))
    )
    assert "Needs a primary admin" in text(client.get(url("partners", world.contoso.tenant)))


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_the_detail_do_not_grow(world, client, django_assert_num_queries, count):
    relationship, _ = join(world.contoso, world.fabrikam, *(f"ann{number}" for number in range(count)))
    more = [invitations.Contact("X", f"x{number}@fabrikam.example") for number in range(count)]
    invitations.invite(relationship, more, by=world.contoso.admin)
    with django_assert_num_queries(16):
        client.get(url("partner", relationship))


# --- Invitations ------------------------------------------------------------------------------------


def test_resending_leaves_one_new_mail(world, client):
    relationship, (invitation,) = invite(world.contoso, "x@northwind.example")
    with leaves(f"Contoso: PartnerInvitation/Update x@northwind.example Successful {ADMIN}") as evidence:
        answer = client.post(url("invitation_resend", relationship, invitation), follow=True)
    assert answer.redirect_chain == [(url("partner", relationship), 302)]
    assert told(answer) == [
        "A new invitation mail to x@northwind.example is on its way. Links in earlier mails no longer work."
    ]
    assert evidence.messages == [("partners.invitation", str(invitation.pk), "waiting")]


def test_withdrawing_ends_the_invitation(world, client):
    relationship, (invitation, _) = invite(world.contoso, "x@northwind.example", "y@northwind.example")
    answer = client.post(url("invitation_revoke", relationship, invitation), follow=True)
    assert told(answer) == ["The invitation of x@northwind.example has been withdrawn."]
    assert dict(Invitation.objects.values_list("upn", "state")) == {
        "x@northwind.example": "revoked",
        "y@northwind.example": "pending",
    }


@pytest.mark.parametrize("name", ["invitation_resend", "invitation_revoke"])
def test_answered_invitation_is_neither_sent_again_nor_withdrawn(world, client, name):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    before = mark()
    answer = client.post(url(name, relationship, Invitation.objects.get()), follow=True)
    assert told(answer) == ["This invitation has been accepted already."]
    assert before.changed() - {"django_session"} == set()
    assert before.messages == []


@pytest.mark.parametrize("name", ["invitation_resend", "invitation_revoke"])
def test_invitation_of_another_partner_is_not_found(world, client, name):
    relationship, _ = invite(world.contoso, "x@northwind.example")
    _, (other,) = invite(world.contoso, "y@northwind.example")
    _, (foreign,) = invite(world.tailwind, "z@northwind.example")
    before = mark()
    assert client.post(url(name, relationship, other)).status_code == 404
    assert client.post(url(name, relationship, foreign)).status_code == 404
    assert (before.changed() - {"django_session"}, before.lines) == (set(), [])


def test_resending_inside_the_pane_shows_the_pane_again(world, client):
    relationship, (invitation,) = invite(world.contoso, "x@northwind.example")
    answer = client.post(url("invitation_resend", relationship, invitation), headers=PANE, follow=True)
    assert b'id="pane-title"' in answer.content
    assert "is on its way" in text(answer)


# --- The brake --------------------------------------------------------------------------------------


def test_suspending_and_resuming(world, client):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    partner, rooms = browser(ann), reverse("rooms", args=[world.contoso.tenant.pk])
    answer = client.post(url("partner_suspend", relationship), follow=True)
    assert told(answer) == ["fabrikam.example is suspended: its people have no access until you resume it."]
    assert "Suspended: the partner’s people have no access." in text(answer)
    assert partner.get(rooms).status_code == 404
    assert told(client.post(url("partner_suspend", relationship), follow=True)) == [
        "This is no longer possible: the state has changed in the meantime."
    ]
    answer = client.post(url("partner_resume", relationship), follow=True)
    assert told(answer) == ["fabrikam.example has access again, to the same rooms as before."]
    assert partner.get(rooms).status_code == 200


# --- Removal ----------------------------------------------------------------------------------------


def test_removal_says_what_will_happen_then_asks_then_deletes(world, client):
    relationship, (ann, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    invitations.invite(relationship, [invitations.Contact("Cy", "cy@fabrikam.example")], by=world.contoso.admin)
    delegation = relationship.delegation
    tokens.issue(delegation, "tool", by=ann, scopes=[Permission.ROOMS_VIEW], lifetime=timedelta(days=1))
    page, address = client.get(url("partner_remove", relationship)), url("partner_remove", relationship)
    for consequence in (
        "Remove fabrikam.example",
        "What will happen",
        "2 people lose access to 2 rooms, on their next click.",
        "1 open invitation is withdrawn.",
        "1 API token of the partner’s tools is revoked.",
    ):
        assert consequence in text(page)
    before = mark()
    asked = client.post(address, {"step": "confirm"})
    assert "Do you really want to delete fabrikam.example?" in text(asked)
    assert "2 people lose access to 2 rooms" in text(asked)
    assert (before.changed() - {"django_session"}, before.lines) == (set(), [])
    answer = client.post(address, {"step": "delete"}, follow=True)
    assert answer.redirect_chain == [(url("partners", world.contoso.tenant), 302)]
    assert told(answer) == ["fabrikam.example has been removed. Its people no longer have any access."]
    assert PartnerRelationship.objects.get().delegation.state == "ended"
    assert set(Invitation.objects.values_list("upn", "state")) == {
        ("ann@fabrikam.example", "accepted"),
        ("bob@fabrikam.example", "accepted"),
        ("cy@fabrikam.example", "revoked"),
    }
    assert not ApiToken.objects.exists()
    for person in (ann, bob):
        assert browser(person).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 404


def test_open_page_of_the_partner_ends_at_the_next_click(world, client):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    partner = browser(ann)
    room = reverse("room", args=[world.contoso.tenant.pk, world.contoso.german[0].pk])
    assert partner.get(room).status_code == 200
    client.post(url("partner_remove", relationship), {"step": "delete"})
    assert partner.get(room).status_code == 404


def test_removal_of_an_invited_partner_takes_no_access(world, client):
    relationship, _ = invite(world.contoso, "x@northwind.example")
    shown = text(client.get(url("partner_remove", relationship)))
    assert "Nobody has accepted yet, so nobody loses access; 2 rooms will no longer be on offer." in shown
    assert "API token" not in shown


def test_removal_inside_the_pane_sends_the_window_to_the_list(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    address = url("partner_remove", relationship)
    pane = client.post(address, {"step": "confirm"}, headers=PANE)
    assert f'hx-post="{address}" hx-target="#pane"'.encode() in pane.content
    answer = client.post(address, {"step": "delete"}, headers=PANE)
    assert answer.headers["HX-Redirect"] == url("partners", world.contoso.tenant)


@pytest.mark.parametrize("step", [None, "confirm", "delete"])
def test_partner_that_is_over_cannot_be_removed_again(world, client, step):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    relationships.remove(relationship, by=world.contoso.admin)
    address = url("partner_remove", relationship)
    answer = client.get(address) if step is None else client.post(address, {"step": step})
    assert answer.status_code == 410
    assert "This partner relationship has ended." in text(answer)


def test_one_partner_is_removed_and_no_other(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    other, _ = join(world.contoso, world.northwind, "eve")
    foreign, _ = join(world.tailwind, world.fabrikam, "ann")
    client.post(url("partner_remove", relationship), {"step": "delete"})
    states = dict(Delegation.objects.values_list("pk", "state"))
    assert states == {
        relationship.delegation_id: "ended",
        other.delegation_id: "active",
        foreign.delegation_id: "active",
    }


def test_rename_is_the_customers_own_word_and_on_record(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    place = reverse("partner_rename", args=[world.contoso.tenant.pk, relationship.pk])
    assert relationship.label in client.get(place).content.decode()
    for wrong in ("", "x" * 121, "two\nlines"):
        assert client.post(place, {"label": wrong}).status_code == 200
    relationship.refresh_from_db()
    assert relationship.label == "fabrikam.example"

    answer = client.post(place, {"label": "Our AV people"}, follow=True)
    assert "The partner is now called “Our AV people” here." in answer.content.decode()
    relationship.refresh_from_db()
    assert relationship.label == "Our AV people"
    line = AuditEvent.objects.latest("id")
    assert (line.category, line.before, line.after) == (
        "Settings",
        {"label": "fabrikam.example"},
        {"label": "Our AV people"},
    )
