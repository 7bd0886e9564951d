"""A world to ask the API about as everybody: which operations there are, and who asks them."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audit.events import EventType
from partners.models import ApiToken
from partners.services import invitations, relationships, tenant_managers, tokens, webhooks
from partners.services.webhooks import Owner
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.models import Assignment, TenantDomain, User
from rbac.services import security_groups
from rooms.models import Rollout, Room, RoomState, RoomUpdate
from rooms.scopes import Scope
from rooms.services import (
    approvals,
    attachments,
    groups,
    inventory_imports,
    keys,
    releases,
    roles,
    rollout_clock,
    saved_filters,
    tickets,
    update_rings,
)
from rooms.services.roles import Proposed
from tests.factories.callers import Caller, nobody, person, token, tool
from tests.factories.tickets import reported
from tests.factories.world import World, invite, join, make, waiting

NEVER = uuid.UUID("00000000-0000-4000-8000-000000000000")
METHODS = ("get", "post", "patch", "delete")
# The ids of addresses that are no numbers.
UUIDS = frozenset(
    f"{one}_id"
    for one in ("tenant", "relationship", "invitation", "approval", "attachment", "import", "webhook", "event")
)


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    name: str

    def __str__(self) -> str:
        return f"{self.method} {self.name.removeprefix('api-')}"


def operations() -> list[Operation]:
    """Every operation that the portal's own list of addresses has below /api/."""
    found = []
    for pattern in patterns(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None)
        if (pattern.name or "").startswith("api-") and view is not None:
            methods = [one for one in METHODS if hasattr(view, one)] or ["get"]
            found += [Operation(one, str(pattern.name)) for one in methods]
    return found


def patterns(found: Any) -> Iterator[URLPattern]:
    for one in found:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns)
        else:
            yield one


INVENTORY = b"Identity,DisplayName,City\nroom0@contoso.example,Contoso room 0,Bonn\n"
ROOM = ("status", "activity", "enroll", "suppress", "unsuppress", "unenroll")


