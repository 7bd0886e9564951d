"""The back office's pages of rings, releases and rollouts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Model, Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.back_office import ReadOnly, ReasonForm, list_link
from audit.models import PLATFORM
from rooms.models import Release, Rollout, Room, UpdateRing
from rooms.services import releases


class PublishForm(ReasonForm):
    """A version and what is new in it."""

    version = forms.CharField(label=gettext_lazy("Version"), max_length=40)
    notes = forms.CharField(label=gettext_lazy("What is new"), required=False, widget=forms.Textarea(attrs={"rows": 6}))


@admin.register(Release)
class ReleaseAdmin(ReadOnly):
    list_display = ("version", "published_at")
    search_fields = ("version", "notes")
    search_help_text = gettext_lazy("Version or words of the notes.")
    ordering = ("-order",)
    fields = ("version", "published_at", "notes", "its_rollouts")
    change_list_template = "admin/release_list.html"

    def history_of(self, obj: Release) -> Q | None:
        return Q(tenant_id=PLATFORM, category="Ring", object_name=f"release {obj.version}")

    @admin.display(description=gettext_lazy("Rollouts"))
    def its_rollouts(self, release: Release) -> SafeString:
        return list_link(Rollout, release.rollouts.count(), release__id__exact=release.pk)

    def get_urls(self) -> list[URLPattern]:
        own = [path("publish/", self.admin_site.admin_view(self.publish), name="rooms_release_publish")]
        return own + super().get_urls()

    def publish(self, request: HttpRequest) -> HttpResponse:
        """A form that publishes a release."""

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            release = releases.publish(asked["version"], by=request.user, notes=asked["notes"], reason=asked["reason"])
            return release, _("Release %(version)s is published.") % {"version": release.version}

        return self.serve(
            request,
            PublishForm(request.POST if request.method == "POST" else None),
            change,
            title=_("Publish a release"),
            lead=_(
                "Every customer’s devices get it, ring by ring, from the next Wednesday on. A release cannot be undone."
            ),
            submit=_("Publish"),
        )


@admin.register(UpdateRing)
class UpdateRingAdmin(ReadOnly):
    list_display = ("name", "tenant", "order", "is_default", "rollout_days", "test_days")
    list_filter = ("key", "is_default")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name")
    search_help_text = gettext_lazy("Name or tenant.")
    ordering = ("tenant__name", "order", "id")
    fields = (
        ("name", "key"),
        "description",
        "tenant",
        "order",
        "is_default",
        "rollout_days",
        "test_days",
        "version",
        "its_rooms",
    )

    def history_of(self, obj: UpdateRing) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Ring", object_name__in={obj.name, obj.label})

    @admin.display(description=gettext_lazy("Rooms"))
    def its_rooms(self, ring: UpdateRing) -> int:
        return Room.objects.filter(ring=ring).count()


@admin.register(Rollout)
class RolloutAdmin(ReadOnly):
    list_display = ("release", "ring", "tenant", "state", "starts_on", "ends_on", "state_changed_at")
    list_filter = ("state",)
    linked_by = ("release__id__exact",)
    list_select_related = ("release", "ring", "tenant")
    search_fields = ("release__version", "ring__name", "tenant__name")
    search_help_text = gettext_lazy("Version, ring or tenant.")
    ordering = ("-starts_on", "id")
    fields = (
        "release",
        "ring",
        "tenant",
        "state",
        ("starts_on", "ends_on"),
        "state_changed_at",
        "version",
        "its_rooms",
    )

    def history_of(self, obj: Rollout) -> Q | None:
        names = {str(obj), f"{obj.release} → {obj.ring.label}"}
        return Q(tenant_id=obj.tenant_id, category="Ring", object_name__in=names)

    @admin.display(description=gettext_lazy("Rooms by state"))
    def its_rooms(self, rollout: Rollout) -> str:
        counted = rollout.rooms.values_list("state").annotate(number=Count("pk")).order_by("state")
        return ", ".join(f"{state}: {number}" for state, number in counted) or "–"
