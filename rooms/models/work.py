"""Work that one person has prepared and confirms, and that is carried out here or by a worker."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from rbac.models import Tenant, User


class WorkState(models.TextChoices):
    CHECKED = "checked", _("Checked")
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("In progress")
    DONE = "done", _("Completed")
    FAILED = "failed", _("Failed")


class Work(models.Model):
    """One person's work in one tenant: how far it is, who carries it out. The row is gone a day after it came."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=WorkState, default=WorkState.CHECKED)
    failure = models.CharField(_("failure"), max_length=60, blank=True)
    total = models.PositiveIntegerField(_("rows"))
    done = models.PositiveIntegerField(_("rows done"), default=0)
    run = models.UUIDField(null=True, blank=True, help_text=_("Who carries it out now."))
    beat_at = models.DateTimeField(help_text=_("When somebody last cared for it."))
    created_at = models.DateTimeField(_("uploaded"))

    class Meta:
        abstract = True
