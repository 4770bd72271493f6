"""Rank tests within cells: enumeration as the oracle, ties, false positives."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lottery.analysis.estimate import Scale
from lottery.analysis.ranks import good_among_random, pairs_won
from lottery.analysis.strata import Strata, above_zero
from lottery.seeds import rng


@given(st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=4), min_size=1, max_size=3))
def test_the_rank_sum_has_its_exact_distribution(cells: list[list[int]]) -> None:
    scored = [
        ("sst2", seed, float(good), np.array(random, float))
        for seed, (good, *random) in enumerate(cells)
    ]
    estimate = good_among_random(scored)

    def wins(masks: list[int], at: int) -> float:
        others = masks[:at] + masks[at + 1 :]
        return sum((mask < masks[at]) + (mask == masks[at]) / 2 for mask in others)

    seen = sum(wins(masks, 0) for masks in cells)
    at_least = [
        sum(wins(masks, at) for masks, at in zip(cells, places, strict=True)) >= seen
        for places in product(*(range(len(masks)) for masks in cells))
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


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=6),
    st.lists(st.integers(0, 6), min_size=1, max_size=6),
)
def test_pairs_won_are_the_statistic_of_mann_and_whitney(high: list[int], low: list[int]) -> None:
    won = pairs_won([("sst2", 1, np.array(high, float), np.array(low, float))])
    statistic = stats.mannwhitneyu(high, low).statistic
    assert won["sst2", 1] == pytest.approx(statistic / (len(high) * len(low)) - 0.5)


def test_masks_that_resemble_each_other_are_seldom_told_from_random_ones() -> None:
    random = rng("null masks")
    # All bad masks of a cell are nearly one mask: a permutation of masks would call most such cells significant.
    p = [
        above_zero(
            Strata.of_cells(
                pairs_won(
                    [
                        (
                            task,
                            seed,
                            random.normal(size=9),
                            random.normal() + random.normal(0, 0.1, 5),
                        )
                        for task in ("sst2", "stsb")
                        for seed in range(3)
                    ]
                )
            )
        ).p_for
        for _ in range(300)
    ]
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 300)


def test_nothing_is_tested_without_masks() -> None:
    assert not good_among_random([("sst2", 1, 0.5, np.empty(0))]).tested
    assert pairs_won([("sst2", 1, np.ones(2), np.empty(0))]).empty


def test_no_effect_is_detectable_that_is_not_possible() -> None:
    won = pairs_won(
        [
            ("sst2", seed, np.array([score]), np.zeros(1))
            for seed, score in enumerate((-1.0, 1.0, 0))
        ]
    )
    bounded = above_zero(Strata.of_cells(won), scale=Scale(-0.5, 0.5))
    assert bounded.tested
    assert np.isnan(bounded.detectable(0.01))
    assert above_zero(Strata.of_cells(won)).detectable(0.01) > 0.5
