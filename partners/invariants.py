"""What must hold at every moment, asked of the rows themselves: the database may have been restored, or written past us.

Each check yields what breaks it, a sentence with the ids one needs to look at it; nothing if it holds.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import Count, Exists, F, Model, OuterRef, Q, QuerySet, Sum

from audit import verification
from audit.clock import Now
from audit.models import OutboxMessage, OutboxState
from partners import index
from partners.models import ApiToken, Invitation, InvitationState, PartnerRelationship
from partners.webhooks import Webhook, WebhookDelivery
from rbac import last_admins
from rbac.catalogue import CEILING, TABLE, BuiltIn
from rbac.last_admins import LIVE
from rbac.models import (
    AssignmentGroup,
    AssignmentMember,
    Delegation,
    DelegationState,
    PendingClaim,
    Role,
    User,
)
from rbac.upn import PATTERN
from rooms.models import (
    MOST_DAYS,
    OPEN_UPDATES,
    ApprovalRequest,
    ApprovalState,
    AssignmentRoom,
    AssignmentRoomGroup,
    RolloutState,
    Room,
    RoomGroupMember,
    RoomUpdate,
    RoomUpdateState,
    UpdateRing,
)
from rooms.services import approvals

STUCK_AFTER = timedelta(minutes=15)  # the sweep comes every 30 seconds

Check = Callable[[], Iterator[str]]


def nothing_under_ended() -> Iterator[str]:
    """No role, assignment, token, webhook or open invitation is left of an ended relationship."""
    yield from _named("role", Role.objects.filter(delegation__state=DelegationState.ENDED))
    yield from _named("token", ApiToken.objects.filter(delegation__state=DelegationState.ENDED))
    yield from _named("webhook", Webhook.objects.live().filter(delegation__state=DelegationState.ENDED))
    pending = Invitation.objects.filter(state=InvitationState.PENDING)
    yield from _named("invitation", pending.filter(relationship__delegation__state=DelegationState.ENDED))


def primary_admins() -> Iterator[str]:
    """A live relationship is marked as needing a primary admin just while it has none; a customer has an MMR Admin.

    That one may be deactivated or a guest by now: nobody could refuse that, and the back office says so (concerns.py).
    """
    held = last_admins.roles(BuiltIn.PARTNER_ADMIN)
    has_admin = last_admins.has_admin(BuiltIn.PARTNER_ADMIN)
    for role in held.filter(delegation__needs_primary_admin=False).exclude(has_admin).order_by("pk"):
        yield f"delegation {role.delegation_id} has no primary admin"
    for role in held.filter(has_admin, delegation__needs_primary_admin=True).order_by("pk"):
        yield f"delegation {role.delegation_id} has a primary admin, and is marked as needing one"
    own = last_admins.roles(BuiltIn.MMR_ADMIN)
    claimed = Exists(PendingClaim.objects.filter(assignment__role=OuterRef("pk")))
    has_somebody = last_admins.has_member(BuiltIn.MMR_ADMIN, Q(user__tenant=OuterRef("tenant")))
    for role in own.exclude(has_somebody).exclude(claimed).order_by("pk"):
        yield f"tenant {role.tenant_id} has no MMR Admin"


def one_relationship_per_pair() -> Iterator[str]:
    """A customer has at most one live relationship with a partner, and each relationship is its delegation's."""
    pairs = Delegation.objects.filter(state__in=LIVE).values("tenant", "held_by").annotate(number=Count("pk"))
    for pair in pairs.filter(number__gt=1):
        yield f"tenant {pair['tenant']} has {pair['number']} live relationships with {pair['held_by']}"
    yield from _named("relationship", PartnerRelationship.objects.exclude(tenant=F("delegation__tenant")))


def scope_of_own_tenant() -> Iterator[str]:
    """Rooms in scopes and groups belong to the tenant whose scope or group it is."""
    tied: tuple[tuple[type[Model], str, str], ...] = (
        (AssignmentRoom, "assignment", "room"),
        (AssignmentRoomGroup, "assignment", "room_group"),
        (RoomGroupMember, "room_group", "room"),
    )
    for model, one, other in tied:
        same = Q(**{f"{one}__tenant": F("tenant"), f"{other}__tenant": F("tenant")})
        yield from _named(model._meta.model_name or "", model._default_manager.exclude(same))


