"""Timing side by side: every variant in random order, many rounds, the median of each."""

import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import connection, transaction

Variant = Callable[[], object]


@dataclass
class Report:
    """What was measured: name, ratio, goal."""

    rows: list[tuple[str, float, float]] = field(default_factory=list)

    def add(self, name: str, ratio: float, goal: float) -> None:
        """Note a ratio; smaller is better, `goal` is the most it should be."""
        self.rows.append((name, ratio, goal))
        print(f"{'ok  ' if ratio <= goal else 'MISS'} {name:72} {ratio:7.2f} x   goal ≤ {goal:g} x", flush=True)


def medians(variants: Mapping[str, Variant], rounds: int = 200) -> dict[str, float]:
    """Seconds (p50) of each variant, all of them in every round, in random order."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for run in variants.values():
        run()
    names = list(variants)
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            began = time.perf_counter()
            variants[name]()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def geometric_mean(values: Iterable[float]) -> float:
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))


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
            raise _Undone
    return best
