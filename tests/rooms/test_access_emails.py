"""Who is told that he got access, or lost it."""

import pytest

from audit.models import OutboxMessage
from rbac.models import User
from rooms import access_emails
from rooms.scopes import Scope
from rooms.services import roles
from rooms.services.roles import Proposed
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def messages() -> list[tuple[str, bool]]:
    found = OutboxMessage.objects.filter(kind=access_emails.ACCESS).order_by("pk")
    return [(User.objects.get(pk=one.payload["to"]).upn, one.payload["gained"]) for one in found]


def test_members_are_told_once_what_they_got_and_lost(world):
    admin, amy, ben = world.contoso.admin, world.contoso.person("amy"), world.contoso.person("ben")
    first = Proposed("First", members=(amy.upn, admin.upn), scope=Scope(all_rooms=True)).as_data()
    role = roles.create(
        world.contoso.tenant, by=admin, name="Help <b>desk</b>", permissions=["rooms.view"], assignment=first
    )
    made = role.assignments.get()
    roles.change_members(made, by=admin, add=[amy.upn, ben.upn])
    roles.change_members(made, by=admin, remove=[amy.upn])
    assert messages() == [(amy.upn, True), (ben.upn, True), (amy.upn, False)]
    message = OutboxMessage.objects.filter(kind=access_emails.ACCESS).order_by("pk").first()
    letter = access_emails.write(message.payload, amy, world.contoso.tenant)
    assert letter.subject == "You have access to meeting rooms of Contoso"
    assert "You now hold the role Help <b>desk</b> in Contoso, with the account amy@contoso.example." in letter.text
    assert "Help &lt;b&gt;desk&lt;/b&gt;" in letter.html
    roles.delete(role, by=admin)
    assert messages()[3:] == [(ben.upn, False)]


def test_nobody_is_told_where_the_assignment_does_not_tell(world):
    admin, amy = world.contoso.admin, world.contoso.person("amy")
    silent = Proposed("First", members=(amy.upn,), scope=Scope(all_rooms=True), sends_email=False).as_data()
    roles.create(world.contoso.tenant, by=admin, name="Desk", permissions=["rooms.view"], assignment=silent)
    assert messages() == []
