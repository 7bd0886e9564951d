"""The new-enemy rule: once a removal is answered, nothing the partner still holds opens anything any more."""

import io
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from audit.clock import Now
from partners.models import PartnerRelationship
from partners.services import invitations, relationships
from rbac.catalogue import Permission
from rbac.models import Assignment, Delegation, User
from rooms import change_control
from rooms.models import InventoryImport, Room, WorkState
from rooms.services import inventory_imports
from tests.factories.browsing import browser
from tests.factories.callers import person, token, tool
from tests.factories.world import World, assign, custom_role, invite, join, make, over

pytestmark = pytest.mark.django_db

ENDS: dict[str, Callable[[World, PartnerRelationship], None]] = {
    "removed": lambda world, relationship: relationships.remove(relationship, by=world.contoso.admin),
    "suspended": lambda world, relationship: relationships.suspend(relationship, by=world.contoso.admin),
    # No job has run: the end alone closes it.
    "past its end": lambda world, relationship: Delegation.objects.filter(pk=relationship.delegation_id).update(
        valid_until=Now()
    ),
}


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture(params=ENDS)
def end(request: pytest.FixtureRequest) -> Callable[[World, PartnerRelationship], None]:
    return ENDS[request.param]


def addresses(world: World, relationship: PartnerRelationship) -> list[str]:
    """Everything that a partner's primary admin can open in the customer."""
    tenant, room = world.contoso.tenant.pk, world.contoso.german[0].pk
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    place = [tenant, base.role_id, base.pk]
    return [
        reverse("overview", args=[tenant]),
        reverse("rooms", args=[tenant]),
        reverse("rooms_export", args=[tenant]),
        reverse("room", args=[tenant, room]),
        reverse("room_edit", args=[tenant, room]),
        reverse("rooms_import", args=[tenant]),
        reverse("roles", args=[tenant]),
        reverse("role", args=place[:2]),
        reverse("assignment", args=place),
        reverse("api-rooms", args=[tenant]),
        reverse("api-room", args=[tenant, room]),
        reverse("api-tokens", args=[tenant]),
    ]


def statuses(client: Client, found: list[str]) -> set[int]:
    return {client.get(address).status_code for address in found}


def test_open_session_opens_nothing(world, end):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    client, found = browser(ann), addresses(world, relationship)
    assert statuses(client, found) == {200}, "before, all of it is open: else this test proves nothing"
    end(world, relationship)
    assert statuses(client, found) == {404}
    told = person(ann).get("api-customer", world.contoso.tenant.pk)
    relationship.delegation.refresh_from_db()
    if relationship.state != "suspended":
        assert told.status_code == 404
        assert "Contoso" not in client.get("/", follow=True).content.decode()
    else:  # a suspended customer says that it is, and nothing else
        assert (told.status_code, told.json()["relationship"]["state"]) == (200, "suspended")
        assert set(told.json()["permissions"].values()) == {"nowhere"}
        assert told.json()["relationship"]["room_count"] is None


def test_open_session_changes_nothing(world, end):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    room = Room.objects.get(pk=world.contoso.german[0].pk)
    caller, page = person(ann), browser(ann)
    url = reverse("room_edit", args=[world.contoso.tenant.pk, room.pk])
    form = page.get(url).context["form"]
    entered = {name: form[name].value() or "" for name in form.fields}
    end(world, relationship)
    assert page.post(url, entered | {"display_name": "Mine"}).status_code == 404
    assert caller.patch("api-room", world.contoso.tenant.pk, room.pk, body={"label": "Mine"}).status_code == 404
    wanted = {"name": "n", "scopes": ["rooms.view"], "days": 1}
    assert caller.post("api-tokens", world.contoso.tenant.pk, body=wanted).status_code == 404
    room.refresh_from_db()
    assert (room.display_name, room.label) == (world.contoso.german[0].display_name, "")


def test_token_opens_nothing(world, end):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY))
    place = world.contoso.tenant.pk, world.contoso.german[0].pk
    assert caller.get("api-room", *place).status_code == 200
    end(world, relationship)
    assert caller.get("api-room", *place).status_code == 401
    assert caller.patch("api-room", *place, body={"label": "Mine"}).status_code == 401
    assert caller.get("api-me").status_code == 401


def test_custom_role_of_the_partner_opens_nothing(world, end):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    ben = world.fabrikam.person("ben")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_MODIFY, delegation=relationship.delegation)
    assign(role, ben, over(*world.contoso.german))
    client, url = browser(ben), reverse("rooms", args=[world.contoso.tenant.pk])
    assert client.get(url).status_code == 200
    end(world, relationship)
    assert client.get(url).status_code == 404


