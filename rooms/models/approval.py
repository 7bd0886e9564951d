"""Change control: for each partner and controlled event, whether a change is done at once or asked for first."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Delegation


class ControlMode(models.TextChoices):
    AUTO = "auto", _("Auto approval")
    MANUAL = "manual", _("Manual approval")


class ControlPolicy(models.Model):
    """The customer's choice for one event of one partner."""

    delegation = models.ForeignKey(Delegation, models.CASCADE, related_name="policies")
    event = models.CharField(_("event"), max_length=30, choices=Permission)
    mode = models.CharField(_("approval"), max_length=10, choices=ControlMode, default=ControlMode.AUTO)

    class Meta:
        verbose_name = _("change control policy")
        verbose_name_plural = _("change control policies")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["delegation", "event"], name="policy_once_per_event"),
            models.CheckConstraint(condition=Q(mode__in=ControlMode.values), name="policy_mode"),
            models.CheckConstraint(condition=Q(event__in=CONTROLLED_EVENTS), name="policy_event_controlled"),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.mode}"
