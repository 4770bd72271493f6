"""Alpha spending: what looks may spend together, and plans that are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.analysis.looks import ALPHA, EvidenceParameters, level
from lottery.errors import UserError


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True).map(sorted))
def test_planned_looks_spend_the_whole_error_rate_together(looks: list[int]) -> None:
    levels = [level(seeds, looks) for seeds in looks]
    assert min(levels) > 0
    assert sum(levels) == pytest.approx(ALPHA)


def test_a_run_that_starts_with_its_last_look_spends_everything_at_once() -> None:
    assert level(5, (5,)) == pytest.approx(ALPHA)
    assert level(3, (3, 5)) == pytest.approx(0.0354, abs=1e-4)
    assert level(5, (3, 5)) == pytest.approx(0.0146, abs=1e-4)


def test_a_look_between_planned_ones_counts_as_the_next() -> None:
    assert level(4, (3, 5)) == level(5, (3, 5)) == level(7, (3, 5))
    assert level(2, (3, 5)) == level(3, (3, 5))


@pytest.mark.parametrize("looks", [(5, 3), (3, 3)])
def test_looks_ascend(looks: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="ascending"):
        EvidenceParameters(looks=looks)
