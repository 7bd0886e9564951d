"""Seeds the fault that CANARY names, once Django is set up: `-p tests.canaries.plugin`."""

import os

import psycopg2
import pytest


@pytest.fixture(scope="session", autouse=True)
def seeded(django_db_setup: None, worker_database) -> None:
    """The fault is there before the first test; it goes with the process and its database."""
    from tests.canaries.faults import FAULTS  # noqa: PLC0415 - reads models, which are there only now

    fault = FAULTS[os.environ["CANARY"]]
    if fault.sql:
        connection = psycopg2.connect(worker_database.urls.owner)
        with connection, connection.cursor() as cursor:
            cursor.execute(fault.sql)
        connection.close()
    fault.seed()
