"""Requests that carry a key of the caller's own: done once, however often they are sent.

Three steps, each committed. The request *claims* its key. The change itself *marks* the key in its own transaction, so
whether anything was done is known even if the process dies with the next instruction. The answer is *kept* afterwards.
A claim that nobody worked on for LEASE may be taken over as long as nothing was committed under it; from then on the old
request can commit nothing: its mark finds another claim, and its change is undone with it.

Nothing here decides about rights, and none of it is a change of the tenant: no line in the audit log.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When

from audit.clock import Now
from rbac.errors import IdempotencyAnswerNotKept, IdempotencyKeyInUse, IdempotencyKeyReused
from rbac.idempotency_key import IdempotencyKey, KeyState
from rbac.models import User

KEPT_FOR = timedelta(hours=24)
LEASE = timedelta(seconds=60)  # no request lives longer: the server ends it
LARGEST_BODY = 64 * 1024
TRIES = 5
FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True)
class Answer:
    """What was answered, as it is told again."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Claim:
    """The right to carry out the request of a key, until it is taken over."""

    key_id: int
    claim: uuid.UUID

    def own(self) -> QuerySet[IdempotencyKey]:
        """The row, if the claim still holds."""
        return IdempotencyKey.objects.filter(pk=self.key_id, claim=self.claim)


def claim(person: User, token_id: str | None, key: str, fingerprint: str) -> Claim | Answer:
    """The claim to carry the request out, or the answer that it has got.

    Raises IdempotencyKeyReused if `key` named another request in the last KEPT_FOR, IdempotencyKeyInUse while that
    runs, IdempotencyAnswerNotKept if it was carried out and nobody can say any more what was answered.
    """
    mine = uuid.uuid4()
    for _ in range(TRIES):
        fresh = IdempotencyKey(
            person=person,
            token_id=token_id,
            key=key,
            fingerprint=fingerprint,
            claim=mine,
            first_at=Now(),
            claimed_at=Now(),
        )
        IdempotencyKey.objects.bulk_create([fresh], ignore_conflicts=True)
        found = _as_of_now().filter(person=person, token=token_id, key=key).first()
        if found is not None and (found.claim == mine or _is_taken(found, mine, fingerprint)):
            return Claim(found.pk, mine)
        if found is not None and not found.is_free:
            return _answer_of(found)
    raise IdempotencyKeyInUse  # somebody was faster, each time


def _as_of_now() -> QuerySet[Any]:
    """With `is_over`: kept long enough; `is_free`: nothing was committed, and whoever worked on it is gone."""

    def told(condition: Q) -> Case:
        return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())

    return IdempotencyKey.objects.annotate(
        is_over=told(Q(first_at__lte=Now() - KEPT_FOR)),
        is_left=told(Q(claimed_at__lte=Now() - LEASE)),
        is_free=told(Q(first_at__lte=Now() - KEPT_FOR) | Q(state=KeyState.RUNNING, claimed_at__lte=Now() - LEASE)),
    )


def _is_taken(found: Any, mine: uuid.UUID, fingerprint: str) -> bool:
    """Whether the key is ours now; only what is free is taken, and only by one. Raises IdempotencyKeyReused."""
    if not found.is_over and found.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if not found.is_free:
        return False
    fields: dict[str, Any] = {"claim": mine, "claimed_at": Now()}
    if found.is_over:
        fields |= {"fingerprint": fingerprint, "first_at": Now(), "status": None, "headers": {}, "body": None}
    same = IdempotencyKey.objects.filter(pk=found.pk, claim=found.claim, state=found.state)
    return bool(same.update(state=KeyState.RUNNING, **fields))


def _answer_of(found: Any) -> Answer:
    if found.state != KeyState.ANSWERED:
        raise IdempotencyKeyInUse if not found.is_left else IdempotencyAnswerNotKept
    if found.body is None:
        raise IdempotencyAnswerNotKept(found.headers.get("Location", ""))
    return Answer(found.status, found.headers, bytes(found.body))


def mark(held: Claim) -> None:
    """Something is committed under the key, if the open transaction is; a step of every recorded change of the request.

    Raises IdempotencyKeyInUse if the claim was taken over: then the change must not be.
    """
    if not held.own().exclude(state=KeyState.ANSWERED).update(state=KeyState.CHANGED):
        raise IdempotencyKeyInUse


def keep(held: Claim, answer: Answer, *, is_secret: bool) -> None:
    """The request has its answer, and gets it again; of a secret, or more than LARGEST_BODY, only that it was given."""
    is_told = not is_secret and len(answer.body) <= LARGEST_BODY
    held.own().update(
        state=KeyState.ANSWERED, status=answer.status, headers=answer.headers, body=answer.body if is_told else None
    )


def release(held: Claim) -> bool:
    """The key is free again, if nothing was committed under it; whether it is."""
    return bool(held.own().filter(state=KeyState.RUNNING).delete()[0])


def forget() -> None:
    """Keys that were first used more than KEPT_FOR ago are gone, with what was answered."""
    old = IdempotencyKey.objects.filter(first_at__lte=Now() - KEPT_FOR)
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        IdempotencyKey.objects.filter(pk__in=some).delete()
