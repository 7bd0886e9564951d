"""The page between the password and the back office: a code from the authenticator app, which the first visit sets up."""

from typing import cast

import segno
from django import forms
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import DEVICE_ID_SESSION_KEY, login
from django_otp.plugins.otp_totp.models import TOTPDevice

from rbac.models import User
from rbac.services import accounts, second_factor


class CodeForm(forms.Form):
    """The six digits of this moment."""

    code = forms.CharField(
        label=_("Code"),
        min_length=6,
        max_length=6,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}),
        help_text=_("Six digits from your authenticator app."),
    )


def is_proven(request: HttpRequest) -> bool:
    """Whether this session has shown the second factor, if one is asked for at all."""
    if not settings.SUPPORT_SECOND_FACTOR:
        return True
    device = second_factor.device_of(cast(User, request.user))
    return device is not None and request.session.get(DEVICE_ID_SESSION_KEY) == device.persistent_id


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the code; the first time, with what the app has to be told."""
    person = cast(User, request.user)
    if not accounts.is_support(person):
        raise Http404
    known = second_factor.device_of(person)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        check = second_factor.confirm if known is None else second_factor.verify
        try:
            login(request, check(person, form.cleaned_data["code"]))
        except ValidationError as error:
            form.add_error("code", error)
        else:
            request.session.cycle_key()
            return redirect(_wanted(request))
    context = {"form": form, "next": request.GET.get(REDIRECT_FIELD_NAME, "")}
    if known is None:
        context |= _to_set_up(second_factor.prepare(person))
    return render(request, "registration/second_factor.html", context, status=400 if form.errors else 200)


def _to_set_up(device: TOTPDevice) -> dict[str, object]:
    drawing = segno.make(device.config_url, error="m").svg_inline(scale=4, border=2, dark="#000", light="#fff")
    secret = device.config_url.partition("secret=")[2].partition("&")[0]
    return {"drawing": mark_safe(drawing), "secret": secret}  # noqa: S308 - drawn here, from our own address


def _wanted(request: HttpRequest) -> str:
    """Where the person wanted to go, in the back office only."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME, "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(reverse("admin:index"))
    return wanted if is_ours else reverse("admin:index")
