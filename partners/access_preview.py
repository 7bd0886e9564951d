"""Whom a partner access policy would stop, by how each person of the partners has signed in last.

Nobody is stopped for good: who lacks a second factor or a recent sign-in signs in again; who comes from elsewhere is
let in from an allowed network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from audit.clock import Now, now
from partners.models import PartnerRelationship
from rbac.access_policy import LatestSignIn
from rbac.models import Assignment, DelegationState, Tenant, User
from rbac.partner_access import Condition, Evidence, Policy, Proof
from rbac.services import partner_access

LIVE = (DelegationState.ACTIVE, DelegationState.SUSPENDED)


@dataclass(frozen=True)
class Stopped:
    """A person whom the policy would stop: at the door (`always`), or before a chosen change (`step_up`)."""

    person: User
    partner: str  # how the customer calls it
    latest: LatestSignIn | None
    always: frozenset[Condition]
    step_up: frozenset[Condition]
    # The policy that holds today stops him as well.
    already: bool
    # His tools, which show how he has signed in.
    tokens: int


@dataclass(frozen=True)
class Preview:
    """How many people work for the customer's partners here, and those of them whom the policy would stop."""

    total: int
    stopped: Sequence[Stopped]

    @property
    def newly(self) -> int:
        """How many of them go on today."""
        return sum(not one.already for one in self.stopped)

    @property
    def go_on(self) -> int:
        """How many are not stopped."""
        return self.total - len(self.stopped)


def preview(tenant: Tenant, policy: Policy) -> Preview:
    """What `policy` would do to the people who work in `tenant` for its partners; three queries, whatever their number."""
    labels = dict(
        PartnerRelationship.objects.filter(tenant=tenant, delegation__state__in=LIVE).values_list(
            "delegation__held_by", "label"
        )
    )
    moment, today = now(), partner_access.of(tenant)
    people = list(_people(tenant))
    found = [_judged(one, labels.get(one.tenant_id, ""), policy, today, moment) for one in people]
    return Preview(len(people), [one for one in found if one.always or one.step_up])


def _people(tenant: Tenant) -> Sequence[User]:
    live = Assignment.objects.valid().filter(
        Q(role__delegation__valid_until__isnull=True) | Q(role__delegation__valid_until__gt=Now()),
        tenant=tenant,
        role__delegation__state__in=LIVE,
    )
    of_tenant = Q(auth_token_set__delegation__tenant=tenant, auth_token_set__revoked_at__isnull=True)
    is_live = of_tenant & (Q(auth_token_set__expiry__isnull=True) | Q(auth_token_set__expiry__gt=Now()))
    held = Q(memberships__assignment__in=live) | Q(
        group_memberships__group__memberships_in_assignments__assignment__in=live
    )
    found = User.objects.filter(pk__in=User.objects.filter(held).values("pk"), is_active=True, is_home_member=True)
    counted = found.annotate(tools=Count("auth_token_set", filter=is_live, distinct=True))
    return list(counted.select_related("latest_sign_in").order_by("tenant", "upn"))


def _judged(person: User, partner: str, policy: Policy, today: Policy, moment: datetime) -> Stopped:
    latest: LatestSignIn | None = getattr(person, "latest_sign_in", None)
    proof, ip = (Proof(), None) if latest is None else (latest.proof, latest.ip)
    shown = Evidence(person.pk, proof, ip)
    wanted, before = policy.unmet(shown, moment), today.unmet(shown, moment)
    more = wanted.step_up - wanted.always
    already = wanted.always <= before.always and more <= before.step_up | before.always
    return Stopped(person, partner, latest, wanted.always, more, already, person.tools)  # type: ignore[attr-defined]
