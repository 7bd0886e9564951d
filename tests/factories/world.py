"""A small world in which a leak shows: two customers with rooms, two partners, and somebody in every role.

Everything that a service can make is made by that service. Names carry their tenant (`contoso`, `tailwind`, …), so a
foreign one in an answer can be searched for.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction

from audit.clock import now
from partners.models import Invitation, PartnerRelationship, Terms
from partners.services import invitations, relationships
from partners.services.invitations import Contact
from partners.services.relationships import Proposal
from rbac import grants
from rbac.catalogue import BuiltIn, Permission
from rbac.models import (
    Assignment,
    AssignmentMember,
    Delegation,
    Role,
    SecurityGroup,
    SecurityGroupMember,
    Tenant,
    User,
)
from rbac.services import assignments, tenants
from rbac.sign_in import Identity, arrive
from rooms import change_control, scopes
from rooms.errors import AwaitsApproval
from rooms.models import (
    ApprovalRequest,
    ControlMode,
    ControlPolicy,
    Room,
    RoomGroup,
    RoomGroupMember,
    Severity,
    Ticket,
    TicketKind,
    TicketRoom,
)
from rooms.scopes import Scope
from tests.factories.rows import RoomFactory


@dataclass
class Customer:
    """A founded tenant with an MMR admin and rooms: two German, one American."""

    tenant: Tenant
    admin: User
    rooms: list[Room] = field(default_factory=list)

    @property
    def german(self) -> list[Room]:
        return [room for room in self.rooms if room.country == "DE"]

    def person(self, name: str) -> User:
        """Somebody of this tenant, in no role."""
        return sign_in(self.tenant, f"{name}@{self.domain}")

    @property
    def domain(self) -> str:
        return self.tenant.domains.get(verified_at__isnull=False).domain

    def member(self, role: BuiltIn, name: str, scope: Scope | None = None) -> User:
        """Somebody in the built-in `role`, over `scope` (all rooms, if none is given)."""
        person = self.person(name)
        assign(Role.objects.get(tenant=self.tenant, key=role, delegation=None), person, scope or Scope(all_rooms=True))
        return person


@dataclass
class Partner:
    """A known tenant whose people can be invited."""

    tenant: Tenant
    domain: str

    def person(self, name: str) -> User:
        return sign_in(self.tenant, f"{name}@{self.domain}")


@dataclass
class World:
    contoso: Customer
    tailwind: Customer
    fabrikam: Partner
    northwind: Partner


def found_customer(name: str, rooms: int = 3) -> Customer:
    """`name` in lower case is the domain; of its rooms every third is American."""
    domain = f"{name.lower()}.example"
    tenant = tenants.found(name, admin_upn=f"admin@{domain}", domains=[domain], entra_tid=uuid.uuid4(), by=None)
    customer = Customer(tenant, sign_in(tenant, f"admin@{domain}"))
    customer.rooms = [
        RoomFactory(
            tenant=tenant,
            display_name=f"{name} room {number}",
            resource_account=f"room{number}@{domain}",
            country="US" if number % 3 == 2 else "DE",
            city="Seattle" if number % 3 == 2 else "Berlin",
            building=f"{name} tower",
        )
        for number in range(rooms)
    ]
    return customer


def found_partner(name: str) -> Partner:
    domain = f"{name.lower()}.example"
    tenant = tenants.found(name, admin_upn=f"owner@{domain}", domains=[domain], entra_tid=uuid.uuid4(), by=None)
    return Partner(tenant, domain)


def make() -> World:
    """Contoso and Tailwind are customers, Fabrikam and Northwind partners; nobody has invited anybody yet."""
    terms()
    return World(
        found_customer("Contoso"), found_customer("Tailwind"), found_partner("Fabrikam"), found_partner("Northwind")
    )


def terms() -> Terms:
    """The newest terms; a first version if there is none."""
    return Terms.objects.order_by("-version").first() or Terms.objects.create(
        version=1, text_en="Be careful with the rooms.", text_de="Gehen Sie sorgsam mit den Räumen um."
    )


def sign_in(tenant: Tenant, upn: str) -> User:
    """The person `upn` of `tenant`, after a first (or another) sign-in; the object id follows from the UPN."""
    assert tenant.entra_tid is not None
    oid = uuid.uuid5(tenant.entra_tid, upn)
    return arrive(
        Identity(tenant.entra_tid, oid, upn, upn.partition("@")[0].title()), is_awaited=invitations.is_awaited
    )


@transaction.atomic
def assign(role: Role, person: User, scope: Scope, **fields: Any) -> Assignment:
    """`person` holds `role` over `scope`; `fields` are the assignment's (its dates)."""
    assignment = assignments.open_for(role, f"{role.key or role.name} of {person.upn}", by=None)
    scopes.choose(assignment, scope)
    Assignment.objects.filter(pk=assignment.pk).update(**fields)
    AssignmentMember.objects.create(assignment=assignment, user=person)
    grants.project_members(assignment)
    scopes.apply(assignment)
    return assignment


