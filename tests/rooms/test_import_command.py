"""`manage.py import_rooms`: the same import, the same report, in the name of a person of the tenant."""

import uuid

import pytest
from django.core.management import CommandError, call_command

from rbac.catalogue import BuiltIn
from rooms.models import Room
from tests.factories.evidence import leaves, mark
from tests.factories.world import make, over

pytestmark = pytest.mark.django_db

FILE = (
    "Identity,DisplayName,City\n"
    "room0@contoso.example,Contoso room 0,Bonn\n"
    "room1@contoso.example,Contoso room 1,Berlin\n"
    "new@contoso.example,New,Bonn\n"
    "bad room,Bad,\n"
)
REPORT = [
    "     2  Changed    room0@contoso.example  City",
    "     5  Refused    bad room  Resource account: Blanks are not allowed in a user principal name.",
]


@pytest.fixture
def world():
    return make()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "rooms.csv"
    file.write_text(FILE)
    return file


def run(capsys, tenant, path, by="admin@contoso.example", **options):
    call_command("import_rooms", str(tenant), str(path), by=by, **options)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("named", ["id", "domain"])
def test_the_file_is_imported_and_reported(world, path, capsys, named):
    tenant = world.contoso.tenant.pk if named == "id" else "CONTOSO.example"

    with leaves(
        "Contoso: Room/Update rooms.csv Successful admin@contoso.example",
        "Contoso: Room/Create rooms.csv Successful admin@contoso.example",
        "Contoso: Room/Update Contoso room 0 Successful admin@contoso.example",
    ):
        output = run(capsys, tenant, path)

    assert output == [*REPORT, "Done: 1 new, 1 changed, 1 unchanged, 1 refused."]
    assert Room.objects.get(resource_account="room0@contoso.example").city == "Bonn"


def test_a_dry_run_says_the_same_and_writes_nothing(world, path, capsys):
    before = mark()

    output = run(capsys, world.contoso.tenant.pk, path, dry_run=True)

    assert output == [*REPORT, "Would be: 1 new, 1 changed, 1 unchanged, 1 refused."]
    assert before.changed() == set()
    assert before.lines == []


def test_every_row_is_told_to_who_asks(world, path, capsys):
    assert len(run(capsys, world.contoso.tenant.pk, path, dry_run=True, verbosity=2)) == 5


def test_a_scoped_person_imports_within_his_scope(world, path, capsys):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))

    output = run(capsys, world.contoso.tenant.pk, path, by=tess.upn)

    assert output[-1] == "Done: 0 new, 1 changed, 0 unchanged, 3 refused."


def test_a_page_of_a_longer_list_is_told(world, tmp_path, capsys):
    file = tmp_path / "places.json"
    file.write_text('{"value": [{"emailAddress": "n@contoso.example", "displayName": "N"}], "@odata.nextLink": "x"}')

    assert "one page of a longer list" in run(capsys, world.contoso.tenant.pk, file)[-1]


@pytest.mark.parametrize(
    ("tenant", "by", "content", "message"),
    [
        (uuid.uuid4(), "admin@contoso.example", FILE, "There is no tenant"),
        ("nowhere.example", "admin@contoso.example", FILE, "There is no tenant nowhere.example."),
        ("contoso.example", "admin@tailwind.example", FILE, "Contoso has no person admin@tailwind.example."),
        ("contoso.example", "nora@contoso.example", FILE, "nora@contoso.example may not change rooms of Contoso."),
        ("contoso.example", "admin@contoso.example", "x", "no column"),
        ("contoso.example", "admin@contoso.example", None, "No such file or directory"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(world, tmp_path, capsys, tenant, by, content, message):
    world.contoso.person("nora")
    file = tmp_path / "rooms.csv"
    if content is not None:
        file.write_text(content)
    before = mark()

    with pytest.raises(CommandError, match=message):
        run(capsys, tenant, file, by=by)

    assert before.changed() == set()
