import pytest

from partners.services import relationships
from rbac import access
from rbac.catalogue import Permission
from rooms import change_control
from rooms.models import Room
from tests.factories import join
from tests.factories.world import make

pytestmark = pytest.mark.django_db


def test_story():
    world = make()
    relationship, (ann, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    for person in (ann, bob):
        seen = access.visible(person, Permission.ROOMS_VIEW, Room.objects.all())
        assert set(seen) == set(world.contoso.german)
    change_control.submit(Permission.ROOMS_MODIFY, world.contoso.german[0], by=ann, changes={"city": "Bonn"})
    relationships.remove(relationship, by=world.contoso.admin)
    assert not access.visible(ann, Permission.ROOMS_VIEW, Room.objects.all()).exists()
