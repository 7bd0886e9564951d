"""A request that somebody marked with a key of his own, so that repeating it does nothing twice."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.models import User

LONGEST_KEY = 200


class KeyState(models.TextChoices):
    RUNNING = "running", _("Running")  # nothing of it has been committed
    CHANGED = "changed", _("Changed")  # something has; what was answered is not kept (yet)
    ANSWERED = "answered", _("Answered")


class IdempotencyKey(models.Model):
    """The first request with a key, and what it was answered. A key belongs to a person's session, or to a token.

    `claim` is whose request is working on it: who has lost it commits nothing any more (rbac/services/idempotency.py).
    """

    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    token = models.ForeignKey(settings.KNOX_TOKEN_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    key = models.CharField(_("key"), max_length=LONGEST_KEY)
    fingerprint = models.CharField(_("SHA-256 of the request"), max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=KeyState, default=KeyState.RUNNING)
    claim = models.UUIDField()
    first_at = models.DateTimeField(_("first asked"))
    claimed_at = models.DateTimeField(_("last asked"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    headers: ClassVar[models.JSONField] = models.JSONField(default=dict)
    body = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["person", "token", "key"], name="idempotency_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(state__in=KeyState.values), name="idempotency_state"),
            models.CheckConstraint(
                condition=Q(state="answered", status__isnull=False)
                | (~Q(state="answered") & Q(status__isnull=True, body__isnull=True)),
                name="idempotency_answered_whole",
            ),
        ]
        indexes = [models.Index(fields=["first_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return self.key
