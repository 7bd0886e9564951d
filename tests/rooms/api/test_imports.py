"""Inventories over the API: looked at before anything is written, carried out once, nobody else's to see."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from rbac.catalogue import Permission
from rooms.models import ApprovalRequest, InventoryImport, Room
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.world import ask_first, join, make

pytestmark = pytest.mark.django_db

HEAD = "Identity,DisplayName,City\n"
FILE = HEAD + "room0@contoso.example,Contoso room 0,Bonn\nnew@contoso.example,New room,Bonn\n,Nobody,Bonn\n"


@pytest.fixture
def world():
    return make()


@pytest.fixture
def admin(world):
    return person(world.contoso.admin)


def send(caller, world, content=FILE):
    place = reverse("api-imports", args=[world.contoso.tenant.pk])
    file = SimpleUploadedFile("rooms.csv", content if isinstance(content, bytes) else content.encode())
    return caller.client.post(place, {"file": file}, headers=caller.headers)


def numbers(answer):
    return {name: answer.json()[name] for name in ("state", "created", "changed", "unchanged", "refused")}


def test_file_is_looked_at_then_carried_out(world, admin):
    answer = send(admin, world)
    assert answer.status_code == 201
    assert numbers(answer) == {"state": "checked", "created": 1, "changed": 1, "unchanged": 0, "refused": 1}
    assert [(one["row"], one["account"]) for one in answer.json()["refused_rows"]] == [(4, "")]
    assert not Room.objects.filter(display_name="New room").exists()
    place = world.contoso.tenant.pk, answer.json()["id"]
    assert answer.headers["Location"].endswith(reverse("api-import", args=place))
    done = admin.post("api-import-confirm", *place)
    assert numbers(done) == {"state": "done", "created": 1, "changed": 1, "unchanged": 0, "refused": 1}
    assert Room.objects.get(display_name="New room").city == "Bonn"
    assert code(admin.post("api-import-confirm", *place)) == (409, "import_over")
    assert admin.get("api-import", *place).json()["rows_done"] == 3


def test_discarded_import_is_gone_and_nothing_was_written(world, admin):
    place = world.contoso.tenant.pk, send(admin, world).json()["id"]
    assert admin.delete("api-import", *place).status_code == 204
    assert admin.get("api-import", *place).status_code == 404
    assert not InventoryImport.objects.exists()
    assert Room.objects.get(pk=world.contoso.rooms[0].pk).city == "Berlin"


def test_partner_changes_its_rooms_only_and_asks_where_it_has_to(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_MODIFY))
    answer = send(caller, world)
    assert numbers(answer) == {"state": "checked", "created": 0, "changed": 1, "unchanged": 0, "refused": 2}
    ask_first(relationship, Permission.ROOMS_MODIFY)
    done = caller.post("api-import-confirm", world.contoso.tenant.pk, answer.json()["id"])
    assert done.json()["state"] == "done"
    assert ApprovalRequest.objects.count() == 1
    assert Room.objects.get(pk=world.contoso.rooms[0].pk).city == "Berlin"
    other = person(world.contoso.admin)
    assert other.get("api-import", world.contoso.tenant.pk, answer.json()["id"]).status_code == 404


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{", b"name\nx\n"])
def test_what_is_no_inventory_is_refused(world, admin, content):
    assert code(send(admin, world, content)) == (400, "inventory_unreadable")
    assert not InventoryImport.objects.exists()


def test_file_too_large_or_missing_is_named(world, admin, settings):
    settings.INVENTORY_MAX_BYTES = 100
    large = send(admin, world)
    assert (large.status_code, wrong(large)) == (400, [("/file", "too_large")])
    empty = admin.client.post(reverse("api-imports", args=[world.contoso.tenant.pk]), {"colour": "red"})
    assert wrong(empty) == [("/colour", "unknown_field")]
    json = admin.post("api-imports", world.contoso.tenant.pk, body={"file": "x"})
    assert code(json) == (415, "unsupported_media_type")
