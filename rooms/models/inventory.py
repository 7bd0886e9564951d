"""An inventory on its way in: uploaded and checked, then carried out by the person who uploaded it, and forgotten."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.models import Tenant, User


class ImportState(models.TextChoices):
    CHECKED = "checked", _("Checked")
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("In progress")
    DONE = "done", _("Completed")
    FAILED = "failed", _("Failed")


class InventoryImport(models.Model):
    """One person's import into one tenant. The file is gone once it was carried out, the row a day after it came."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    file_name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(help_text=_("The file, compressed."))
    report = models.JSONField(help_text=_("What would be done; once it is done: what was."))
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.CHECKED)
    failure = models.CharField(_("failure"), max_length=60, blank=True)
    total = models.PositiveIntegerField(_("rows"))
    done = models.PositiveIntegerField(_("rows done"), default=0)
    run = models.UUIDField(null=True, blank=True, help_text=_("Who carries it out now."))
    beat_at = models.DateTimeField(help_text=_("When somebody last cared for it."))
    created_at = models.DateTimeField(_("uploaded"))

    class Meta:
        verbose_name = _("inventory import")
        verbose_name_plural = _("inventory imports")
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(state__in=ImportState.values), name="inventory_import_state")]
        indexes = [
            models.Index(fields=["created_at"], name="inventory_import_age"),
            models.Index(
                fields=["beat_at"], name="inventory_import_open", condition=Q(state__in=["queued", "running"])
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
