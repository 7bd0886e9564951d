"""`make clean`: end what is left of earlier runs, and remove their data wherever they are."""

from __future__ import annotations

import shutil
import sys

from trm_portal.development import processes
from trm_portal.development.demo import STATE as DEMO
from trm_portal.development.errors import SetUpError
from trm_portal.development.postgres import HOME_WHEN_CLOSED, Postgres
from trm_portal.development.state import PROJECT, StateFolder


def remove_runs() -> None:
    """Afterwards nothing of an earlier demo or test run is left. Raises AlreadyRunningError if one still runs."""
    for folder in (DEMO, *(PROJECT / ".state" / "test").glob("trm_test_*")):
        if folder.exists():
            state = StateFolder(folder)
            state.hold()
            processes.end_leftovers(state)
            Postgres(state, durable=False).remove_data()
            shutil.rmtree(folder)
    if HOME_WHEN_CLOSED.exists() and all(left.name.startswith("binaries-") for left in HOME_WHEN_CLOSED.iterdir()):
        shutil.rmtree(HOME_WHEN_CLOSED, ignore_errors=True)


if __name__ == "__main__":
    try:
        remove_runs()
    except SetUpError as error:
        sys.exit(str(error))
