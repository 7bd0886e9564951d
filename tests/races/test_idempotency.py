"""The same request twice at the same moment, with the same key."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from audit.clock import Now
from audit.models import AuditEvent
from rbac.catalogue import CEILING
from rbac.errors import IdempotencyKeyInUse
from rbac.idempotency_key import IdempotencyKey, KeyState
from rbac.services import idempotency
from rbac.services.idempotency import Answer, Claim
from rooms.models import Ticket
from tests.factories.callers import Caller, token, tool
from tests.factories.world import World, join
from tests.races.guards import no_unique
from tests.races.harness import Race


@dataclass
class Case:
    """A key and a title for each round."""

    world: World
    secret: str
    number: int
    answers: list[Any] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"No picture {self.number}"

    def caller(self) -> Caller:
        return tool(self.secret)


def report(case: Case) -> Any:
    """Sent until it has its answer, as a tool would."""
    body = {"title": case.title, "rooms": [case.world.contoso.german[0].pk]}
    for _ in range(200):
        answer = case.caller().post(
            "api-tickets", case.world.contoso.tenant.pk, body=body, headers={"Idempotency-Key": f"k{case.number}"}
        )
        if answer.status_code != 409:
            break
    case.answers.append(answer)
    return answer


def done_once(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert {one.status_code for one in case.answers} == {201}
    assert len({one.content for one in case.answers}) == 1
    assert sorted(one.headers.get("Idempotent-Replayed", "") for one in case.answers) == ["", "true"]
    [ticket] = Ticket.objects.filter(title=case.title)
    assert AuditEvent.objects.filter(object_name=f"#{ticket.pk} {ticket.title}", result="Successful").count() == 1
    assert IdempotencyKey.objects.filter(key=f"k{case.number}").count() == 1


def race(world: World, settings: Any) -> Race[Case]:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    secret = token(relationship, ann, *CEILING)
    return Race(lambda number: Case(world, secret, number), [report, report], done_once)


def test_repeated_request_is_carried_out_once(world, settings):
    race(world, settings).must_win()


def looked_up(person: Any, token_id: str | None, key: str, fingerprint: str) -> Claim | Answer:
    """Looks whether the key is there, and writes it down if not."""
    found = IdempotencyKey.objects.filter(person=person, token=token_id, key=key).first()
    if found is None:
        times = {"first_at": Now(), "claimed_at": Now()}
        names = {"person": person, "token_id": token_id, "key": key, "fingerprint": fingerprint}
        made = IdempotencyKey.objects.create(claim=uuid.uuid4(), **names, **times)
        return Claim(made.pk, made.claim)
    if found.state != KeyState.ANSWERED:
        raise IdempotencyKeyInUse
    return Answer(found.status, found.headers, bytes(found.body))


def test_control_repeated_request(world, settings, owner_connection):
    """Without the unique index each of them finds the key free."""
    with (
        no_unique(owner_connection, "idempotency_once", "rbac_idempotencykey"),
        mock.patch.object(idempotency, "claim", looked_up),
    ):
        race(world, settings).must_lose()


# --- Taken over while it still runs --------------------------------------------------------------


def test_who_is_overtaken_while_working_does_nothing(world, settings):
    """Nobody is waited for: whoever comes takes the key over while the other one is at work."""
    with mock.patch.object(idempotency, "LEASE", idempotency.LEASE * 0):
        race(world, settings).must_win()


def test_control_who_is_overtaken(world, settings):
    """Without asking at the commit whose claim it is, both are carried out."""
    with (
        mock.patch.object(idempotency, "LEASE", idempotency.LEASE * 0),
        mock.patch.object(idempotency, "mark", return_value=None),
    ):
        race(world, settings).must_lose()
