"""Races with real connections: contenders in threads of their own, let go at the same moment, round after round.

A race is only as good as its proof that it can be lost: each has a control in which what guards the rule is taken away,
and which has to lose at least once with the same contenders and the same judge.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404

from audit.errors import RuleBroken
from tests import invariants

ROUNDS = 30
CONTROL_ROUNDS = 400  # at most: a control ends with its first loss, usually within ten
LEAD = 0.004  # seconds that one contender may be ahead of the others

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What became of one contender."""

    value: Any = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        """`ok`, the code of the rule that stopped it, `404`, `403`, or what went wrong unexpectedly."""
        if self.error is None:
            return "ok"
        if isinstance(self.error, RuleBroken):
            return str(self.error.code)
        known = {Http404: "404", PermissionDenied: "403"}
        return known.get(type(self.error)) or f"{type(self.error).__name__}: {self.error}"


@dataclass
class Race(Generic[T]):
    """`prepare` makes a fresh case, `contenders` act on it at once, `judge` raises AssertionError if the rule was lost."""

    prepare: Callable[[int], T]
    contenders: Sequence[Callable[[T], Any]]
    judge: Callable[[T, list[str]], None]
    seen: set[tuple[str, ...]] = field(default_factory=set)

    def must_win(self, rounds: int = ROUNDS) -> None:
        """Every round is won, and the invariants hold afterwards."""
        with _lanes(len(self.contenders)) as lanes:
            for number in range(rounds):
                self._round(number, lanes)
        invariants.check()

    def must_lose(self, rounds: int = CONTROL_ROUNDS) -> None:
        """At least one round is lost: without its guard the rule breaks, and this harness sees it."""
        with _lanes(len(self.contenders)) as lanes:
            for number in range(rounds):
                try:
                    self._round(number, lanes)
                except AssertionError:
                    return
        raise AssertionError(f"nothing was lost in {rounds} rounds: {sorted(self.seen)}")

    def _round(self, number: int, lanes: list[ThreadPoolExecutor]) -> None:
        case = self.prepare(number)
        barrier = threading.Barrier(len(lanes))
        running = [
            lane.submit(_contend, barrier, contender, case, LEAD * (1 + number / 20))
            for lane, contender in zip(lanes, self.contenders, strict=True)
        ]
        outcomes = [one.result(timeout=30) for one in running]
        names = [one.name for one in outcomes]
        self.seen.add(tuple(names))
        self.judge(case, names)


def _contend(barrier: threading.Barrier, contender: Callable[[T], Any], case: T, most: float) -> Outcome:
    """Let one contender go, up to `most` seconds late: on a slow machine the gap to hit is a wider one."""
    connection.ensure_connection()
    lead = random.choice([0.0, random.uniform(0, most)])
    barrier.wait(timeout=30)
    time.sleep(lead)
    try:
        return Outcome(value=contender(case))
    except Exception as error:  # noqa: BLE001 - whatever it is, the judge decides
        return Outcome(error=error)


@contextmanager
def _lanes(number: int) -> Iterator[list[ThreadPoolExecutor]]:
    """One thread with its own connection for each contender, kept for all rounds."""
    lanes = [ThreadPoolExecutor(1) for _ in range(number)]
    try:
        yield lanes
    finally:
        for lane in lanes:
            lane.submit(_close).result()
            lane.shutdown()


def _close() -> None:
    connection.close()  # looked up here: each thread has its own behind this name
