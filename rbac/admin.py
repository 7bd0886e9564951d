"""The back office's pages of tenants, people, what is delegated, and roles. Assignments are in rooms/admin.py."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.back_office import ReadOnly, ReadOnlyInline, ReasonForm, link, links, list_link
from audit.models import PLATFORM, AuditEvent
from rbac.access_policy import LatestSignIn, PartnerAccessPolicy
from rbac.back_office_forms import FoundForm, IdentifyForm, VerifyDomainForm, consequences_of_deactivating
from rbac.models import Delegation, PendingClaim, Role, SecurityGroup, Tenant, TenantDomain, User
from rbac.preferences import MailBranding, NotificationPreference
from rbac.services import people, tenants


class DomainInline(ReadOnlyInline):
    model = TenantDomain
    fields = readonly_fields = ("domain", "verified_at")


class NotificationInline(ReadOnlyInline):
    model = NotificationPreference
    fields = readonly_fields = ("event", "to_admins", "addresses")


class BrandingInline(ReadOnlyInline):
    model = MailBranding
    fields = readonly_fields = ("sender_name", "accent", "footer")


class PartnerAccessInline(ReadOnlyInline):
    model = PartnerAccessPolicy
    fields = readonly_fields = (
        "mfa",
        "max_age",
        "networks",
        "events",
        "step_up_mfa",
        "step_up_max_age",
        "step_up_networks",
    )


class LatestSignInInline(ReadOnlyInline):
    model = LatestSignIn
    fields = readonly_fields = ("at", "proved_at", "methods", "contexts", "ip")


@admin.register(Tenant)
class TenantAdmin(ReadOnly):
    list_display = ("name", "status", "domain_names", "entra_tid", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "domains__domain", "id", "entra_tid")
    search_help_text = gettext_lazy("Name, domain, id or Entra tenant id.")
    ordering = ("name", "id")
    inlines = (DomainInline, NotificationInline, BrandingInline, PartnerAccessInline)
    fieldsets = (
        (None, {"fields": ("name", "id", "status", "entra_tid", "time_zone", "language", "room_count", "created_at")}),
        (
            gettext_lazy("What belongs to it"),
            {
                "fields": (
                    "its_people",
                    "its_claims",
                    "its_groups",
                    "its_roles",
                    "its_partners",
                    "its_customers",
                    "its_log",
                )
            },
        ),
    )
    change_list_template = "admin/tenant_list.html"
    change_form_template = "admin/tenant.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return super().get_queryset(request).prefetch_related("domains")

    def get_urls(self) -> list[URLPattern]:
        gate = self.admin_site.admin_view
        own = [
            path("found/", gate(self.found), name="rbac_tenant_found"),
            path("<uuid:tenant_id>/identify/", gate(self.identify), name="rbac_tenant_identify"),
            path("<uuid:tenant_id>/verify-domain/", gate(self.verify_domain), name="rbac_tenant_verify_domain"),
        ]
        return own + super().get_urls()

    def found(self, request: HttpRequest) -> HttpResponse:
        """A form that founds a tenant."""

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            tenant = tenants.found(asked.pop("name"), by=request.user, **asked)
            return tenant, _("%(name)s is founded. %(admin)s becomes its first MMR Admin by signing in.") % {
                "name": tenant.name,
                "admin": asked["admin_upn"],
            }

        return self.serve(
            request,
            FoundForm(request.POST if request.method == "POST" else None),
            change,
            title=_("Found a tenant"),
            lead=_("A customer, a partner, or both: what it is follows from what it does."),
            submit=_("Found tenant"),
        )

    def identify(self, request: HttpRequest, tenant_id: object) -> HttpResponse:
        """A form that names the Entra tenant of a tenant that has none."""
        tenant = self.get_object(request, str(tenant_id))
        if tenant is None:
            raise Http404

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            tenants.identify(tenant, asked["entra_tid"], by=request.user, reason=asked["reason"])
            return tenant, _("People of this Entra tenant now sign in as people of %(name)s.") % {"name": tenant.name}

        return self.serve(
            request,
            IdentifyForm(request.POST if request.method == "POST" else None),
            change,
            title=_("Enter the Entra tenant id of %(name)s") % {"name": tenant.name},
            lead=_("Ask the organisation itself: everybody of that Entra tenant will be at home here."),
            submit=_("Enter tenant id"),
        )

    def verify_domain(self, request: HttpRequest, tenant_id: object) -> HttpResponse:
        """A form that verifies one of the domains the tenant has entered."""
        tenant = self.get_object(request, str(tenant_id))
        if tenant is None:
            raise Http404

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            domain = tenants.verify_domain(asked["domain"], by=request.user, reason=asked["reason"])
            return tenant, _("%(domain)s is verified.") % {"domain": domain.domain}

        return self.serve(
            request,
            VerifyDomainForm(request.POST if request.method == "POST" else None, tenant=tenant),
            change,
            title=_("Verify a domain of %(name)s") % {"name": tenant.name},
            lead=_("Only after you have seen proof, for example an entry in the DNS: partners trust what is verified."),
            submit=_("Verify domain"),
        )

    def history_of(self, obj: Tenant) -> Q | None:
        return Q(tenant_id=obj.pk)

    @admin.display(description=gettext_lazy("Domains"))
    def domain_names(self, tenant: Tenant) -> str:
        return ", ".join(one.domain for one in tenant.domains.all()) or "–"

    @admin.display(description=gettext_lazy("People"))
    def its_people(self, tenant: Tenant) -> SafeString:
        return list_link(User, tenant.people.count(), tenant__id__exact=tenant.pk)

    @admin.display(description=gettext_lazy("Pending claims"))
    def its_claims(self, tenant: Tenant) -> SafeString:
        return list_link(PendingClaim, tenant.claims.count(), tenant__id__exact=tenant.pk)

    @admin.display(description=gettext_lazy("Security groups"))
    def its_groups(self, tenant: Tenant) -> SafeString:
        return list_link(SecurityGroup, tenant.security_groups.count(), tenant__id__exact=tenant.pk)

    @admin.display(description=gettext_lazy("Roles"))
    def its_roles(self, tenant: Tenant) -> SafeString:
        return list_link(Role, tenant.roles.count(), tenant__id__exact=tenant.pk)

    @admin.display(description=gettext_lazy("Its partners"))
    def its_partners(self, tenant: Tenant) -> SafeString:
        return list_link(Delegation, tenant.delegations.count(), tenant__id__exact=tenant.pk)

    @admin.display(description=gettext_lazy("Its customers"))
    def its_customers(self, tenant: Tenant) -> SafeString:
        return list_link(Delegation, tenant.delegations_held.count(), held_by__id__exact=tenant.pk)

    @admin.display(description=gettext_lazy("Audit log"))
    def its_log(self, tenant: Tenant) -> SafeString:
        return list_link(AuditEvent, _("Show"), tenant_id=tenant.pk)


@admin.register(User)
class UserAdmin(ReadOnly):
    """People, without anything they sign in with."""

    list_display = ("upn", "display_name", "tenant", "is_active", "is_staff", "is_home_member", "last_login")
    list_filter = ("is_active", "is_staff", "is_home_member")
    list_select_related = ("tenant",)
    search_fields = ("upn", "display_name", "tenant__name", "entra_oid")
    search_help_text = gettext_lazy("UPN, name, tenant or Entra object id.")
    ordering = ("upn", "id")
    inlines = (LatestSignInInline,)
    fieldsets = (
        (None, {"fields": ("upn", "display_name", "home", "is_active", "is_staff", "is_home_member", "language")}),
        (gettext_lazy("Identity"), {"fields": ("entra_tid", "entra_oid", "created_at", "last_login")}),
        (gettext_lazy("Rights"), {"fields": ("its_assignments", "its_groups")}),
    )

    change_form_template = "admin/person.html"

    def get_urls(self) -> list[URLPattern]:
        gate = self.admin_site.admin_view
        own = [
            path("<int:user_id>/deactivate/", gate(self.deactivate), name="rbac_user_deactivate"),
            path("<int:user_id>/activate/", gate(self.activate), name="rbac_user_activate"),
        ]
        return own + super().get_urls()

    def deactivate(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """A form that deactivates a person of an organisation, and says what follows."""
        person = self._person(request, user_id)

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            people.deactivate(person, by=request.user, reason=asked["reason"])
            return person, _("Deactivated: %(upn)s is signed in nowhere any more.") % {"upn": person.upn}

        return self.serve(
            request,
            ReasonForm(request.POST if request.method == "POST" else None),
            change,
            title=_("Deactivate %(upn)s") % {"upn": person.upn},
            lead=" ".join(consequences_of_deactivating(person)),
            submit=_("Deactivate"),
        )

    def activate(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """A form that lets a deactivated person in again."""
        person = self._person(request, user_id)

        def change(asked: dict[str, Any]) -> tuple[Model, str]:
            people.activate(person, by=request.user, reason=asked["reason"])
            return person, _("Activated: %(upn)s can sign in again.") % {"upn": person.upn}

        return self.serve(
            request,
            ReasonForm(request.POST if request.method == "POST" else None),
            change,
            title=_("Activate %(upn)s again") % {"upn": person.upn},
            lead=_("Everything this person is still a member of opens again, after signing in anew."),
            submit=_("Activate"),
        )

    def _person(self, request: HttpRequest, user_id: int) -> User:
        """Who belongs to an organisation: accounts of support staff are closed on the command line."""
        person = self.get_object(request, str(user_id))
        if not isinstance(person, User) or person.tenant_id is None:
            raise Http404
        return person

    def history_of(self, obj: User) -> Q | None:
        here = Q(tenant_id=obj.tenant_id or PLATFORM)
        return here & (Q(user_id=obj.upn) | Q(object_name=obj.upn))

    @admin.display(description=gettext_lazy("Home tenant"))
    def home(self, user: User) -> SafeString | str:
        return link(user.tenant)

    @admin.display(description=gettext_lazy("Assignments"))
    def its_assignments(self, user: User) -> SafeString | str:
        return links(user.assignments.order_by("pk"))

    @admin.display(description=gettext_lazy("Security groups"))
    def its_groups(self, user: User) -> SafeString | str:
        return links(user.security_groups.order_by("pk"))


@admin.register(PendingClaim)
class PendingClaimAdmin(ReadOnly):
    list_display = ("upn", "tenant", "assignment", "named_by", "created_at")
    list_select_related = ("tenant", "assignment")
    search_fields = ("upn", "tenant__name", "named_by")
    search_help_text = gettext_lazy("UPN or tenant.")
    ordering = ("upn", "id")
    fields = ("upn", "tenant", "assignment", "named_by", "created_at")


@admin.register(SecurityGroup)
class SecurityGroupAdmin(ReadOnly):
    list_display = ("name", "tenant", "address")
    list_select_related = ("tenant",)
    search_fields = ("name", "address", "tenant__name")
    search_help_text = gettext_lazy("Name, address or tenant.")
    ordering = ("name", "id")
    fields = ("name", "tenant", "address", "its_people")

    @admin.display(description=gettext_lazy("People"))
    def its_people(self, group: SecurityGroup) -> SafeString | str:
        return links(group.people.order_by("upn"))


@admin.register(Delegation)
class DelegationAdmin(ReadOnly):
    list_display = ("tenant", "held_by", "state", "linked_at", "valid_until", "ended_at", "needs_primary_admin")
    list_filter = ("state", "needs_primary_admin")
    list_select_related = ("tenant", "held_by")
    search_fields = ("tenant__name", "held_by__name", "id")
    search_help_text = gettext_lazy("Customer, partner or id.")
    ordering = ("tenant__name", "id")
    fields = (
        "id",
        "tenant",
        "held_by",
        "state",
        "linked_at",
        "valid_until",
        "ended_at",
        "needs_primary_admin",
        "its_roles",
        "its_log",
    )

    def history_of(self, obj: Delegation) -> Q | None:
        return Q(relationship_id=obj.pk)

    @admin.display(description=gettext_lazy("Roles"))
    def its_roles(self, delegation: Delegation) -> SafeString | str:
        return links(delegation.roles.order_by("pk"))

    @admin.display(description=gettext_lazy("Audit log"))
    def its_log(self, delegation: Delegation) -> SafeString:
        return list_link(AuditEvent, _("Show"), relationship_id=delegation.pk)


@admin.register(Role)
class RoleAdmin(ReadOnly):
    list_display = ("label", "tenant", "delegation_id", "is_built_in")
    list_filter = ("key",)
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name", "delegation__id")
    search_help_text = gettext_lazy("Name, tenant or id of a delegation.")
    ordering = ("tenant__name", "id")
    fields = ("label", "description", "tenant", "delegation", "key", "permissions", "its_assignments")

    def history_of(self, obj: Role) -> Q | None:
        return Q(tenant_id=obj.tenant_id, category="Role", object_name__in=[obj.name, obj.label])

    @admin.display(description=gettext_lazy("Built in"), boolean=True)
    def is_built_in(self, role: Role) -> bool:
        return role.is_built_in

    @admin.display(description=gettext_lazy("Role"))
    def label(self, role: Role) -> str:
        return role.label

    @admin.display(description=gettext_lazy("Assignments"))
    def its_assignments(self, role: Role) -> SafeString | str:
        return links(role.assignments.order_by("pk"))
