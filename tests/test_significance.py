from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery.analysis.significance import EXACT, holm, sign_flip, smallest_p
from lottery.seeds import rng

RNG = rng("significance")
differences = st.lists(st.integers(-40, 40).map(lambda n: n / 8), min_size=2, max_size=6)
p_values = st.lists(st.floats(0.001, 1), min_size=1, max_size=9)


@given(differences)
def test_p_is_the_share_of_sign_patterns_with_as_large_a_mean(sample: list[float]) -> None:
    means = [np.dot(signs, sample) for signs in product((1, -1), repeat=len(sample))]
    expected = np.mean(np.array(means) >= sum(sample))
    assert sign_flip(np.array(sample), "greater", RNG) == pytest.approx(expected)


@given(differences)
def test_the_lower_side_is_the_upper_side_of_the_negated_sample(sample: list[float]) -> None:
    less = sign_flip(np.array(sample), "less", RNG)
    assert less == pytest.approx(sign_flip(-np.array(sample), "greater", RNG))


def test_the_false_positive_rate_is_at_most_the_level() -> None:
    sizes = np.array([0.1, 0.3, 0.4, 0.9, 1.7, 3.0])
    p = [sign_flip(sizes * signs, "greater", RNG) for signs in product((1, -1), repeat=len(sizes))]
    assert all(np.mean(np.array(p) <= level) <= level for level in (0.02, 0.05, 0.1, 0.5))
    assert min(p) == pytest.approx(smallest_p(len(sizes)))


def test_sign_patterns_of_many_differences_are_sampled_reproducibly() -> None:
    sample = rng("many").normal(0.5, 1, EXACT + 24)
    p, repeated = (sign_flip(sample, "greater", rng("flips")) for _ in range(2))
    assert p == repeated
    assert smallest_p(len(sample)) <= p < 0.1


def test_a_single_difference_has_no_p() -> None:
    assert np.isnan(sign_flip(np.array([0.3]), "greater", RNG))
    assert np.isnan(smallest_p(1))


@settings(max_examples=20)  # statsmodels collects garbage at every call
@given(p_values)
def test_holm_is_the_step_down_correction(sample: list[float]) -> None:
    corrected = holm(np.array(sample))
    order = np.argsort(sample)
    steps = np.array(sample)[order] * np.arange(len(sample), 0, -1)
    assert corrected[order] == pytest.approx(np.minimum(np.maximum.accumulate(steps), 1))


@settings(max_examples=20)
@given(p_values)
def test_holm_ignores_tests_that_were_not_made(sample: list[float]) -> None:
    with_gap = holm(np.array([np.nan, *sample]))
    assert np.isnan(with_gap[0])
    assert with_gap[1:] == pytest.approx(holm(np.array(sample)))


def test_holm_of_no_tests_is_nan() -> None:
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()