def members_at_home() -> Iterator[str]:
    """Members of a role are at home in the tenant that holds it: the partner for a partner's role, else the customer."""
    for model, home in ((AssignmentMember, "user__tenant"), (AssignmentGroup, "group__tenant")):
        own = Q(assignment__role__delegation__isnull=True, **{home: F("assignment__tenant")})
        partner = Q(**{home: F("assignment__role__delegation__held_by")})
        yield from _named(model._meta.model_name or "", model._default_manager.exclude(own | partner))


def index_is_projection() -> Iterator[str]:
    """guardian's rows and `user.groups` say what the assignments say."""
    yield from (fault for _, fault in index.faults())


def answered_once() -> Iterator[str]:
    """Every answered invitation has one line in the log that says so, and every such line its invitation."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, {"pending": InvitationState.PENDING})
        for delegation_id, upn, state, answers, lines in cursor.fetchall():
            yield f"{upn} of delegation {delegation_id}: {answers} invitations {state}, {lines} such audit lines"


_ANSWERED = """
WITH answer AS (
    SELECT r.delegation_id, i.upn || i.domain AS upn, i.state, count(*) AS number
    FROM partners_invitation i JOIN partners_partnerrelationship r ON r.id = i.relationship_id
    WHERE i.state <> %(pending)s GROUP BY 1, 2, 3
),
line AS (
    SELECT relationship_id AS delegation_id, object_name AS upn, after->>'state' AS state, count(*) AS number
    FROM audit_auditevent
    WHERE category = 'PartnerInvitation' AND operation = 'Update' AND result = 'Successful'
        AND after->>'state' IN ('accepted', 'denied', 'expired', 'revoked') GROUP BY 1, 2, 3
)
SELECT delegation_id, upn, state, coalesce(answer.number, 0), coalesce(line.number, 0)
FROM answer FULL JOIN line USING (delegation_id, upn, state)
WHERE answer.number IS DISTINCT FROM line.number ORDER BY 1, 2, 3
"""


def below_ceiling() -> Iterator[str]:
    """No partner's role or token permits more than a partner may; built-in roles permit what the table says."""
    ceiling = sorted(CEILING)
    yield from _named("role", Role.objects.filter(delegation__isnull=False).exclude(permissions__contained_by=ceiling))
    yield from _named("token", ApiToken.objects.exclude(scopes__contained_by=ceiling))
    for role in Role.objects.exclude(key="").only("pk", "key", "permissions").iterator():
        if frozenset(role.permissions) not in _published(BuiltIn(role.key)):
            yield f"role {role.pk} is {role.key}, but permits something else"


def _published(role: BuiltIn) -> tuple[frozenset[str], ...]:
    """What a built-in role may permit: its cells in the table, for Site Lead also those of the other profile."""
    table = frozenset(code for code, row in TABLE.items() if row.cell(role))
    profile = frozenset(code for code, row in TABLE.items() if row.site_lead_rbac_profile)
    return (table, profile) if role is BuiltIn.SITE_LEAD else (table,)


def chains_are_whole() -> Iterator[str]:
    """The audit log is as it was written."""
    for tenant_id in verification.chains():
        if fault := verification.verify(tenant_id):
            yield f"audit log of {tenant_id}: {fault}"


def outbox_moves() -> Iterator[str]:
    """Nothing has waited in the outbox for long after it was due."""
    stuck = OutboxMessage.objects.filter(state=OutboxState.WAITING, due_at__lt=Now() - STUCK_AFTER)
    for message in stuck.order_by("pk").iterator():
        yield f"message {message.pk} ({message.kind}) has waited since {message.due_at.isoformat()}"
    open_ones = Webhook.objects.open().exclude(rests_until__gt=Now() - STUCK_AFTER)
    late = WebhookDelivery.objects.due().filter(webhook__in=open_ones, due_at__lt=Now() - STUCK_AFTER)
    for delivery in late.order_by("pk").iterator():
        yield f"delivery {delivery.pk} ({delivery.type}) has waited since {delivery.due_at.isoformat()}"


def webhooks_kept_apart() -> Iterator[str]:
    """A webhook is its customer's or a partner's of that customer; who has ended keeps no secret."""
    yield from _named("webhook", Webhook.objects.exclude(delegation=None).exclude(delegation__tenant=F("tenant")))
    yield from _named("webhook", Webhook.objects.exclude(ended_at=None).exclude(secret=b"", earlier_secret=None))


