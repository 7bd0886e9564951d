"""Who calls the API: a person's session, or a partner tool's token."""

from typing import Any

from django.db.models import Q
from knox.auth import TokenAuthentication as KnoxTokens
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from audit.clock import Now
from partners.models import ApiToken
from rbac.access import Limits
from rbac.catalogue import Permission
from rbac.models import DelegationState, User


class PersonSession(SessionAuthentication):
    """The browser session of a person; changes need the CSRF token."""

    def authenticate_header(self, request: Any) -> str:
        return "Session"


class TokenAuthentication(KnoxTokens):
    """`Authorization: Token trm_…`. The token acts as its holder, inside its relationship, with its scopes only."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """The holder and the token. Raises AuthenticationFailed if it is unknown, expired or revoked, as of now."""
        if not token.isascii():
            raise AuthenticationFailed
        user, found = super().authenticate_credentials(token)
        live = ApiToken.objects.filter(
            Q(expiry__isnull=True) | Q(expiry__gt=Now()),
            pk=found.pk,
            revoked_at__isnull=True,
            delegation__state=DelegationState.ACTIVE,
        )
        if not live.update(last_used_at=Now()):
            raise AuthenticationFailed
        user.limits = Limits(found.delegation_id, frozenset(Permission(code) for code in found.scopes))
        return user, found

    def _cleanup_token(self, auth_token: ApiToken) -> bool:
        """Nothing is deleted by this machine's clock, which may be hours off; the database's decides above."""
        return False
