import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals are asked for here; nobody needs to read that they were given."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
