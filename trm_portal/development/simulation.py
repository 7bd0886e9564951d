"""Devices that are none: they enrol over HTTP, report, ask what they shall run, and install it. For demos and for load.

Needs nothing but the portal's address and an enrolment key; a few threads share all devices, each with a connection of
its own. What it measures is what a device would wait, from the request's first byte to the answer's last.
"""

from __future__ import annotations

import heapq
import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

API = "/api/agent/v1/"
THREADS = 16
TIMEOUT = 30  # seconds
TENTHS = 10
RETRY_WITHIN = 70  # seconds that an enrolment waits when it is told to come later
SIGNALS = (
    ("audio", "Microphone", "critical"),
    ("audio", "Speaker", "important"),
    ("display", "Front display", "important"),
    ("display", "Second display", "warning"),
    ("peripherals", "Camera", "critical"),
    ("peripherals", "Touch panel", "important"),
    ("connectivity", "Network", "important"),
    ("connectivity", "Proximity", "recommendation"),
    ("versioning", "System version", "warning"),
    ("versioning", "Firmware of the dock", "recommendation"),
)


@dataclass(frozen=True)
class Plan:
    """What is asked of a run."""

    url: str
    key: str
    devices: int
    minutes: float
    interval: float = 300.0
    seed: int = 1
    fault_rate: float = 0.02  # how likely a signal is to turn bad with a report
    domain: str = "rooms.example"
    threads: int = THREADS


@dataclass
class Device:
    """One device that is none."""

    number: int
    account: str
    chance: random.Random
    token: str = ""
    version: str = "5.0.0"
    failing: set[str] = field(default_factory=set)
    failure: str = ""
    calls: int = 0

    def report(self, fault_rate: float) -> dict[str, Any]:
        """The next report: now and then something breaks, and what is broken comes back by itself."""
        for _, name, _ in SIGNALS:
            if name in self.failing:
                if self.chance.random() < 0.3:
                    self.failing.discard(name)
            elif self.chance.random() < fault_rate:
                self.failing.add(name)
        self.calls += self.chance.randrange(3)
        said: dict[str, Any] = {
            "signals": [
                {"category": category, "name": name, "severity": severity, "ok": name not in self.failing}
                for category, name, severity in SIGNALS
            ],
            "app_version": self.version,
            "os_version": "10.0.26100",
            "usage": [
                {
                    "day": datetime.now(UTC).date().isoformat(),
                    "booked_minutes": min(self.calls * 30, 600),
                    "calls": self.calls,
                    "poor_calls": self.calls // 12,
                }
            ],
        }
        if self.failure:
            said["update"] = {"version": self.failure, "failed": "The installer ended with code 1603."}
            self.failure = ""
        return said

    def obey(self, desired: dict[str, Any]) -> None:
        """Install what is wanted at once; one time in twenty that fails."""
        wanted = desired["target_version"]
        if desired["now"] and wanted and wanted != self.version:
            if self.chance.random() < 0.05:
                self.failure = wanted
            else:
                self.version = wanted


@dataclass
class Figures:
    """What was measured: for each endpoint and tenth of the run, how long each answer took (seconds)."""

    times: dict[str, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    failures: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, endpoint: str, tenth: int, took: float, failure: str) -> None:
        with self.lock:
            self.times[endpoint][tenth].append(took)
            if failure:
                self.failures[f"{endpoint} {failure}"] += 1

    @property
    def requests(self) -> int:
        return sum(len(one) for tenths in self.times.values() for one in tenths.values())

    def lines(self) -> Iterator[str]:
        """The summary, for people."""
        failed = sum(self.failures.values())
        yield f"{self.requests} requests, {failed} failures"
        for failure, number in sorted(self.failures.items()):
            yield f"  {number} × {failure}"
        for endpoint, tenths in sorted(self.times.items()):
            everything = [took for one in tenths.values() for took in one]
            yield f"{endpoint:10} {len(everything):7} requests   {_percentiles(everything)}"
            if len(tenths) > 1:
                for tenth in sorted(tenths):
                    yield f"  tenth {tenth + 1:2} {len(tenths[tenth]):7} requests   {_percentiles(tenths[tenth])}"


def _percentiles(times: list[float]) -> str:
    if len(times) < 2:
        return f"p50 {times[0] * 1000:6.1f} ms"
    cuts = quantiles(times, n=100, method="inclusive")
    return f"p50 {cuts[49] * 1000:6.1f} ms   p95 {cuts[94] * 1000:6.1f} ms   max {max(times) * 1000:7.1f} ms"


