"""What support staff fill in to found a tenant and to name its Entra tenant, and read before they deactivate a person."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from audit.back_office import ReasonForm
from rbac.catalogue import BuiltIn
from rbac.last_admins import only_by
from rbac.models import Tenant, TenantDomain, User
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


def consequences_of_deactivating(person: User) -> Iterator[str]:
    """What follows for the person, and for those who lose their last admin with it."""
    yield str(_("Nothing opens from the next request on: pages, tools, files on their way. Memberships stay."))
    if only_by(person, BuiltIn.MMR_ADMIN).exists():
        text = _("This is the last MMR Admin of %(tenant)s: nobody can change its settings and roles then.")
        yield text % {"tenant": person.tenant}
    customers = only_by(person, BuiltIn.PARTNER_ADMIN).count()
    if customers:
        text = ngettext(
            "This is the last primary admin for %(n)d customer: both sides are told.",
            "This is the last primary admin for %(n)d customers: both sides are told.",
            customers,
        )
        yield text % {"n": customers}
