"""The independent checks find nothing in a good world, and what is wrong in a bad one."""

import pytest
from django.db import connection

from partners.services import relationships
from rbac.models import Delegation
from rooms.models import RoomGrantRow
from tests import invariants
from tests.factories.world import invite, join, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    made = make()
    invite(made.contoso, "eve@northwind.example")
    join(made.contoso, made.fabrikam, "ann", "bob")
    removed, _ = join(made.tailwind, made.fabrikam, "ann")
    relationships.remove(removed, by=made.tailwind.admin)
    return made


def test_good_world_is_clean(world):
    invariants.check()


SPOILED = {
    "guardian rows": lambda: RoomGrantRow.objects.first().delete(),
    "user.groups": lambda: sql("DELETE FROM rbac_user_groups WHERE id = (SELECT min(id) FROM rbac_user_groups)"),
    "room counts": lambda: sql("UPDATE rbac_assignment SET room_count = 7 WHERE key = 'invited_admins'"),
    "under an ended relationship": lambda: Delegation.objects.filter(state="active").update(
        state="ended", ended_at="2026-01-01T00:00Z"
    ),
    "without a primary admin": lambda: sql(
        "UPDATE rbac_user SET is_active = false WHERE upn LIKE '%@fabrikam.example'"
    ),
    "without an MMR Admin": lambda: sql("UPDATE rbac_user SET is_active = false WHERE upn LIKE 'admin@%'"),
    "nobody can link any more": lambda: sql(
        "UPDATE partners_invitation SET state = 'denied', decided_at = now(), decided_by = 'x' WHERE state = 'pending'"
    ),
    "with an open invitation": lambda: sql("UPDATE rbac_delegation SET state = 'lapsed' WHERE state = 'invited'"),
    "from another tenant than the linked one": lambda: sql(
        "UPDATE rbac_user SET tenant_id = (SELECT id FROM rbac_tenant WHERE name = 'Northwind') WHERE upn LIKE 'ann@%'"
    ),
    "another number of lines than one": lambda: sql(
        "UPDATE partners_invitation SET state = 'denied', decided_at = now(), decided_by = 'x' WHERE state = 'pending'"
    ),
    "a mail that waits for an answered invitation": lambda: sql(
        "UPDATE partners_invitation SET state = 'revoked', decided_at = now(), decided_by = 'x' WHERE state = 'pending'"
    ),
    "does not follow link": lambda: sql(
        "INSERT INTO audit_chainlink (tenant_id, seq, previous, digest, lines, at)"
        " SELECT tenant_id, 900, digest, digest, 0, now() FROM audit_chainlink LIMIT 1"
    ),
}


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


@pytest.mark.parametrize("finding", SPOILED)
def test_bad_world_is_found(world, finding):
    SPOILED[finding]()
    with pytest.raises(AssertionError, match=finding):
        invariants.check()
