"""Timing side by side: every variant in random order, many rounds, the median of each."""

import math
import os
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection, transaction

Variant = Callable[[], object]

LONGEST = 10.0  # seconds for one comparison, unless these rounds take longer
FEWEST = 20


def seconds() -> float:
    """The clock; with CLOCK=cpu what this process and its session's at the database have computed so far (Linux).

    The processor's time is what to compare by while others work on the same machine; it leaves out waiting, for the
    disk of a commit too.
    """
    if os.environ.get("CLOCK") != "cpu":
        return time.perf_counter()
    connection.ensure_connection()
    served = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]
    return time.process_time() + int(served) / 1e9


@dataclass(frozen=True)
class Row:
    """One ratio: smaller is better, `goal` is the most it should be, `best` what the best variant seen reached."""

    name: str
    ratio: float
    goal: float
    best: str

    @property
    def is_reached(self) -> bool:
        return self.ratio <= self.goal

    def __str__(self) -> str:
        mark = "ok  " if self.is_reached else "MISS"
        return f"{mark} {self.name:74} {self.ratio:8.3g} x   goal ≤ {self.goal:g} x   best seen {self.best}"


@dataclass
class Report:
    """What was measured."""

    rows: list[Row] = field(default_factory=list)

    def add(self, name: str, ratio: float, goal: float, best: str = "–") -> None:
        """Note a ratio and show it at once."""
        self.rows.append(Row(name, ratio, goal, best))
        print(self.rows[-1], flush=True)

    def __str__(self) -> str:
        return "\n".join(map(str, self.rows))


def medians(variants: Mapping[str, Variant], rounds: int = 200) -> dict[str, float]:
    """Seconds (p50) of each variant, all of them in every round, in random order; fewer rounds where all take long."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for run in variants.values():
        run()
    names = list(variants)
    end = time.monotonic() + LONGEST
    for number in range(rounds):
        if number >= FEWEST and time.monotonic() > end:
            break
        random.shuffle(names)
        for name in names:
            began = seconds()
            variants[name]()
            times[name].append(seconds() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def geometric_mean(values: Iterable[float]) -> float:
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))


def once(change: Variant) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    change()
    return time.perf_counter() - began


class _Undone(Exception):
    pass


def undone(change: Variant, times: int = 3) -> float:
    """Seconds (best of `times`) of a change with its constraints checked, undone afterwards."""
    best = math.inf
    for _ in range(times):
        with suppress(_Undone), transaction.atomic():
            began = time.perf_counter()
            change()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            best = min(best, time.perf_counter() - began)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            raise _Undone
    return best
