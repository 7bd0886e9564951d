"""Who calls the API: a person's session, or a partner tool's token."""

from datetime import timedelta
from typing import Any

from django.db.models import BooleanField, Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication as KnoxTokens
from knox.crypto import hash_token
from rest_framework import status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

from audit.clock import Now
from audit.context import origin
from partners.models import ApiToken
from rbac.access import Limits
from rbac.access_policy import LatestSignIn
from rbac.catalogue import Permission
from rbac.models import DelegationState, User
from rbac.partner_access import Evidence, Proof, evidence

TOLD_AGAIN = timedelta(minutes=1)  # how exactly `last_used_at` is kept; a write for every request would cost more


class CsrfFailed(APIException):
    """A session asks for a change without the token of our own pages."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "csrf_failed"
    default_detail = _("The request does not carry the page’s CSRF token.")


class PersonSession(SessionAuthentication):
    """The browser session of a person; changes need the CSRF token."""

    def authenticate_header(self, request: Any) -> str:
        return "Session"

    def enforce_csrf(self, request: Any) -> None:
        """Raises CsrfFailed."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise CsrfFailed from error


class TokenAuthentication(KnoxTokens):
    """`Authorization: Token trm_…`. The token acts as its holder, inside its relationship, with its scopes only.

    To a customer that asks its partners for more than a token, it shows how its holder signed in last, and the address
    that it is used from.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """The holder and the token.

        Raises AuthenticationFailed, always the same and after the same one query, whether it is unknown, expired,
        revoked, its relationship over or suspended, or its holder gone, as of now by the database's clock.
        """
        digest = hash_token(token.decode("ascii", "replace"))
        found = _live().filter(pk=digest).select_related("user__tenant", "user__latest_sign_in").first()
        if found is None:
            raise AuthenticationFailed
        if found.is_to_be_told:
            ApiToken.objects.filter(pk=digest).update(last_used_at=Now())
        found.user.limits = Limits(found.delegation_id, frozenset(Permission(code) for code in found.scopes))
        evidence.set(Evidence(found.user_id, _proof_of(found.user), origin.get().ip))
        return found.user, found


def _proof_of(user: User) -> Proof:
    """What a token shows of its holder: how he signed in last, on his own."""
    latest: LatestSignIn | None = getattr(user, "latest_sign_in", None)
    return Proof() if latest is None else latest.proof


def _live() -> Any:
    """The tokens that open something at this second; `is_to_be_told`: their use was not written down this minute."""
    is_fresh = When(last_used_at__gt=Now() - Value(TOLD_AGAIN), then=False)
    return ApiToken.objects.filter(
        Q(expiry__isnull=True) | Q(expiry__gt=Now()),
        Q(delegation__valid_until__isnull=True) | Q(delegation__valid_until__gt=Now()),
        revoked_at__isnull=True,
        user__is_active=True,
        delegation__state=DelegationState.ACTIVE,
        delegation__held_by=F("user__tenant"),
    ).annotate(is_to_be_told=Case(is_fresh, default=True, output_field=BooleanField()))
