"""Who somebody is when he arrives: (tid, oid) decides, never a name or an e-mail.

An account is found by (tid, oid) alone. A UPN that was named beforehand is a pending claim bound to a tenant; it is
consumed at the first home sign-in. Somebody from a tenant that is neither known nor awaited leaves no row.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.http import Http404

from audit.log import recording, together
from audit.models import Category, Operation
from rbac.models import PendingClaim, Tenant, TenantStatus, User
from rbac.services import assignments, primary_admins, sessions
from rbac.upn import domain_of, normalise

NAME_LENGTH = 200


@dataclass(frozen=True)
class Identity:
    """What a trusted sign-in says of a person."""

    tid: UUID
    oid: UUID
    upn: str
    name: str = ""
    is_home_member: bool = True


class SignInRefused(Exception):
    """Somebody proved who he is, or tried to, and does not come in; `reason` says why, for the page and the security log.

    No PermissionDenied: Django's `authenticate` would swallow it, and its reason with it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def arrive(identity: Identity, *, is_awaited: Callable[[str], bool]) -> User:
    """The person's account, made at the first arrival, with today's UPN and name and its claims consumed.

    `is_awaited(upn)` says whether an open invitation names the UPN. Raises SignInRefused for a stranger, for a
    deactivated account, for people of a closed tenant and for a UPN that is none.
    """
    try:
        identity = replace(identity, upn=normalise(identity.upn), name=_one_line(identity.name))
    except ValidationError as error:
        if (person := _known(identity)) is not None:
            sessions.note_refusal(person, "upn_unfit")
        raise SignInRefused("upn_unfit") from error
    known = _known(identity)
    return _enter(identity, is_awaited) if known is None else _return(known, identity)


def _one_line(name: str) -> str:
    """What a directory says of a name, without what no column holds and what would make it look like another one."""
    kept = (sign for sign in name if sign.isprintable())  # no controls, halves of characters, turns of direction
    return "".join(kept).strip()[:NAME_LENGTH]


def _known(identity: Identity) -> User | None:
    return User.objects.select_related("tenant").filter(entra_tid=identity.tid, entra_oid=identity.oid).first()


def _enter(identity: Identity, is_awaited: Callable[[str], bool]) -> User:
    with together():
        tenant = _home_of(identity, is_awaited)
        known = _known(identity)
        if known is not None:  # the same person twice at once: the other one was first
            return known
        with recording(Category.USER, Operation.CREATE, identity.upn, tenant=tenant, by=None) as line:
            line.user_id, line.user_tenant_id = identity.upn, tenant.pk
            line.before = _let_go(tenant, identity.upn)
            user = User.objects.create(
                tenant=tenant,
                username=f"{identity.tid}:{identity.oid}",
                upn=identity.upn,
                display_name=identity.name,
                entra_tid=identity.tid,
                entra_oid=identity.oid,
                is_home_member=identity.is_home_member,
                password="!",
            )
            _consume_claims(user)
    return user


def _return(user: User, identity: Identity) -> User:
    if not user.is_active or user.tenant is None or user.tenant.status == TenantStatus.CLOSED:
        sessions.note_refusal(user, "closed")
        raise SignInRefused("closed")
    before = {"upn": user.upn, "name": user.display_name, "is_home_member": user.is_home_member}
    after = {"upn": identity.upn, "name": identity.name, "is_home_member": identity.is_home_member}
    if before == after and not PendingClaim.objects.filter(tenant=user.tenant, upn=user.upn).exists():
        return user
    with recording(Category.USER, Operation.UPDATE, identity.upn, tenant=user.tenant, by=user) as line:
        delegations = primary_admins.hold_of(user)[1] if identity.is_home_member != user.is_home_member else []
        if identity.upn != user.upn:
            _let_go(user.tenant, identity.upn)
        user.upn, user.display_name, user.is_home_member = identity.upn, identity.name, identity.is_home_member
        user.save(update_fields=["upn", "display_name", "is_home_member"])
        primary_admins.settle([one.pk for one in delegations], by=user)
        _consume_claims(user)
        line.before, line.after = before, after
    return user


def _let_go(tenant: Tenant, upn: str) -> dict[str, str] | None:
    """Whoever had `upn` in the tenant before is called otherwise: a directory gave the name to somebody else."""
    former = User.objects.filter(tenant=tenant, upn=upn).first()
    if former is None:
        return None
    name = f"former-{former.pk}@{domain_of(upn)}"
    if User.objects.filter(tenant=tenant, upn=name).exists():  # the directory may give that name, too
        name = f"former-{uuid4().hex}@{domain_of(upn)}"
    User.objects.filter(pk=former.pk).update(upn=name)
    return {"renamed": name}


def _home_of(identity: Identity, is_awaited: Callable[[str], bool]) -> Tenant:
    """The person's tenant, held: two first arrivals, of one person or of one tenant, come one after the other."""
    is_welcome = Tenant.objects.filter(entra_tid=identity.tid).exists() or (
        identity.is_home_member and is_awaited(identity.upn)
    )
    if not is_welcome:
        raise SignInRefused("stranger")
    tenant, _ = Tenant.objects.select_for_update().get_or_create(
        entra_tid=identity.tid, defaults={"name": domain_of(identity.upn), "status": TenantStatus.ARRIVED}
    )
    if tenant.status == TenantStatus.CLOSED:
        raise SignInRefused("closed")
    return tenant


def _consume_claims(user: User) -> None:
    if not user.is_home_member:
        return
    claims = PendingClaim.objects.filter(tenant_id=user.tenant_id, upn=user.upn).select_related("assignment__role")
    for claim in claims.order_by("assignment__role__delegation", "pk"):
        with suppress(Http404):  # withdrawn, or gone with its assignment, in this very moment
            assignments.admit(claim.assignment, user, by=user, claim=claim)
