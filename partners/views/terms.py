"""The operator's terms, for the customer: which hold, who agreed when, what is new, and agreeing to them.

Whoever changes something of a partner while new terms wait is shown them (`ask`); once he agrees, his browser sends the
very same change again, so that nothing typed is lost.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from partners.errors import TermsChanged
from partners.forms import TermsForm
from partners.models import Terms, TermsAcceptance
from partners.services import terms as service
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, require_whole, tenant_page
from rbac.resending import fields_of

PREFIX = "terms"
THEN = f"{PREFIX}-then"


class SameChange(HttpResponseRedirect):
    """The browser sends what it has just sent to another address (RFC 9110, 15.4.8)."""

    status_code = 307


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def terms(request: TenantRequest) -> HttpResponse:
    """Which terms hold and who agreed; POST: agree, and go on with the change that was stopped for it."""
    require_whole(request, Permission.SETTINGS_VIEW)
    newest = Terms.objects.newest()
    if request.method != "POST" or newest is None:
        return _show(request, newest, _form(newest))
    require_whole(request, Permission.SETTINGS_MODIFY)
    form = TermsForm(request.POST, terms=newest, prefix=PREFIX)
    then = _then(request)
    if form.is_valid():
        try:
            service.accept(request.customer, newest.version, by=request.person)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("You have agreed to version %(version)s.") % {"version": newest.version})
            return SameChange(then) if then else redirect("settings_terms", request.customer.pk)
    elif form.data.get(f"{PREFIX}-version") != str(newest.version):  # published while this page was read
        messages.warning(request, str(TermsChanged.text))
        form = TermsForm(terms=newest, prefix=PREFIX)
    return _asked(request, newest, form, then) if then else _show(request, newest, form)


def ask(request: TenantRequest) -> HttpResponse:
    """In answer to a change that new terms have stopped: the terms, and what was sent, to be sent again."""
    newest = Terms.objects.newest()
    if request.htmx:  # type: ignore[attr-defined]  # no place for this inside a pane
        return HttpResponseClientRedirect(reverse("settings_terms", args=[request.customer.pk]))
    return _asked(request, newest, _form(newest), request.get_full_path(), status=409)


def _form(newest: Terms | None) -> TermsForm | None:
    return TermsForm(terms=newest, prefix=PREFIX) if newest is not None else None


def _asked(
    request: TenantRequest, newest: Terms | None, form: TermsForm | None, then: str, status: int = 200
) -> HttpResponse:
    sent = fields_of(request, {THEN, f"{PREFIX}-version", f"{PREFIX}-agrees"})
    context = {"sent": sent, "then": then} | _facts(request, newest, form)
    return render(request, "partners/settings/terms_asked.html", context, status=status)


def _show(request: TenantRequest, newest: Terms | None, form: TermsForm | None) -> HttpResponse:
    context = _facts(request, newest, form)
    return render(request, "partners/settings/terms.html", context)


def _facts(request: TenantRequest, newest: Terms | None, form: TermsForm | None) -> dict[str, Any]:
    accepted = TermsAcceptance.objects.filter(tenant=request.customer)
    own = list(access.visible(request.person, Permission.SETTINGS_VIEW, accepted, request.held).order_by("-version"))
    agreed = next((one for one in own if newest is not None and one.version == newest.version), None)
    general = reverse("settings_general", args=[request.customer.pk])
    return {
        "terms": newest,
        "form": form,
        "acceptances": own,
        "agreed": agreed,
        "differences": service.differences(request.customer, newest) if newest is not None and not agreed else [],
        "may_modify": access.holds_all(request.held, Permission.SETTINGS_MODIFY, request.customer.pk),
        "crumbs": [(_("Settings"), ""), (_("General"), general), (_("Terms"), "")],
    }


def _then(request: TenantRequest) -> str:
    """The change that was stopped: an address below this customer's settings; empty for anything else."""
    then, below = request.POST.get(THEN, ""), reverse("settings_general", args=[request.customer.pk])
    is_ours = then.startswith(below) and url_has_allowed_host_and_scheme(then, allowed_hosts=None)
    return then if is_ours and ".." not in then else ""
