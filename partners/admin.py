"""The back office's pages of relationships, invitations, terms, tokens and drafts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin import as_text
from audit.back_office import ReadOnly, ReasonForm, list_link
from audit.models import PLATFORM, OutboxMessage
from partners.models import (
    ApiToken,
    Invitation,
    PartnerDraft,
    PartnerRelationship,
    TenantManager,
    Terms,
    TermsAcceptance,
)
from partners.services import terms
from partners.webhooks import Webhook, WebhookDelivery


@admin.register(PartnerRelationship)
class PartnerRelationshipAdmin(ReadOnly):
    list_display = ("label", "tenant", "partner", "its_state", "created_at")
    list_filter = ("delegation__state",)
    list_select_related = ("tenant", "delegation__held_by")
    search_fields = ("label", "tenant__name", "delegation__held_by__name", "invitations__upn", "id")
    search_help_text = gettext_lazy("Name of the partner or the customer, UPN of somebody invited, or id.")
    ordering = ("label", "id")
    fieldsets = (
        (
            None,
            {"fields": ("label", "id", "tenant", "delegation", "partner", "its_state", "expected_tid", "created_at")},
        ),
        (
            gettext_lazy("Terms"),
            {"fields": ("terms_version", "terms_digest", "terms_accepted_by", "terms_accepted_at")},
        ),
        (gettext_lazy("What belongs to it"), {"fields": ("its_invitations", "its_tokens")}),
    )

    def history_of(self, obj: PartnerRelationship) -> Q | None:
        return Q(relationship_id=obj.delegation_id)

    @admin.display(description=gettext_lazy("Partner’s tenant"))
    def partner(self, relationship: PartnerRelationship) -> str:
        return str(relationship.delegation.held_by or "–")

    @admin.display(description=gettext_lazy("State"))
    def its_state(self, relationship: PartnerRelationship) -> str:
        return relationship.delegation.get_state_display()

    @admin.display(description=gettext_lazy("Invitations"))
    def its_invitations(self, relationship: PartnerRelationship) -> SafeString:
        return list_link(Invitation, relationship.invitations.count(), relationship__id__exact=relationship.pk)

    @admin.display(description=gettext_lazy("API tokens"))
    def its_tokens(self, relationship: PartnerRelationship) -> SafeString:
        number = ApiToken.objects.filter(delegation=relationship.delegation_id).count()
        return list_link(ApiToken, number, delegation__id__exact=relationship.delegation_id)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Invitations; the secret in the mail is stored nowhere and shown nowhere."""

    list_display = (
        "addressee",
        "contact_name",
        "tenant",
        "relationship",
        "state",
        "created_at",
        "expires_at",
        "decided_at",
    )
    list_filter = ("state",)
    list_select_related = ("tenant", "relationship")
    search_fields = ("upn", "domain", "contact_name", "delivery_address", "tenant__name", "relationship__label", "id")
    search_help_text = gettext_lazy("UPN, name, delivery address, customer, partner or id.")
    ordering = ("-created_at", "id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "upn",
                    "domain",
                    "invited_tenant",
                    "contact_name",
                    "delivery_address",
                    "language",
                    "id",
                    "tenant",
                    "relationship",
                )
            },
        ),
        (
            gettext_lazy("State"),
            {
                "fields": (
                    "state",
                    "invited_by",
                    "by_partner",
                    "reopens",
                    "created_at",
                    "expires_at",
                    "reminded_at",
                    "decided_at",
                    "decided_by",
                    "accepted_by",
                    "rotation",
                    "its_mails",
                )
            },
        ),
    )

    def history_of(self, obj: Invitation) -> Q | None:
        return Q(object_name=obj.addressee, relationship_id=obj.relationship.delegation_id)

    @admin.display(description=gettext_lazy("Mails"))
    def its_mails(self, invitation: Invitation) -> SafeString:
        number = OutboxMessage.objects.filter(subject_id=str(invitation.pk)).count()
        return list_link(OutboxMessage, number, subject_id=invitation.pk)


class PublishForm(ReasonForm):
    """Both texts of a new version."""

    text_en = forms.CharField(label=gettext_lazy("English text"), widget=forms.Textarea(attrs={"rows": 16}))
    text_de = forms.CharField(label=gettext_lazy("German text"), widget=forms.Textarea(attrs={"rows": 16}))


