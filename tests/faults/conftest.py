"""A world on a real database, the portal's real processes with short intervals, and what must hold after every fault."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories.world import World, make
from tests.faults.scene import SWEEP, HesitantSink
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal


@pytest.fixture
def intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats started afterwards ring every second."""
    monkeypatch.setenv("SWEEP_SECONDS", str(SWEEP))
    monkeypatch.setenv("EXPIRE_SECONDS", str(SWEEP))


@pytest.fixture
def world(portal: Portal, intervals: None) -> Iterator[World]:
    """Customers and partners, really committed; afterwards everything holds that must hold at every moment."""
    yield make()
    call_command("check_invariants", verbosity=0)


@pytest.fixture
def hesitant_sink(smtp_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HesitantSink]:
    """A mail server that may take a mail and never say so; stands in for `smtp_sink`."""
    sink = HesitantSink()
    sink.start()
    monkeypatch.setenv("EMAIL_URL", sink.url)
    settings.EMAIL_PORT = sink.port
    yield sink
    sink.stop()
