"""What can go wrong between a tool and the portal."""

from __future__ import annotations

from rooms_portal.models import ProblemDetail


class PortalError(Exception):
    """The root of everything that this package raises."""


class Unreachable(PortalError):
    """No answer, after all tries: the portal is away, or the way there."""


class Problem(PortalError):
    """The portal's answer is no success. Decide by `code`, which never changes; `detail` is for people."""

    def __init__(
        self, status: int, code: str, detail: str, errors: list[ProblemDetail] | None = None, sign_in_url: str = ""
    ) -> None:
        self.status, self.code, self.detail, self.errors = status, code, detail, errors or []
        # Of `step_up_required`: where the person who made the token signs in as the customer asks; then the tool goes on.
        self.sign_in_url = sign_in_url
        super().__init__(f"{status} {code}: {detail}")
