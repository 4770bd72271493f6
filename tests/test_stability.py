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

layered = arrays(bool, st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(1, 6)))
CHANCE = rng("tests")


def flat(kept_SLH: Kept) -> Kept:
    return kept_SLH.reshape(len(kept_SLH), -1)


@given(layered)
def test_sizes_are_counts(kept_SLH: Kept) -> None:
    kept_SC = flat(kept_SLH)
    found = stability.sizes(kept_SC)
    frame = pd.DataFrame(kept_SC.T)
    assert found["surviving_mean"] == pytest.approx(frame.sum().mean())
    assert found["surviving_std"] == pytest.approx(frame.sum().std())
    assert found["super_survivors"] == frame.all(axis=1).sum()
    assert found["never_survivors"] == (~frame.any(axis=1)).sum()
    neither = kept_SC.shape[1] * (1 - found["share_mixed"])
    assert found["super_survivors"] + found["never_survivors"] == pytest.approx(neither)


@pytest.mark.parametrize(
    ("times", "literal", "rounded"), [(0, 0, 0), (1, 0, 1), (2, 1, 1), (3, 1, 1), (4, 0, 1), (5, 0, 0)]
)  # fmt: skip
def test_five_seeds_have_three_stds(times: int, literal: float, rounded: float) -> None:
    found = stability.sizes(np.arange(5)[:, None] < np.full(7, times))
    assert found["share_std_in_045_055"] == literal
    assert found["share_std_in_045_055_rounded"] == rounded


@given(layered)
def test_jaccard_is_that_of_scikit_learn(kept_SLH: Kept) -> None:
    kept_SC = flat(kept_SLH)
    for found, (a, b) in zip(stability.jaccard(kept_SC), combinations(kept_SC, 2), strict=True):
        if (a | b).any():
            assert found == pytest.approx(jaccard_score(a, b), abs=1e-6)
        else:
            assert np.isnan(found)


def test_two_seeds_have_nearly_cohens_kappa() -> None:
    a = np.random.default_rng(0).random(4000) < 0.5
    b = np.where(np.random.default_rng(1).random(4000) < 0.7, a, ~a)
    found = stability.reliability(np.stack([a, b]))
    assert found["fleiss_kappa"] == pytest.approx(cohen_kappa_score(a, b), abs=1e-3)
    assert found["krippendorff_alpha"] == pytest.approx(found["fleiss_kappa"], abs=1e-3)


@given(layered.filter(lambda kept: kept.any() and not kept.all()))
def test_alpha_is_kappa_corrected_for_the_sample(kept_SLH: Kept) -> None:
    kept_SC = flat(kept_SLH)
    found, judgements = stability.reliability(kept_SC), kept_SC.size
    corrected = found["fleiss_kappa"] + (1 - found["fleiss_kappa"]) / judgements
    assert found["krippendorff_alpha"] == pytest.approx(corrected)


def test_cochran_asks_for_equal_numbers_not_for_equal_components() -> None:
    disjoint = np.eye(4, dtype=bool)
    assert stability.cochran(disjoint)["cochran_p"] == pytest.approx(1)
    growing = np.arange(40) < np.array([[5], [20], [35]])
    found = stability.cochran(growing)
    assert found["cochran_p"] < 1e-6
    assert found["cochran_p"] == pytest.approx(stats.chi2.sf(found["cochran_q"], 2))


def test_alike_seeds_are_told_from_shuffled_ones() -> None:
    kept_LH = rng("one", "mask").random((6, 12)) < 0.5
    alike = stability.similarity(np.stack([kept_LH] * 4), CHANCE)
    assert alike["jaccard_mean"] == 1
    assert alike["jaccard_p_uniform"] == alike["jaccard_p_within_layer"] == 1 / 2000
    unlike = CHANCE.permuted(np.stack([kept_LH.ravel()] * 4), axis=1).reshape(4, 6, 12)
    found = stability.similarity(unlike, CHANCE)
    assert found["jaccard_p_uniform"] > 0.01
    assert found["jaccard_mean"] == pytest.approx(found["jaccard_chance"], abs=0.15)


def test_a_preference_for_layers_alone_is_not_agreement_within_them() -> None:
    first = np.arange(6)[:, None] < 3
    share_LH = np.where(first, 9, 2)
    kept_SLH = np.argsort(CHANCE.random((5, 6, 12)), axis=-1) < share_LH
    found = stability.similarity(kept_SLH, CHANCE)
    assert found["jaccard_p_uniform"] < 0.01 < found["jaccard_p_within_layer"]


@pytest.mark.parametrize("kept", [np.ones((3, 2, 4), bool), np.zeros((3, 2, 4), bool)])
def test_everything_or_nothing_leaves_agreement_undefined(kept: Kept) -> None:
    found = stability.statistics(kept, CHANCE)
    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert {"fleiss_kappa", "krippendorff_alpha", "cochran_q", "cochran_p"} <= undefined
    assert found["share_mixed"] == 0
    assert found["surviving_std"] == 0


def test_one_seed_has_sizes_and_no_agreement() -> None:
    found = stability.statistics(CHANCE.random((1, 3, 4)) < 0.5, CHANCE)
    defined = {name for name, value in found.items() if not np.isnan(value)}
    assert defined == {
        "surviving_mean", "super_survivors", "super_survivors_expected", "never_survivors",
        "never_survivors_expected",
    }  # fmt: skip


def test_the_table_does_not_depend_on_the_order_of_cells() -> None:
    found = [
        toys.good_ticket(task, seed, draw(task, seed, (3, 4)), draw(task, seed, (3,)))
        for task in ("a", "b")
        for seed in range(3)
    ]
    there, back = (stability.stability(each) for each in (found, found[::-1]))
    order = ["task", "unit", "statistic"]
    pd.testing.assert_frame_equal(
        there.sort_values(order, ignore_index=True), back.sort_values(order, ignore_index=True)
    )


def draw(task: str, seed: int, shape: tuple[int, ...]) -> Kept:
    return rng(task, seed, len(shape)).random(shape) < 0.6


def importances() -> pd.DataFrame:
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


def test_importance_ranks_agree_where_they_are_equal() -> None:
    frame = importances()
    found = stability.importance_agreement(frame).set_index(["unit", "seed_a", "seed_b"])[
        "spearman"
    ]
    assert len(found) == 6
    assert found["heads"].tolist() == pytest.approx([1, 1, 1])
    mlps = frame[frame["unit"] == "mlps"].pivot(index="layer", columns="seed", values="importance")
    assert found["mlps", 1, 3] == pytest.approx(stats.spearmanr(mlps[1], mlps[3]).statistic)


def test_importance_quantiles_run_from_the_least_to_the_most() -> None:
    frame = importances()
    found = stability.importance_quantiles(frame).set_index(["unit", "quantile"])
    heads = frame[frame["unit"] == "heads"].groupby("seed")["importance"]
    assert found.loc[("heads", 0.0), "mean"] == pytest.approx(heads.min().mean())
    assert found.loc[("heads", 0.5), "mean"] == pytest.approx(heads.median().mean())
    assert found.loc[("heads", 1.0), "n"] == 3