@admin.register(Terms)
class TermsAdmin(ReadOnly):
    list_display = ("version", "published_at", "digest")
    search_fields = ("text_en", "text_de")
    search_help_text = gettext_lazy("Words of the text.")
    ordering = ("-version",)
    fields = ("version", "published_at", "digest", "text_en", "text_de")
    change_list_template = "admin/terms_list.html"

    def history_of(self, obj: Terms) -> Q | None:
        return Q(tenant_id=PLATFORM, category="Settings", object_name=f"terms {obj.version}")

    @admin.display(description="SHA-256")
    def digest(self, version: Terms) -> str:
        return version.digest

    def get_urls(self) -> list[URLPattern]:
        own = [path("publish/", self.admin_site.admin_view(self.publish), name="partners_terms_publish")]
        return own + super().get_urls()

    def publish(self, request: HttpRequest) -> HttpResponse:
        """A form that publishes a new version; it starts from the newest one."""
        newest = Terms.objects.order_by("-version").first()
        started = {"text_en": newest.text_en, "text_de": newest.text_de} if newest is not None else None

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            version = terms.publish(asked["text_en"], asked["text_de"], by=request.user, reason=asked["reason"])
            return version, _("Version %(version)s is published.") % {"version": version.version}

        return self.serve(
            request,
            PublishForm(request.POST if request.method == "POST" else None, initial=started),
            change,
            title=_("Publish terms"),
            lead=_("Customers agree to the newest version when they add a partner. A published version never changes."),
            submit=_("Publish"),
        )


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnly):
    list_display = ("tenant", "version", "accepted_by", "accepted_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "accepted_by")
    search_help_text = gettext_lazy("Customer or UPN.")
    ordering = ("-accepted_at", "id")
    fields = ("tenant", "version", "digest", "accepted_by", "accepted_at")

    def history_of(self, obj: TermsAcceptance) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Settings", object_name=f"terms {obj.version}")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Tokens by the prefix their owners know them by; the primary key is the digest and stands nowhere."""

    key = "token_key"
    list_display = ("name", "token_key", "user", "delegation", "created", "expiry", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "delegation__tenant", "delegation__held_by")
    search_fields = ("name", "token_key", "user__upn", "delegation__tenant__name", "delegation__held_by__name")
    search_help_text = gettext_lazy("Name, prefix, UPN, customer or partner.")
    ordering = ("-created",)
    fields = ("name", "token_key", "user", "delegation", "scopes", "created", "expiry", "last_used_at", "revoked_at")

    def history_of(self, obj: ApiToken) -> Q | None:
        return Q(object_name=obj.name, relationship_id=obj.delegation_id)


@admin.register(PartnerDraft)
class PartnerDraftAdmin(ReadOnly):
    list_display = ("user", "tenant", "changed_at")
    list_select_related = ("user", "tenant")
    search_fields = ("user__upn", "tenant__name")
    search_help_text = gettext_lazy("UPN or customer.")
    ordering = ("-changed_at", "id")
    fields = ("user", "tenant", "changed_at", "entered")

    @admin.display(description=gettext_lazy("Entered so far"))
    def entered(self, draft: PartnerDraft) -> SafeString | str:
        return as_text(draft.data)


@admin.register(TenantManager)
class TenantManagerAdmin(ReadOnly):
    list_display = ("user", "tenant", "appointed_by", "created_at")
    list_select_related = ("user", "tenant")
    search_fields = ("user__upn", "tenant__name", "appointed_by")
    search_help_text = gettext_lazy("UPN of the manager, tenant, or who appointed.")
    ordering = ("tenant__name", "user__upn")
    fields = ("tenant", "user", "appointed_by", "created_at")


@admin.register(Webhook)
class WebhookAdmin(ReadOnly):
    """Webhooks by their host: path and query of the address may hold a secret, and the secrets are shown to nobody."""

    list_display = ("id", "its_host", "tenant", "delegation", "is_active", "off_reason", "failing_since", "tried_at")
    list_filter = ("is_active", "off_reason", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant", "delegation__tenant", "delegation__held_by")
    search_fields = ("id", "tenant__name", "delegation__held_by__name", "created_by")
    search_help_text = gettext_lazy("Id, customer, partner or UPN.")
    ordering = ("-created_at", "id")
    fields = (
        "id",
        "its_host",
        "tenant",
        "delegation",
        "events",
        "is_active",
        "off_reason",
        "failures",
        "failing_since",
        "tried_at",
        "rests_until",
        "rotated_at",
        "created_at",
        "created_by",
        "ended_at",
        "its_deliveries",
    )

    def history_of(self, obj: Webhook) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Settings", object_name=obj.name)

    @admin.display(description=gettext_lazy("Host"))
    def its_host(self, webhook: Webhook) -> str:
        return webhook.host

    @admin.display(description=gettext_lazy("Deliveries"))
    def its_deliveries(self, webhook: Webhook) -> SafeString:
        return list_link(WebhookDelivery, webhook.deliveries.count(), webhook__id__exact=webhook.pk)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly):
    list_display = ("type", "its_host", "state", "attempts", "status", "error", "created_at", "due_at", "settled_at")
    list_filter = ("state",)
    list_select_related = ("webhook",)
    search_fields = ("event_id", "object_id", "webhook__id")
    search_help_text = gettext_lazy("Id of the event, of its object or of the webhook.")
    ordering = ("-id",)
    fields = (
        "event_id",
        "webhook",
        "type",
        "about",
        "object_id",
        "relationship_id",
        "state",
        "attempts",
        "status",
        "error",
        "created_at",
        "tried_at",
        "due_at",
        "settled_at",
    )

    @admin.display(description=gettext_lazy("Host"))
    def its_host(self, delivery: WebhookDelivery) -> str:
        return delivery.webhook.host
