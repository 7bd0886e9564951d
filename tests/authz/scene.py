"""Who asks, and for what: the actors and relations of the authorisation ledger, in one world made by the services."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from audit.clock import now
from audit.events import EventType
from partners.models import PartnerDraft, PartnerRelationship
from partners.services import invitations, relationships, tenant_managers, tokens, webhooks
from partners.services.webhooks import Owner
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, PendingClaim, Role, TenantDomain, User
from rooms.models import (
    BulkAbout,
    BulkAction,
    InventoryImport,
    Release,
    RoleDraft,
    Rollout,
    Room,
    RoomState,
    TicketAttachment,
    TicketRoom,
    UpdateRing,
)
from rooms.scopes import Scope
from rooms.services import attachments, bulk_changes, inventory_imports, saved_filters, telemetry
from rooms.services.telemetry import Report
from tests.factories.browsing import browser
from tests.factories.devices import enroll, well
from tests.factories.world import (
    Customer,
    assign,
    contact,
    custom_role,
    found_customer,
    found_partner,
    invite,
    join,
    make,
    over,
    room_group,
    security_group,
    ticket,
    waiting,
)

# In the order of the ledger's columns.
ACTORS = (
    "anon",  # nobody has signed in
    "mmr",  # Contoso's MMR Admin
    "lead",  # Contoso's Site Lead, all rooms
    "tech",  # Contoso's Site Tech, the first room
    "viewer",  # a custom role of Contoso with Rooms: View alone, the first room
    "other",  # Tailwind's MMR Admin
    "partner",  # Fabrikam's primary admin: Contoso's German rooms, and all of Wingtip's
    "rival",  # Northwind's primary admin: Contoso's American room
    "removed",  # was a primary admin of Contoso; the session is still open
    "inactive",  # Contoso's second Site Lead, deactivated while signed in
    "invited",  # Litware's, invited by Contoso, has not answered
    "staff",  # support staff
    "token",  # the partner's tool: everything a partner may hold, at Contoso
    "revoked",  # a token of the partner that was revoked
)
RELATIONS = {
    "own": "Contoso's, within the partner's (and the tech's) scope",
    "out": "Contoso's, outside the partner's scope: the rival's room, the customer's own role, another's invitation",
    "second": "Wingtip's, the partner's other customer",
    "foreign": "Tailwind's, asked for at Tailwind",
    "mixed": "Tailwind's, asked for at Contoso",
    "ended": "Contoso's relationship that has ended",
    "never": "what never existed, asked for at Contoso",
    "public": "nobody's",
    "mine": "the invitation of the invited person",
    "colleagues": "the invitation of a colleague of the invited person",
    "nobodys": "an invitation that never existed",
    "partners": "what the partner keeps or has chosen over all customers",
    "unkept": "what nobody keeps or has chosen there",
}
AMERICAN_GROUP = "Contoso group of America"
AMERICAN_RING = "Contoso ring of America"
MISSING = uuid.UUID("99999999-9999-4999-8999-999999999999")

# What a change says, where an empty form would be refused before anybody asks for the permission.
SAID: dict[str, dict[str, Any]] = {
    "api-approval-decide": {"decision": "approve"},
    "approval_decide": {"decision": "approve"},
    "approvals_decide": {"decision": "approve", "pick": "approval_id"},
    "api-partner": {"label": "Renamed"},
    "api-room": {"city": "Bonn"},
    "api-groups": {"name": "Another group"},
    "agent_enroll": {
        "key": "trmk_nobodys",
        "resource_account": "new@contoso.example",
        "host_name": "MTR-1",
        "serial_number": "",
        "app_version": "5.0.0",
        "os_version": "11",
    },
    "api-settings": {"name": "Another name"},
    "api-domains": {"domain": "another.example"},
    "api-notifications": {"events": {"key.reset": {"to_admins": False}}},
    "api-access-policy": {"always": {"max_age": 43_200}},
    "api-access-policy-preview": {"always": {"max_age": 43_200}},
    "api-mail-look": {"sender_name": "Another name"},
    "api-colleagues": {"people": [{"upn": "new2@fabrikam.example"}]},
    "api-tenant-managers": {"upn": "keeper_upn"},
    "tenant_managers": {"upn": "keeper_upn"},
    "customer_remove": {"step": "delete"},
    "api-customer-terms-accept": {"version": 1, "agrees": True},
    "api-roles": {"name": "Helpers", "permissions": ["rooms.view"]},
    "api-role": {"name": "Another role"},
    "api-assignment": {"description": "Another one"},
    "api-assignments": {"name": "Another", "scope": {"all_rooms": True}},
    "api-assignment-scope": {"all_rooms": True},
    "api-assignment-members": {"add": ["new@contoso.example"]},
    "api-security-groups": {"name": "Another group"},
    "api-security-group": {"name": "Another name"},
    "group": {"pick": "room_id"},
    "keys_reset": {"grace": "0"},
    "group_add": {"name": "Another group"},
    "group_edit": {"name": "Another name"},
    "group_rooms": {"pick": "room_id"},
    "room_suppress": {"ends": "open"},
    "rooms_bulk": {"pick": "room_id"},
    "rooms_filters": {"name": "Another filter", "query": "city=Berlin"},
    "rooms_filter": {"name": "Another name"},
    "api-room-suppress": {"reason": "New carpet"},
    "api-rooms-bulk": {"rooms": ["room_id"], "action": "enroll"},
    "api-room-filters": {"name": "Another filter", "query": "city=Berlin"},
    "api-room-filter": {"name": "Another name"},
    "api-all-rooms-bulk": {"customers": [{"customer": str(MISSING), "rooms": [1]}], "action": "enroll"},
    "api-all-tickets-bulk": {"customers": [{"customer": str(MISSING), "tickets": [1]}], "action": "assign_to_me"},
    "api-all-filters": {"view": "rooms", "name": "Another filter", "query": "city=Berlin"},
    "api-all-filter": {"name": "Another name"},
    "all_filters": {"name": "Another filter", "query": "city=Berlin"},
    "all_filter": {"name": "Another name"},
    "api-tickets": {"title": "No picture", "rooms": ["room_id"]},
    "api-ticket-entries": {"text": "Any news?"},
    "api-ticket-state": {"state": "investigating"},
    "api-ticket-assignment": {"person": None},
    "api-ticket-close": {"reason": "fixed"},
    "ticket": {"text": "Any news?"},
    "ticket_add": {"title": "No picture", "rooms": "room_id"},
    "ticket_state": {"state": "investigating", "version": 2},
    "ticket_assign": {"person": "", "version": 2},
    "ticket_close": {"reason": "fixed", "version": 2},
    "api-rings": {"name": "Another ring", "rollout_days": 3},
    "api-ring": {"test_days": 1},
    "api-ring-rooms": {"rooms": ["room_id"]},
    "partner_limit": {"last_day": "2031-06-30"},
    "customer_tokens": {"name": "Another token", "scopes": ["rooms.view"], "days": 30},
    "ring_add": {"name": "Another ring", "rollout_days": 3, "test_days": 0},
    "ring_edit": {"name": "Another name", "rollout_days": 2, "test_days": 0, "version": 1},
    "ring_order": {"to": "up"},
    "ring_rooms": {"pick": "room_id"},
    "webhook_add": {"url": "https://hooks.example.com/", "events_ticket": ["ticket.opened"]},
    "webhook_edit": {"url": "https://hooks.example.com/", "events_ticket": ["ticket.opened"]},
    "webhook_rotate": {"grace": "0"},
    "webhook_switch": {"to": "off"},
    "api-webhooks": {"url": "https://hooks.example.com/", "events": ["ticket.opened"]},
    "api-webhook": {"description": "Another one"},
}


@dataclass
class Scene:
    """One world for many requests: each is undone."""

    clients: dict[str, Client] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Per actor, texts that no answer to him may hold.
    secrets: dict[str, set[str]] = field(default_factory=dict)

    @contextmanager
    def asking(
        self, actor: str, method: str, url: str, route: str = "", relation: str = "public"
    ) -> Iterator[tuple[HttpResponse, str]]:
        """The answer and its body, undone afterwards."""
        cache.clear()  # how often one may ask is not the question here
        place, said = self.places[relation], SAID.get(route, {}) if method in ("POST", "PATCH", "PUT") else {}
        given: dict[str, Any] = {"data": {name: _filled(value, place) for name, value in said.items()}}
        if route == "api-ticket-attachments" and method == "POST":
            given["data"] = {"file": SimpleUploadedFile("more.log", b"it hums")}
        elif url.startswith("/api/") and method != "GET":
            given["content_type"] = "application/json"
        with transaction.atomic():
            client = self.clients[actor]
            cookies = dict(client.cookies)
            answer = getattr(client, method.lower())(url, headers=self.headers.get(actor, {}), **given)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            yield answer, body.decode(errors="replace")
            client.cookies.clear()
            client.cookies.update(cookies)
            transaction.set_rollback(True)


def _filled(value: Any, place: dict[str, Any]) -> Any:
    """What is said, with the ids of the place where it stands for one."""
    if isinstance(value, list):
        return [_filled(one, place) for one in value]
    return place.get(value, value) if isinstance(value, str) else value


def _managers(*customers: Customer) -> dict[str, int]:
    """A tenant manager of each."""
    return {one.tenant.name: tenant_managers.appoint(one.tenant, one.admin.upn, by=one.admin).pk for one in customers}


def make_scene() -> Scene:
    world = make()
    contoso, tailwind = world.contoso, world.tailwind
    wingtip, litware = found_customer("Wingtip"), found_partner("Litware")
    adatum = found_partner("Adatum")
    for customer in (contoso, tailwind, wingtip):
        customer.member(BuiltIn.MMR_ADMIN, "keeper")
        room_group(customer.tenant, f"{customer.tenant.name} group", *customer.rooms)
    american = contoso.rooms[2]
    room_group(contoso.tenant, AMERICAN_GROUP, american)
    _rings_and_tickets((contoso, tailwind, wingtip), american)
    for customer in (contoso, tailwind, wingtip):
        telemetry.record(enroll(customer, customer.rooms[0])[0], Report([well()], "5.0.0", "11"))
    ours, (ann,) = join(contoso, world.fabrikam, "ann")
    theirs, (nils,) = join(contoso, world.northwind, "nils", rooms=[american])
    second, _ = join(wingtip, world.fabrikam, "ann", scope=Scope(all_rooms=True))
    foreign, (eve,) = join(tailwind, world.northwind, "eve", rooms=tailwind.rooms)
    ended, (rae,) = join(contoso, adatum, "rae")
    asked, (to_ivy, to_joe) = invite(contoso, "ivy@litware.example", "joe@litware.example")
    pending = {
        relationship: invitations.invite(relationship, [contact(f"new@{label}.example")], by=customer.admin)[0]
        for relationship, label, customer in (
            (ours, "fabrikam", contoso),
            (theirs, "northwind", contoso),
            (second, "fabrikam", wingtip),
            (foreign, "northwind", tailwind),
            (ended, "adatum", contoso),
        )
    }
    people = {
        "mmr": contoso.admin,
        "lead": contoso.member(BuiltIn.SITE_LEAD, "lea"),
        "tech": contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[0])),
        "viewer": contoso.person("vic"),
        "other": tailwind.admin,
        "partner": ann,
        "rival": nils,
        "removed": rae,
        "inactive": contoso.member(BuiltIn.SITE_LEAD, "ina"),
        "invited": litware.person("ivy"),
        "staff": User.objects.create(username="help", upn="help@portal.example", is_staff=True),
    }
    assign(custom_role(contoso.tenant, Permission.ROOMS_VIEW), people["viewer"], over(contoso.rooms[0]))
    scene = Scene()
    scene.clients = {name: browser(person) for name, person in people.items()}
    for name in ("anon", "token", "revoked"):
        scene.clients[name] = browser()
    keys = {}
    for name, relationship, holder in (
        ("token", ours, ann),
        ("revoked", ours, ann),
        ("rival's", theirs, nils),
        ("second", second, ann),
        ("foreign", foreign, eve),
    ):
        scopes, lifetime = sorted(CEILING), timedelta(days=1)
        token, secret = tokens.issue(relationship.delegation, name, by=holder, scopes=scopes, lifetime=lifetime)
        scene.headers[name] = {"Authorization": f"Token {secret}"}
        keys[relationship] = keys.get(relationship, token.token_key)
        if name == "revoked":
            tokens.revoke(token, by=ann)
    requests = {
        relationship: waiting(relationship, room, person).pk
        for relationship, room, person in (
            (ours, contoso.rooms[0], ann),
            (theirs, american, nils),
            (second, wingtip.rooms[0], ann),
            (foreign, tailwind.rooms[0], eve),
            (ended, contoso.rooms[0], rae),
        )
    }
    hooks = {
        (contoso.tenant.pk, ours): _webhook(Owner(contoso.tenant, ours.delegation_id), ann),
        (contoso.tenant.pk, theirs): _webhook(Owner(contoso.tenant, None), contoso.admin),
        (wingtip.tenant.pk, second): _webhook(Owner(wingtip.tenant, second.delegation_id), ann),
        (tailwind.tenant.pk, foreign): _webhook(Owner(tailwind.tenant, None), tailwind.admin),
        (contoso.tenant.pk, ended): (MISSING, MISSING),
    }
    relationships.remove(ended, by=contoso.admin)
    User.objects.filter(pk=people["inactive"].pk).update(is_active=False)
    _back_office_rows(contoso, ann)
    Room.objects.update(state=RoomState.ENROLLED)
    changes = {customer.tenant.name: _bulk_change_of(customer) for customer in (contoso, tailwind)}
    filters = {
        customer.tenant.name: saved_filters.save(customer.tenant, "Berlin", "city=Berlin", by=customer.admin).pk
        for customer in (contoso, tailwind)
    }
    security_groups = {
        customer.tenant.name: security_group(customer.tenant, f"{customer.tenant.name} security group").pk
        for customer in (contoso, tailwind, wingtip)
    }
    imports = {customer.tenant.name: _import_of(customer) for customer in (contoso, tailwind)}

    managers = _managers(contoso, tailwind, wingtip)
    domains = {
        customer.tenant.pk: TenantDomain.objects.create(tenant=customer.tenant, domain="new.example").pk
        for customer in (contoso, tailwind, wingtip)
    }

    def place(customer: Customer, room: Room, relationship: PartnerRelationship, role: Role | None = None) -> dict:
        base = _base(relationship) if role is None else role.assignments.order_by("pk").first()
        inventory = imports.get(customer.tenant.name)
        return {
            "tenant_id": customer.tenant.pk,
            "room_id": room.pk,
            "group_id": room.groups.order_by("-pk" if room == american else "pk").values_list("pk", flat=True).first(),
            "relationship_id": relationship.pk,
            "invitation_id": pending[relationship].pk,
            "role_id": base.role_id if base else MISSING.int % 10**9,
            "assignment_id": base.pk if base else MISSING.int % 10**9,
            "security_group_id": security_groups[customer.tenant.name],
            "user_id": base.people.order_by("pk").values_list("pk", flat=True).first() if base else 10**9,
            "approval_id": requests[relationship],
            "ring_id": room.ring_id,
            "rollout_id": Rollout.objects.filter(ring=room.ring_id).values_list("pk", flat=True).get(),
            "keeper_upn": f"keeper@{customer.domain}",
            "manager_id": managers[customer.tenant.name],
            "domain_id": domains.get(customer.tenant.pk, 10**9),
            "ticket_id": TicketRoom.objects.filter(room=room).values_list("ticket", flat=True).get(),
            "attachment_id": TicketAttachment.objects.filter(ticket__tied_rooms__room=room)
            .values_list("pk", flat=True)
            .get(),
            "import_id": inventory.pk if inventory else MISSING,
            "change_id": changes.get(customer.tenant.name, MISSING),
            "filter_id": filters.get(customer.tenant.name, MISSING.int % 10**9),
            "prefix": keys.get(relationship, "trm_none"),
            "webhook_id": hooks[customer.tenant.pk, relationship][0],
            "event_id": hooks[customer.tenant.pk, relationship][1],
        }

    own_role = Role.objects.get(tenant=contoso.tenant, key=BuiltIn.MMR_ADMIN)
    of_tailwind = place(tailwind, tailwind.rooms[0], foreign)
    missing = {name: MISSING if isinstance(value, uuid.UUID) else 10**9 for name, value in of_tailwind.items()}
    scene.places = {
        "own": place(contoso, contoso.rooms[0], ours),
        "out": place(contoso, american, theirs, own_role),
        "second": place(wingtip, wingtip.rooms[0], second),
        "foreign": of_tailwind,
        "mixed": of_tailwind | {"tenant_id": contoso.tenant.pk},
        "ended": place(contoso, american, ended, own_role) | {"relationship_id": ended.pk},
        "never": missing | {"tenant_id": contoso.tenant.pk, "prefix": "trm_none"},
        "public": {},
        # An invitation is the invited person's own, wherever the customer is.
        "partners": _over_all(ann, contoso, wingtip),
        "unkept": {"filter_id": 10**9, "batch_id": MISSING},
        "mine": {"invitation_id": to_ivy.pk, "secret": "x" * 32},
        "colleagues": {"invitation_id": to_joe.pk, "secret": "x" * 32},
        "nobodys": {"invitation_id": MISSING, "secret": "x" * 32},
    }
    assert asked.pk
    scene.secrets = _secrets(contoso, tailwind, wingtip)
    return scene


def _webhook(owner: Owner, by: User) -> tuple[uuid.UUID, uuid.UUID]:
    """A webhook of `owner`, and an event that waits for it."""
    made, _ = webhooks.create(owner, "https://hooks.example.com/", by=by, events=[EventType.SCOPE_CHANGED])
    return made.pk, webhooks.send_test(made, by=by).event_id


def _base(relationship: PartnerRelationship) -> Assignment | None:
    return Assignment.objects.filter(
        role__delegation=relationship.delegation_id, key=AssignmentKey.INVITED_ADMINS
    ).first()


def _bulk_change_of(customer: Customer) -> uuid.UUID:
    made = bulk_changes.prepare(customer.tenant, [customer.rooms[0].pk], by=customer.admin)
    bulk_changes.describe(made, BulkAction.ENROLL, {})
    return made.pk


def _over_all(ann: User, *customers: Customer) -> dict[str, Any]:
    """A filter that Ann keeps, and a change that she has chosen and described, over all her customers."""
    chosen = {customer.tenant: [customer.rooms[0].pk] for customer in customers}
    batch = bulk_changes.prepare_batch(BulkAbout.ROOMS, chosen, by=ann)
    changes = bulk_changes.of_batch(batch, ann, list(chosen))
    bulk_changes.describe_batch(changes, BulkAction.ENROLL, {one.tenant_id: {} for one in changes})
    return {"filter_id": saved_filters.save(None, "Enrolled", "state=enrolled", by=ann).pk, "batch_id": batch}


def _import_of(customer: Customer) -> InventoryImport:
    row = f"Identity,DisplayName\nroom0@{customer.domain},{customer.tenant.name} room renamed"
    return inventory_imports.prepare(customer.tenant, BytesIO(row.encode()), "rooms.csv", by=customer.admin)


def _rings_and_tickets(customers: tuple[Customer, ...], american: Room) -> None:
    """In each customer a rollout for its default ring and a ticket about its first room; at Contoso for `american`, too."""
    release = Release.objects.create(version="5.1.0", order=5_001_000, published_at=now())
    own = UpdateRing.objects.create(
        tenant_id=american.tenant_id, order=4, name=AMERICAN_RING, test_days=0, rollout_days=1
    )
    Room.objects.filter(pk=american.pk).update(ring=own)
    for customer in customers:
        default = UpdateRing.objects.get(tenant=customer.tenant, is_default=True)
        for ring, room in ((default, customer.rooms[0]), (own, american)):
            if ring.tenant_id == customer.tenant.pk:
                _rollout_and_ticket(ring, room, release)
    american.refresh_from_db()


def _rollout_and_ticket(ring: UpdateRing, room: Room, release: Release) -> None:
    day = now().date()
    wednesday = day + timedelta(days=(2 - day.weekday()) % 7)
    Rollout.objects.create(
        tenant_id=ring.tenant_id,
        ring=ring,
        release=release,
        starts_on=wednesday,
        ends_on=wednesday + timedelta(days=ring.rollout_days),
        state_changed_at=now(),
    )
    made = ticket(room, opened_by=f"keeper@{room.resource_account.partition('@')[2]}")
    author = User.objects.get(upn=made.opened_by)
    log = attachments.store(made, by=author, file_name="hum.log", stream=BytesIO(f"{room.display_name} hums".encode()))
    attachments.attach(made, by=author, upload=str(log.pk))


def _back_office_rows(contoso: Customer, ann: User) -> None:
    """One of each thing that the back office shows and that nothing above has made."""
    AccessAttempt.objects.create(username="x", ip_address="127.0.0.1", failures_since_start=1)
    PartnerDraft.objects.create(tenant=contoso.tenant, user=contoso.admin)
    RoleDraft.objects.create(tenant=contoso.tenant, user=contoso.person("drafter"))
    security_group(contoso.tenant, "Contoso staff", contoso.admin)
    assert PendingClaim.objects.exists()


def _secrets(contoso: Customer, tailwind: Customer, wingtip: Customer) -> dict[str, set[str]]:
    """Each tenant's rooms, people and groups carry its name: whoever may not see them must never read them."""
    marks = {
        customer.tenant.name: {
            f"{customer.tenant.name} room",
            f"{customer.tenant.name} group",
            f"{customer.tenant.name} security group",
            f"{customer.tenant.name} tower",
            f"keeper@{customer.domain}",
        }
        for customer in (contoso, tailwind, wingtip)
    }
    everything = set().union(*marks.values())
    others = marks["Tailwind"] | marks["Wingtip"]
    american, second = "Contoso room 2", "Contoso room 1"
    out_of_scope = {american, AMERICAN_GROUP, AMERICAN_RING}
    hidden = {
        "mmr": others,
        "lead": others,
        "tech": others | out_of_scope | {second, "Contoso group"},
        "viewer": others | out_of_scope | {second, "Contoso group"},
        "other": marks["Contoso"] | marks["Wingtip"],
        "partner": marks["Tailwind"] | out_of_scope,
        "rival": marks["Wingtip"] | marks["Tailwind"] | {"Contoso room 0", second},
        "token": others | out_of_scope,
        "staff": set(),
        # Those who were invited by Contoso may read who it was.
        "invited": others | {"Contoso room", "Contoso group"},
        "removed": others | {"Contoso room", "Contoso group"},
    }
    return {actor: hidden.get(actor, everything) for actor in ACTORS}


def somebody() -> Any:
    """Some person of an organisation, by what the back office calls him."""
    return User.objects.exclude(tenant=None).order_by("pk").values_list("pk", flat=True).first()


def any_of(model_name: str) -> Any:
    """What the back office calls some row of the model `app_model` by."""
    model = apps.get_model(*model_name.split("_", 1))
    key = getattr(admin.site._registry[model], "key", "pk")
    return model._default_manager.values_list(key, flat=True).first()
