"""Webhooks as people keep them: made, changed, turned off and on, given another secret, tried, deleted.

A customer's are kept by who modifies its settings, a partner's for a customer by its primary admins there. A tool (token)
reads and has things delivered again; where data goes, and by which secret, is decided by people.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404

from audit.clock import Now, now
from audit.context import Line
from audit.events import About, EventType
from audit.log import recording
from audit.models import Category, Operation
from partners import addresses, signatures
from partners.errors import InvalidWebhookAddress, NoEvents, TooManyTests, TooManyWebhooks, WebhookOff
from partners.nudges import nudge_after_commit
from partners.webhooks import TEST, DeliveryState, OffReason, Webhook, WebhookDelivery, leads
from rbac import access, step_up
from rbac.access import Rights, holding, holds_all, require, rights
from rbac.catalogue import Permission
from rbac.models import Delegation, Tenant, User
from rbac.precondition import meet
from rbac.services import delegations, roles
from rooms.encryption import fernets
from rooms.errors import InvalidGrace, KeyUnreadable

PURPOSE = "webhooks"
MOST = 10  # of each owner
LONGEST_GRACE = timedelta(hours=72)
TESTS_PER_HOUR = 20


@dataclass(frozen=True)
class Owner:
    """Whose webhooks somebody keeps in a customer: the customer's own, or those of a partner."""

    tenant: Tenant
    delegation_id: UUID | None

    @property
    def permission(self) -> Permission:
        """What keeping them needs; a partner's primary admins hold it over all that is delegated."""
        return Permission.SETTINGS_MODIFY if self.delegation_id is None else Permission.ROLES_MODIFY


def kept_by(person: User, tenant: Tenant, held: Rights | None = None) -> Owner | None:
    """Whose webhooks `person` keeps in `tenant`; None for whoever keeps none. `held` for showing only."""
    live = rights(person, tenant.pk) if held is None else held
    if person.tenant_id == tenant.pk:
        return Owner(tenant, None) if holds_all(live, Permission.SETTINGS_MODIFY, tenant.pk) else None
    led = [one.delegation_id for one in holding(live, Permission.ROLES_MODIFY) if leads(one)]
    return Owner(tenant, led[0]) if led else None


def own(person: User, owner: Owner, held: Rights | None = None) -> QuerySet[Webhook]:
    """The webhooks of `owner` that `person` sees, those of ended relationships and deleted ones aside."""
    rows = Webhook.objects.live().filter(tenant=owner.tenant, delegation=owner.delegation_id)
    return access.visible(person, owner.permission, rows.select_related("tenant"), held)


def create(
    owner: Owner, url: str, *, by: User, events: Collection[EventType], description: str = ""
) -> tuple[Webhook, str]:
    """A new webhook, on, and its secret, which nobody can read again.

    Raises PermissionDenied unless `by` keeps the webhooks of `owner`, or if he is a tool; InvalidWebhookAddress, NoEvents,
    TooManyWebhooks.
    """
    with recording(
        Category.SETTINGS, Operation.CREATE, "webhook", tenant=owner.tenant, by=by, relationship_id=owner.delegation_id
    ) as line:
        _hold_owner(owner.tenant, owner.delegation_id)
        _require_keeper(owner, by)
        if Webhook.objects.live().filter(tenant=owner.tenant, delegation=owner.delegation_id).count() >= MOST:
            raise TooManyWebhooks
        secret, at = signatures.new_secret(), now()
        webhook = Webhook(
            tenant=owner.tenant,
            delegation_id=owner.delegation_id,
            created_at=at,
            created_by=by.upn,
            secret=fernets(PURPOSE).encrypt(secret.encode()),
            rotated_at=at,
        )
        _fill(webhook, url, events, description)
        webhook.save(force_insert=True)
        line.object_name, line.after = webhook.name, _as_data(webhook)
    return webhook, secret


def modify(
    webhook: Webhook,
    *,
    by: User,
    url: str,
    events: Collection[EventType],
    description: str = "",
) -> Webhook:
    """What is sent from now on goes to `url`, and is of `events`; what waits goes there too.

    Raises PermissionDenied, Http404 if it is gone, StaleVersion if the request expects another one, InvalidWebhookAddress,
    NoEvents.
    """
    with _changing(webhook, by) as (line, current):
        require_kept(current, by)
        line.before = _as_data(current)
        _fill(current, url, events, description)
        line.after = _as_data(current)
        if line.after == line.before and current.url == webhook.url:
            line.is_void = True  # saved without a change
            return current
        _set(current, url=current.url, events=current.events, description=current.description)
    return current


