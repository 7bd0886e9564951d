"""What a tenant has chosen for its mails: who is told of what, and how a mail looks.

Without a row everything is as the portal comes: the events of `DEFAULTS` are told to the MMR admins, in the portal's look.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.models import Tenant

ACCENT = r"^#[0-9a-f]{6}$"
MOST_ADDRESSES = 10


class NotificationPreference(models.Model):
    """Who of a tenant is told of one kind of event (rbac/services/notifications.py lists them)."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="notification_preferences")
    event = models.CharField(_("event"), max_length=40)
    to_admins = models.BooleanField(_("to the MMR admins"), default=True)
    addresses: ClassVar[ArrayField] = ArrayField(
        models.EmailField(max_length=254), verbose_name=_("further addresses"), default=list, blank=True
    )

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "event"], name="notification_once_per_event"),
            models.CheckConstraint(condition=Q(addresses__len__lte=MOST_ADDRESSES), name="notification_few_addresses"),
        ]

    def __str__(self) -> str:
        return self.event


class MailBranding(models.Model):
    """How mails in a tenant's name look; empty fields are the portal's own."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="mail_branding")
    sender_name = models.CharField(_("sender name"), max_length=60, blank=True)
    accent = models.CharField(_("accent colour"), max_length=7, blank=True)
    footer = models.CharField(_("footer"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("mail branding")
        verbose_name_plural = _("mail brandings")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(accent="") | Q(accent__regex=ACCENT), name="branding_accent_form"),
            models.CheckConstraint(
                condition=Q(sender_name__regex=r'^[^[:cntrl:]<>@"]*$'), name="branding_sender_is_one_line"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}"
