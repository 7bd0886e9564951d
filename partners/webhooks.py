"""Webhooks: where tools want to be told of events, and the log of what was told; models of this app too.

A webhook belongs to a customer or to a delegation, that is to a partner for that customer; never to the person who made it.
"""

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from audit.clock import Now
from audit.events import About, EventType
from partners.addresses import LONGEST_URL
from rbac.access import Held, Rights, Rule, holds_all
from rbac.catalogue import Permission
from rbac.models import Delegation, DelegationState, Tenant, TenantStatus

# What a person sends to see whether it arrives; nobody chooses it, everybody gets it.
TEST = "webhook.test"


def leads(held: Held) -> bool:
    """Whether through `held` somebody is a partner's primary admin: what bounds others is bounded by nothing."""
    return held.delegation_id is not None and held.bound_group_id is None


@dataclass(frozen=True)
class OfKeeper:
    """A customer's webhooks are for who modifies its settings, a partner's for its primary admins; nobody sees others."""

    def restrict(self, held: Rights, permission: Permission, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if permission is Permission.SETTINGS_MODIFY:
            tenants = {one.tenant_id for one in held if holds_all((one,), permission, one.tenant_id)}
            return queryset.filter(tenant__in=tenants, delegation=None)
        if permission is Permission.ROLES_MODIFY:
            return queryset.filter(delegation__in={one.delegation_id for one in held if leads(one)})
        return queryset.none()


class OffReason(models.TextChoices):
    PERSON = "person", _("Turned off")
    FAILING = "failing", _("Nothing arrived for days")
    GONE = "gone", _("The receiver says that it is gone")
    RESTORE = "restore", _("Off since a backup was restored")


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def live(self) -> "WebhookQuerySet":
        """Those that exist for people; others ended with their relationship, or were deleted."""
        return self.filter(ended_at=None)

    def open(self) -> "WebhookQuerySet":
        """Those to which something may be sent at this second; a suspended partner's wait until it is resumed."""
        is_valid = Q(delegation__valid_until=None) | Q(delegation__valid_until__gt=Now())
        partners = Q(delegation__state=DelegationState.ACTIVE) & is_valid
        return (
            self.live()
            .filter(Q(delegation=None) | partners, is_active=True)
            .exclude(tenant__status=TenantStatus.CLOSED)
        )


class Webhook(models.Model):
    """One receiver: its address, which events it wants, and the secrets that sign what is sent to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="webhooks", verbose_name=_("customer"))
    delegation = models.ForeignKey(
        Delegation, models.PROTECT, null=True, blank=True, related_name="webhooks", verbose_name=_("partner")
    )
    url = models.CharField(_("address"), max_length=LONGEST_URL)
    description = models.CharField(_("description"), max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40, choices=EventType), verbose_name=_("events"))
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=150)

    is_active = models.BooleanField(_("on"), default=True)
    off_reason = models.CharField(_("why it is off"), max_length=10, choices=OffReason, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    # Encrypted (rooms/encryption.py); empty once it has ended.
    secret = models.BinaryField()
    earlier_secret = models.BinaryField(null=True)
    earlier_until = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(_("secret since"))

    # Who delivers to it now, and until when it is left in peace because it did not answer.
    busy_until = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    tried_at = models.DateTimeField(_("last attempt"), null=True, blank=True)

    ACCESS: ClassVar[Rule] = OfKeeper()
    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(is_active=True, off_reason="") | (Q(is_active=False) & ~Q(off_reason="")),
                name="webhook_off_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(earlier_secret=None, earlier_until=None)
                | Q(earlier_secret__isnull=False, earlier_until__isnull=False),
                name="webhook_earlier_secret_whole",
            ),
            models.CheckConstraint(
                condition=Q(events__contained_by=EventType.values) & ~Q(events=[]), name="webhook_events_known"
            ),
            models.CheckConstraint(condition=Q(ended_at=None) | Q(is_active=False), name="webhook_ended_is_off"),
        ]
        indexes = [
            models.Index(fields=["tenant"], name="webhook_listening", condition=Q(is_active=True)),
        ]

    def __str__(self) -> str:
        return self.host

    @property
    def host(self) -> str:
        """The part of the address that holds no secret: path and query may."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """How it is called in lists and in the log."""
        return self.description or self.host


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    UNDELIVERABLE = "undeliverable", _("Undeliverable")
    CANCELLED = "cancelled", _("Cancelled")


class DeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self) -> "DeliveryQuerySet":
        """Those to be tried at this second; a later event of an object waits until the earlier one is settled."""
        earlier = WebhookDelivery.objects.filter(
            webhook=OuterRef("webhook"),
            about=OuterRef("about"),
            object_id=OuterRef("object_id"),
            state=DeliveryState.WAITING,
            pk__lt=OuterRef("pk"),
        )
        return self.filter(~Exists(earlier), state=DeliveryState.WAITING, due_at__lte=Now())


class WebhookDelivery(models.Model):
    """One event for one webhook, written with the change that it tells of; its own outbox row, and its line of the log.

    `id` rises with each event of an object: who holds the object's row tells of it. `event_id` stays the same over all
    attempts, so that a receiver takes the event once.
    """

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.UUIDField(_("event id"), default=uuid.uuid4, unique=True)
    type = models.CharField(_("event"), max_length=40)
    about = models.CharField(_("object"), max_length=15, choices=About)
    object_id = models.CharField(_("object id"), max_length=40)
    relationship_id = models.UUIDField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=15, choices=DeliveryState, default=DeliveryState.WAITING)
    created_at = models.DateTimeField(_("happened"))
    due_at = models.DateTimeField(_("next attempt"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    status = models.PositiveSmallIntegerField(_("last answer"), default=0)
    error = models.CharField(_("last error"), max_length=30, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state"),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at=None) | (~Q(state="waiting") & Q(settled_at__isnull=False)),
                name="delivery_settled",
            ),
        ]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_log"),
            models.Index(
                fields=["webhook", "about", "object_id", "id"], name="delivery_order", condition=Q(state="waiting")
            ),
            models.Index(F("due_at"), name="delivery_due", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"
