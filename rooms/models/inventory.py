"""An inventory on its way in: uploaded and checked, then carried out by the person who uploaded it, and forgotten."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rooms.models.work import Work, WorkState


class InventoryImport(Work):
    """One person's import into one tenant. The file is gone once it was carried out, the row a day after it came."""

    file_name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(help_text=_("The file, compressed."))
    report = models.JSONField(help_text=_("What would be done; once it is done: what was."))

    class Meta:
        verbose_name = _("inventory import")
        verbose_name_plural = _("inventory imports")
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(state__in=WorkState.values), name="inventory_import_state")]
        indexes = [
            models.Index(fields=["created_at"], name="inventory_import_age"),
            models.Index(
                fields=["beat_at"], name="inventory_import_open", condition=Q(state__in=["queued", "running"])
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
