"""Many rooms changed at once, and the filters that people keep for finding them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.models import Tenant, User
from rooms.models.work import Work, WorkState


class BulkAction(models.TextChoices):
    EDIT = "edit", _("Edit details")
    ENROLL = "enroll", _("Enrol")
    SUPPRESS = "suppress", _("Suppress")
    UNSUPPRESS = "unsuppress", _("Lift the suppression")
    GROUP = "group", _("Add to a room group")
    RING = "ring", _("Move to an update ring")


class BulkChange(Work):
    """One person's change of many rooms: chosen, described, confirmed, carried out room by room, forgotten."""

    action = models.CharField(_("action"), max_length=12, choices=BulkAction, blank=True)
    params = models.JSONField(default=dict, help_text=_("Plain values of the action."))
    rooms = ArrayField(models.BigIntegerField(), help_text=_("Ids, in the order of their names."))
    report = models.JSONField(default=list, help_text=_("What became of each room."))

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=WorkState.values), name="bulk_change_state"),
            models.CheckConstraint(condition=Q(action="") | Q(action__in=BulkAction.values), name="bulk_change_action"),
            models.CheckConstraint(condition=Q(state="checked") | ~Q(action=""), name="bulk_change_described"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="bulk_change_age"),
            models.Index(fields=["beat_at"], name="bulk_change_open", condition=Q(state__in=["queued", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.total}"


class SavedFilter(models.Model):
    """A filter of the room list that one person keeps for one tenant. It names, it grants nothing."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filter"), max_length=1000, help_text=_("As it stands in the address of the list."))
    is_default = models.BooleanField(_("default"), default=False, help_text=_("The list of rooms opens with it."))

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "person", "name"], name="saved_filter_name"),
            models.UniqueConstraint(
                fields=["tenant", "person"], condition=Q(is_default=True), name="saved_filter_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name