def identities() -> Iterator[str]:
    """UPNs have their normal form; nobody shares an identity, and everybody's is of the home tenant."""
    for model in (User, Invitation, PendingClaim):
        named = model._default_manager.exclude(upn="") if model is Invitation else model._default_manager.all()
        yield from _named(model._meta.model_name or "", named.exclude(upn__regex=PATTERN))
    pairs = User.objects.exclude(entra_oid=None).values("entra_tid", "entra_oid").annotate(number=Count("pk"))
    for pair in pairs.filter(number__gt=1):
        yield f"{pair['number']} people are {pair['entra_tid']}:{pair['entra_oid']}"
    strangers = User.objects.filter(tenant__entra_tid__isnull=False, entra_tid__isnull=False)
    yield from _named("user", strangers.exclude(entra_tid=F("tenant__entra_tid")))


def rings_and_rollouts() -> Iterator[str]:
    """A customer's rings take 60 days at most and have one default; nothing is open in a rollout that does not run."""
    of_tenant = UpdateRing.objects.values("tenant").annotate(
        days=Sum(F("test_days") + F("rollout_days")), defaults=Count("pk", filter=Q(is_default=True))
    )
    for tenant in of_tenant.exclude(days__lte=MOST_DAYS, defaults=1).order_by("tenant"):
        yield f"the rings of tenant {tenant['tenant']} take {tenant['days']} days and have {tenant['defaults']} defaults"
    yield from _named("room", Room.objects.exclude(ring__tenant=F("tenant")))
    opened = RoomUpdate.objects.filter(state__in=OPEN_UPDATES)
    yield from _named("roomupdate", opened.exclude(rollout__state__in=[RolloutState.IN_PROGRESS, RolloutState.PAUSED]))
    running = opened.filter(rollout__state=RolloutState.PAUSED).exclude(state=RoomUpdateState.PAUSED)
    yield from _named("roomupdate", running)


def approvals_settled() -> Iterator[str]:
    """Nothing waits under an ended relationship or is half done; what is asked for is what was asked for."""
    waiting = ApprovalRequest.objects.filter(state=ApprovalState.PENDING)
    yield from _named("request", waiting.filter(delegation__state=DelegationState.ENDED))
    yield from _named("request", ApprovalRequest.objects.filter(state=ApprovalState.APPROVED))
    for request in ApprovalRequest.objects.order_by("pk").iterator():
        if approvals.digest_of(request) != request.digest:
            yield f"request {request.pk} was altered"


def database_guards() -> Iterator[str]:
    """The database refuses what it is to refuse: triggers are on, constraints hold, the app cannot rewrite the log."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS, [list(TRIGGERS)])
        on = {name for (name,) in cursor.fetchall()}
        yield from (f"trigger {name} is off or missing" for name in TRIGGERS if name not in on)
        cursor.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated ORDER BY 1")
        yield from (f"constraint {name} was never validated" for (name,) in cursor.fetchall())
        for table in ("audit_auditevent", "audit_chainlink"):
            cursor.execute("SELECT has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')", [table])
            if cursor.fetchone()[0]:
                yield f"the app's role may rewrite {table}"


TRIGGERS = (
    "approval_kept",
    "audit_event_append_only",
    "audit_link_append_only",
    "claim_at_home",
    "invitation_answered",
    "last_admin_assignment",
    "last_admin_group",
    "last_admin_group_member",
    "last_admin_member",
    "ring_days_counted",
    "ring_kept",
    "role_built_in",
    "terms_acceptance_kept",
    "ticket_entry_kept",
)
_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgname = ANY(%s) AND tgenabled IN ('O', 'A')"


def _named(kind: str, rows: QuerySet[Model]) -> Iterator[str]:
    for pk in rows.order_by("pk").values_list("pk", flat=True).iterator():
        yield f"{kind} {pk}"


CHECKS: dict[str, Check] = {
    "ended": nothing_under_ended,
    "admins": primary_admins,
    "pairs": one_relationship_per_pair,
    "scopes": scope_of_own_tenant,
    "members": members_at_home,
    "index": index_is_projection,
    "answers": answered_once,
    "ceiling": below_ceiling,
    "chains": chains_are_whole,
    "outbox": outbox_moves,
    "identities": identities,
    "rings": rings_and_rollouts,
    "approvals": approvals_settled,
    "webhooks": webhooks_kept_apart,
    "guards": database_guards,
}