class Scene:
    """Contoso with an active partner and an open invitation, Tailwind beside it with the same; and everybody."""

    def __init__(self) -> None:
        self.world: World = make()
        world = self.world
        self.relationship, (self.ann,) = join(world.contoso, world.fabrikam, "ann")
        self.new = world.contoso.person("newcomer")
        self.inventory = inventory_imports.prepare(
            world.contoso.tenant, BytesIO(INVENTORY), "rooms.csv", by=world.contoso.admin
        )
        self.foreign, (self.eve,) = join(world.tailwind, world.northwind, "eve")
        german = {room.pk for room in world.contoso.german}
        self.group = groups.create(world.contoso.tenant, "Germany", by=world.contoso.admin, rooms=german)
        tailwind = world.tailwind
        self.foreign_group = groups.create(
            tailwind.tenant, "Foreign", by=tailwind.admin, rooms={room.pk for room in tailwind.rooms}
        )
        self.request = waiting(self.relationship, world.contoso.german[1], self.ann)
        self.over = waiting(self.relationship, world.contoso.german[0], self.ann)
        approvals.withdraw(self.over, by=self.ann)
        keys.reset(world.contoso.tenant, by=world.contoso.admin)
        self.ticket = reported(world)
        self.foreign_ticket = tickets.report(
            tailwind.tenant, by=tailwind.admin, title="Foreign", rooms=[tailwind.rooms[0].pk]
        )
        log = attachments.store(self.ticket, by=world.contoso.admin, file_name="a.log", stream=BytesIO(b"all is well"))
        self.attachment = attachments.attach(self.ticket, by=world.contoso.admin, upload=str(log.pk)).attachment
        self.role = roles.create(
            world.contoso.tenant,
            by=world.contoso.admin,
            name="Helpers",
            permissions=[Permission.ROOMS_VIEW],
            assignment=Proposed("First", members=("new@contoso.example",), scope=Scope(all_rooms=True)).as_data(),
        )
        self.assignment = self.role.assignments.get()
        self.left = self._assigned_to(world.contoso.admin)
        self.security_group = security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
        self._updates(german)
        self.pending, _ = invite(world.contoso, "max@northwind.example", "una@northwind.example")
        self.filter = saved_filters.save(world.contoso.tenant, "Cologne", "city=Köln", by=world.contoso.admin)
        self.own_filter = saved_filters.save(None, "In Cologne", "city=Köln", by=self.ann)
        Room.objects.filter(pk=world.contoso.german[0].pk).update(state=RoomState.ENROLLED)
        self.domain = TenantDomain.objects.create(tenant=world.contoso.tenant, domain="new.example")
        self.manager = tenant_managers.appoint(world.contoso.tenant, "admin@contoso.example", by=world.contoso.admin)
        _, (to_max,) = invite(world.tailwind, "max@northwind.example")
        self.denied = invitations.deny(to_max, by=world.northwind.person("max"))
        owner = Owner(world.contoso.tenant, None)
        url, admin = "https://hooks.example.com/", world.contoso.admin
        self.webhook, _ = webhooks.create(owner, url, by=admin, events=[EventType.SCOPE_CHANGED])
        self.delivery = webhooks.send_test(self.webhook, by=admin)
        self.secret = token(self.relationship, self.ann, *CEILING)
        self.token = ApiToken.objects.get(user=self.ann)

    def _assigned_to(self, person: User) -> Assignment:
        """An assignment of a role of its own that `person` can leave."""
        tenant, by = self.world.contoso.tenant, self.world.contoso.admin
        role = roles.create(tenant, by=by, name="Guests", permissions=[Permission.ROOMS_VIEW])
        proposed = Proposed("Guests", members=(person.upn,), scope=Scope(all_rooms=True))
        return roles.assign(role, by=by, assignment=proposed.as_data())

    def _updates(self, german: set[int]) -> None:
        """A ring with the German rooms, and in it a rollout to which everything can be done; Tailwind has one too."""
        contoso, tailwind = self.world.contoso, self.world.tailwind
        Room.objects.filter(pk__in=german).update(state="enrolled", app_version="5.0")
        self.ring = update_rings.create(contoso.tenant, "Boardrooms", by=contoso.admin, rollout_days=1)
        update_rings.move_rooms(self.ring, by=contoso.admin, rooms=german)
        releases.publish("5.1", by=None)
        for customer in (contoso, tailwind):
            rollout_clock.schedule(customer.tenant.pk)
        self.rollout = Rollout.objects.get(ring=self.ring)
        self.foreign_rollout = Rollout.objects.get(tenant=tailwind.tenant, ring__is_default=True)
        rollout_clock.begin(self.rollout.pk)
        first, second = self.rollout.rooms.order_by("pk")
        RoomUpdate.objects.filter(pk=first.pk).update(state="failed")
        RoomUpdate.objects.filter(pk=second.pk).update(state="paused")

    # --- Who asks ----------------------------------------------------------------------------------------------------

    def anonymous(self) -> Caller:
        return nobody()

    def stranger(self) -> Caller:
        """The MMR Admin of another customer."""
        return person(self.world.tailwind.admin)

    def rival(self) -> Caller:
        """A primary admin of another customer's partner."""
        return person(self.eve)

    def newcomer(self) -> Caller:
        """Somebody of the customer, in no role."""
        return person(self.world.contoso.person("newcomer"))

    def tech(self) -> Caller:
        return person(self.world.contoso.member(BuiltIn.SITE_TECH, "tess"))

    def admin(self) -> Caller:
        return person(self.world.contoso.admin)

    def partner(self) -> Caller:
        return person(self.ann)

    def program(self) -> Caller:
        """The partner's token, with all it could have."""
        return tool(self.secret)

    def revoked_program(self) -> Caller:
        tokens.revoke(self.token, by=self.ann)
        return tool(self.secret)

    def removed_partner(self) -> Caller:
        """With a session that was open before."""
        caller = person(self.ann)
        relationships.remove(self.relationship, by=self.world.contoso.admin)
        return caller

    def inactive(self) -> Caller:
        caller = person(self.ann)
        User.objects.filter(pk=self.ann.pk).update(is_active=False)
        return caller

    def support(self) -> Caller:
        return person(
            User.objects.create(username="support@portal.example", upn="support@portal.example", is_staff=True)
        )

    def invited(self) -> Caller:
        return person(self.world.northwind.person("max"))

    def whoever_may(self, operation: Operation) -> Caller:
        """Somebody whom the operation is for."""
        of_partners = ("api-approval-withdraw", "api-approval-again", "api-customer", "api-colleagues")
        if operation.name.startswith(("api-token", "api-all-")) or operation.name in of_partners:
            return self.partner()
        return self.invited() if operation.name.startswith("api-my-invitation") else self.admin()

    # --- What is asked -----------------------------------------------------------------------------------------------

    def args(self, name: str) -> list[Any]:
        """What stands in the address: all of it exists, in Contoso."""
        contoso = self.world.contoso
        found: dict[str, list[Any]] = {
            "api-customer": [],
            "api-rooms": [],
            "api-room": [contoso.german[0].pk],
            **{f"api-room-{name}": [contoso.german[0].pk] for name in ROOM},
            "api-rooms-bulk": [],
            "api-room-filters": [],
            "api-room-filter": [self.filter.pk],
            "api-groups": [],
            "api-group": [self.group.pk],
            "api-group-rooms": [self.group.pk],
            "api-keys": [],
            "api-key-download": [],
            "api-imports": [],
            "api-import": [self.inventory.pk],
            "api-import-confirm": [self.inventory.pk],
            "api-tickets": [],
            "api-ticket": [self.ticket.pk],
            "api-ticket-entries": [self.ticket.pk],
            "api-ticket-state": [self.ticket.pk],
            "api-ticket-assignment": [self.ticket.pk],
            "api-ticket-close": [self.ticket.pk],
            "api-ticket-attachments": [self.ticket.pk],
            "api-ticket-attachment": [self.ticket.pk, self.attachment.pk],
            "api-report-figures": [],
            "api-report-rooms": [],
            "api-roles": [],
            "api-role": [self.role.pk],
            "api-assignments": [self.role.pk],
            "api-assignment": [self.assignment.pk],
            "api-assignment-scope": [self.assignment.pk],
            "api-assignment-members": [self.assignment.pk],
            "api-assignment-leave": [self.left.pk],
            "api-security-groups": [],
            "api-security-group": [self.security_group.pk],
            "api-security-group-people": [self.security_group.pk],
            "api-room-access": [contoso.german[0].pk],
            "api-person-access": [self.ann.pk],
            "api-approvals": [],
            "api-approval": [self.request.pk],
            "api-approval-again": [self.over.pk],
            "api-approval-decide": [self.request.pk],
            "api-approval-withdraw": [self.request.pk],
            "api-rings": [],
            "api-ring": [self.ring.pk],
            "api-ring-rooms": [self.ring.pk],
            "api-rollouts": [],
            "api-group-default": [self.group.pk],
            "api-settings": [],
            "api-domains": [],
            "api-domain": [self.domain.pk],
            "api-access-policy": [],
            "api-access-policy-preview": [],
            "api-notifications": [],
            "api-notifications-test": [],
            "api-mail-look": [],
            "api-customer-terms": [],
            "api-customer-terms-accept": [],
            "api-partners": [],
            "api-partner": [self.relationship.pk],
            "api-partner-suspend": [self.relationship.pk],
            "api-partner-resume": [self.relationship.pk],
            "api-partner-invitations": [self.relationship.pk],
            "api-tokens": [],
            "api-colleagues": [],
            "api-audit-log": [],
            "api-tenant-managers": [],
            "api-tenant-manager": [self.manager.pk],
            "api-token": [self.token.token_key],
            "api-webhooks": [],
            **{f"api-webhook{part}": [self.webhook.pk] for part in ("", "-rotate", "-test")},
            "api-deliveries": [self.webhook.pk],
            "api-delivery": [self.webhook.pk, self.delivery.event_id],
            "api-delivery-redeliver": [self.webhook.pk, self.delivery.event_id],
        }
        if name == "api-all-filter":
            return [self.own_filter.pk]
        if name.startswith("api-partner-invitation") and name != "api-partner-invitations":
            found[name] = [self.pending.pk, self.pending_invitation.pk]
        if name.startswith("api-rollout") and name not in found:
            found[name] = [self.rollout.pk]
        if name == "api-my-invitation-undo":
            return [self.denied.pk]
        if name.startswith("api-my-invitation") and name != "api-my-invitations":
            return [self.pending_invitation.pk]
        return [contoso.tenant.pk, *found[name]] if name in found else []

    @property
    def pending_invitation(self) -> Any:
        return self.pending.invitations.get(upn="max@northwind.example")

    def body(self, operation: Operation) -> Any:
        """What is sent: well formed, and allowed to somebody."""
        contact = {"name": "Kim", "upn": "kim@northwind.example"}
        bodies: dict[str, Any] = {
            "patch room": {"capacity": 12},
            "post room-suppress": {"reason": "New carpet"},
            "post rooms-bulk": {"rooms": [self.world.contoso.german[0].pk], "action": "enroll"},
            "post room-filters": {"name": "Berlin", "query": "city=Berlin"},
            "patch room-filter": {"name": "Deutschland"},
            "post all-rooms-bulk": {
                "customers": [
                    {"customer": str(self.world.contoso.tenant.pk), "rooms": [self.world.contoso.german[0].pk]}
                ],
                "action": "enroll",
            },
            "post all-tickets-bulk": {
                "customers": [{"customer": str(self.world.contoso.tenant.pk), "tickets": [self.ticket.pk]}],
                "action": "write",
                "text": "We are on our way.",
            },
            "post all-filters": {"view": "tickets", "name": "Critical", "query": "severity=critical"},
            "patch all-filter": {"name": "Urgent"},
            "post groups": {"name": "Berlin", "rooms": [self.world.contoso.german[0].pk]},
            "patch group": {"name": "Deutschland"},
            "post group-rooms": {"add": [self.world.contoso.rooms[2].pk]},
            "post keys": {"grace_hours": 24},
            "post tickets": {"title": "No picture", "rooms": [self.world.contoso.german[0].pk]},
            "post ticket-entries": {"text": "Any news?"},
            "post ticket-state": {"state": "investigating"},
            "post ticket-assignment": {"person": None},
            "post ticket-close": {"reason": "fixed"},
            "post roles": {
                "name": "Desk",
                "permissions": ["rooms.view"],
                "assignment": {"name": "First", "scope": {"rooms": [self.world.contoso.german[0].pk]}},
            },
            "patch role": {"permissions": ["rooms.modify"]},
            "post assignments": {"name": "Second", "scope": {"rooms": [self.world.contoso.german[0].pk]}},
            "patch assignment": {"description": "The first one"},
            "post assignment-scope": {"rooms": [self.world.contoso.german[0].pk]},
            "post assignment-members": {"add": ["amy@contoso.example"]},
            "post security-groups": {"name": "Bureau"},
            "patch security-group": {"name": "Bureau"},
            "post security-group-people": {"remove": ["admin@contoso.example"]},
            "post approval-decide": {"decision": "approve"},
            "post rings": {"name": "Labs", "rollout_days": 2},
            "patch ring": {"rollout_days": 2},
            "post ring-rooms": {"rooms": [self.world.contoso.german[0].pk]},
            "patch settings": {"name": "Contoso AG", "language": "de"},
            "post domains": {"domain": "another.example"},
            "patch notifications": {
                "events": {"key.reset": {"to_admins": False, "addresses": ["desk@contoso.example"]}}
            },
            "patch access-policy": {"always": {"max_age": 43_200}},
            "post access-policy-preview": {"always": {"mfa": True}},
            "patch mail-look": {"sender_name": "Contoso IT", "accent": "#7a1f3d"},
            "post customer-terms-accept": {"version": 1, "agrees": True},
            "post partners": {
                "contacts": [contact],
                "scope": {"rooms": [self.world.contoso.rooms[0].pk]},
                "terms": {"version": 1, "agrees": True},
            },
            "patch partner": {"label": "Fabrikam", "change_control": {"tickets.update": "manual"}},
            "post partner-invitations": {"contacts": [contact]},
            "post colleagues": {"people": [{"name": "Kim", "upn": "kim@fabrikam.example"}]},
            "post tenant-managers": {"upn": self.new.upn},
            "post webhooks": {"url": "https://hooks.example.com/2", "events": ["ticket.opened"]},
            "patch webhook": {"description": "Desk"},
            "post webhook-rotate": {"grace_hours": 1},
            "post tokens": {"name": "another", "scopes": [Permission.ROOMS_VIEW.value], "days": 5},
        }
        return bodies.get(str(operation))

    def ask(self, caller: Caller, operation: Operation, args: list[Any] | None = None) -> Any:
        """The answer to `operation`."""
        given = self.args(operation.name) if args is None else args
        if str(operation) == "post imports":
            file = SimpleUploadedFile("rooms.csv", INVENTORY)
            return caller.client.post(reverse(operation.name, args=given), {"file": file}, headers=caller.headers)
        if str(operation) == "post ticket-attachments":
            file = SimpleUploadedFile("b.log", b"channel 3 is silent")
            return caller.client.post(
                reverse(operation.name, args=given), {"file": file, "text": "The log"}, headers=caller.headers
            )
        if operation.method in ("post", "patch"):
            return getattr(caller, operation.method)(operation.name, *given, body=self.body(operation))
        return getattr(caller, operation.method)(operation.name, *given)

    def address(self, name: str) -> str:
        return reverse(name, args=self.args(name))