def turn_off(webhook: Webhook, *, by: User) -> Webhook:
    """Nothing is sent, and nothing new is kept for it; what waits goes on waiting.

    Raises PermissionDenied, Http404, StaleVersion as `modify` does.
    """
    return _turn(webhook, by, is_active=False)


def turn_on(webhook: Webhook, *, by: User) -> Webhook:
    """Events are sent again, what has waited first. Raises PermissionDenied, Http404, StaleVersion as `modify` does."""
    return _turn(webhook, by, is_active=True)


def _turn(webhook: Webhook, by: User, *, is_active: bool) -> Webhook:
    with _changing(webhook, by) as (line, current):
        require_kept(current, by)
        if current.is_active == is_active:
            line.is_void = True
            return current
        line.before, line.after = {"on": current.is_active}, {"on": is_active}
        reason = "" if is_active else OffReason.PERSON
        _set(current, is_active=is_active, off_reason=reason, rests_until=None, failures=0, failing_since=None)
    return current


def rotate(webhook: Webhook, *, by: User, grace: timedelta = timedelta(hours=24)) -> str:
    """A new secret signs what is sent, for `grace` (0 to 72 hours) beside the one before; the new one, shown this once.

    Raises PermissionDenied, Http404, InvalidGrace.
    """
    with _changing(webhook, by) as (line, current):
        require_kept(current, by)
        if not timedelta() <= grace <= LONGEST_GRACE:
            raise InvalidGrace
        secret, at = signatures.new_secret(), now()
        is_kept = grace > timedelta()
        _set(
            current,
            secret=fernets(PURPOSE).encrypt(secret.encode()),
            earlier_secret=current.secret if is_kept else None,
            earlier_until=at + grace if is_kept else None,
            rotated_at=at,
        )
        line.after = {"secret": "rotated", "grace_hours": grace // timedelta(hours=1)}
    return secret


def delete(webhook: Webhook, *, by: User) -> None:
    """Nothing is sent any more, and its log is gone. Raises PermissionDenied, Http404."""
    with _changing(webhook, by, Operation.DELETE) as (line, current):
        require_kept(current, by)
        line.before = _as_data(current) | {"waiting": _end([current.pk])}


def send_test(webhook: Webhook, *, by: User) -> WebhookDelivery:
    """An event that says nothing is on its way. Raises PermissionDenied, Http404, WebhookOff, TooManyTests."""
    with _changing(webhook, by) as (line, current):
        require_kept(current, by)
        if not current.is_active:
            raise WebhookOff
        sent = WebhookDelivery.objects.filter(webhook=current, type=TEST, created_at__gt=Now() - timedelta(hours=1))
        if sent.count() >= TESTS_PER_HOUR:
            raise TooManyTests
        at = now()
        line.after = {"sent": TEST}
        sent_now = WebhookDelivery.objects.create(
            webhook=current, type=TEST, about=About.WEBHOOK, object_id=str(current.pk), created_at=at, due_at=at
        )
        nudge_after_commit(transaction.get_connection())
    return sent_now


def redeliver(delivery: WebhookDelivery, *, by: User) -> WebhookDelivery:
    """It is tried at once, with the id it had: a receiver that has taken it knows it again.

    Raises PermissionDenied, Http404 if it is gone, WebhookOff.
    """
    with _changing(delivery.webhook, by) as (line, current):
        require(by, Owner(current.tenant, current.delegation_id).permission, current)  # tools too
        if not current.is_active:
            raise WebhookOff
        found = WebhookDelivery.objects.select_for_update(of=("self",), no_key=True).filter(pk=delivery.pk)
        again = found.select_related("webhook").first()
        if again is None:
            raise Http404
        line.before = {"event": again.type, "id": str(again.event_id), "state": again.state}
        again.state, again.settled_at, again.due_at, again.attempts = DeliveryState.WAITING, None, now(), 0
        again.save(update_fields=["state", "settled_at", "due_at", "attempts"])
        _set(current, is_counted=False, rests_until=None)
        nudge_after_commit(transaction.get_connection())
        line.after = {"state": again.state}
    return again


def end_all(delegation: Delegation) -> int:
    """Nothing is sent to the partner any more, and nothing waits; a step of removing it. How many webhooks it had."""
    keys = list(Webhook.objects.live().filter(delegation=delegation).values_list("pk", flat=True))
    _end(keys)
    return len(keys)


def secrets_of(webhook: Webhook) -> list[str]:
    """The secrets that sign at this second, the newest first. Raises KeyUnreadable."""
    stored = [webhook.secret]
    if webhook.earlier_secret is not None and webhook.earlier_until is not None and webhook.earlier_until > now():
        stored.append(webhook.earlier_secret)
    try:
        return [fernets(PURPOSE).decrypt(bytes(one)).decode() for one in stored]
    except InvalidToken as error:
        raise KeyUnreadable from error


def encrypt_anew() -> tuple[int, list[Webhook]]:
    """Every secret is encrypted under the first of ENROLLMENT_KEY_SECRETS: of how many webhooks, and what is unreadable."""
    unreadable, done = [], 0
    with recording(Category.KEY, Operation.UPDATE, "encryption of webhooks", tenant=None, by=None) as line:
        for webhook in Webhook.objects.live().select_for_update(of=("self",), no_key=True).order_by("pk"):
            try:
                stored = {"secret": fernets(PURPOSE).rotate(bytes(webhook.secret))}
                if webhook.earlier_secret is not None:
                    stored["earlier_secret"] = fernets(PURPOSE).rotate(bytes(webhook.earlier_secret))
            except InvalidToken:
                unreadable.append(webhook)
                continue
            Webhook.objects.filter(pk=webhook.pk).update(**stored)
            done += 1
        line.after = {"encrypted": done, "unreadable": [str(one.pk) for one in unreadable]}
    return done, unreadable


@contextmanager
def _changing(webhook: Webhook, by: User, operation: Operation = Operation.UPDATE) -> Iterator[tuple[Line, Webhook]]:
    """A recording of what `by` does to the webhook as it is now, held. Raises Http404 if it is gone."""
    with recording(
        Category.SETTINGS,
        operation,
        webhook.name,
        tenant=webhook.tenant_id,
        by=by,
        relationship_id=webhook.delegation_id,
    ) as line:
        _hold_owner(webhook.tenant, webhook.delegation_id)
        found = Webhook.objects.live().select_for_update(of=("self",), no_key=True).select_related("tenant")
        current = found.filter(pk=webhook.pk).first()
        if current is None:
            raise Http404
        yield line, current


def _hold_owner(tenant: Tenant, delegation_id: UUID | None) -> None:
    if delegation_id is None:
        Tenant.objects.select_for_update(no_key=True).values_list("pk").get(pk=tenant.pk)
    else:
        delegations.lock(delegation_id)


def require_kept(webhook: Webhook, by: User) -> None:
    """Pass if `by`, a person, keeps `webhook`, which is as the request expects it. Raises PermissionDenied, StaleVersion."""
    require(by, Owner(webhook.tenant, webhook.delegation_id).permission, webhook)
    _require_person(by)
    meet(webhook)


def _require_keeper(owner: Owner, by: User) -> None:
    """Pass if `by`, a person, keeps the webhooks of `owner`. Raises PermissionDenied, StepUpRequired."""
    _require_person(by)
    if owner.delegation_id is None:
        require(by, Permission.SETTINGS_MODIFY, owner.tenant)
    else:
        if not roles.is_primary(by, owner.delegation_id):
            raise PermissionDenied
        step_up.require(by, owner.tenant, owner.permission)


def _require_person(by: User) -> None:
    if getattr(by, "limits", None) is not None:
        raise PermissionDenied


def _fill(webhook: Webhook, url: str, events: Collection[EventType], description: str) -> None:
    """Raises InvalidWebhookAddress, NoEvents."""
    try:
        webhook.url = addresses.check(url.strip())
    except addresses.NotAllowed as error:
        raise InvalidWebhookAddress from error
    webhook.events = sorted({EventType(one).value for one in events})
    if not webhook.events:
        raise NoEvents
    webhook.description = description.strip()


def _set(webhook: Webhook, *, is_counted: bool = True, **fields: Any) -> None:
    """Write `fields`; the version rises unless only the portal's own knowledge of the receiver changes."""
    counted = {"version": F("version") + 1} if is_counted else {}
    Webhook.objects.filter(pk=webhook.pk).update(**fields, **counted)
    webhook.refresh_from_db()


def _end(keys: Collection[UUID]) -> int:
    """They are over, their secrets gone, and nothing of them waits; how much did. A row that is read meanwhile stays
    whole: the clock forgets it later."""
    Webhook.objects.filter(pk__in=keys).update(
        is_active=False,
        off_reason=OffReason.PERSON,
        ended_at=Now(),
        secret=b"",
        earlier_secret=None,
        earlier_until=None,
    )
    waiting = WebhookDelivery.objects.filter(webhook__in=keys, state=DeliveryState.WAITING)
    return waiting.update(state=DeliveryState.CANCELLED, settled_at=Now())


def _as_data(webhook: Webhook) -> dict[str, Any]:
    """For the log: the address only as far as it holds no secret."""
    return {"host": webhook.host, "events": webhook.events, "description": webhook.description}
