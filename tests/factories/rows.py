"""Single rows, for what no service makes yet or what a test needs in numbers."""

import uuid

import factory

from rbac.models import Tenant, User
from rooms.models import Room, RoomGroup, UpdateRing
from rooms.services import founding


class TenantFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Tenant

    name = factory.Sequence(lambda n: f"Tenant {n}")
    entra_tid = factory.LazyFunction(uuid.uuid4)


class UserFactory(factory.django.DjangoModelFactory):
    """A person at home in `tenant`, with an identity of its own."""

    class Meta:
        model = User

    tenant = factory.SubFactory(TenantFactory)
    upn = factory.Sequence(lambda n: f"person{n}@example.com")
    display_name = factory.LazyAttribute(lambda user: user.upn.partition("@")[0].title())
    entra_tid = factory.LazyAttribute(lambda user: user.tenant.entra_tid if user.tenant else None)
    entra_oid = factory.LazyAttribute(lambda user: uuid.uuid4() if user.tenant else None)
    username = factory.LazyAttribute(lambda user: f"{user.entra_tid}:{user.entra_oid}" if user.tenant else user.upn)


def default_ring(tenant: Tenant) -> UpdateRing:
    """The ring that new rooms of `tenant` come into; a tenant that no service founded gets its rings now."""
    founding.set_up(tenant)
    return UpdateRing.objects.get(tenant=tenant, is_default=True)


class RoomFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Room

    tenant = factory.SubFactory(TenantFactory)
    display_name = factory.Sequence(lambda n: f"Room {n:04d}")
    resource_account = factory.Sequence(lambda n: f"room{n}@example.com")
    country = "DE"
    city = "Berlin"
    building = "Berlin Tower 1"
    ring = factory.LazyAttribute(lambda room: default_ring(room.tenant))


class RoomGroupFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = RoomGroup

    tenant = factory.SubFactory(TenantFactory)
    name = factory.Sequence(lambda n: f"Group {n}")
