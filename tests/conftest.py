"""Fixtures for all tests; tests/plugin.py has started the servers before this is read."""

import hypothesis
import pytest
from django.test import TestCase, TransactionTestCase

from tests.foundation.broker import broker, broker_url, worker_broker_url
from tests.foundation.clock import clock
from tests.foundation.database import committed_db, django_db_setup, owner_connection, worker_database
from tests.foundation.mail import smtp_sink
from tests.foundation.portal import portal
from tests.foundation.provider import provider
from tests.foundation.receiver import receiver

__all__ = [
    "broker",
    "broker_url",
    "clock",
    "committed_db",
    "django_db_setup",
    "owner_connection",
    "portal",
    "provider",
    "receiver",
    "smtp_sink",
    "worker_broker_url",
    "worker_database",
]

# A database on a busy machine answers when it can; that is no fault of the property.
hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")

NOT_TRANSACTIONAL = """Django empties the tables after such a test with rights that the portal's role does not have.
Use the fixture `committed_db` instead of django_db(transaction=True), transactional_db and TransactionTestCase,
and `portal.web()` instead of live_server."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse what would run on rights that the app has not."""
    marker = item.get_closest_marker("django_db")
    case = getattr(item, "cls", None)
    if (
        (marker and (marker.kwargs.get("transaction") or marker.args[:1] == (True,)))
        or {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
        or (isinstance(case, type) and issubclass(case, TransactionTestCase) and not issubclass(case, TestCase))
    ):
        pytest.fail(NOT_TRANSACTIONAL, pytrace=False)
