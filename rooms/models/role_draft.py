"""What somebody has entered in the wizard of roles and assignments."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from rbac.drafts import Draft
from rbac.models import Role


class RoleDraft(Draft):
    """A new custom role with its first assignment; with `role`, another assignment of a role that is there."""

    role = models.ForeignKey(Role, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("draft of a role")
        verbose_name_plural = _("drafts of roles")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "user", "role"], name="role_draft_one_per_person", nulls_distinct=False
            )
        ]

    @property
    def whose(self) -> dict[str, Any]:
        """What identifies it, stored or not."""
        return super().whose | {"role": self.role}
