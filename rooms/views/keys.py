"""Settings > Enrolment keys: the current key, earlier versions, download, reset. The rules are in services/keys.py."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.clock import now
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, require_whole, tenant_page
from rbac.paging import page
from rooms.errors import KeyUnreadable, NoKey, TooManyDownloads
from rooms.models import Device, EnrollmentKey
from rooms.services import keys as service

PAGE_SIZE = 20
NEEDS = (Permission.ROOMS_DOWNLOAD_KEY, Permission.ROOMS_RESET_KEY)


class ResetForm(forms.Form):
    """How long the old key goes on enrolling."""

    grace = forms.IntegerField(
        label=gettext_lazy("Hours for which the old key goes on enrolling"),
        min_value=0,
        max_value=72,
        initial=0,
        help_text=gettext_lazy(
            "0 if the key may be in the wrong hands. Up to 72 if devices are being set up with it right now."
        ),
    )


@require_safe
@tenant_page(*NEEDS)
def keys(request: TenantRequest) -> HttpResponse:
    """The current key with its fingerprint, the earlier versions, and what the person may do."""
    if set(request.GET) - {"cursor"}:
        raise BadRequest("unknown parameter")
    own = EnrollmentKey.objects.filter(tenant=request.customer)
    earlier = page(
        own.filter(stops_at__isnull=False),
        order=("-version",),
        cursor=request.GET.get("cursor") or None,
        size=PAGE_SIZE,
    )
    may_download = access.holds_all(request.held, Permission.ROOMS_DOWNLOAD_KEY, request.customer.pk)
    return render(
        request,
        "rooms/keys/keys.html",
        {
            "key": own.filter(stops_at__isnull=True).first(),
            "earlier": earlier.items,
            "now": now(),
            "page": {
                "previous_url": f"?cursor={earlier.previous}" if earlier.previous else None,
                "next_url": f"?cursor={earlier.next}" if earlier.next else None,
                "shown_text": "",
            },
            "may_download": may_download,
            "may_reset": access.holds_all(request.held, Permission.ROOMS_RESET_KEY, request.customer.pk),
            "agent_url": f"{settings.PUBLIC_URL}/api/agent/v1/",
            "reset_url": reverse("keys_reset", args=[request.customer.pk]),
            "crumbs": [(_("Settings"), ""), (_("Enrolment keys"), "")],
        },
    )


@require_POST
@tenant_page(*NEEDS)
def download(request: TenantRequest) -> HttpResponse:
    """The key as a small text file; why not, on the page, if it cannot be had."""
    try:
        key, secret = service.download(request.customer, by=request.person)
    except (NoKey, TooManyDownloads, KeyUnreadable) as error:
        messages.error(request, " ".join(error.messages))
        return redirect("keys", request.customer.pk)
    answer = HttpResponse(service.file_of(key, secret), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="enrolment-key-{key.version}.txt"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(*NEEDS)
def reset(request: TenantRequest) -> HttpResponse:
    """Say what will happen, then issue a new version."""
    require_whole(request, Permission.ROOMS_RESET_KEY)
    current = EnrollmentKey.objects.filter(tenant=request.customer, stops_at__isnull=True).first()
    form = ResetForm(request.POST if request.method == "POST" and current is not None else None)
    if request.method == "POST" and (current is None or form.is_valid()):
        hours = form.cleaned_data["grace"] if current is not None else 0
        made = service.reset(request.customer, by=request.person, grace=timedelta(hours=hours))
        messages.success(request, _("Version %(version)s of the enrolment key is there.") % {"version": made.version})
        return redirect("keys", request.customer.pk)
    url = reverse("keys", args=[request.customer.pk])
    context = {
        "form": form,
        "key": current,
        "devices": Device.objects.filter(tenant=request.customer, revoked_at__isnull=True).count(),
        "url": url,
        "crumbs": [
            (_("Settings"), ""),
            (_("Enrolment keys"), url),
            (_("Reset key") if current else _("Issue the key"), ""),
        ],
    }
    return render(request, "rooms/keys/reset.html", context)
