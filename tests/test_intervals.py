import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lottery.analysis.intervals import interval

values = st.lists(st.floats(-100, 100), min_size=2, max_size=9)


@given(values, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_is_that_of_a_t_test(sample: list[float], level: float) -> None:
    sample = [*sample, sample[0] + 1]
    found = interval(sample, level)
    reference = stats.ttest_1samp(sample, 0).confidence_interval(level)
    assert (found.low, found.high) == pytest.approx(tuple(reference), rel=1e-6, abs=1e-6)
    assert found.mean == pytest.approx(np.mean(sample), abs=1e-9)
    assert found.std == pytest.approx(np.std(sample, ddof=1), abs=1e-9)


@given(values)
def test_more_certainty_is_wider(sample: list[float]) -> None:
    narrow, wide = interval(sample, 0.8), interval(sample, 0.99)
    assert wide.low <= narrow.low <= narrow.mean <= narrow.high <= wide.high


def test_one_value_has_a_mean_and_nothing_else() -> None:
    found = interval([0.5])
    assert (found.mean, found.n) == (0.5, 1)
    assert np.isnan([found.std, found.low, found.high]).all()


def test_no_value_has_nothing() -> None:
    found = interval([])
    assert found.n == 0
    assert np.isnan([found.mean, found.std, found.low, found.high]).all()


def test_an_undefined_value_is_not_passed_over() -> None:
    assert np.isnan(interval([0.5, float("nan"), 0.7]).mean)


def test_coverage_is_what_it_says() -> None:
    samples = np.random.default_rng(0).normal(0.3, 2, (2000, 3))
    covered = [found.low <= 0.3 <= found.high for found in map(interval, samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)
