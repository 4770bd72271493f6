from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import cohen_kappa_score, jaccard_score

from lottery.analysis import stability
from lottery.seeds import rng
from lottery.subnetwork import Kept
from tests import toys

masks_over_seeds = arrays(bool, st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(1, 6)))
RNG = rng("tests")


def flat(kept_SLH: Kept) -> Kept:
    return kept_SLH.reshape(len(kept_SLH), -1)


@given(masks_over_seeds)
def test_sizes_count_components(kept_SLH: Kept) -> None:
    kept_SC = flat(kept_SLH)
    sizes = stability.sizes(kept_SC)
    frame = pd.DataFrame(kept_SC.T)
    assert sizes["surviving_mean"] == pytest.approx(frame.sum().mean())
    assert sizes["surviving_std"] == pytest.approx(frame.sum().std())
    assert sizes["super_survivors"] == frame.all(axis=1).sum()
    assert sizes["never_survivors"] == (~frame.any(axis=1)).sum()
    always_or_never = kept_SC.shape[1] * (1 - sizes["share_mixed"])
    assert sizes["super_survivors"] + sizes["never_survivors"] == pytest.approx(always_or_never)


@pytest.mark.parametrize(
    ("times", "literal", "rounded"), [(0, 0, 0), (1, 0, 1), (2, 1, 1), (3, 1, 1), (4, 0, 1), (5, 0, 0)]
)  # fmt: skip
def test_rounding_moves_the_std_of_one_and_four_of_five_into_the_range(
    times: int, literal: float, rounded: float
) -> None:
    sizes = stability.sizes(np.arange(5)[:, None] < np.full(7, times))
    assert sizes["share_std_in_045_055"] == literal
    assert sizes["share_std_in_045_055_rounded"] == rounded


@given(masks_over_seeds)
def test_jaccard_equals_that_of_scikit_learn(kept_SLH: Kept) -> None:
    kept_SC = flat(kept_SLH)
    for index, (a, b) in zip(stability.jaccard(kept_SC), combinations(kept_SC, 2), strict=True):
        if (a | b).any():
            assert index == pytest.approx(jaccard_score(a, b), abs=1e-6)
        else:
            assert np.isnan(index)


def test_reliability_of_two_seeds_is_close_to_cohens_kappa() -> None:
    a = np.random.default_rng(0).random(4000) < 0.5
    b = np.where(np.random.default_rng(1).random(4000) < 0.7, a, ~a)
    reliability = stability.reliability(np.stack([a, b]))
    assert reliability["fleiss_kappa"] == pytest.approx(cohen_kappa_score(a, b), abs=1e-3)
    assert reliability["krippendorff_alpha"] == pytest.approx(cohen_kappa_score(a, b), abs=1e-3)


@given(masks_over_seeds.filter(lambda kept: kept.any() and not kept.all()))
def test_alpha_is_kappa_corrected_for_the_sample_size(kept_SLH: Kept) -> None:
    kept_SC = flat(kept_SLH)
    reliability = stability.reliability(kept_SC)
    kappa = reliability["fleiss_kappa"]
    assert reliability["krippendorff_alpha"] == pytest.approx(kappa + (1 - kappa) / kept_SC.size)


def test_cochran_tests_for_equal_numbers_not_for_equal_components() -> None:
    disjoint = np.eye(4, dtype=bool)
    assert stability.cochran(disjoint)["cochran_p"] == pytest.approx(1)
    growing = np.arange(40) < np.array([[5], [20], [35]])
    cochran = stability.cochran(growing)
    assert cochran["cochran_p"] < 1e-6
    assert cochran["cochran_p"] == pytest.approx(stats.chi2.sf(cochran["cochran_q"], 2))


def test_equal_masks_are_significantly_similar_and_shuffled_ones_are_not() -> None:
    kept_LH = rng("one", "mask").random((6, 12)) < 0.5
    equal = stability.similarity(np.stack([kept_LH] * 4), RNG)
    assert equal["jaccard_mean"] == 1
    assert equal["jaccard_p_uniform"] == equal["jaccard_p_within_layer"] == 1 / 2000
    shuffled_SLH = RNG.permuted(np.stack([kept_LH.ravel()] * 4), axis=1).reshape(4, 6, 12)
    shuffled = stability.similarity(shuffled_SLH, RNG)
    assert shuffled["jaccard_p_uniform"] > 0.01
    assert shuffled["jaccard_mean"] == pytest.approx(shuffled["jaccard_chance"], abs=0.15)


