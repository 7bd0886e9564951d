"""Of which end somebody has been told: a row for each end and threshold, so that nobody is told twice."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.models import Assignment, Delegation


class EndNotice(models.Model):
    """That the mails about one end, so many days before, have been left. A new end of the same thing has rows of its own."""

    delegation = models.ForeignKey(Delegation, models.CASCADE, null=True, blank=True, related_name="end_notices")
    assignment = models.ForeignKey(Assignment, models.CASCADE, null=True, blank=True, related_name="end_notices")
    ends_at = models.DateTimeField(_("ends"))
    days = models.PositiveSmallIntegerField(_("days before"))
    told_at = models.DateTimeField(_("told"))

    class Meta:
        verbose_name = _("notice of an end")
        verbose_name_plural = _("notices of ends")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["delegation", "assignment", "ends_at", "days"], name="end_notice_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(delegation__isnull=True, assignment__isnull=False)
                | Q(delegation__isnull=False, assignment__isnull=True),
                name="end_notice_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delegation or self.assignment}: {self.days}"
