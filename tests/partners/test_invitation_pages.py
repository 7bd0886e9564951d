"""The invitations of the signed-in person: who sees what, what accepting and denying do, what is over."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from audit.models import OutboxMessage
from partners import links as mail_links
from partners.models import Invitation
from partners.services import invitations, relationships
from rbac.models import AssignmentMember, Delegation, Tenant, TenantStatus, User
from rbac.sign_in import Identity, arrive
from rooms.scopes import Scope
from tests.factories.browsing import body, browser, links, text, told
from tests.factories.evidence import mark
from tests.factories.world import World, found_partner, invite, join, make, sign_in

pytestmark = pytest.mark.django_db

ANN = "ann@fabrikam.example"


@pytest.fixture
def world() -> World:
    return make()


def stranger(upn: str = "joe@newcomer.example") -> User:
    """Somebody awaited, of a tenant nobody here knows."""
    tid = uuid.uuid4()
    return arrive(Identity(tid, uuid.uuid4(), upn, "Joe"), is_awaited=invitations.is_awaited)


def url(name: str, invitation: Invitation, *more: str) -> str:
    return reverse(name, args=[invitation.pk, *more])


def link(invitation: Invitation) -> str:
    invitation.refresh_from_db()
    return url("invitation_link", invitation, mail_links.secret_of(invitation))


def accept(person: User, invitation: Invitation, **data: str) -> Any:
    return browser(person).post(url("invitation_accept", invitation), data)


# --- Who sees it --------------------------------------------------------------------------------


def test_anonymous_signs_in_and_comes_back(world):
    _, (invitation,) = invite(world.contoso, ANN)
    answer = browser().get(link(invitation))
    assert answer.status_code == 302
    assert answer.url == f"{reverse('sign_in')}?next={link(invitation)}"
    assert browser().get(reverse("invitations")).status_code == 302


def test_list_shows_ones_own_open_invitations_only(world):
    invite(world.contoso, ANN, "bob@fabrikam.example")
    invite(world.tailwind, "bob@fabrikam.example")
    page = browser(world.fabrikam.person("ann")).get(reverse("invitations"))
    assert "admin@contoso.example invites you as primary admin." in text(page)
    assert "Tailwind" not in text(page)
    assert links(page) >= {url("invitation", Invitation.objects.get(upn=ANN))}


def test_empty_list_says_what_would_be_here(world):
    assert "No open invitation" in text(browser(world.fabrikam.person("ann")).get(reverse("invitations")))


def test_answered_invitations_are_listed_below(world):
    ann = world.fabrikam.person("ann")
    join(world.contoso, world.fabrikam, "ann")
    _, (denied,) = invite(world.tailwind, ANN)
    invitations.deny(denied, by=ann)
    page = browser(ann).get(reverse("invitations"))
    assert "No open invitation" in text(page)
    assert "Tailwind Denied" in text(page)
    assert "Contoso Accepted" in text(page)
    assert reverse("rooms", args=[world.contoso.tenant.pk]) in links(page)


def test_page_says_what_one_is_invited_to_and_names_no_room(world):
    _, (invitation,) = invite(world.contoso, ANN)
    page = browser(world.fabrikam.person("ann")).get(url("invitation", invitation))
    for expected in (
        "Contoso invites you",
        "Invited by admin@contoso.example",
        "To manage 2 meeting rooms",
        "As Primary admin",
        "You answer as ann@fabrikam.example Fabrikam",
        "Fabrikam becomes a partner of Contoso, and others who are invited have to come from Fabrikam too.",
        "Accept",
        "Deny",
    ):
        assert expected in text(page)
    for hidden in ("Contoso room", "Contoso tower", "Berlin", "room0@"):
        assert hidden not in text(page)


def test_page_counts_all_rooms(world):
    _, (invitation,) = invite(world.contoso, ANN, scope=Scope(all_rooms=True))
    page = browser(world.fabrikam.person("ann")).get(url("invitation", invitation))
    assert "all meeting rooms, 3 today" in text(page)


def test_later_invited_people_join_their_colleagues(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    (invitation,) = invitations.invite(
        relationship, [invitations.Contact("Bob", "bob@fabrikam.example")], by=world.contoso.admin
    )
    page = browser(world.fabrikam.person("bob")).get(url("invitation", invitation))
    assert "You join those of Fabrikam who are primary admins for Contoso already." in text(page)


@pytest.mark.parametrize("name", ["invitation", "invitation_deny", "invitation_accept", "invitation_link"])
def test_wrong_person_and_unknown_invitation_look_the_same(world, name):
    """Colleague, customer, namesake elsewhere, support staff, right or wrong secret: as if it did not exist."""
    _, (invitation,) = invite(world.contoso, ANN)
    staff = User.objects.create(username="support", upn="support@operator.example", is_staff=True)
    namesake = sign_in(world.northwind.tenant, ANN)
    guest = arrive(
        Identity(world.fabrikam.tenant.entra_tid, uuid.uuid4(), ANN, is_home_member=False),
        is_awaited=invitations.is_awaited,
    )
    right, wrong = mail_links.secret_of(invitation), "A" * 32
    unknown = Invitation(pk=uuid.uuid4(), rotation=1)

    def ask(person: User, one: Invitation, secret: str) -> Any:
        more = [secret] if name == "invitation_link" else []
        address, client = url(name, one, *more), browser(person)
        return client.post(address, {"secret": secret}) if name == "invitation_accept" else client.get(address)

    for person in (world.fabrikam.person("bob"), world.contoso.admin, world.tailwind.admin, staff, guest):
        answers = [ask(person, one, secret) for one in (invitation, unknown) for secret in (right, wrong)]
        assert [one.status_code for one in answers] == [404] * 4
        assert len({body(one) for one in answers}) == 1
    assert ask(namesake, unknown, right).status_code == 404
    assert Invitation.objects.get().state == "pending"


# --- Looking changes nothing --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("name", ["invitation", "invitation_link", "invitation_deny", "invitation_accept"])
def test_opening_decides_nothing(world, name, method):
    """Mail scanners follow links; so does a curious person."""
    _, (invitation,) = invite(world.contoso, ANN)
    more = [mail_links.secret_of(invitation)] if name == "invitation_link" else []
    client, before = browser(world.fabrikam.person("ann")), mark()
    answer = getattr(client, method)(url(name, invitation, *more))
    assert answer.status_code == (405 if name == "invitation_accept" else 200)
    assert (before.changed() - {"django_session"}, before.lines, before.messages) == (set(), [], [])


@pytest.mark.parametrize("name", ["invitation", "invitation_link"])
def test_pages_to_look_at_take_no_post(world, name):
    _, (invitation,) = invite(world.contoso, ANN)
    more = ["secret"] if name == "invitation_link" else []
    assert browser(world.fabrikam.person("ann")).post(url(name, invitation, *more)).status_code == 405


# --- Accept -------------------------------------------------------------------------------------


def test_accepting_leads_to_the_customers_rooms(world):
    _, (invitation,) = invite(world.contoso, ANN)
    ann = world.fabrikam.person("ann")
    client = browser(ann)
    answer = client.post(url("invitation_accept", invitation), follow=True)
    assert answer.redirect_chain == [(reverse("rooms", args=[world.contoso.tenant.pk]), 302)]
    assert told(answer) == ["Welcome to Contoso! You are now a primary admin. These are the rooms you manage."]
    assert "Contoso room 0" in text(answer)
    assert "Contoso room 2" not in text(answer)  # the American one was not delegated
    assert Delegation.objects.get().held_by == world.fabrikam.tenant


def test_accepting_twice_gives_the_same_answer(world):
    _, (invitation,) = invite(world.contoso, ANN)
    ann = world.fabrikam.person("ann")
    answers = [accept(ann, invitation) for _ in range(2)]
    assert [(one.status_code, one.url) for one in answers] == [
        (302, reverse("rooms", args=[world.contoso.tenant.pk]))
    ] * 2
    assert AssignmentMember.objects.filter(user=ann).count() == 1


def test_second_person_joins_the_same_partner(world):
    _, (first, second) = invite(world.contoso, ANN, "bob@fabrikam.example")
    accept(world.fabrikam.person("ann"), first)
    accept(world.fabrikam.person("bob"), second)
    assert Delegation.objects.get().held_by == world.fabrikam.tenant
    assert set(Invitation.objects.values_list("state", flat=True)) == {"accepted"}


def test_wrong_secret_does_not_matter_for_a_known_tenant(world):
    _, (invitation,) = invite(world.contoso, ANN)
    ann = world.fabrikam.person("ann")
    page = browser(ann).get(url("invitation_link", invitation, "A" * 32))
    assert page.status_code == 200
    assert "Accept" in text(page)
    assert accept(ann, invitation, secret="A" * 32).status_code == 302


# --- A tenant nobody knows ----------------------------------------------------------------------------


def test_unknown_tenant_needs_the_link_of_the_mail(world):
    _, (invitation,) = invite(world.contoso, "joe@newcomer.example")
    joe = stranger()
    page = browser(joe).get(url("invitation", invitation))
    assert "Your organisation is new here. To accept, open the link in the invitation mail" in text(page)
    assert b"/accept/" in page.content
    assert b">Accept</button>" not in page.content
    client, before = browser(joe), mark()
    answer = client.post(url("invitation_accept", invitation))
    assert answer.status_code == 409
    assert "Open the link in the invitation mail to accept." in text(answer)
    assert before.changed() - {"django_session"} == set()


def test_link_of_the_mail_carries_the_secret_to_accept(world):
    _, (invitation,) = invite(world.contoso, "joe@newcomer.example")
    joe = stranger()
    page = browser(joe).get(link(invitation))
    secret = mail_links.secret_of(invitation)
    assert f'name="secret" value="{secret}"' in page.content.decode()
    assert accept(joe, invitation, secret=secret).status_code == 302
    assert Tenant.objects.get(pk=joe.tenant_id).status == TenantStatus.ARRIVED
    assert Delegation.objects.get().held_by == joe.tenant


def test_link_that_was_replaced_by_a_newer_one_is_dead(world):
    _, (invitation,) = invite(world.contoso, "joe@newcomer.example")
    joe, old = stranger(), mail_links.secret_of(invitation)
    invitations.resend(invitation, by=world.contoso.admin)
    page = browser(joe).get(url("invitation_link", invitation, old))
    assert "This link is no longer the current one." in text(page)
    assert accept(joe, invitation, secret=old).status_code == 409
    assert accept(joe, invitation, secret=mail_links.secret_of(Invitation.objects.get())).status_code == 302


@pytest.mark.parametrize("secret", ["x", "A" * 32, "A" * 5000, "ü", "%00", "\ud83d\ude00"])
def test_secret_in_any_form_is_only_wrong(world, secret):
    _, (invitation,) = invite(world.contoso, "joe@newcomer.example")
    joe = stranger()
    assert accept(joe, invitation, secret=secret.encode("utf-16", "surrogatepass").decode("utf-16")).status_code == 409


# --- Refused ------------------------------------------------------------------------------------


def test_another_organisation_cannot_join_and_the_customer_is_told(world):
    _, (first, second) = invite(world.contoso, ANN, "x@northwind.example")
    accept(world.fabrikam.person("ann"), first)
    answer = accept(world.northwind.person("x"), second)
    assert answer.status_code == 409
    assert "This partner is linked to another organisation. The customer has been told." in text(answer)
    assert "You are signed in as x@northwind.example of Northwind." in text(answer)
    second.refresh_from_db()
    assert second.state == "pending"
    assert OutboxMessage.objects.filter(kind="partners.wrong_tenant").count() == 1


def test_organisation_that_is_a_partner_already_cannot_become_another(world):
    join(world.contoso, world.fabrikam, "ann")
    _, (again,) = invite(world.contoso, "bob@fabrikam.example")
    answer = accept(world.fabrikam.person("bob"), again)
    assert answer.status_code == 409
    assert "Your organisation already is an active partner of this customer." in text(answer)
    again.refresh_from_db()
    assert again.state == "pending"


def test_only_the_named_tenant_may_accept(world):
    expected = found_partner("Litware").tenant.entra_tid
    _, (invitation,) = invite(world.contoso, ANN, expected_tid=expected)
    assert accept(world.fabrikam.person("ann"), invitation).status_code == 409
    assert Delegation.objects.get().held_by is None


# --- Deny ---------------------------------------------------------------------------------------


def test_denying_asks_once_more_and_touches_ones_own_only(world):
    _, (ann, bob) = invite(world.contoso, ANN, "bob@fabrikam.example")
    client = browser(world.fabrikam.person("ann"))
    assert "Only your own invitation is declined" in text(client.get(url("invitation_deny", ann)))
    answer = client.post(url("invitation_deny", ann), follow=True)
    assert answer.redirect_chain == [(reverse("invitations"), 302)]
    assert told(answer) == ["The invitation of Contoso is declined. You can take this back within 24 hours, below."]
    assert dict(Invitation.objects.values_list("upn", "state")) == {ANN: "denied", bob.upn: "pending"}
    assert client.post(url("invitation_deny", ann)).status_code == 302  # the same again


# --- Over ---------------------------------------------------------------------------------------


def over(world: World, how: str, clock: Any) -> tuple[User, Invitation]:
    """Ann, and her invitation that came to its end in this way."""
    ann = world.fabrikam.person("ann")
    relationship, (invitation,) = invite(world.contoso, ANN, days=1)
    if how == "expired":
        clock.move(timedelta(days=1, seconds=1))
    elif how == "expired and marked":
        clock.move(timedelta(days=1, seconds=1))
        invitations.expire_due(Invitation.objects.all())
    elif how == "revoked":
        invitations.revoke(invitation, by=world.contoso.admin)
    elif how == "removed":
        relationships.remove(relationship, by=world.contoso.admin)
    elif how == "denied":
        invitations.deny(invitation, by=ann)
    else:
        invitations.accept(invitation, by=ann)
    return ann, invitation


ENDS = {
    "expired": "This invitation has expired. Ask the customer for a new one.",
    "expired and marked": "This invitation has expired. Ask the customer for a new one.",
    "revoked": "This invitation was withdrawn by the customer.",
    "removed": "This invitation was withdrawn by the customer.",
    "denied": "This invitation has been declined.",
    "accepted": "This invitation has been accepted already.",
}


@pytest.mark.parametrize(("how", "words"), ENDS.items())
@pytest.mark.parametrize("name", ["invitation", "invitation_link", "invitation_deny"])
def test_what_is_over_says_how(world, clock, how, words, name):
    ann, invitation = over(world, how, clock)
    more = [mail_links.secret_of(invitation)] if name == "invitation_link" else []
    answer = browser(ann).get(url(name, invitation, *more))
    assert answer.status_code == 410
    assert words in text(answer)
    assert (reverse("rooms", args=[world.contoso.tenant.pk]) in links(answer)) is (how == "accepted")


@pytest.mark.parametrize("how", [how for how in ENDS if how != "accepted"])
def test_what_is_over_cannot_be_accepted(world, clock, how):
    ann, invitation = over(world, how, clock)
    client, before = browser(ann), mark()
    answer = client.post(url("invitation_accept", invitation))
    assert answer.status_code == 410
    assert ENDS[how] in text(answer)
    assert before.changed() - {"django_session"} == set()


@pytest.mark.parametrize("how", [how for how in ENDS if how != "denied"])
def test_what_is_over_cannot_be_denied(world, clock, how):
    ann, invitation = over(world, how, clock)
    answer = browser(ann).post(url("invitation_deny", invitation))
    assert answer.status_code == 410
    assert ENDS[how] in text(answer)


@pytest.mark.parametrize("end", [relationships.suspend, relationships.remove])
def test_accepted_once_and_without_access_since(world, end):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    end(relationship, by=world.contoso.admin)
    answer = accept(ann, Invitation.objects.get())
    assert answer.status_code == 410
    assert "The customer has suspended or ended the partnership since then." in text(answer)


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_the_list_do_not_grow(world, django_assert_num_queries, count):
    ann = world.fabrikam.person("ann")
    for _ in range(count):
        invite(world.contoso, ANN)
        _, (denied,) = invite(world.contoso, ANN)
        invitations.deny(denied, by=ann)
    client = browser(ann)
    with django_assert_num_queries(6):
        client.get(reverse("invitations"))
