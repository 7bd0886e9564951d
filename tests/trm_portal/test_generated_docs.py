"""Documents that are made from code say what the code says."""

import pytest
from django.utils.translation import override

from trm_portal.management.commands.write_docs import CLIENT, CLIENT_FOLDER, DOCS, PAGES, client_module


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_up_to_date(name: str) -> None:
    with override("en"):
        assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("name", sorted(CLIENT))
def test_client_is_up_to_date(name: str) -> None:
    assert (CLIENT_FOLDER / name).read_text() == client_module(name), "run `make docs`"
