"""Settings > Webhooks: the list, one webhook with the log of what was delivered, new, edit, another secret, delete."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.events import About, EventType
from partners.failures import said_of
from partners.services import webhooks as service
from partners.services.webhooks import Owner, kept_by
from partners.webhook_forms import RotationForm, WebhookForm, initial_events
from partners.webhooks import TEST, DeliveryState, OffReason, Webhook, WebhookDelivery
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, refuse, tenant_page
from rbac.paging import page

PAGE_SIZE = 20
NEEDS = (Permission.SETTINGS_MODIFY, Permission.ROLES_MODIFY)
BADGES = {
    DeliveryState.WAITING: ("info", "hourglass-split"),
    DeliveryState.DELIVERED: ("success", "check-circle-fill"),
    DeliveryState.UNDELIVERABLE: ("danger", "x-octagon"),
    DeliveryState.CANCELLED: ("neutral", "slash-circle"),
}
_PAGES = {About.TICKET: "ticket", About.APPROVAL: "approval"}


@require_safe
@tenant_page(*NEEDS)
def webhooks(request: TenantRequest) -> HttpResponse:
    """The webhooks that the person keeps here: the customer's own, or those of his organisation for this customer."""
    owner = _owner(request)
    if request.GET:
        raise BadRequest("unknown parameter")
    found = list(service.own(request.person, owner, request.held).order_by("created_at", "pk"))
    context = {
        "rows": [{"webhook": one, "badge": badge_of(one), "count": len(one.events)} for one in found],
        "of_partner": owner.delegation_id is not None,
        "is_full": len(found) >= service.MOST,
        "most": service.MOST,
        "add_url": reverse("webhook_add", args=[request.customer.pk]),
        "crumbs": [(_("Settings"), ""), (_("Webhooks"), "")],
    }
    return render(request, "partners/webhooks/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(*NEEDS)
def add(request: TenantRequest) -> HttpResponse:
    """A new webhook; its secret is shown this once."""
    owner = _owner(request)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = service.create(owner, by=request.person, **_entered(form))
        except ValidationError as error:
            _object(form, error)
        else:
            return _show_secret(request, made, secret)
    url = reverse("webhooks", args=[request.customer.pk])
    return render(
        request, "partners/webhooks/edit.html", {"form": form, "url": url, "crumbs": _crumbs(request, _("New webhook"))}
    )


@require_safe
@tenant_page(*NEEDS)
def webhook(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """One webhook, and what was delivered to it."""
    found = _find(request, webhook_id)
    state = request.GET.get("state", "")
    if set(request.GET) - {"state", "cursor"} or state not in ("", *DeliveryState.values):
        raise BadRequest("no such list")
    rows = WebhookDelivery.objects.filter(webhook=found)
    cursor = request.GET.get("cursor") or None
    listed = page(rows.filter(state=state) if state else rows, order=("-id",), cursor=cursor, size=PAGE_SIZE)
    start = f"?state={state}&" if state else "?"
    context = {
        "webhook": found,
        "badge": badge_of(found),
        "events": [EventType(one).label for one in found.events],
        "deliveries": [_row(request, one) for one in listed.items],
        "state": state,
        "states": DeliveryState.choices,
        "is_gone": found.off_reason == OffReason.GONE,
        "page": {
            "previous_url": f"{start}cursor={listed.previous}" if listed.previous else "",
            "next_url": f"{start}cursor={listed.next}" if listed.next else "",
            "shown_text": "",
        },
        "crumbs": _crumbs(request, found.name),
    }
    return render(request, "partners/webhooks/webhook.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(*NEEDS)
def edit(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Another address, other events."""
    found = _find(request, webhook_id)
    initial = {"url": found.url, "description": found.description, **initial_events(found.events)}
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            service.modify(found, by=request.person, **_entered(form))
        except ValidationError as error:
            _object(form, error)
        else:
            messages.success(request, _("The webhook is saved."))
            return redirect("webhook", request.customer.pk, found.pk)
    context = {
        "form": form,
        "webhook": found,
        "url": _place(request, found),
        "crumbs": _crumbs(request, found.name, _("Edit"), found),
    }
    return render(request, "partners/webhooks/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(*NEEDS)
def rotate(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Say what will happen, then show the new secret, this once."""
    found = _find(request, webhook_id)
    form = RotationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        grace = timedelta(hours=form.cleaned_data["grace"])
        secret = service.rotate(found, by=request.person, grace=grace)
        return _show_secret(request, found, secret)
    context = {
        "form": form,
        "webhook": found,
        "url": _place(request, found),
        "crumbs": _crumbs(request, found.name, _("New secret"), found),
    }
    return render(request, "partners/webhooks/rotate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(*NEEDS)
def delete(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Say what will happen, then delete."""
    found = _find(request, webhook_id)
    if request.method == "POST":
        service.delete(found, by=request.person)
        messages.success(request, _("The webhook “%(name)s” is deleted.") % {"name": found.name})
        return redirect("webhooks", request.customer.pk)
    context = {
        "webhook": found,
        "waiting": WebhookDelivery.objects.filter(webhook=found, state=DeliveryState.WAITING).count(),
        "url": _place(request, found),
        "crumbs": _crumbs(request, found.name, _("Delete"), found),
    }
    return render(request, "partners/webhooks/delete.html", context)


@require_POST
@tenant_page(*NEEDS)
def send_test(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """A test event; what came of it stands in the log."""
    found = _find(request, webhook_id)
    try:
        service.send_test(found, by=request.person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("A test event is on its way. Load this page again to see whether it has arrived."))
    return redirect("webhook", request.customer.pk, found.pk)


@require_POST
@tenant_page(*NEEDS)
def switch(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Turn it on or off."""
    found = _find(request, webhook_id)
    if request.POST.get("to") == "on":
        service.turn_on(found, by=request.person)
        messages.success(request, _("The webhook is on. What has waited is sent now."))
    else:
        service.turn_off(found, by=request.person)
        messages.success(request, _("The webhook is off. Nothing new is kept for it until you turn it on."))
    return redirect("webhook", request.customer.pk, found.pk)


@require_POST
@tenant_page(*NEEDS)
def redeliver(request: TenantRequest, webhook_id: UUID, event_id: UUID) -> HttpResponse:
    """The event is sent again, with the id it had."""
    found = _find(request, webhook_id)
    delivery = WebhookDelivery.objects.filter(webhook=found, event_id=event_id).first()
    if delivery is None:
        raise Http404
    delivery.webhook = found
    try:
        service.redeliver(delivery, by=request.person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The event is sent again, with the id it had."))
    return redirect("webhook", request.customer.pk, found.pk)


def badge_of(webhook: Webhook) -> dict[str, Any]:
    """Whether it works, as a badge."""
    if not webhook.is_active:
        is_chosen = webhook.off_reason in (OffReason.PERSON, OffReason.RESTORE)
        kind, icon = ("neutral", "pause-circle") if is_chosen else ("danger", "x-octagon")
        return {"kind": kind, "icon": icon, "label": OffReason(webhook.off_reason).label}
    if webhook.failing_since is not None:
        return {"kind": "warning", "icon": "exclamation-triangle-fill", "label": _("On, but attempts fail")}
    return {"kind": "success", "icon": "check-circle-fill", "label": _("On")}


def _row(request: TenantRequest, delivery: WebhookDelivery) -> dict[str, Any]:
    state, about = DeliveryState(delivery.state), About(delivery.about)
    kind, icon = BADGES[state]
    is_test = delivery.type == TEST
    place = _PAGES.get(about)
    number = f" #{delivery.object_id}" if about is About.TICKET else ""
    return {
        "delivery": delivery,
        "label": _("Test event") if is_test else EventType(delivery.type).label,
        "object": "" if is_test else f"{about.label}{number}",
        "url": reverse(place, args=[request.customer.pk, delivery.object_id]) if place else "",
        "badge": {"kind": kind, "icon": icon, "label": state.label},
        "failure": said_of(delivery.error),
        "is_waiting": state is DeliveryState.WAITING,
    }


def _owner(request: TenantRequest) -> Owner:
    """Whose webhooks the person keeps here. Raises PermissionDenied for who keeps none."""
    owner = kept_by(request.person, request.customer, request.held)
    if owner is None:
        is_home = request.person.tenant_id == request.customer.pk
        refuse(request, Permission.SETTINGS_MODIFY if is_home else Permission.ROLES_MODIFY)
    return owner


def _find(request: TenantRequest, webhook_id: UUID) -> Webhook:
    """One of them. Raises PermissionDenied, Http404."""
    found = service.own(request.person, _owner(request), request.held).filter(pk=webhook_id).first()
    if found is None:
        raise Http404
    return found


def _entered(form: WebhookForm) -> dict[str, Any]:
    return {
        "url": form.cleaned_data["url"],
        "description": form.cleaned_data["description"],
        "events": form.events,
    }


def _object(form: WebhookForm, error: ValidationError) -> None:
    """What the rules object to stands where it can be mended."""
    form.add_error("url" if getattr(error, "code", "") == "invalid_webhook_address" else None, error)


def _show_secret(request: TenantRequest, webhook: Webhook, secret: str) -> HttpResponse:
    context = {
        "webhook": webhook,
        "secret": secret,
        "url": _place(request, webhook),
        "crumbs": _crumbs(request, webhook.name, _("Secret"), webhook),
    }
    return render(request, "partners/webhooks/secret.html", context)


def _place(request: TenantRequest, webhook: Webhook) -> str:
    return reverse("webhook", args=[request.customer.pk, webhook.pk])


def _crumbs(request: TenantRequest, name: str, last: str = "", webhook: Webhook | None = None) -> list[tuple[str, str]]:
    crumbs = [(_("Settings"), ""), (_("Webhooks"), reverse("webhooks", args=[request.customer.pk]))]
    if webhook is None:
        return [*crumbs, (name, "")]
    return [*crumbs, (name, _place(request, webhook)), (last, "")]
