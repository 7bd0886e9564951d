"""The root of all errors that say: allowed, but against a rule."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from audit.outbox import Parcel


class RuleBroken(ValidationError):
    """A change that the actor may ask for, but that a rule forbids.

    `code` is stable and part of the API; `status` is the HTTP status the API answers with. `parcels` are outbox
    messages that must leave although the change itself was rolled back (the customer is told of a refused link).
    """

    code: str = "rule_broken"
    status: ClassVar[int] = 409
    text: ClassVar[object] = ""

    def __init__(self, message: object = None, *, params: dict | None = None, parcels: Sequence["Parcel"] = ()) -> None:
        super().__init__(message or self.text, code=self.code, params=params or {"upn": ""})
        self.parcels = tuple(parcels)
