"""Documents that are made from code say what the code says."""

import pytest
from django.utils.translation import override

from trm_portal.management.commands.write_docs import DOCS, PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_up_to_date(name: str) -> None:
    with override("en"):
        assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"
