"""Settings > Notifications: who is told of what, a test mail, and how mails look."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.mail import Letter
from partners.settings_forms import BrandingForm, NotificationForm
from rbac import access, letters, sample_mail
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, require_whole, tenant_page
from rbac.services import branding, notifications
from rbac.services.branding import Branding
from rbac.services.notifications import Choice, Event

TABS = {"settings_notifications": gettext_lazy("Who is told"), "settings_mail": gettext_lazy("Look of mails")}
# The page is a mail, not one of ours: nothing in it runs, and it reaches nothing of the portal.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def chosen(request: TenantRequest) -> HttpResponse:
    """Every event with whom it is told to; saved as a whole."""
    require_whole(request, Permission.SETTINGS_VIEW)
    may_modify = access.holds_all(request.held, Permission.SETTINGS_MODIFY, request.customer.pk)
    if request.method == "POST":
        require_whole(request, Permission.SETTINGS_MODIFY)
    kept = notifications.choices_of(request.customer)
    form = NotificationForm(request.POST if request.method == "POST" else None, choices=kept, may_modify=may_modify)
    if request.method == "POST" and form.is_valid() and _save(request, form):
        return redirect("settings_notifications", request.customer.pk)
    context = {
        "form": form,
        "rows": form.rows(),
        "admins": list(notifications.admins_of(request.customer)),
        "may_modify": may_modify,
        "limit": notifications.MOST_ADDRESSES,
    }
    return _show(request, "settings_notifications", "partners/settings/notifications.html", context)


def _save(request: TenantRequest, form: NotificationForm) -> bool:
    """Whether it is saved; each event's objection stands at its addresses."""
    choices = {event: form.choice_of(event) for event in Event}
    for event, choice in choices.items():
        try:
            notifications.check(choice)
        except ValidationError as error:
            form.add_error(f"addresses_{event.name.lower()}", error)
    if form.errors:
        return False
    notifications.change(request.customer, choices, by=request.person)
    messages.success(request, _("The notifications are saved.") + _silent(choices))
    return True


def _silent(choices: Mapping[Event, Choice]) -> str:
    if all(one.is_silent for one in choices.values()):
        return " " + _("Nobody is told of anything.")
    return ""


@require_POST
@tenant_page(Permission.SETTINGS_VIEW)
def send_test(request: TenantRequest) -> HttpResponse:
    """A test mail to oneself."""
    require_whole(request, Permission.SETTINGS_MODIFY)
    try:
        notifications.send_test(request.customer, by=request.person)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("A test mail to %(upn)s is on its way.") % {"upn": request.person.upn})
    place = "settings_mail" if "look" in request.POST else "settings_notifications"
    return redirect(place, request.customer.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_VIEW)
def look(request: TenantRequest) -> HttpResponse:
    """Sender, colour and footer of mails, with a mail in each language as it would be."""
    require_whole(request, Permission.SETTINGS_VIEW)
    may_modify = access.holds_all(request.held, Permission.SETTINGS_MODIFY, request.customer.pk)
    if request.method == "POST":
        require_whole(request, Permission.SETTINGS_MODIFY)
    brand = branding.of(request.customer)
    form = BrandingForm(request.POST if request.method == "POST" else None, initial=vars(brand))
    if request.method == "POST" and form.is_valid():
        try:
            branding.change(request.customer, form.brand, by=request.person)
        except ValidationError as error:
            form.add_error(_FIELDS.get(str(getattr(error, "code", ""))), error)
        else:
            messages.success(request, _("Mails look like this from now on."))
            return redirect("settings_mail", request.customer.pk)
    if not may_modify:
        for field in form.fields.values():
            field.disabled = True
    samples = [
        {"language": str(label), "letter": _sample(request, code, brand), "url": _preview_url(request, code)}
        for code, label in settings.LANGUAGES
    ]
    context = {"form": form, "samples": samples, "may_modify": may_modify}
    return _show(request, "settings_mail", "partners/settings/mail.html", context)


_FIELDS = {
    "invalid_sender": "sender_name",
    "invalid_accent": "accent",
    "low_contrast": "accent",
    "invalid_footer": "footer",
}


@require_safe
@tenant_page(Permission.SETTINGS_VIEW)
def preview(request: TenantRequest, language: str) -> HttpResponse:
    """The mail itself, as it is sent in `language`: a page without any power."""
    require_whole(request, Permission.SETTINGS_VIEW)
    if language not in dict(settings.LANGUAGES):
        raise BadRequest("unknown language")
    answer = HttpResponse(_sample(request, language, branding.of(request.customer)).html)
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    return answer


def _sample(request: TenantRequest, language: str, brand: Branding) -> Letter:
    facts = sample_mail.facts_of(request.person, request.customer)
    return letters.written(
        sample_mail.TEMPLATE,
        request.person.upn,
        language,
        request.customer,
        facts,
        brand,
        subject=sample_mail.SUBJECT,
        button=sample_mail.BUTTON,
    )


def _preview_url(request: TenantRequest, language: str) -> str:
    return reverse("settings_mail_preview", args=[request.customer.pk, language])


def _show(request: TenantRequest, name: str, template: str, context: dict[str, Any]) -> HttpResponse:
    tabs = [
        {"label": label, "url": reverse(place, args=[request.customer.pk]), "current": place == name}
        for place, label in TABS.items()
    ]
    crumbs = [(_("Settings"), ""), (_("Notifications"), "")]
    return render(request, template, context | {"tabs": tabs, "crumbs": crumbs})
