"""Many rooms or tickets changed at once, and the filters that people keep for finding them."""

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
    ASSIGN = "assign_to_me", _("Assign to me")
    STATE = "state", _("Change the state")
    WRITE = "write", _("Write a message")
    CLOSE = "close", _("Close")


OF_TICKETS = (BulkAction.ASSIGN, BulkAction.STATE, BulkAction.WRITE, BulkAction.CLOSE)


class BulkAbout(models.TextChoices):
    ROOMS = "rooms", _("Rooms")
    TICKETS = "tickets", _("Tickets")


class BulkChange(Work):
    """One person's change of many rooms or tickets of a tenant: chosen, described, confirmed, carried out one by one,
    forgotten. Those that were chosen together over several customers share a `batch`."""

    about = models.CharField(
        max_length=10, choices=BulkAbout, default=BulkAbout.ROOMS, db_default=BulkAbout.ROOMS.value
    )
    batch = models.UUIDField(null=True, blank=True, help_text=_("What it was chosen with, of other customers."))
    action = models.CharField(_("action"), max_length=12, choices=BulkAction, blank=True)
    params = models.JSONField(default=dict, help_text=_("Plain values of the action."))
    targets = ArrayField(
        models.BigIntegerField(), db_column="rooms", help_text=_("Ids of what is changed, in its order.")
    )
    justification = models.CharField(_("justification"), max_length=500, blank=True, db_default="")
    report = models.JSONField(default=list, help_text=_("What became of each."))

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=WorkState.values), name="bulk_change_state"),
            models.CheckConstraint(condition=Q(action="") | Q(action__in=BulkAction.values), name="bulk_change_action"),
            models.CheckConstraint(condition=Q(state="checked") | ~Q(action=""), name="bulk_change_described"),
            models.CheckConstraint(
                condition=Q(action="")
                | Q(about="tickets", action__in=OF_TICKETS)
                | Q(about="rooms") & ~Q(action__in=OF_TICKETS),
                name="bulk_change_about",
            ),
            models.UniqueConstraint(
                fields=["batch", "tenant"], condition=Q(batch__isnull=False), name="bulk_change_batch"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="bulk_change_age"),
            models.Index(fields=["beat_at"], name="bulk_change_open", condition=Q(state__in=["queued", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.total}"


class FilterView(models.TextChoices):
    """The lists whose filters can be kept."""

    ROOMS = "rooms", _("Rooms")
    TICKETS = "tickets", _("Incidents")
    APPROVALS = "approvals", _("Approvals")
    EXPIRING = "expiring", _("Expiring soon")


class SavedFilter(models.Model):
    """A filter of a list that one person keeps, for one tenant or for the list over all customers (without a tenant). It
    names, it grants nothing."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    view = models.CharField(
        _("list"), max_length=10, choices=FilterView, default=FilterView.ROOMS, db_default=FilterView.ROOMS.value
    )
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filter"), max_length=1000, help_text=_("As it stands in the address of the list."))
    is_default = models.BooleanField(_("default"), default=False, help_text=_("The list opens with it."))

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(view__in=FilterView.values) & (Q(tenant__isnull=True) | Q(view="rooms")),
                name="saved_filter_view",
            ),
            models.UniqueConstraint(fields=["tenant", "person", "name"], name="saved_filter_name"),
            models.UniqueConstraint(
                fields=["tenant", "person"], condition=Q(is_default=True), name="saved_filter_one_default"
            ),
            models.UniqueConstraint(
                fields=["person", "view", "name"], condition=Q(tenant__isnull=True), name="saved_filter_name_over_all"
            ),
            models.UniqueConstraint(
                fields=["person", "view"],
                condition=Q(tenant__isnull=True, is_default=True),
                name="saved_filter_one_default_over_all",
            ),
        ]

    def __str__(self) -> str:
        return self.name
