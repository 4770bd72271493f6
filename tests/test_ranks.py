"""Rank tests within cells: enumeration as the oracle, ties, false positives."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.analysis.ranks import below, good_among_random
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


@given(st.lists(st.integers(0, 6), min_size=2, max_size=6), st.integers(0, 6))
def test_one_bad_mask_is_tested_like_a_good_ticket(random: list[int], bad: int) -> None:
    estimate = below([("sst2", 1, np.array(random, float), np.array([bad], float))])
    mirrored = good_among_random([("sst2", 1, -float(bad), -np.array(random, float))])
    assert estimate.p_for == pytest.approx(min(1.0, 2 * mirrored.p_for))
    assert estimate.effect == mirrored.effect


def test_worse_masks_are_below_and_better_ones_are_not() -> None:
    cells = [("sst2", seed, np.linspace(1, 2, 19), np.linspace(0, 0.9, 9)) for seed in range(3)]
    assert below(cells).p_for == pytest.approx(2 * 20.0**-3)
    assert below(cells).effect == 0.5
    reverse = [(task, seed, -high, -low) for task, seed, high, low in cells]
    assert below(reverse).p_against == pytest.approx(2 * 20.0**-3)


def test_masks_that_resemble_each_other_are_seldom_told_from_random_ones() -> None:
    random = rng("null masks")
    # All bad masks of a cell are one mask, or nearly: a permutation of masks would call most such cells significant.
    p = [
        below(
            [
                ("sst2", seed, random.normal(size=9), random.normal() + random.normal(0, 0.1, 5))
                for seed in range(3)
            ]
        ).p_for
        for _ in range(300)
    ]
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 300)


def test_nothing_is_tested_without_masks() -> None:
    assert not good_among_random([("sst2", 1, 0.5, np.empty(0))]).tested
    assert not below([("sst2", 1, np.ones(2), np.empty(0))]).tested
