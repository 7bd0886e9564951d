"""Digests: what they cover, and that a line read again has the digest it was written with."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from audit import chain, verification
from audit.context import Origin, origin
from audit.log import recording
from audit.models import AuditEvent, ChainLink
from tests.factories.world import invite, join, make

TENANT = uuid.UUID(int=1)


def event(**fields: object) -> AuditEvent:
    given = {
        "tenant_id": TENANT,
        "seq": 1,
        "position": 0,
        "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "category": "Role",
        "operation": "Create",
        "object_name": "Desk",
        "result": "Successful",
        "code": "",
        "user_id": "ann@fabrikam.example",
        "user_tenant_id": uuid.UUID(int=2),
        "relationship_id": uuid.UUID(int=3),
        "approver": "",
        "request_id": "7",
        "ip": "10.0.0.1",
        "before": None,
        "after": {"a": [1, "ü", None, True], "b": 1.5},
    }
    return AuditEvent(**given | fields)


OTHERS = {
    "tenant_id": uuid.UUID(int=9),
    "seq": 2,
    "position": 1,
    "at": datetime(2026, 1, 2, 3, 4, 5, 7, tzinfo=UTC),
    "category": "User",
    "operation": "Delete",
    "object_name": "desk",
    "result": "Failed",
    "code": "x",
    "user_id": "system",
    "user_tenant_id": None,
    "relationship_id": None,
    "approver": "bob@contoso.example",
    "request_id": "",
    "ip": None,
    "before": {},
    "after": {"a": [1, "ü", None, 1], "b": 1.5},
}


@pytest.mark.parametrize("field", OTHERS)
def test_digest_covers_every_field(field):
    assert chain.digest_of(event()) != chain.digest_of(event(**{field: OTHERS[field]}))


def test_every_column_is_covered():
    columns = {field.attname for field in AuditEvent._meta.fields}
    assert columns - set(OTHERS) == {"id", "digest"}


def test_digest_does_not_depend_on_order_or_time_zone():
    east = datetime(2026, 1, 2, 5, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    again = event(at=east, after={"b": 1.5, "a": [1, "ü", None, True]})
    assert chain.digest_of(event()) == chain.digest_of(again)


def test_link_covers_its_place_predecessor_and_lines_in_order():
    first, second = b"1" * 32, b"2" * 32
    links = [
        chain.link_digest(chain.FIRST, 1, [first, second]),
        chain.link_digest(chain.FIRST, 1, [second, first]),
        chain.link_digest(chain.FIRST, 1, [first]),
        chain.link_digest(chain.FIRST, 2, [first, second]),
        chain.link_digest(first, 1, [first, second]),
    ]
    assert len(set(links)) == len(links)


VALUES = [
    None,
    {},
    {"text": "“ü” 😀 \u2028 <b>", "deep": {"list": [[], {}, 0, -1, 2**53]}},
    {"when": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "id": uuid.UUID(int=5), "price": Decimal("1.20")},
    {"float": 0.1, "whole": 1.0, "big": 1e22, "small": 1e-7, "minus": -0.0, "tuple": (1, 2)},
    [1, 2],
    "text",
]


@pytest.mark.django_db
@pytest.mark.parametrize("value", VALUES)
def test_line_read_again_has_the_digest_it_was_written_with(value):
    with recording("Room", "Update", "x", tenant=TENANT, by=None) as line:
        line.before = line.after = value
    found = AuditEvent.objects.get()
    assert chain.digest_of(found) == bytes(found.digest)
    assert verification.verify(TENANT) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("ip", ["2001:DB8:0:0::1", "::FFFF:10.1.2.3", "fe80::1%lo", "127.0.0.1", ""])
def test_any_spelling_of_an_address_verifies(ip):
    token = origin.set(Origin("r", ip))
    try:
        with recording("Room", "Update", "x", tenant=TENANT, by=None):
            pass
    finally:
        origin.reset(token)
    assert verification.verify(TENANT) == ""


@pytest.mark.django_db
def test_every_chain_of_a_lived_in_world_is_whole():
    world = make()
    join(world.contoso, world.fabrikam, "ann", "bob")
    invite(world.tailwind, "eve@northwind.example")
    chains = list(verification.chains())
    assert len(chains) == 5  # four tenants and the platform
    assert [verification.verify(one) for one in chains] == [""] * 5
    assert all(link.seq >= 1 and link.lines >= 1 for link in ChainLink.objects.all())
    for tenant in (world.contoso.tenant, world.tailwind.tenant):
        times = list(
            AuditEvent.objects.filter(tenant_id=tenant.pk).order_by("seq", "position").values_list("at", flat=True)
        )
        assert times == sorted(times)