class Connection:
    """A thread's connection to the portal, made anew when the portal has closed it."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._made: http.client.HTTPConnection | None = None

    def ask(self, method: str, endpoint: str, token: str = "", body: Any = None) -> tuple[int, dict[str, Any], str]:
        """Status, JSON and Retry-After. Raises OSError or HTTPException if the portal cannot be reached."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        content = json.dumps(body).encode() if body is not None else None
        try:
            return self._send(method, endpoint, content, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()  # kept alive for longer than the portal wanted
            return self._send(method, endpoint, content, headers)

    def _send(
        self, method: str, endpoint: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], str]:
        if self._made is None:
            kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
            self._made = kind(self._url.netloc, timeout=TIMEOUT)
        self._made.request(method, self._url.path.rstrip("/") + API + endpoint, content, headers)
        answer = self._made.getresponse()
        text = answer.read()
        with suppress(ValueError):
            return answer.status, json.loads(text), answer.headers.get("Retry-After", "")
        return answer.status, {}, ""

    def close(self) -> None:
        if self._made is not None:
            self._made.close()
            self._made = None


class Simulation:
    """One run: first everybody enrols, then everybody reports in turn until the time is over."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan, self.say, self.figures = plan, say, Figures()
        self.devices = [
            Device(number, f"device{number:05}@{plan.domain}", random.Random(f"{plan.seed}:{number}"))  # noqa: S311
            for number in range(plan.devices)
        ]
        self._due: list[tuple[float, int, Device]] = []
        self._order, self._lock = count(), threading.Lock()
        self._began = self._ends = 0.0

    def run(self) -> Figures:
        """Afterwards the time is over; what was measured, and said if not every report could be sent in time."""
        began = time.monotonic()
        waiting = list(reversed(self.devices))
        self._in_threads(lambda connection: self._enroll_all(connection, waiting))
        enrolled = [device for device in self.devices if device.token]
        self.say(f"{len(enrolled)} of {self.plan.devices} devices enrolled in {time.monotonic() - began:.0f} s.")
        self._began = time.monotonic()
        self._ends = self._began + self.plan.minutes * 60
        spread = self.plan.interval / max(len(enrolled), 1)
        self._due = [(self._began + index * spread, next(self._order), one) for index, one in enumerate(enrolled)]
        heapq.heapify(self._due)
        self._in_threads(self._report_until_the_end)
        late = sum(due < self._ends for due, _, _ in self._due)
        if late:
            self.say(f"{late} reports were due and not sent: the portal, or this machine, is too slow for so many.")
        return self.figures

    def _in_threads(self, work: Callable[[Connection], None]) -> None:
        def one() -> None:
            connection = Connection(self.plan.url)
            try:
                work(connection)
            finally:
                connection.close()

        threads = [threading.Thread(target=one, daemon=True) for _ in range(self.plan.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _enroll_all(self, connection: Connection, waiting: list[Device]) -> None:
        while True:
            try:
                device = waiting.pop()
            except IndexError:
                return
            body = {
                "key": self.plan.key,
                "resource_account": device.account,
                "display_name": f"Simulated room {device.number + 1}",
                "host_name": f"SIM-{device.number:05}",
                "serial_number": f"S{device.number:08}",
                "app_version": device.version,
                "os_version": "10.0.26100",
                "time_zone": "Europe/Berlin",
            }
            for _ in range(5):
                status, answer, later = self._ask(connection, "POST", "enroll", "", body)
                if status != 429:
                    break
                time.sleep(min(float(later or 1), RETRY_WITHIN) + device.chance.random())
            device.token = str(answer.get("token", ""))

    def _report_until_the_end(self, connection: Connection) -> None:
        while (device := self._next()) is not None:
            said = device.report(self.plan.fault_rate)
            status, _, _ = self._ask(connection, "POST", "telemetry", device.token, said)
            if status == 200:
                status, desired, _ = self._ask(connection, "GET", "desired", device.token)
                if status == 200:
                    device.obey(desired)
            if status != 401:  # revoked: it is silent from now on
                with self._lock:
                    heapq.heappush(self._due, (time.monotonic() + self.plan.interval, next(self._order), device))

    def _next(self) -> Device | None:
        """The next device whose turn it is, when it is; None when the time is over."""
        with self._lock:
            if not self._due or self._due[0][0] >= self._ends or time.monotonic() >= self._ends:
                return None
            due, _, device = heapq.heappop(self._due)
        time.sleep(max(due - time.monotonic(), 0))
        return device

    def _ask(
        self, connection: Connection, method: str, endpoint: str, token: str, body: Any = None
    ) -> tuple[int, dict[str, Any], str]:
        began = time.monotonic()
        try:
            status, answer, later = connection.ask(method, endpoint, token, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            status, answer, later = 0, {}, ""
            failure = type(error).__name__
        else:
            failure = "" if status < 300 else f"{status} {answer.get('code', '')}".strip()
        self.figures.add(endpoint, self._tenth(began), time.monotonic() - began, failure)
        return status, answer, later

    def _tenth(self, at: float) -> int:
        """Which tenth of the reporting time it is; enrolments come before it and count as the first."""
        if not self._began:
            return 0
        return min(int((at - self._began) / max(self._ends - self._began, 0.001) * TENTHS), TENTHS - 1)
