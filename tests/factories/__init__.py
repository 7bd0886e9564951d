"""Factories for rows, and `world`: two customers, two partners, their people, all made by the services themselves."""

from tests.factories.rows import RoomFactory, RoomGroupFactory, TenantFactory, UserFactory
from tests.factories.world import Customer, Partner, World, contact, found_customer, found_partner, invite, join, terms

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
