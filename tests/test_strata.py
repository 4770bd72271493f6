"""Means over fixed tasks: oracles in scipy, few seeds, bounds, agreement of test and interval."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lottery.analysis.estimate import LINEAR, Scale, both
from lottery.analysis.strata import MANY_SEEDS, Strata, above_zero, within
from lottery.seeds import rng

KAPPA = Scale(-1, 1)
values = st.lists(st.floats(-1, 1), min_size=2, max_size=6).filter(lambda v: np.std(v) > 1e-3)

many_values = st.lists(st.floats(-1, 1), min_size=MANY_SEEDS, max_size=7).filter(
    lambda v: np.std(v) > 1e-3
)


def strata(by_task: Mapping[str, Sequence[float]]) -> Strata:
    cells = {(task, seed): v for task, of in by_task.items() for seed, v in enumerate(of)}
    index = pd.MultiIndex.from_tuples(list(cells), names=["task", "seed"])
    return Strata.of_cells(pd.Series(list(cells.values()), index))


@given(values)
def test_one_task_is_students_t_test(sample: list[float]) -> None:
    expected = stats.ttest_1samp(sample, 0, alternative="greater")
    estimate = above_zero(strata({"sst2": sample}))
    assert estimate.p_for == pytest.approx(expected.pvalue)
    low, high = estimate.interval(0.025)
    assert (low, high) == pytest.approx(tuple(stats.ttest_1samp(sample, 0).confidence_interval()))


@given(many_values, many_values)
def test_two_tasks_are_welchs_test_of_one_against_the_mirrored_other(
    a: list[float], b: list[float]
) -> None:
    expected = stats.ttest_ind(a, [-v for v in b], equal_var=False, alternative="greater")
    assert above_zero(strata({"sst2": a, "rte": b})).p_for == pytest.approx(expected.pvalue)


def test_differences_between_tasks_are_no_noise() -> None:
    near, far = [0.10, 0.11, 0.12], [0.80, 0.81, 0.82]
    together = above_zero(strata({"sst2": near, "rte": far}))
    assert together.se < 0.005
    assert together.effect == pytest.approx(0.46)


def test_a_cell_without_a_value_is_left_out_and_a_task_with_one_borrows_the_spread() -> None:
    estimate = above_zero(strata({"sst2": [0.1, 0.2, np.nan], "rte": [0.3]}))
    assert (estimate.cells, estimate.tasks) == (3, 2)
    assert estimate.se == pytest.approx(np.sqrt(0.005 / 2 + 0.005) / 2)


def test_nothing_is_tested_without_replicates() -> None:
    assert not above_zero(strata({"sst2": [0.1], "rte": [0.3]})).tested


def test_one_task_has_at_least_the_pooled_variance_while_its_seeds_are_few() -> None:
    quiet, noisy = [0.5, 0.5001, 0.5002], [0.1, 0.9, 0.5]
    few = strata({"sst2": quiet, "rte": noisy})
    assert few.only("sst2").variances[0] == pytest.approx(np.mean([np.var(quiet, ddof=1), 0.16]))
    assert few.only("rte").variances[0] == pytest.approx(0.16)
    many = strata({"sst2": [*quiet, 0.5, 0.5][:MANY_SEEDS], "rte": noisy})
    assert many.only("sst2").variances[0] < 1e-6
    assert not len(few.only("mnli").means)


@given(st.lists(st.floats(-0.9, 0.99), min_size=3, max_size=6), st.floats(0.001, 0.4))
def test_bounds_of_a_bounded_quantity_are_between_its_bounds_and_agree_with_the_test(
    kappas: list[float], level: float
) -> None:
    assume(np.std(kappas) > 1e-3)
    estimate = above_zero(strata({"sst2": [0.6 - k for k in kappas]}), scale=Scale(-0.4, 1.6))
    low, high = estimate.interval(level)
    assert -0.4 <= low <= estimate.effect + 1e-6
    assert estimate.effect - 1e-6 <= high <= 1.6
    assume(abs(estimate.p_for - level) > 1e-6 and abs(estimate.p_against - level) > 1e-6)
    assert (low > 0) == (estimate.p_for < level)
    assert (high < 0) == (estimate.p_against < level)


@given(values, st.floats(0.05, 2), st.sampled_from([LINEAR, Scale(-3, 3)]))
def test_an_effect_is_within_the_margin_just_where_its_interval_is(
    sample: list[float], margin: float, scale: Scale
) -> None:
    estimate = within(strata({"sst2": sample}), margin, scale)
    low, high = estimate.interval(0.05)
    assume(abs(estimate.p_for - 0.05) > 1e-6)
    assert (estimate.p_for < 0.05) == (-margin < low and high < margin)


def test_all_parts_must_hold_and_one_that_fails_contradicts() -> None:
    clear = above_zero(strata({"sst2": [0.5, 0.51, 0.52]}))
    unclear = above_zero(strata({"sst2": [-0.1, 0.2, 0.0]}))
    failing = above_zero(strata({"sst2": [-0.5, -0.51, -0.52]}))
    assert both([clear, unclear]).p_for == unclear.p_for
    assert both([clear, failing]).p_against == pytest.approx(2 * failing.p_against)
    assert both([clear]) == clear
    assert not both([clear, above_zero(strata({"sst2": [1.0]}))]).tested


def test_the_detectable_effect_is_found_with_a_power_of_80_percent() -> None:
    random = rng("power")
    effect = above_zero(strata({"a": random.normal(0, 1, 40).tolist()})).detectable(0.05)
    samples = random.normal(effect, 1, (4000, 40))
    p = stats.ttest_1samp(samples, 0, axis=1, alternative="greater").pvalue
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.1)


def test_a_claim_that_there_is_no_effect_has_no_detectable_one() -> None:
    assert np.isnan(within(strata({"a": [0.1, -0.1, 0.02]}), 0.5).detectable(0.05))


@pytest.mark.parametrize("sds", [(1, 1, 1), (0.05, 0.15, 1)])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_false_positives_are_about_as_rare_as_promised(sds: tuple[float, ...], seeds: int) -> None:
    random = rng("false positives", str(sds), seeds)
    p = [
        above_zero(
            strata({str(at): random.normal(0, sd, seeds).tolist() for at, sd in enumerate(sds)})
        ).p_for
        for _ in range(600)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 600)
