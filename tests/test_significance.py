import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lottery.analysis.significance import holm, holm_levels

p_values = st.lists(st.floats(0.001, 1), min_size=1, max_size=9)


@given(p_values)
def test_holm_is_that_of_statsmodels(sample: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # statsmodels collects garbage at every call, a second in a process with many tests
        patch.setattr("gc.collect", lambda: 0)
        expected = multipletests(sample, method="holm")[1]
    assert holm(np.array(sample)) == pytest.approx(expected)


@given(p_values)
def test_holm_ignores_tests_that_were_not_made(sample: list[float]) -> None:
    with_gap = holm(np.array([np.nan, *sample]))
    assert np.isnan(with_gap[0])
    assert with_gap[1:] == pytest.approx(holm(np.array(sample)))
    assert np.isnan(holm_levels(np.array([np.nan, *sample]), 0.05)[0])


def test_holm_of_no_tests_is_nan() -> None:
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()


@given(p_values.map(lambda sample: [p / 20 for p in sample]))
def test_a_test_is_rejected_at_its_level_just_where_its_corrected_p_value_is_small(
    sample: list[float],
) -> None:
    p = np.array(sample)
    assert ((p <= holm_levels(p, 0.05)) == (holm(p) <= 0.05)).all()
