"""Rank tests within cells: enumeration and scipy as oracles, ties, false positives."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lottery.analysis.ranks import below, good_among_random
from lottery.seeds import rng


@given(st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=4), min_size=1, max_size=3))
def test_the_rank_sum_has_its_exact_distribution(cells: list[list[int]]) -> None:
    scored = [
        ("sst2", seed, float(good), np.array(random, float))
        for seed, (good, *random) in enumerate(cells)
    ]
    estimate = good_among_random(scored)
    beaten = sum(sum(mask < good for mask in random) for good, *random in cells)
    at_least = [
        sum(places) >= beaten
        for places in product(*(range(len(random) + 1) for _, *random in cells))
    ]
    assert estimate.p_for == pytest.approx(np.mean(at_least))


def test_ties_help_neither_side() -> None:
    tied = good_among_random([("sst2", seed, 0.5, np.full(9, 0.5)) for seed in range(3)])
    assert (tied.p_for, tied.p_against) == (1.0, 1.0)
    assert tied.effect == 0


def test_the_best_of_twenty_in_three_cells_is_one_in_eight_thousand() -> None:
    cells = [("sst2", seed, 1.0, np.linspace(0, 0.9, 19)) for seed in range(3)]
    assert good_among_random(cells).p_for == pytest.approx(20.0**-3)
    assert good_among_random(cells).effect == 0.5
    assert np.isnan(good_among_random(cells).interval(0.05)).all()


def test_one_cell_is_the_test_of_mann_and_whitney() -> None:
    random = rng("masks")
    higher, lower = random.normal(0.5, 1, 12), random.normal(0, 1, 9)
    expected = stats.mannwhitneyu(higher, lower, alternative="greater")
    estimate = below([("sst2", 1, higher, lower)], rng("permutations"))
    assert estimate.p_for == pytest.approx(expected.pvalue, abs=0.03)
    assert estimate.effect == pytest.approx(expected.statistic / (12 * 9) - 0.5)


def test_cells_are_strata() -> None:
    cells = [
        ("sst2", seed, np.array([0.3, 0.2]) + seed, np.array([0.1, 0.0]) + seed)
        for seed in range(6)
    ]
    assert below(cells, rng("strata")).p_for < 0.01
    reverse = [(task, seed, low, high) for task, seed, high, low in cells]
    assert below(reverse, rng("strata")).p_against < 0.01


def test_masks_of_one_kind_are_seldom_told_apart() -> None:
    random = rng("null masks")
    p = [
        below(
            [("sst2", seed, random.normal(size=4), random.normal(size=3)) for seed in range(3)],
            random,
        ).p_for
        for _ in range(300)
    ]
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 300)


def test_nothing_is_tested_without_masks() -> None:
    assert not good_among_random([("sst2", 1, 0.5, np.empty(0))]).tested
    assert not below([("sst2", 1, np.ones(2), np.empty(0))], rng("none")).tested
