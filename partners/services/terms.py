"""The operator's terms: published in versions, never changed; a customer agrees to the newest.

Who adds a partner agrees as part of it. Once a newer version is published, the customer is asked again at its next change
of a partner (`require_accepted`), unless somebody agreed before.
"""

import difflib
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import connection

from audit import outbox
from audit.clock import now
from audit.log import recording
from audit.models import Category, Operation
from partners.errors import EmptyTerms, TermsChanged, UnchangedTerms
from partners.models import Terms, TermsAcceptance
from partners.parcels import terms_notice
from rbac.access import require
from rbac.catalogue import Permission
from rbac.errors import TermsWaiting
from rbac.models import Tenant, User
from rbac.services.accounts import is_support


def publish(text_en: str, text_de: str, *, by: User | None, reason: str = "") -> Terms:
    """A new version of the terms, which every customer agrees to from now on. `by` is None for the command line.

    Raises PermissionDenied unless support staff ask, EmptyTerms if a language is missing, UnchangedTerms if the newest
    version says the same.
    """
    with recording(Category.SETTINGS, Operation.CREATE, "terms", tenant=None, by=by) as line:
        if by is not None and not is_support(by):
            raise PermissionDenied
        with connection.cursor() as cursor:  # two versions at once come one after the other; reading goes on
            cursor.execute("LOCK TABLE partners_terms IN SHARE ROW EXCLUSIVE MODE")
        text_en, text_de = _tidied(text_en), _tidied(text_de)
        if not (text_en and text_de):
            raise EmptyTerms
        last = Terms.objects.newest()
        if last is not None and (last.text_en, last.text_de) == (text_en, text_de):
            raise UnchangedTerms
        terms = Terms.objects.create(version=last.version + 1 if last else 1, text_en=text_en, text_de=text_de)
        line.object_name = f"terms {terms.version}"
        outbox.leave(terms_notice(terms))
        line.after = {"version": terms.version, "sha256": terms.digest, "reason": reason}
    return terms


def current() -> Terms | None:
    """What a customer agrees to today; None until support staff have published something."""
    return Terms.objects.newest()


def require_accepted(tenant: Tenant) -> None:
    """Pass unless newer terms wait for `tenant`'s agreement. Raises TermsWaiting."""
    if Terms.objects.waiting_for(tenant) is not None:
        raise TermsWaiting


def accept(tenant: Tenant, version: int, *, by: User) -> TermsAcceptance:
    """`tenant` has agreed to `version` of the terms, the newest one; agreeing again gives the same answer.

    Raises PermissionDenied if `by` may not modify settings here, TermsChanged if there is a newer version.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, f"terms {version}", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        terms = current()
        if terms is None or terms.version != version:
            raise TermsChanged
        acceptance, is_new = note(tenant, terms, by=by)
        line.is_void = not is_new  # a second click
        line.after = {"version": terms.version, "sha256": terms.digest}
    return acceptance


def note(tenant: Tenant, terms: Terms, *, by: User) -> tuple[TermsAcceptance, bool]:
    """That `tenant` agreed to `terms` is kept, and whether that is new; a step of a change which has asked."""
    return TermsAcceptance.objects.get_or_create(
        tenant=tenant,
        version=terms.version,
        defaults={"digest": terms.digest, "accepted_by": by.upn, "accepted_at": now()},
    )


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of the terms, and whether a version brought it or dropped it."""

    text: str
    is_new: bool


def differences(tenant: Tenant, newest: Terms) -> list[Paragraph]:
    """What `newest` brings and drops, in the reader's language, against the version `tenant` agreed to last."""
    last = TermsAcceptance.objects.filter(tenant=tenant, version__lt=newest.version).order_by("-version").first()
    old = Terms.objects.filter(version=last.version).first() if last is not None else None
    if old is None:
        return []
    compared = difflib.ndiff(_paragraphs(old.text), _paragraphs(newest.text))
    return [Paragraph(line[2:], line[0] == "+") for line in compared if line[0] in "+-"]


def _paragraphs(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split("\n\n") if one.strip()]


def _tidied(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