def custom_role(tenant: Tenant, *permissions: Permission, delegation: Delegation | None = None) -> Role:
    """A custom role with just these permissions: the tenant's own, or a partner's."""
    name = ", ".join(permissions)[:40]
    return Role.objects.create(tenant=tenant, delegation=delegation, name=name, permissions=sorted(permissions))


def security_group(tenant: Tenant, name: str, *people: User) -> SecurityGroup:
    """A security group of `tenant` with these people."""
    group = SecurityGroup.objects.create(tenant=tenant, name=name)
    SecurityGroupMember.objects.bulk_create(
        [SecurityGroupMember(group=group, user=person, tenant=tenant) for person in people]
    )
    return group


def room_group(tenant: Tenant, name: str, *rooms: Room) -> RoomGroup:
    """A room group of `tenant` with these rooms."""
    group = RoomGroup.objects.create(tenant=tenant, name=name)
    RoomGroupMember.objects.bulk_create([RoomGroupMember(tenant=tenant, room_group=group, room=room) for room in rooms])
    return group


def ticket(*rooms: Room, title: str = "", **fields: Any) -> Ticket:
    """An incident about these rooms of one tenant, as a row; `fields` replace any of it."""
    at, tenant_id = now(), rooms[0].tenant_id
    asked = {"kind": TicketKind.CUSTOMER, "severity": Severity.WARNING, "opened_by": "system"}
    made = Ticket.objects.create(
        **asked
        | {"tenant_id": tenant_id, "title": title or f"{rooms[0].display_name} hums", "opened_at": at, "touched_at": at}
        | fields
    )
    TicketRoom.objects.bulk_create([TicketRoom(tenant_id=tenant_id, ticket=made, room=room) for room in rooms])
    return made


def ask_first(relationship: PartnerRelationship, *events: Permission) -> None:
    """The customer wants to approve `events` of this partner first; all of them, if none is named."""
    chosen = ControlPolicy.objects.filter(delegation=relationship.delegation_id)
    (chosen.filter(event__in=events) if events else chosen).update(mode=ControlMode.MANUAL)


def asked(change: Callable[[], Any]) -> ApprovalRequest:
    """The request that `change` leaves instead of being done."""
    with pytest.raises(AwaitsApproval) as found:
        change()
    return found.value.request


def waiting(relationship: PartnerRelationship, room: Room, by: User) -> ApprovalRequest:
    """A request of `by` to change `room`, which waits; later changes of the partner are made at once again."""
    policies = ControlPolicy.objects.filter(delegation=relationship.delegation_id)
    policies.update(mode=ControlMode.MANUAL)
    capacity = {"capacity": 99}
    found = asked(lambda: change_control.submit(Permission.ROOMS_MODIFY, room, by=by, changes=capacity))
    policies.update(mode=ControlMode.AUTO)
    return found


def contact(upn: str) -> Contact:
    return Contact(upn.partition("@")[0].title(), upn)


def over(*rooms: Room) -> Scope:
    """The scope of single rooms."""
    return Scope(rooms=frozenset(room.pk for room in rooms))


def proposal(customer: Customer, *upns: str, scope: Scope | None = None, **fields: Any) -> Proposal:
    """What *Add partner* is given: `upns`, the German rooms (or `scope`), the newest terms; `fields` replace any of it."""
    asked: dict[str, Any] = {"contacts": [contact(upn) for upn in upns], "scope": scope or over(*customer.german)}
    return Proposal(**asked | {"terms_version": terms().version, "agrees": True} | fields)


def invite(
    customer: Customer, *upns: str, rooms: list[Room] | None = None, scope: Scope | None = None, **fields: Any
) -> tuple[PartnerRelationship, list[Invitation]]:
    """`customer` adds a partner for the German rooms (or `rooms`, or `scope`) and invites `upns`."""
    chosen = scope if rooms is None else over(*rooms)
    relationship = relationships.add(
        customer.tenant, proposal(customer, *upns, scope=chosen, **fields), by=customer.admin
    )
    return relationship, list(relationship.invitations.order_by("upn"))


def join(
    customer: Customer,
    partner: Partner,
    *names: str,
    rooms: list[Room] | None = None,
    scope: Scope | None = None,
) -> tuple[PartnerRelationship, list[User]]:
    """`customer` adds `partner`; all of `names` accept. The relationship, and the primary admins in order of name."""
    people = [partner.person(name) for name in sorted(names)]
    relationship, sent = invite(customer, *(person.upn for person in people), rooms=rooms, scope=scope)
    for invitation, person in zip(sent, people, strict=True):
        invitations.accept(invitation, by=person)
    relationship.refresh_from_db()
    return PartnerRelationship.objects.select_related("delegation").get(pk=relationship.pk), people
