"""The tenant's self-enrolment key: a device that brings it becomes one of the tenant's."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.access import OfTenant, Rule
from rbac.models import Tenant


class EnrollmentKey(models.Model):
    """One version of the key. Its secret is stored encrypted (for the download) and as a digest (for the enrolment).

    The newest version has no `stops_at`; earlier ones enrol nobody from then on. Enrolled devices have tokens of their own.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="enrollment_keys", db_index=False)
    version = models.PositiveIntegerField(_("version"))
    encrypted = models.BinaryField(help_text=_("The secret, under a key outside the database."))
    digest = models.BinaryField(max_length=32, unique=True, help_text=_("SHA-256 of the secret."))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    created_at = models.DateTimeField(_("issued"))
    created_by = models.CharField(_("issued by"), max_length=150)
    stops_at = models.DateTimeField(_("enrols until"), null=True, blank=True)

    ACCESS: Rule = OfTenant()

    class Meta:
        verbose_name = _("enrolment key")
        verbose_name_plural = _("enrolment keys")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "version"], name="key_version_once"),
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(stops_at__isnull=True), name="key_one_current_per_tenant"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} #{self.version}"