def test_a_preference_for_layers_is_no_agreement_within_layers() -> None:
    first = np.arange(6)[:, None] < 3
    share_LH = np.where(first, 9, 2)
    kept_SLH = np.argsort(RNG.random((5, 6, 12)), axis=-1) < share_LH
    similarity = stability.similarity(kept_SLH, RNG)
    assert similarity["jaccard_p_uniform"] < 0.01 < similarity["jaccard_p_within_layer"]


@pytest.mark.parametrize("kept", [np.ones((3, 2, 4), bool), np.zeros((3, 2, 4), bool)])
def test_agreement_is_undefined_if_everything_or_nothing_survives(kept: Kept) -> None:
    statistics = stability.statistics(kept, RNG)
    undefined = {name for name, value in statistics.items() if np.isnan(value)}
    assert {"fleiss_kappa", "krippendorff_alpha", "cochran_q", "cochran_p"} <= undefined
    assert statistics["share_mixed"] == 0
    assert statistics["surviving_std"] == 0


def test_a_single_seed_has_sizes_but_no_agreement() -> None:
    statistics = stability.statistics(RNG.random((1, 3, 4)) < 0.5, RNG)
    defined = {name for name, value in statistics.items() if not np.isnan(value)}
    assert defined == {
        "surviving_mean", "super_survivors", "super_survivors_expected", "never_survivors",
        "never_survivors_expected",
    }  # fmt: skip


def test_the_table_does_not_depend_on_the_order_of_tickets() -> None:
    tickets = [
        toys.good_ticket(task, seed, random_mask(task, seed, (3, 4)), random_mask(task, seed, (3,)))
        for task in ("a", "b")
        for seed in range(3)
    ]
    table, of_reversed = (
        stability.stability(sequence).sort_values(["task", "unit", "statistic"], ignore_index=True)
        for sequence in (tickets, tickets[::-1])
    )
    pd.testing.assert_frame_equal(table, of_reversed)


def random_mask(task: str, seed: int, shape: tuple[int, ...]) -> Kept:
    return rng(task, seed, len(shape)).random(shape) < 0.6


def toy_importance() -> pd.DataFrame:
    """MLPs have random importance with each seed, heads the same with all seeds."""
    return pd.DataFrame(
        [
            ("t", seed, unit, layer, head, float(rng(seed * (unit == "mlps"), unit, layer).random() + (head or 0)))
            for seed in (1, 2, 3)
            for unit, heads in (("mlps", [None]), ("heads", range(4)))
            for layer in range(3)
            for head in heads
        ],
        columns=["task", "seed", "unit", "layer", "index", "importance"],
    ).astype({"index": "Int64"})  # fmt: skip


def test_importance_agreement_is_the_spearman_correlation_of_two_seeds() -> None:
    frame = toy_importance()
    agreement = stability.importance_agreement(frame).set_index(["unit", "seed_a", "seed_b"])
    correlations = agreement["spearman"]
    assert len(correlations) == 6
    assert correlations["heads"].tolist() == pytest.approx([1, 1, 1])
    mlps = frame[frame["unit"] == "mlps"].pivot(index="layer", columns="seed", values="importance")
    assert correlations["mlps", 1, 3] == pytest.approx(stats.spearmanr(mlps[1], mlps[3]).statistic)


def test_importance_quantiles_range_from_minimum_to_maximum() -> None:
    frame = toy_importance()
    quantiles = stability.importance_quantiles(frame).set_index(["unit", "quantile"])
    heads = frame[frame["unit"] == "heads"].groupby("seed")["importance"]
    assert quantiles.loc[("heads", 0.0), "mean"] == pytest.approx(heads.min().mean())
    assert quantiles.loc[("heads", 0.5), "mean"] == pytest.approx(heads.median().mean())
    assert quantiles.loc[("heads", 1.0), "n"] == 3


@given(st.lists(st.floats(0, 1), min_size=5, max_size=20, unique=True), st.floats(0, 2))
def test_reliability_is_that_of_two_halves_by_spearman_and_brown(
    values: list[float], noise: float
) -> None:
    first = np.array(values)
    second = first + noise * np.random.default_rng(0).normal(size=len(first))
    frame = pd.DataFrame({"first_half": first, "second_half": second})
    frame = frame.assign(task="sst2", unit="heads", seed=1)
    [row] = stability.importance_reliability(frame).itertuples(index=False)
    rho = stats.spearmanr(first, second).statistic
    assert row.spearman == pytest.approx(rho)
    if rho > -1:
        assert row.reliability == pytest.approx(2 * rho / (1 + rho))
    assert stability.importance_reliability(frame.assign(first_half=None)).empty
