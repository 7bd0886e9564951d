"""What somebody has entered in *Add partner* so far: kept as typed, for him alone, until it is sent or discarded.

A draft changes nothing of the tenant, so it leaves no audit line; sending it does. Entries are plain JSON of the steps
below; what they mean is decided when they are sent, by the services that decide it for everybody.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction

from partners.models import PartnerDraft, PartnerRelationship, Terms
from partners.services import relationships
from partners.services import terms as terms_service
from partners.services.invitations import DEFAULT_DAYS, Contact
from partners.services.relationships import Proposal
from rbac import days, drafts
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.drafts import DraftChanged, DraftGone, discard, fingerprint
from rbac.letters import zone_of
from rbac.models import Tenant, User
from rooms.models import ControlMode
from rooms.scopes import Scope

__all__ = ["DraftChanged", "DraftGone", "discard", "fingerprint"]  # what every wizard shares, for the views of this one


class Step(models.TextChoices):
    """The steps, in the order of the product contract."""

    CONTACTS = "contacts"
    CHANGE_CONTROL = "change-control"
    ROOMS = "rooms"
    TERMS = "terms"
    REVIEW = "review"


ORDER = tuple(Step)

# Which step can mend what the services refuse; everything else is shown where it happened, at the review.
_MENDED_BY = {
    "no_contact": Step.CONTACTS,
    "duplicate_contact": Step.CONTACTS,
    "own_person": Step.CONTACTS,
    "not_a_person": Step.CONTACTS,
    "already_invited": Step.CONTACTS,
    "already_primary_admin": Step.CONTACTS,
    "upn_character": Step.CONTACTS,
    "upn_form": Step.CONTACTS,
    "upn_guest": Step.CONTACTS,
    "invalid_lifetime": Step.CONTACTS,
    "unknown_domain": Step.CONTACTS,
    "domain_or_people": Step.CONTACTS,
    "own_tenant": Step.CONTACTS,
    "end_in_past": Step.CONTACTS,
    "end_too_far": Step.CONTACTS,
    "empty_scope": Step.ROOMS,
    "unknown_rooms": Step.ROOMS,
    "terms_changed": Step.TERMS,
    "terms_not_accepted": Step.TERMS,
}


def kept_by(user: User, tenant: Tenant) -> PartnerDraft | None:
    """What `user` has entered for `tenant`, or None."""
    return PartnerDraft.objects.filter(tenant=tenant, user=user).first()


def of(user: User, tenant: Tenant) -> PartnerDraft:
    """What `user` has entered for `tenant`; a new, empty draft if nothing is kept (it is not stored yet)."""
    return kept_by(user, tenant) or PartnerDraft(tenant=tenant, user=user)


def keep(draft: PartnerDraft, step: Step, entries: Mapping[str, Any], *, is_complete: bool) -> PartnerDraft:
    """`entries` are stored with the draft, and whether `step` is done; entries of other steps stay as they are."""
    return drafts.keep(draft, step.value, entries, is_complete=is_complete)


def contacts_of(draft: PartnerDraft) -> list[dict[str, str]]:
    """The rows as they were typed."""
    return list(draft.data.get("contacts", ()))


def scope_of(draft: PartnerDraft) -> Scope:
    """The rooms chosen so far."""
    return Scope.from_data(draft.data.get("scope", {}))


def policies_of(draft: PartnerDraft) -> dict[Permission, ControlMode]:
    """The mode of each controlled event; *auto* where nothing was chosen."""
    chosen = draft.data.get("policies", {})
    return {event: ControlMode(chosen.get(event.value, ControlMode.AUTO)) for event in CONTROLLED_EVENTS}


def current_terms() -> Terms | None:
    """What a customer agrees to today; None until support staff have published something."""
    return terms_service.current()


def first_open(draft: PartnerDraft, terms: Terms | None) -> Step:
    """The first step that is not done; *review* when all are. `terms` are today's: older ones have to be read again."""
    done = draft.data.get("done", ())
    agreed = terms is not None and draft.data.get("terms_version") == terms.version
    for step in ORDER[:-1]:
        is_empty = step is Step.ROOMS and scope_of(draft).is_empty
        if step.value not in done or is_empty or (step is Step.TERMS and not agreed):
            return step
    return Step.REVIEW


def proposal_of(draft: PartnerDraft) -> Proposal:
    """The draft, all of whose steps are done, as a proposal."""
    data = draft.data
    tid = str(data.get("expected_tid", "")).strip()
    scope, last_day = scope_of(draft), last_day_of(draft)
    return Proposal(
        contacts=[
            Contact(row.get("name", ""), row.get("upn", ""), row.get("delivery_address", ""))
            for row in contacts_of(draft)
        ],
        scope=Scope(all_rooms=True) if scope.all_rooms else scope,
        terms_version=int(data.get("terms_version") or 0),
        agrees=Step.TERMS.value in data.get("done", ()),
        policies=policies_of(draft),
        days=int(data.get("days") or DEFAULT_DAYS),
        label=str(data.get("label", "")),
        domain=str(data.get("domain", "")),
        expected_tid=UUID(tid) if tid else None,
        valid_until=None if last_day is None else days.end_of(last_day, zone_of(draft.tenant)),
    )


def last_day_of(draft: PartnerDraft) -> date | None:
    """The last day of the partnership, in the customer's time zone; None for no end, or for what is no day (yet)."""
    try:
        return date.fromisoformat(str(draft.data.get("last_day", "")))
    except ValueError:
        return None


def send(draft: PartnerDraft, *, by: User, reviewed: str) -> PartnerRelationship:
    """The partner is added as drafted and the draft is gone, in one transaction: sending twice adds one partner.

    `reviewed` is the fingerprint of what was on the page. Raises DraftGone if the draft was sent or discarded before,
    DraftChanged if it is not what was reviewed, and what `relationships.add` raises; the draft is kept then.
    """
    with transaction.atomic():
        current = drafts.hold_reviewed(draft, reviewed)
        if current.user_id != by.pk or first_open(current, current_terms()) is not Step.REVIEW:
            raise DraftChanged
        # Caught inside the block: the transaction goes on, and with it the audit line of the failure.
        try:
            relationship = relationships.add(draft.tenant, proposal_of(current), by=by)
        except (ValidationError, PermissionDenied) as error:
            refused: Exception = error
        else:
            current.delete()
            return relationship
    raise refused


def mended_by(error: ValidationError) -> Step:
    """The step where the person can mend what was refused."""
    return _MENDED_BY.get(str(getattr(error, "code", "")), Step.REVIEW)
