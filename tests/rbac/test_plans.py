"""Which of the plans is chosen: never one that is ruinous in its place."""

import pytest

from rbac.plans import Sizes, choose


@pytest.mark.parametrize(
    ("groups", "listed", "plan"),
    [
        ([], 20_000, "gather"),
        ([0], 20_000, "gather"),
        ([10], 20_000, "gather"),
        ([10], 1_000_000, "gather"),
        ([10_000], 20_000, "probe"),
        ([20_000] * 3, 20_000, "probe"),
        ([200] * 10, 20_000, "hashed"),
        # Many thin slices: going down the list for them took half a second at a million rooms.
        ([10] * 100, 20_000, "gather"),
        ([10] * 100, 1_000_000, "gather"),
        # Too many ids for a hash, whatever it would save.
        ([3_000] * 10, 200_000, "probe"),
    ],
)
def test_plan_follows_sizes(groups, listed, plan):
    assert choose(Sizes(groups, listed)) == plan


def test_a_count_that_has_gone_stale_breaks_nothing():
    assert choose(Sizes([500], 0)) in ("gather", "probe", "hashed")
