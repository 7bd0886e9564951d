"""What somebody has entered in a wizard so far: a row per person and tenant, kept as typed until it is sent or discarded.

A draft changes nothing of the tenant, so it leaves no audit line; sending it does. Each wizard has its model (a subclass
of `Draft`), its steps and its own sending; what they share is here.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from audit.errors import RuleBroken
from rbac.models import Tenant, User


class Draft(models.Model):
    """Entries of a wizard as plain JSON; `data["done"]` names the steps that are done."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    data = models.JSONField(default=dict)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.user} → {self.tenant}"

    @property
    def whose(self) -> dict[str, Any]:
        """What identifies it, stored or not."""
        return {"tenant": self.tenant, "user": self.user}


class DraftGone(RuleBroken):
    """It was sent (a second click), or discarded in another window."""

    code = "draft_gone"
    text = "The draft is gone."  # for the log; the page says it in its own words


class DraftChanged(RuleBroken):
    """It was changed in another window after it was reviewed."""

    code = "draft_changed"
    text = "The draft has changed."


D = TypeVar("D", bound=Draft)


def stored(draft: D) -> D | None:
    """The draft as it is kept, None if it is not."""
    kept: D | None = type(draft)._default_manager.filter(**draft.whose).first()
    return kept


def keep(draft: D, step: str, entries: Mapping[str, Any], *, is_complete: bool) -> D:
    """`entries` are stored with the draft, and whether `step` is done; entries of other steps stay as they are."""
    with transaction.atomic():
        current, _made = type(draft)._default_manager.select_for_update().get_or_create(**draft.whose)
        had = {*current.data.get("done", ())}
        done = had | {step} if is_complete else had - {step}
        current.data = {**current.data, **entries, "done": sorted(done)}
        current.save()
    kept: D = current
    return kept


def discard(draft: Draft) -> None:
    """Nothing of it is kept."""
    type(draft)._default_manager.filter(**draft.whose).delete()


def fingerprint(draft: Draft) -> str:
    """What identifies these very entries of this very draft, so that only what was reviewed is sent."""
    return hashlib.sha256(f"{draft.pk} {json.dumps(draft.data, sort_keys=True)}".encode()).hexdigest()


def hold_reviewed(draft: D, reviewed: str) -> D:
    """The draft, held until the transaction ends, if it is what was `reviewed`. Raises DraftGone, DraftChanged."""
    current: D | None = type(draft)._default_manager.select_for_update().filter(**draft.whose).first()
    if current is None:
        raise DraftGone
    if fingerprint(current) != reviewed:
        raise DraftChanged
    return current
