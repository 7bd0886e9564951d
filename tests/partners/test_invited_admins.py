"""Partner roles > Primary admin > Assignments > Invited admins > Members > Edit: primary admins added later, and removed."""

from typing import Any

import pytest
from django.urls import reverse

from partners.models import Invitation, PartnerRelationship
from partners.services import relationships
from rbac.catalogue import Permission
from rbac.models import Assignment, AssignmentKey, User
from rooms.scopes import Scope
from tests.factories.browsing import browser, links, text, told
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, custom_role, invite, join, make, security_group
from tests.factories.world import assign as hold

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"
CY = "cy@fabrikam.example"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def relationship(world) -> PartnerRelationship:
    return join(world.contoso, world.fabrikam, "ann", "bob")[0]


def url(relationship: PartnerRelationship) -> str:
    return reverse("invited_admins", args=[relationship.tenant_id, relationship.pk])


def base(relationship: PartnerRelationship) -> Assignment:
    return Assignment.objects.get(role__delegation=relationship.delegation, key=AssignmentKey.INVITED_ADMINS)


def assignment_url(relationship: PartnerRelationship) -> str:
    one = base(relationship)
    return reverse("assignment", args=[relationship.tenant_id, one.role_id, one.pk])


def enter(client: Any, relationship: PartnerRelationship, *rows: tuple[str, str], **data: str) -> Any:
    fields = {"contact-TOTAL_FORMS": str(len(rows)), "days": "14"}
    for number, (name, upn) in enumerate(rows):
        fields |= {f"contact-{number}-name": name, f"contact-{number}-upn": upn}
    return client.post(url(relationship), fields | data)


@pytest.fixture
def client(world) -> Any:
    return browser(world.contoso.admin)


def test_way_through_roles_leads_here(world, relationship, client):
    """Settings > Roles > Partner roles > Primary admin > Assignments > Invited admins > Members > Edit."""
    roles = client.get(reverse("roles", args=[world.contoso.tenant.pk]) + "?tab=partners")
    (role,) = [link for link in links(roles) if link.endswith("?tab=assignments")]
    assert assignment_url(relationship) in links(client.get(role))
    members = client.get(assignment_url(relationship))
    (edit,) = [link for link in links(members) if link.endswith("/members/")]
    assert client.get(edit).url == url(relationship)


def test_page_shows_who_is_and_who_is_invited(world, relationship, client):
    enter(client, relationship, ("Cy", CY), save="1")
    base(relationship).security_groups.add(security_group(world.fabrikam.tenant, "Fabrikam team"))
    page = text(client.get(url(relationship)))
    assert "Primary admins today Ann ann@fabrikam.example" in page
    assert "Fabrikam team Security group" in page
    assert f"Invited, no answer yet Cy {CY}" in page


def test_save_sends_the_invitations(relationship, client):
    with leaves(
        f"Contoso: PartnerInvitation/Create fabrikam.example Successful {ADMIN}",
        f"Contoso: PartnerInvitation/Create {CY} Successful {ADMIN}",
        f"Contoso: PartnerInvitation/Create dee@fabrikam.example Successful {ADMIN}",
    ) as evidence:
        answer = enter(client, relationship, ("Cy", CY), ("", "dee@fabrikam.example"), ("", ""), save="1", days="3")
    assert answer.url == assignment_url(relationship)
    assert evidence.kinds == ["partners.invitation"] * 2
    sent = Invitation.objects.filter(state="pending").order_by("upn")
    assert [(one.contact_name, one.upn, (one.expires_at - one.created_at).days) for one in sent] == [
        ("Cy", CY, 3),
        ("dee@fabrikam.example", "dee@fabrikam.example", 3),
    ]


def test_add_contact_alone_sends_nothing(relationship, client):
    before = mark()
    answer = enter(client, relationship, ("Cy", CY), add="1")
    assert answer.status_code == 200
    assert f'value="{CY}"' in answer.content.decode()
    assert 'name="contact-1-upn"' in answer.content.decode()
    assert (before.changed() - {"django_session"}, before.lines, before.messages) == (set(), [], [])


def test_bin_takes_a_row_away(relationship, client):
    answer = enter(client, relationship, ("Cy", CY), ("Dee", "dee@fabrikam.example"), remove="0").content.decode()
    assert CY not in answer
    assert 'value="dee@fabrikam.example"' in answer


@pytest.mark.parametrize(
    ("upn", "message"),
    [
        ("ann@fabrikam.example", "ann@fabrikam.example already is a primary admin of this partner."),
        ("zoe@fabrikam.example", "zoe@fabrikam.example already has an open invitation to this partner."),
        ("she@contoso.example", "she@contoso.example belongs to your own organisation"),
        ("cy fabrikam", "is not allowed in a user principal name."),
    ],
)
def test_what_is_refused_stands_at_its_row(relationship, client, upn, message):
    enter(client, relationship, ("Zoe", "zoe@fabrikam.example"), save="1")
    answer = enter(client, relationship, ("Dee", "dee@fabrikam.example"), ("No", upn), save="1")
    assert answer.status_code == 200
    assert "Row 2, User principal name (UPN)" in text(answer)
    assert message in text(answer)
    assert 'value="dee@fabrikam.example"' in answer.content.decode()
    assert Invitation.objects.filter(state="pending").count() == 1


