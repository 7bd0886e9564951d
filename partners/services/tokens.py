"""API tokens of a partner's tools: one person's rights in one relationship, narrowed; shown once, stored hashed."""

from collections.abc import Collection
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from audit.clock import Now, now
from audit.log import recording
from audit.models import Category, Operation
from partners.errors import InvalidTokenLifetime, NoScope
from partners.models import ApiToken
from rbac import step_up
from rbac.access import rights
from rbac.catalogue import Permission, with_implied
from rbac.models import Delegation, User
from rbac.precondition import digest, meet, tag_of
from rbac.services import delegations

MAX_DAYS = 365


def issue(
    delegation: Delegation, name: str, *, by: User, scopes: Collection[Permission], lifetime: timedelta
) -> tuple[ApiToken, str]:
    """A new token of `by` for `delegation`, and its secret, which nobody can read again.

    Raises Http404 if `by` holds nothing in the delegation, PermissionDenied for scopes he does not hold himself or when
    he is himself a token (a tool makes no tools), NoScope, InvalidTokenLifetime; StepUpRequired for what he could not do
    himself at this moment: a token shows how its holder signs in later on, and that may be stronger than this session.
    """
    with recording(
        Category.USER, Operation.UPDATE, name, tenant=delegation.tenant_id, by=by, relationship_id=delegation.pk
    ) as line:
        delegations.lock(delegation.pk)
        held = [one for one in rights(by, delegation.tenant_id) if one.delegation_id == delegation.pk]
        if not held:
            raise Http404
        allowed = frozenset().union(*(one.permissions for one in held))
        if not frozenset(scopes) <= allowed or getattr(by, "limits", None) is not None:
            raise PermissionDenied
        step_up.require(by, delegation.tenant, *sorted(with_implied(scopes)))
        if not scopes:
            raise NoScope
        if not timedelta() < lifetime <= timedelta(days=MAX_DAYS):
            raise InvalidTokenLifetime
        token, secret = ApiToken.objects.create(
            user=by, expiry=None, name=name, delegation=delegation, scopes=sorted(scopes)
        )
        token.expiry = now() + lifetime  # knox would take this machine's clock
        token.save(update_fields=["expiry"])
        line.after = {"token": token.token_key, "scopes": sorted(scopes)}
    return token, secret


@tag_of.register
def _state_of(token: ApiToken) -> str:
    """As it is now, whatever was read before."""
    return digest(ApiToken.objects.filter(pk=token.pk).values_list("name", "expiry", "revoked_at").first())


def held_by(user: User, delegation_id: object) -> QuerySet[ApiToken]:
    """The tokens of `user` in the delegation, expired and revoked ones too. A token sees none: it is no person."""
    own: QuerySet[ApiToken] = ApiToken.objects.filter(user=user, delegation=delegation_id)
    return own if getattr(user, "limits", None) is None else own.none()


def revoke(token: ApiToken, *, by: User) -> None:
    """The token opens nothing any more. Revoking again changes nothing.

    Raises Http404 unless `by` is its holder, PermissionDenied when he is himself a token.
    """
    with recording(
        Category.USER,
        Operation.UPDATE,
        token.name,
        tenant=token.delegation.tenant_id,
        by=by,
        relationship_id=token.delegation_id,
    ) as line:
        if token.user_id != by.pk:
            raise Http404
        if getattr(by, "limits", None) is not None:
            raise PermissionDenied
        meet(token)
        line.is_void = not ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=Now())
        line.after = {"token": token.token_key, "revoked": True}
