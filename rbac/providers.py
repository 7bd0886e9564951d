"""The OpenID providers at which people sign in at home: Microsoft Entra ID for many tenants, and one generic provider.

What a provider says of a person becomes an `Identity` (sign_in.py) here and nowhere else: (tid, oid), the UPN from the
claim `upn` and from no other, whether the person is a member at home or a guest. Signature, issuer, audience, nonce,
state and age of the token are social-auth's to check; what differs for a multi-tenant issuer is added.
"""

import json
from typing import Any
from uuid import UUID, uuid5

import jwt
from django.conf import settings
from social_core.backends.open_id_connect import OpenIdConnectAuth

from rbac.partner_access import Condition
from rbac.sign_in import Identity, SignInRefused

PERSONAL_ACCOUNTS = UUID("9188040d-6c67-4c5b-b112-36a304b66dad")  # Microsoft's tenant of personal accounts
_GUEST = "#ext#"  # stands in the UPN of a guest, in the directory that he visits


class HomeProvider(OpenIdConnectAuth):
    """What both have in common: PKCE, a nonce, and claims from the ID token alone."""

    DEFAULT_USE_PKCE = True
    DEFAULT_SCOPE = ["openid", "profile"]
    # What somebody who signs in again is to show (a customer asks its partners for it), and who he is, if that is known.
    asked_for: frozenset[Condition] = frozenset()
    asked_upn = ""

    def auth_params(self, state: str | None = None) -> dict[str, str]:
        """As social-auth's, with what is asked for. The provider may do otherwise: what it did stands in its token."""
        params: dict[str, str] = super().auth_params(state)
        contexts = sorted(settings.MFA_CONTEXTS) if Condition.MFA in self.asked_for else []
        if Condition.SIGN_IN_AGE in self.asked_for or (Condition.MFA in self.asked_for and not contexts):
            params |= {"prompt": "login", "max_age": "0"}  # a second factor is asked for at a fresh sign-in, if ever
        if contexts:
            params |= self._of_contexts(contexts)
        return params | {"login_hint": self.asked_upn} if self.asked_upn else params

    def _of_contexts(self, contexts: list[str]) -> dict[str, str]:
        return {"acr_values": " ".join(contexts)}

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The claims of the ID token, whose signature was checked; no other answer of the provider is asked."""
        return dict(self.id_token or {})

    def identity(self) -> Identity:
        """Who has signed in. Raises SignInRefused, with what is missing."""
        claims = self.id_token or {}
        upn = claims.get(self.upn_claim)
        if not isinstance(upn, str) or not upn:
            raise SignInRefused("upn_missing")
        tid, oid = self._ids(claims)
        name = claims.get("name")
        is_home_member = self._is_home_member(claims, upn)
        return Identity(tid, oid, upn, name if isinstance(name, str) else "", is_home_member)

    @property
    def upn_claim(self) -> str:
        """The claim that holds the UPN; never one that people can choose themselves."""
        return "upn"

    def _ids(self, claims: dict[str, Any]) -> tuple[UUID, UUID]:
        raise NotImplementedError

    def _is_home_member(self, claims: dict[str, Any], upn: str) -> bool:
        return _GUEST not in upn.lower()


class EntraID(HomeProvider):
    """Microsoft Entra ID, any organisation: the issuer of a token names the tenant that it speaks for."""

    name = "entra"
    _token_tid = ""

    def decode_and_validate_id_token(self, id_token: Any, access_token: Any) -> dict[str, Any]:
        """As social-auth's, with the issuer of the tenant that the token names. Raises what that raises, SignInRefused."""
        self._token_tid = _tid_of(id_token)
        claims: dict[str, Any] = super().decode_and_validate_id_token(id_token, access_token)
        return claims

    def _of_contexts(self, contexts: list[str]) -> dict[str, str]:
        # Entra ID has no `acr_values`: its authentication contexts are claims that one asks for.
        return {"claims": json.dumps({"id_token": {"acrs": {"essential": True, "values": contexts}}})}

    def id_token_issuer(self) -> str:
        """The issuer of the token's own tenant, which the configuration writes as a pattern."""
        return self._of_tenant(super().id_token_issuer())

    def find_valid_key(self, id_token: Any) -> Any:
        """The key that signed, if it signs for the token's issuer: some are the personal accounts' alone."""
        key = super().find_valid_key(id_token)
        if key and isinstance(key.get("issuer"), str) and self._of_tenant(key["issuer"]) != self.id_token_issuer():
            return None
        return key

    def _of_tenant(self, pattern: str) -> str:
        return pattern.replace("{tenantid}", self._token_tid)

    def _ids(self, claims: dict[str, Any]) -> tuple[UUID, UUID]:
        tid, oid = _uuid(claims.get("tid")), _uuid(claims.get("oid"))
        if tid == PERSONAL_ACCOUNTS:
            raise SignInRefused("personal_account")
        return tid, oid

    def _is_home_member(self, claims: dict[str, Any], upn: str) -> bool:
        is_visitor = claims.get("idp") not in (None, claims.get("iss")) or claims.get("acct") == 1
        return super()._is_home_member(claims, upn) and not is_visitor


class OpenIDProvider(HomeProvider):
    """One provider of another make, for one organisation (OIDC_TENANT_ID) or with the tenant in a claim."""

    name = "openid"

    @property
    def upn_claim(self) -> str:
        """As this installation says."""
        return str(settings.OIDC_UPN_CLAIM)

    def _ids(self, claims: dict[str, Any]) -> tuple[UUID, UUID]:
        tid = _uuid(settings.OIDC_TENANT_ID or claims.get(settings.OIDC_TENANT_CLAIM))
        subject = claims.get(settings.OIDC_OBJECT_CLAIM)
        if not isinstance(subject, str) or not subject:
            raise SignInRefused("identity_missing")
        try:
            return tid, UUID(subject)
        except ValueError:  # a subject is any text; the same text of the same issuer is always the same person
            return tid, uuid5(tid, f"{claims.get('iss')}\n{subject}")


def _tid_of(id_token: Any) -> str:
    """The tenant that a token says it speaks for; its signature is checked afterwards. Raises SignInRefused."""
    try:
        claims = jwt.decode(id_token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise SignInRefused("token_unreadable") from error
    return str(_uuid(claims.get("tid")))


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise SignInRefused("identity_missing") from error
