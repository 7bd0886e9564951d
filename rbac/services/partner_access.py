"""The partner access policy of a customer: kept, changed; and how people have signed in, which it is judged by."""

from dataclasses import asdict, replace

from audit.clock import Now, now
from audit.log import recording
from audit.models import Category, Operation
from rbac.access import require
from rbac.access_policy import LatestSignIn, PartnerAccessPolicy
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import (
    EventsAskNothing,
    InvalidNetwork,
    InvalidSignInAge,
    NoEventsChosen,
    StaleVersion,
    TooManyNetworks,
)
from rbac.models import Tenant, User
from rbac.partner_access import (
    LONGEST_AGE,
    MOST_NETWORKS,
    SHORTEST_AGE,
    Condition,
    Conditions,
    Evidence,
    Policy,
    Proof,
    normal_network,
)
from rbac.precondition import digest, meet, tag_of


def of(tenant: Tenant) -> Policy:
    """What `tenant` asks of its partners' people; nothing if it never said."""
    kept = PartnerAccessPolicy.objects.filter(tenant=tenant).first()
    return Policy() if kept is None else kept.policy


@tag_of.register
def _state_of(policy: Policy) -> str:
    return digest(as_data(policy))


def as_data(policy: Policy) -> dict[str, object]:
    """`policy` as plain values: for the log, and for telling two of them apart."""
    return {
        "always": asdict(policy.always),
        "step_up": asdict(policy.step_up),
        "events": [event.value for event in CONTROLLED_EVENTS if event in policy.events],
    }


def change(tenant: Tenant, wanted: Policy, *, by: User, seen: str | None = None) -> Policy:
    """From the next request on `tenant` asks its partners' people for what `wanted` says; its own are not affected.

    `seen` is the tag of the policy that `by` has read. Raises PermissionDenied if `by` may not modify settings here,
    StaleVersion, and what `checked` raises.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, "partner access policy", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        wanted, before = checked(wanted), of(tenant)
        meet(before)
        if seen is not None and seen != tag_of(before):
            raise StaleVersion
        if wanted == before:
            line.is_void = True  # saved without a change
            return wanted
        PartnerAccessPolicy.objects.update_or_create(tenant=tenant, defaults=_row(wanted))
        line.before, line.after = as_data(before), as_data(wanted)
    return wanted


def _row(policy: Policy) -> dict[str, object]:
    always, step_up = policy.always, policy.step_up
    return {
        "mfa": always.mfa,
        "max_age": always.max_age,
        "networks": list(always.networks),
        "events": as_data(policy)["events"],
        "step_up_mfa": step_up.mfa,
        "step_up_max_age": step_up.max_age,
        "step_up_networks": list(step_up.networks),
    }


def checked(policy: Policy) -> Policy:
    """`policy` as it is kept. Raises InvalidNetwork, TooManyNetworks, InvalidSignInAge, EventsAskNothing, NoEventsChosen."""
    kept = replace(
        policy,
        always=_checked(policy.always),
        step_up=_checked(policy.step_up),
        events=policy.events.intersection(CONTROLLED_EVENTS),
    )
    if kept.events and not kept.step_up:
        raise EventsAskNothing
    if kept.step_up and not kept.events:
        raise NoEventsChosen
    return kept


def _checked(asked: Conditions) -> Conditions:
    if len(asked.networks) > MOST_NETWORKS:
        raise TooManyNetworks(params={"most": MOST_NETWORKS})
    if asked.max_age is not None and not SHORTEST_AGE <= asked.max_age <= LONGEST_AGE:
        raise InvalidSignInAge(params={"least": SHORTEST_AGE, "most": LONGEST_AGE // (24 * 60)})
    return replace(asked, networks=tuple(dict.fromkeys(map(_network, asked.networks))))


def _network(text: str) -> str:
    try:
        return normal_network(text)
    except ValueError as error:
        raise InvalidNetwork(params={"network": text.strip()[:60]}) from error


def note_sign_in(user: User, proof: Proof, address: str | None) -> None:
    """It is known how `user` has signed in just now."""
    LatestSignIn.objects.update_or_create(
        user=user,
        defaults={
            "at": Now(),
            "proved_at": proof.signed_in_at,
            "methods": sorted(proof.methods),
            "contexts": sorted(proof.contexts),
            "ip": address,
        },
    )


def missing_of_tools(user: User, tenant: Tenant, event: Permission | None) -> frozenset[Condition]:
    """What the tools of `user` do not show at `tenant`, since he has not, when he signed in last. Networks are left out:
    where a tool is used from, it shows itself."""
    latest = LatestSignIn.objects.filter(user=user).first()
    shown = Evidence(user.pk, latest.proof if latest else Proof(), None)
    found = frozenset[Condition]().union(*(one.missing(shown, now()) for one in of(tenant).of(event)))
    return found - {Condition.NETWORK}
