"""Factories for rows, and `world`: two customers, two partners, their people, all made by the services themselves."""

import pytest

pytest.register_assert_rewrite("tests.factories.evidence")

from tests.factories.rows import RoomFactory, RoomGroupFactory, TenantFactory, UserFactory  # noqa: E402
from tests.factories.world import (  # noqa: E402
    Customer,
    Partner,
    World,
    contact,
    found_customer,
    found_partner,
    invite,
    join,
    terms,
)

__all__ = [
    "Customer",
    "Partner",
    "RoomFactory",
    "RoomGroupFactory",
    "TenantFactory",
    "UserFactory",
    "World",
    "contact",
    "found_customer",
    "found_partner",
    "invite",
    "join",
    "terms",
]
