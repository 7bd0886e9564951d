"""What support staff fill in to found a tenant and to name its Entra tenant."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from audit.back_office import ReasonForm
from rbac.models import Tenant, TenantDomain
from rbac.upn import MAX_LENGTH, normalise


class FoundForm(ReasonForm):
    """Everything `tenants.found` asks for."""

    name = forms.CharField(label=_("Name"), max_length=Tenant._meta.get_field("name").max_length)
    admin_upn = forms.CharField(
        label=_("First MMR Admin"), max_length=MAX_LENGTH, help_text=_("The user principal name of a person.")
    )
    domains = forms.CharField(
        label=_("Verified domains"), required=False, help_text=_("Those you have verified, separated by blanks.")
    )
    entra_tid = forms.UUIDField(
        label=_("Entra tenant id"), required=False, help_text=_("Without it nobody of the tenant can sign in yet.")
    )
    time_zone = forms.CharField(label=_("Time zone"), initial="UTC", help_text=_("For example Europe/Berlin."))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def clean_admin_upn(self) -> str:
        return normalise(self.cleaned_data["admin_upn"])

    def clean_domains(self) -> list[str]:
        text: Any = self.cleaned_data["domains"]
        return text.replace(",", " ").split()


class IdentifyForm(ReasonForm):
    """Everything `tenants.identify` asks for."""

    entra_tid = forms.UUIDField(label=_("Entra tenant id"))


class VerifyDomainForm(ReasonForm):
    """Everything `tenants.verify_domain` asks for."""

    domain = forms.ModelChoiceField(TenantDomain.objects.none(), label=_("Domain"), empty_label=None)

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["domain"].queryset = tenant.domains.filter(verified_at=None).order_by("domain")  # type: ignore[attr-defined]
