"""Settings > Partners > Add partner: contacts, change control, rooms, terms, review, in this order.

Every button is a plain POST that keeps what was entered (drafts) and answers with a redirect, or with the same page and
what is wrong on it. A later step opens once all before it are done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners.forms import (
    BaseContactRows,
    ChangeControlForm,
    PartnerForm,
    TermsForm,
    contact_rows,
    mode_field,
    plain,
    row_number,
    rows_in,
)
from partners.models import Invitation, PartnerDraft, Terms
from partners.services import drafts
from partners.services.drafts import DraftChanged, DraftGone, Step
from partners.services.invitations import DEFAULT_DAYS
from rbac import access
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.gates import TenantRequest, require_whole, tenant_page
from rbac.upn import domain_of
from rooms.errors import EmptyScope
from rooms.models import ControlMode
from rooms.views.room_choice import RoomChoice
from rooms.views.wizard import Wizard as BaseWizard

ENTRIES = ("label", "expected_tid", "days", "domain", "last_day")  # of the first step, beside its contacts
LABELS = {
    Step.CONTACTS: gettext_lazy("Contacts"),
    Step.CHANGE_CONTROL: gettext_lazy("Change control"),
    Step.ROOMS: gettext_lazy("Rooms"),
    Step.TERMS: gettext_lazy("Terms"),
    Step.REVIEW: gettext_lazy("Review"),
}


@dataclass
class Wizard(BaseWizard[PartnerDraft]):
    """One request to one step."""

    step: Step
    terms: Terms | None

    labels = LABELS
    folder = "partners/add_partner"
    order = drafts.ORDER

    @property
    def open_step(self) -> Step:
        return drafts.first_open(self.draft, self.terms)

    def url(self, step: str) -> str:
        return reverse("add_partner_step", args=[self.request.customer.pk, str(step)])

    @property
    def home(self) -> str:
        return reverse("partners", args=[self.request.customer.pk])

    def crumbs(self) -> list[tuple[str, str]]:
        return [(_("Settings"), ""), (_("Partners"), self.home), (_("Add partner"), "")]


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_MODIFY)
def add_partner(request: TenantRequest) -> HttpResponse:
    """Go on where one left off; POST `discard`: start over, nothing is kept."""
    require_whole(request, Permission.SETTINGS_MODIFY)
    draft = drafts.of(request.person, request.customer)
    if request.method == "POST" and "discard" in request.POST:
        drafts.discard(draft)
        messages.info(request, _("Your draft has been discarded."))
        return redirect("partners", request.customer.pk)
    step = drafts.first_open(draft, drafts.current_terms())
    return redirect("add_partner_step", request.customer.pk, step.value)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.SETTINGS_MODIFY)
def add_partner_step(request: TenantRequest, step: str) -> HttpResponse:
    """One step; whoever jumps ahead is led to the first one that is not done."""
    require_whole(request, Permission.SETTINGS_MODIFY)
    if step not in Step.values:
        raise Http404
    wizard = Wizard(request, Step(step), drafts.of(request.person, request.customer), drafts.current_terms())
    is_sent = wizard.step is Step.REVIEW and request.method == "POST" and "add" in request.POST
    if wizard.is_ahead and not is_sent:
        return redirect(wizard.url(wizard.open_step))
    return _STEPS[wizard.step](wizard)


def _contacts(wizard: Wizard) -> HttpResponse:
    customer, request = wizard.request.customer, wizard.request
    if request.method == "POST":
        return _contacts_entered(wizard)
    data = wizard.draft.data
    rows = contact_rows(drafts.contacts_of(wizard.draft), customer, checked="check" in request.GET)
    entered = {name: data[name] for name in ENTRIES if name in data}
    return wizard.show(_contacts_context(wizard, rows, PartnerForm(initial=entered, customer=customer)))


def _contacts_entered(wizard: Wizard) -> HttpResponse:
    post = wizard.request.POST
    listed = rows_in(post, without=row_number(post.get("remove", "")))
    customer, is_next = wizard.request.customer, "next" in post
    by_domain = bool(plain(post.get("domain", ""))) and not listed
    rows = contact_rows(listed, customer, checked=not (is_next and by_domain))
    partner = PartnerForm(post, customer=customer, has_contacts=bool(listed))
    has_people = by_domain or rows.is_valid() if is_next or "add" in post else True
    is_valid = has_people and (not is_next or partner.is_valid())
    entries: dict[str, Any] = {name: plain(post.get(name, "")) for name in ENTRIES}
    if is_next and is_valid:
        day = partner.cleaned_data["last_day"]
        entries |= {
            "days": str(partner.cleaned_data["days"]),
            "domain": partner.cleaned_data["domain"],
            "last_day": "" if day is None else day.isoformat(),
        }
    wizard.keep({"contacts": listed, **entries}, is_complete=is_next and is_valid)
    if is_valid:
        return wizard.go_on()
    shown = partner if is_next else PartnerForm(initial=entries, customer=customer)
    return wizard.show(_contacts_context(wizard, rows, shown))


def _contacts_context(wizard: Wizard, rows: BaseContactRows, partner: PartnerForm) -> dict[str, Any]:
    return {"rows": rows, "partner": partner, "elsewhere": _invited_elsewhere(wizard)}


def _invited_elsewhere(wizard: Wizard) -> list[Invitation]:
    """Open invitations to other partners of this customer for people of the draft: no rule forbids it, but it is odd."""
    upns = [row["upn"].lower() for row in drafts.contacts_of(wizard.draft)]
    if not upns:
        return []
    pending = Invitation.objects.pending().filter(tenant=wizard.request.customer, upn__in=upns)
    found = access.visible(wizard.request.person, Permission.SETTINGS_VIEW, pending)
    return list(found.select_related("relationship").order_by("upn"))


def _change_control(wizard: Wizard) -> HttpResponse:
    post, modes = wizard.request.POST, drafts.policies_of(wizard.draft)
    form = ChangeControlForm(post or None, modes=modes)
    if wizard.request.method == "POST":
        offered = {event.value: post.get(mode_field(event)) for event in CONTROLLED_EVENTS}
        entered = {event: mode for event, mode in offered.items() if mode in ControlMode}
        is_valid = form.is_valid()
        wizard.keep({"policies": entered}, is_complete=is_valid and "next" in post)
        if is_valid or "next" not in post:
            return wizard.go_on()
    rows = [(event, form[mode_field(event)]) for event in CONTROLLED_EVENTS]
    return wizard.show({"form": form, "rows": rows, "modes": ControlMode})


def _rooms(wizard: Wizard) -> HttpResponse:
    post, scope = wizard.request.POST, drafts.scope_of(wizard.draft)
    choice, broken = RoomChoice(wizard.request, scope), None
    if wizard.request.method == "POST":
        scope = choice.known(choice.changed(post)) if "next" in post else choice.changed(post)
        was_done = Step.ROOMS.value in wizard.draft.data.get("done", ())
        wizard.keep({"scope": scope.as_data()}, is_complete=not scope.is_empty and ("next" in post or was_done))
        if not ("next" in post and scope.is_empty):
            return wizard.go_on()
        broken, choice = EmptyScope(), RoomChoice(wizard.request, scope)
    elif detour := choice.detour:
        return redirect(detour)
    actions = {"choice_actions": "partners/add_partner/actions.html", "broken": broken}
    return wizard.show(choice.context() | actions)


def _terms(wizard: Wizard) -> HttpResponse:
    post, terms = wizard.request.POST, wizard.terms
    if terms is None:
        return wizard.go_on() if "previous" in post or "cancel" in post else wizard.show({"form": None})
    agreed = wizard.open_step is Step.REVIEW
    form = TermsForm(post or None, terms=terms, initial={"agrees": agreed})
    if wizard.request.method == "POST":
        is_valid = form.is_valid()
        wizard.keep({"terms_version": terms.version if is_valid else None}, is_complete=is_valid)
        if is_valid or "next" not in post:
            return wizard.go_on()
    return wizard.show({"form": form, "terms": terms})


def _review(wizard: Wizard) -> HttpResponse:
    if wizard.request.method == "POST":
        return _send(wizard) if "add" in wizard.request.POST else wizard.go_on()
    return wizard.show(_review_context(wizard))


def _review_context(wizard: Wizard, broken: str = "") -> dict[str, Any]:
    draft = wizard.draft
    choice = RoomChoice(wizard.request, drafts.scope_of(draft))
    named = choice.rooms.filter(pk__in=choice.scope.rooms).order_by("display_name", "pk")
    contacts, domain = drafts.contacts_of(draft), draft.data.get("domain", "")
    return {
        "contacts": contacts,
        "domain": domain,
        "label": draft.data.get("label") or domain or domain_of(contacts[0]["upn"].lower()),
        "days": int(draft.data.get("days") or DEFAULT_DAYS),
        "last_day": drafts.last_day_of(draft),
        "elsewhere": _invited_elsewhere(wizard),
        "policies": drafts.policies_of(draft).items(),
        "chosen": choice.summary(),
        "room_names": list(named.values_list("display_name", "city")) if not choice.scope.all_rooms else [],
        "terms": wizard.terms,
        "urls": {step.name.lower(): wizard.url(step) for step in Step},
        "reviewed": drafts.fingerprint(draft),
        "broken": broken,
    }


def _send(wizard: Wizard) -> HttpResponse:
    request, customer = wizard.request, wizard.request.customer
    try:
        relationship = drafts.send(wizard.draft, by=request.person, reviewed=request.POST.get("reviewed", ""))
    except DraftGone:
        messages.info(
            request, _("There is nothing left to send: this partner was added already, or the draft discarded.")
        )
        return redirect("partners", customer.pk)
    except DraftChanged:
        messages.warning(request, _("What you entered was changed in another window. Review it once more."))
        return redirect("add_partner", customer.pk)
    except PermissionDenied:
        text = _("You cannot give a partner more than you hold yourself. Nothing was sent.")
        return wizard.show(_review_context(wizard, text), status=403)
    except ValidationError as error:
        return _mend(wizard, error)
    count = relationship.invitations.count()
    text = ngettext(
        "%(partner)s has been added. %(count)d invitation is on its way.",
        "%(partner)s has been added. %(count)d invitations are on their way.",
        count,
    )
    messages.success(request, text % {"partner": relationship.label, "count": count})
    return redirect("partner", customer.pk, relationship.pk)


def _mend(wizard: Wizard, error: ValidationError) -> HttpResponse:
    """Back to where it can be mended, with the message; everything entered stays."""
    step, text = drafts.mended_by(error), " ".join(error.messages)
    if step is Step.REVIEW:
        return wizard.show(_review_context(wizard, text), status=getattr(error, "status", 409))
    drafts.keep(wizard.draft, step, {}, is_complete=False)
    messages.error(wizard.request, text)
    return redirect(f"{wizard.url(step)}{'?check=1' if step is Step.CONTACTS else ''}")


_STEPS: dict[Step, Callable[[Wizard], HttpResponse]] = {
    Step.CONTACTS: _contacts,
    Step.CHANGE_CONTROL: _change_control,
    Step.ROOMS: _rooms,
    Step.TERMS: _terms,
    Step.REVIEW: _review,
}
