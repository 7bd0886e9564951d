"""Starts the servers before anything reads the settings: `-p tests.plugin`, see pyproject.toml."""

from collections.abc import Generator

import pytest

from tests.foundation.run import Run
from trm_portal.development.errors import SetUpError


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Afterwards the environment names the servers of this run and this worker's own database."""
    try:
        Run.current().enter()
    except SetUpError as error:
        pytest.exit(f"The tests can't start. {error}", returncode=2)
    return (yield)


def pytest_report_header() -> str:
    """One line about what the tests run on."""
    return Run.current().description()
