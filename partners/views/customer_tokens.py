"""Customers > customer > API tokens: one's own, listed, issued, revoked. The secret is on one page, once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.clock import now
from partners.customer_gate import PartnerRequest, own_tokens_page
from partners.forms import LineField
from partners.models import ApiToken
from partners.services import tokens as service
from partners.services.tokens import MAX_DAYS
from partners.views.customers import crumbs_of
from rbac import gates
from rbac.catalogue import Permission
from rbac.paging import page

DEFAULT_DAYS = 90


class TokenForm(forms.Form):
    """A new token: what it is for, what it may do, how long it lives."""

    name = LineField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What the token is for, like “Ticket bridge”."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("What a tool with this token may do, as long as you may do it yourself."),
        error_messages={"required": gettext_lazy("Choose at least one permission.")},
    )
    days = forms.IntegerField(
        label=gettext_lazy("Days"),
        initial=DEFAULT_DAYS,
        min_value=1,
        max_value=MAX_DAYS,
        help_text=gettext_lazy("After so many days the token opens nothing any more."),
        widget=forms.NumberInput(attrs={"class": "short"}),
    )

    def __init__(self, *args: Any, held: list[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(one.value, one.full_label) for one in held]  # type: ignore[attr-defined]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@own_tokens_page
def tokens(request: PartnerRequest) -> HttpResponse:
    """One's own tokens for this customer. POST issues one; the answer is the only page that shows its secret."""
    if request.method == "POST" and not request.is_active:
        raise Http404
    if request.method == "POST" and not request.held:  # issuing one is work for the customer
        gates.enter(request, request.about.pk)
    held = [code for code in Permission if any(code in one.permissions for one in request.held)]
    form = TokenForm(request.POST if request.method == "POST" else None, held=held)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            token, secret = service.issue(
                request.delegation,
                data["name"],
                by=request.person,
                scopes={Permission(code) for code in data["scopes"]},
                lifetime=timedelta(days=data["days"]),
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _issued(request, token, secret)
    return _list(request, form)


def _issued(request: PartnerRequest, token: ApiToken, secret: str) -> HttpResponse:
    context = {
        "tenant": request.about,
        "token": token,
        "secret": secret,
        "scopes": _labels(token),
        "crumbs": crumbs_of(request, _("API tokens")),
    }
    return render(request, "partners/customers/token_issued.html", context)


def _labels(token: ApiToken) -> list[str]:
    return [str(code.full_label) for code in Permission if code.value in token.scopes]


def _list(request: PartnerRequest, form: TokenForm) -> HttpResponse:
    own = service.held_by(request.person, request.delegation.pk)
    found = page(own, order=("-created", "-token_key"), cursor=request.GET.get("cursor") or None, size=25)
    count, at = len(found.items), now()
    context = {
        "tenant": request.about,
        "is_active": request.is_active,
        "form": form,
        "rows": [
            {"token": one, "scopes": _labels(one), "is_over": one.expiry and one.expiry <= at} for one in found.items
        ],
        "page": {
            "previous_url": f"?cursor={found.previous}" if found.previous else "",
            "next_url": f"?cursor={found.next}" if found.next else "",
            "shown_text": ngettext("%(count)d token", "%(count)d tokens", count) % {"count": count},
        },
        "crumbs": crumbs_of(request, _("API tokens")),
    }
    return render(request, "partners/customers/tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@own_tokens_page
def revoke(request: PartnerRequest, prefix: str) -> HttpResponse:
    """GET asks once more; POST revokes one's own token."""
    own = service.held_by(request.person, request.delegation.pk).select_related("delegation")
    token = own.filter(token_key=prefix).first()
    if token is None:
        raise Http404
    if request.method == "POST":
        service.revoke(token, by=request.person)
        messages.success(request, _("The token “%(name)s” opens nothing any more.") % {"name": token.name})
        return redirect("customer_tokens", request.about.pk)
    context = {
        "tenant": request.about,
        "token": token,
        "back_url": reverse("customer_tokens", args=[request.about.pk]),
        "crumbs": crumbs_of(request, _("Revoke a token")),
    }
    return render(request, "partners/customers/token_revoke.html", context)
