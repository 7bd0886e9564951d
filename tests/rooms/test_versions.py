"""Versions compare by number, in Python and in the database alike."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rooms.versions import UNREADABLE, order_of

IN_ORDER = ("4", "4.0.0.1", "5.0", "5.1", "5.1.9", "5.1.10", "5.9.99999.99999", "5.10", "10", "999.99999.99999.99999")


def test_later_versions_are_higher() -> None:
    assert list(IN_ORDER) == sorted(IN_ORDER, key=order_of)
    assert len({order_of(one) for one in IN_ORDER}) == len(IN_ORDER)
    assert order_of("5.1") == order_of("5.1.0.0")
    assert order_of(IN_ORDER[-1]) < 2**63


@pytest.mark.parametrize(
    "text", ["", "5.", ".5", "5..1", "5.1b", "v5", " 5", "5\n", "1000", "5.100000", "1.2.3.4.5", "٥"]
)
def test_what_is_no_version_is_lower_than_all(text: str) -> None:
    assert order_of(text) == UNREADABLE < order_of("0")


@pytest.mark.django_db
@given(st.from_regex(r"[0-9]{1,4}(\.[0-9]{0,6}){0,4}\n?|[a-z0-9.٥]{0,8}", fullmatch=True))
def test_the_database_compares_alike(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT trm_version_order(%s)", [text])
        assert cursor.fetchone()[0] == order_of(text)
