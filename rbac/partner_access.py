"""What a customer asks of a partner's people before it lets them in, and what somebody has to show for it.

    policy.unmet(evidence, now)     what is missing for any access, and for the events that need a step up

A policy asks for a second factor, for a sign-in that is not too old, for certain networks: of all access, and more of it
for chosen events. Evidence is how the person of this request has proved who he is, and from where he asks. It waits
here while the request is carried out, and is looked at wherever rights are resolved (access.py). A job has none: what
it carries out was asked for, and let in, before.
"""

import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rbac.catalogue import Permission

TOLERATED_SKEW = timedelta(minutes=5)  # between a provider's clock and ours
SHORTEST_AGE, LONGEST_AGE = 5, 30 * 24 * 60  # minutes
MOST_NETWORKS = 50
MOST_METHODS, LONGEST_METHOD = 20, 100  # of what a provider says of a sign-in


class Condition(models.TextChoices):
    """One thing that a policy can ask for."""

    MFA = "mfa", _("second factor")
    SIGN_IN_AGE = "sign_in_age", _("recent sign-in")
    NETWORK = "network", _("allowed network")


@dataclass(frozen=True)
class Proof:
    """How somebody has proved who he is, by the word of his provider: when (None: it did not say), and by which means."""

    signed_in_at: datetime | None = None
    methods: frozenset[str] = frozenset()  # `amr`, RFC 8176
    contexts: frozenset[str] = frozenset()  # `acr`, and Entra ID's `acrs`

    @property
    def has_second_factor(self) -> bool:
        """Whether one of the means is what this installation takes for a second factor."""
        return bool(self.methods & settings.MFA_METHODS or self.contexts & settings.MFA_CONTEXTS)


@dataclass(frozen=True)
class Evidence:
    """What the person of a request has to show: his proof, and the address that he asks from."""

    user_id: int
    proof: Proof = field(default_factory=Proof)
    address: str | None = None


@dataclass(frozen=True)
class Conditions:
    """What is asked for together; nothing, if all of it is empty."""

    mfa: bool = False
    max_age: int | None = None  # minutes since the sign-in
    networks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.mfa or self.max_age is not None or bool(self.networks)

    def missing(self, evidence: Evidence, now: datetime) -> frozenset[Condition]:
        """What `evidence` does not show at the moment `now`; what nobody knows is not shown."""
        proof, found = evidence.proof, set()
        if self.mfa and not proof.has_second_factor:
            found.add(Condition.MFA)
        if self.max_age is not None and not _is_recent(proof.signed_in_at, timedelta(minutes=self.max_age), now):
            found.add(Condition.SIGN_IN_AGE)
        if self.networks and not lies_in(evidence.address, self.networks):
            found.add(Condition.NETWORK)
        return frozenset(found)


@dataclass(frozen=True)
class Unmet:
    """What stands between a person and a customer: for any access, and for each of `events`."""

    always: frozenset[Condition] = frozenset()
    step_up: frozenset[Condition] = frozenset()
    events: frozenset[Permission] = frozenset()

    def of(self, permission: Permission) -> frozenset[Condition]:
        """What is missing for doing this."""
        return self.always | self.step_up if permission in self.events else self.always


NOTHING = Unmet()


@dataclass(frozen=True)
class Policy:
    """What one customer asks of all its partners; nothing, unless it says so."""

    always: Conditions = field(default_factory=Conditions)
    step_up: Conditions = field(default_factory=Conditions)
    events: frozenset[Permission] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.always) or bool(self.step_up)

    def of(self, permission: Permission | None = None) -> list[Conditions]:
        """All that is asked for doing this; for any access without a permission."""
        return [self.always, self.step_up] if permission in self.events else [self.always]

    def unmet(self, evidence: Evidence, now: datetime) -> Unmet:
        """What `evidence` does not show at the moment `now`."""
        return Unmet(self.always.missing(evidence, now), self.step_up.missing(evidence, now), self.events)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Policy":
        """The policy that a row of the database, its columns by name, keeps."""
        return cls(
            Conditions(row["mfa"], row["max_age"], tuple(row["networks"])),
            Conditions(row["step_up_mfa"], row["step_up_max_age"], tuple(row["step_up_networks"])),
            frozenset(Permission(code) for code in row["events"]),
        )


evidence: ContextVar[Evidence | None] = ContextVar("partner_access_evidence", default=None)


def unmet_by(user_id: int, row: str | None, now: datetime) -> Unmet:
    """What the person of this request lacks of the policy in `row` (JSON); nothing for everybody else, and without one."""
    shown = evidence.get()
    if row is None or shown is None or shown.user_id != user_id:
        return NOTHING
    return _read(row).unmet(shown, now)


@lru_cache(maxsize=256)
def _read(row: str) -> Policy:
    return Policy.of_row(json.loads(row))


def proof_of(claims: Mapping[str, Any]) -> Proof:
    """What a provider says, in the claims of its token, of how somebody signed in; nonsense says nothing."""
    contexts = [*_texts(claims.get("acr")), *_texts(claims.get("acrs"))]
    return Proof(_moment(claims.get("auth_time")), frozenset(_texts(claims.get("amr"))), frozenset(contexts))


def claims_of(proof: Proof) -> dict[str, Any]:
    """`proof` as plain values, which `proof_of` reads."""
    moment = proof.signed_in_at
    told = {"amr": sorted(proof.methods), "acrs": sorted(proof.contexts)}
    return told if moment is None else told | {"auth_time": int(moment.timestamp())}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and _is_word(one)][:MOST_METHODS]


def _is_word(text: str) -> bool:
    return 0 < len(text) <= LONGEST_METHOD and text.isprintable()


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _is_recent(moment: datetime | None, age: timedelta, now: datetime) -> bool:
    """Whether `moment` is at most `age` ago; one that is still to come is nobody's, but for clocks that differ a little."""
    return moment is not None and now - age <= moment <= now + TOLERATED_SKEW


def lies_in(address: str | None, networks: Sequence[str]) -> bool:
    """Whether `address` is one of `networks`; no address is in none."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(network is not None and found in network for network in map(_network, networks))


@lru_cache(maxsize=1024)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    """None for what is no network: a row that nobody should have written lets nobody in, and breaks nothing else."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def normal_network(text: str) -> str:
    """`text` as a network is kept: 198.51.100.7 is 198.51.100.7/32. Raises ValueError for what is none."""
    found = ip_network(text.strip())
    if getattr(found.network_address, "scope_id", None) is not None:
        raise ValueError("a zone means something on one machine only")
    return str(found)