def test_open_invitations_let_nobody_in_again(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    ben = world.fabrikam.person("ben")
    [sent] = invitations.invite(relationship, [invitations.Contact("Ben", ben.upn)], by=world.contoso.admin)
    relationships.remove(relationship, by=world.contoso.admin)
    answer = browser(ben).post(reverse("invitation_accept", args=[sent.pk]))
    assert answer.status_code == 410
    assert browser(ben).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 404


def test_an_accepted_invitation_lets_nobody_in_again(world):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    [sent] = relationship.invitations.all()
    relationships.remove(relationship, by=world.contoso.admin)
    browser(ann).post(reverse("invitation_accept", args=[sent.pk]))
    assert browser(ann).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 404


def waiting_import(world: World, ann: User) -> InventoryImport:
    """An import that waits for a worker, confirmed while its owner still had the right."""
    account = world.contoso.german[0].resource_account
    file = io.BytesIO(f"Identity,DisplayName\n{account},Mine\n".encode())
    found = inventory_imports.prepare(world.contoso.tenant, file, "rooms.csv", by=ann)
    InventoryImport.objects.filter(pk=found.pk).update(state=WorkState.QUEUED)
    return found


def test_an_import_left_with_the_worker_changes_nothing(world, end):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    found = waiting_import(world, ann)
    end(world, relationship)
    inventory_imports.carry_out(found.pk, submit=change_control.submit)
    assert not Room.objects.filter(display_name="Mine").exists()
    found.refresh_from_db()
    assert (found.state, found.failure) == (WorkState.FAILED, "permission_denied")


def test_the_same_import_is_carried_out_while_the_right_lasts(world):
    _, [ann] = join(world.contoso, world.fabrikam, "ann")
    inventory_imports.carry_out(waiting_import(world, ann).pk, submit=change_control.submit)
    assert Room.objects.filter(display_name="Mine").count() == 1


def test_a_new_relationship_brings_no_old_token_back(world):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    old = tool(token(relationship, ann, Permission.ROOMS_VIEW))
    relationships.remove(relationship, by=world.contoso.admin)
    join(world.contoso, world.fabrikam, "ann")
    assert old.get("api-rooms", world.contoso.tenant.pk).status_code == 401
    assert browser(ann).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 200


def test_a_removed_member_keeps_neither_session_nor_token(world):
    relationship, [ann, ben] = join(world.contoso, world.fabrikam, "ann", "ben")
    client, caller = browser(ann), tool(token(relationship, ann, Permission.ROOMS_VIEW))
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    answer = browser(world.contoso.admin).post(
        reverse("invited_admins", args=[world.contoso.tenant.pk, relationship.pk]), {"remove_member": ann.pk}
    )
    assert (answer.status_code, list(base.people.all())) == (302, [ben])
    assert client.get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 404
    assert caller.get("api-rooms", world.contoso.tenant.pk).status_code == 404


def test_the_last_primary_admin_cannot_be_removed_through_any_form(world):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    client, tenant = browser(world.contoso.admin), world.contoso.tenant.pk
    client.post(reverse("invited_admins", args=[tenant, relationship.pk]), {"remove_member": ann.pk})
    client.post(reverse("assignment_members", args=[tenant, base.role_id, base.pk]), {"remove": ann.pk})
    own = Assignment.objects.get(tenant=tenant, role__key="mmr_admin")
    client.post(reverse("assignment_members", args=[tenant, own.role_id, own.pk]), {"remove": world.contoso.admin.pk})
    assert list(base.people.all()) == [ann]
    assert list(own.people.all()) == [world.contoso.admin]


@pytest.mark.parametrize("secret", ["", "x" * 32, "of another", "of before"])
def test_an_unknown_tenant_links_by_the_newest_secret_of_the_very_invitation_only(world, secret):
    from partners import links  # noqa: PLC0415
    from rbac.sign_in import Identity, arrive  # noqa: PLC0415

    relationship, [ada, bea] = invite(world.contoso, "ada@adatum.example", "bea@adatum.example")
    stranger = arrive(Identity(uuid.uuid4(), uuid.uuid4(), ada.upn, "Ada"), is_awaited=invitations.is_awaited)
    before = links.secret_of(ada)
    invitations.resend(ada, by=world.contoso.admin)
    ada.refresh_from_db()
    tried = {"of another": links.secret_of(bea), "of before": before}.get(secret, secret)
    client = browser(stranger)
    refused = client.post(reverse("invitation_accept", args=[ada.pk]), {"secret": tried})
    assert refused.status_code == 409
    relationship.delegation.refresh_from_db()
    assert relationship.delegation.held_by is None
    assert client.post(reverse("invitation_accept", args=[ada.pk]), {"secret": links.secret_of(ada)}).status_code == 302
