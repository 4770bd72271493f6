import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lottery.analysis.intervals import interval

values = st.lists(st.floats(-100, 100), min_size=2, max_size=9)


@given(values, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_equals_that_of_scipys_t_test(sample: list[float], level: float) -> None:
    sample = [*sample, sample[0] + 1]
    ours = interval(sample, level)
    reference = stats.ttest_1samp(sample, 0).confidence_interval(level)
    assert (ours.low, ours.high) == pytest.approx(tuple(reference), rel=1e-6, abs=1e-6)
    assert ours.mean == pytest.approx(np.mean(sample), abs=1e-9)
    assert ours.std == pytest.approx(np.std(sample, ddof=1), abs=1e-9)


@given(values)
def test_a_higher_level_widens_the_interval(sample: list[float]) -> None:
    narrow, wide = interval(sample, 0.8), interval(sample, 0.99)
    assert wide.low <= narrow.low <= narrow.mean <= narrow.high <= wide.high


def test_a_single_value_has_a_mean_only() -> None:
    single = interval([0.5])
    assert (single.mean, single.n) == (0.5, 1)
    assert np.isnan([single.std, single.low, single.high]).all()


def test_no_values_leave_everything_undefined() -> None:
    empty = interval([])
    assert empty.n == 0
    assert np.isnan([empty.mean, empty.std, empty.low, empty.high]).all()


def test_nan_is_not_ignored() -> None:
    assert np.isnan(interval([0.5, float("nan"), 0.7]).mean)


def test_95_percent_intervals_cover_the_mean_in_95_percent_of_samples() -> None:
    samples = np.random.default_rng(0).normal(0.3, 2, (2000, 3))
    covered = [bounds.low <= 0.3 <= bounds.high for bounds in map(interval, samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)