def test_what_no_row_can_mend_stands_above_the_rows(relationship, client, monkeypatch):
    monkeypatch.setattr("partners.services.invitations.DAILY_LIMIT", 1)
    answer = enter(client, relationship, ("Cy", CY), save="1")
    assert "One thing needs your attention Your organisation has sent the most invitations allowed" in text(answer)


@pytest.mark.parametrize(("rows", "days"), [([("", "")], "14"), ([("Cy", CY)], "0"), ([("Cy", CY)], "x")])
def test_nothing_is_sent_without_contact_or_days(relationship, client, rows, days):
    assert "needs your attention" in text(enter(client, relationship, *rows, save="1", days=days))
    assert not Invitation.objects.filter(state="pending").exists()


def test_inviting_again_revives_a_lapsed_partner(world, client):
    relationship, (invitation,) = invite(world.contoso, "x@northwind.example")
    client.post(reverse("invitation_revoke", args=[world.contoso.tenant.pk, relationship.pk, invitation.pk]))
    partner = reverse("partner", args=[world.contoso.tenant.pk, relationship.pk])
    assert "Every invitation was declined, withdrawn or has expired." in text(client.get(partner))
    enter(client, relationship, ("X", "x@northwind.example"), save="1")
    assert "Invited" in text(client.get(partner))


# --- Removing ---------------------------------------------------------------------------------------


def remove(client: Any, relationship: PartnerRelationship, person: User) -> Any:
    return client.post(url(relationship), {"remove_member": str(person.pk)}, follow=True)


def test_removal_asks_first_and_then_takes_the_access(world, relationship, client):
    ann = User.objects.get(upn="ann@fabrikam.example")
    asked = client.get(url(relationship) + f"?remove_member={ann.pk}")
    assert "ann@fabrikam.example is no longer a primary admin of fabrikam.example and loses access to 2 rooms" in text(
        asked
    )
    assert base(relationship).people.count() == 2
    with leaves(f"Contoso: Assignment/Update Primary admin / Invited admins Successful {ADMIN}"):
        answer = remove(client, relationship, ann)
    assert told(answer) == ["Ann is no longer a primary admin of fabrikam.example."]
    assert [one.upn for one in base(relationship).people.all()] == ["bob@fabrikam.example"]
    assert browser(ann).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 404


def test_last_primary_admin_stays(relationship, client):
    ann, bob = User.objects.filter(upn__endswith="fabrikam.example", upn__regex="^(ann|bob)").order_by("upn")
    remove(client, relationship, ann)
    answer = remove(client, relationship, bob)
    assert told(answer) == ["A partner keeps at least one primary admin. Add another one first, or remove the partner."]
    assert list(base(relationship).people.all()) == [bob]


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "٣"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_else_can_be_removed_here(world, relationship, client, value, method):
    stranger = world.northwind.person("eve")
    for asked in (value, str(stranger.pk), str(world.contoso.admin.pk)):
        assert getattr(client, method)(url(relationship), {"remove_member": asked}).status_code == 404
    assert base(relationship).people.count() == 2


def test_removing_needs_the_right_to_change_roles(world, relationship):
    keeper = world.contoso.person("kim")
    codes = [Permission.SETTINGS_MODIFY, Permission.SETTINGS_VIEW]
    hold(custom_role(world.contoso.tenant, *codes), keeper, Scope(all_rooms=True))
    client, ann = browser(keeper), User.objects.get(upn="ann@fabrikam.example")
    assert "Remove – Ann" not in text(client.get(url(relationship)))
    assert remove(client, relationship, ann).status_code == 403
    assert client.get(url(relationship) + f"?remove_member={ann.pk}").status_code == 403
    assert base(relationship).people.count() == 2


def test_ended_partner_takes_nobody_in(world, relationship, client):
    relationships.remove(relationship, by=world.contoso.admin)
    assert client.get(url(relationship)).status_code == 410
    assert enter(client, relationship, ("Cy", CY), save="1").status_code == 410
    assert not Invitation.objects.filter(state="pending").exists()


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow(world, client, django_assert_num_queries, count):
    relationship, _ = join(world.contoso, world.fabrikam, *(f"ann{number}" for number in range(count)))
    enter(client, relationship, *((f"C{n}", f"c{n}@fabrikam.example") for n in range(count)), save="1")
    with django_assert_num_queries(11):
        client.get(url(relationship))
