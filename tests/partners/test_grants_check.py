"""Index rows that say otherwise than the assignments are named, and made anew."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as PermissionRow
from django.core.management import CommandError, call_command
from guardian.models import GroupObjectPermission, UserObjectPermission

from partners import index
from partners.services import relationships
from rbac.catalogue import BuiltIn
from rbac.grants import permission_rows
from rbac.models import Assignment
from rooms.models import Room, RoomGrantRow
from rooms.scopes import Scope
from tests.factories.evidence import leaves
from tests.factories.world import World, join, make, room_group, security_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def base(world) -> Assignment:
    """*Invited admins* of Fabrikam at Contoso, over the German rooms."""
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    return Assignment.objects.select_related("role").get(role__delegation=relationship.delegation)


def faults() -> list[str]:
    return [fault for _, fault in index.faults()]


def check(*arguments: str) -> tuple[str, str]:
    """What the command says, and the faults it names."""
    out, err = StringIO(), StringIO()
    try:
        call_command("check_grants", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


def test_nothing_differs_after_what_the_portal_does(world, base):
    room_group(world.contoso.tenant, "Berlin", *world.contoso.german)
    world.contoso.member(BuiltIn.SITE_TECH, "tess", Scope(rooms=frozenset({world.contoso.rooms[0].pk})))
    world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    relationship, _ = join(world.tailwind, world.northwind, "zed")
    relationships.remove(relationship, by=world.tailwind.admin)

    assert check() == ("The index says what the assignments say.\n", "")


def test_row_too_many(world, base):
    right = RoomGrantRow.objects.filter(group=base.group).first()

    RoomGrantRow.objects.create(group=base.group, permission=right.permission, content_object=world.contoso.rooms[2])

    assert faults() == [f"assignment {base.pk}: 1 rows too many, 0 missing"]


def test_row_missing(base):
    RoomGrantRow.objects.filter(group=base.group).first().delete()

    assert faults() == [f"assignment {base.pk}: 0 rows too many, 1 missing"]


def test_member_too_many_and_missing(world, base):
    (ann,) = base.people.all()
    stranger = world.fabrikam.person("eve")

    base.group.user_set.set([stranger])

    assert faults() == [f"assignment {base.pk}: members [{ann.pk}], indexed [{stranger.pk}]"]


def test_member_of_a_group_counts(world, base):
    group = security_group(world.fabrikam.tenant, "Techs", world.fabrikam.person("gus"))

    base.group_memberships.create(group=group)

    assert len(faults()) == 1
    call_command("check_grants", "--repair", stdout=StringIO(), stderr=StringIO())
    assert faults() == []


def test_wrong_count(base):
    Assignment.objects.filter(pk=base.pk).update(room_count=99)

    assert faults() == [f"assignment {base.pk}: counts 99 rooms, has 2"]


def test_rows_without_an_assignment(world, base):
    right = RoomGrantRow.objects.filter(group=base.group).first()
    group = Group.objects.create(name="by hand")
    RoomGrantRow.objects.create(group=group, permission=right.permission, content_object=world.contoso.rooms[2])
    group.user_set.add(world.contoso.admin)

    assert faults() == [
        '1 index rows on rooms without an assignment: "rooms_roomgrantrow"',
        "1 memberships without an assignment: rbac_user_groups",
    ]


def test_permissions_outside_of_assignments(world, base):
    permission = PermissionRow.objects.get(codename="rooms_view")
    world.contoso.admin.user_permissions.add(permission)
    base.group.permissions.add(permission)
    UserObjectPermission.objects.create(
        user=world.contoso.admin,
        permission=permission,
        content_type=permission.content_type,
        object_pk=str(world.contoso.rooms[0].pk),
    )
    GroupObjectPermission.objects.create(
        group=base.group,
        permission=permission,
        content_type=permission.content_type,
        object_pk=str(world.contoso.rooms[0].pk),
    )

    assert faults() == [
        "1 permissions of people: rbac_user_user_permissions",
        "1 permissions of groups: auth_group_permissions",
        "1 generic rows of people: guardian_userobjectpermission",
        "1 generic rows of groups: guardian_groupobjectpermission",
    ]


def test_command_fails_and_names_the_place(base):
    RoomGrantRow.objects.filter(group=base.group).delete()

    said, named = check()

    assert said == "The index differs from the assignments in 1 places, named above."
    rows = len(base.scoped_rooms.all()) * len(permission_rows(base))
    assert named == f"assignment {base.pk}: 0 rows too many, {rows} missing\n"


def test_repair_makes_the_rows_anew_and_is_on_record(world, base):
    rows = set(RoomGrantRow.objects.values_list("group", "permission", "content_object"))
    RoomGrantRow.objects.filter(group=base.group).delete()
    base.group.user_set.clear()

    with leaves("platform: Settings/Update index of Primary admin / Invited admins Successful system"):
        said, _ = check("--repair")

    assert said == "The rows of 1 assignments were made anew.\nThe index says what the assignments say.\n"
    assert set(RoomGrantRow.objects.values_list("group", "permission", "content_object")) == rows
    assert list(base.group.user_set.all()) == list(base.people.all())
    assert Room.objects.count() == 6


def test_repair_leaves_what_belongs_to_no_assignment(world, base):
    Group.objects.create(name="by hand").user_set.add(world.contoso.admin)

    said, _ = check("--repair")

    assert said == "The index differs from the assignments in 1 places, named above."
