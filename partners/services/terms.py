"""The operator's terms: published in versions, never changed; a customer agrees to the newest."""

from django.core.exceptions import PermissionDenied
from django.db import connection

from audit.log import recording
from audit.models import Category, Operation
from partners.errors import EmptyTerms, UnchangedTerms
from partners.models import Terms
from rbac.models import User
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
        last = Terms.objects.order_by("-version").first()
        if last is not None and (last.text_en, last.text_de) == (text_en, text_de):
            raise UnchangedTerms
        terms = Terms.objects.create(version=last.version + 1 if last else 1, text_en=text_en, text_de=text_de)
        line.object_name = f"terms {terms.version}"
        line.after = {"version": terms.version, "sha256": terms.digest, "reason": reason}
    return terms


def _tidied(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
