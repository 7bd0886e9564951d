"""Importing an inventory as one set: idempotent, in one transaction, on record."""

from pathlib import Path

import pytest

from rooms.inventory_reports import Outcome
from rooms.models import Room
from rooms.services import inventory
from tests.factories.world import make

pytestmark = pytest.mark.django_db

INVENTORIES = Path(inventory.__file__).parents[2] / "trm_portal" / "development" / "inventories"
GET_PLACE, GRAPH = INVENTORIES / "contoso-get-place.csv", INVENTORIES / "contoso-graph-places.json"


def load(customer, path):
    with path.open("rb") as stream:
        return inventory.load(customer.tenant, stream, path.name, by=customer.admin)


def counts(report):
    return [report.counts[outcome] for outcome in Outcome]


def test_importing_either_file_after_the_other_changes_nothing():
    world = make()

    first, second, third = load(world.contoso, GET_PLACE), load(world.contoso, GRAPH), load(world.contoso, GET_PLACE)

    assert counts(first) == [666, 0, 0, 0]
    assert counts(second) == [0, 0, 120, 0]
    assert counts(third) == [0, 0, 666, 0]
    assert Room.objects.filter(tenant=world.contoso.tenant, country="DE").exclude(pk__in=[r.pk for r in world.contoso.rooms]).count() == 114
