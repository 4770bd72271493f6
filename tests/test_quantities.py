from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.inter_rater import cohens_kappa

from lottery.analysis import published_masks, published_scores
from lottery.analysis.overlap import overlaps
from lottery.analysis.quantities import (
    agreement_kappas,
    measure_cells,
    measure_published,
    pseudo_values,
    unimportant_share,
)
from lottery.subnetwork import Kept
from lottery.ticket import Ticket
from tests import toys
from tests.project import ROOT

head_masks = arrays(np.bool_, (2, 6))
MLPS = np.ones(2, bool)


def good(task: str, seed: int, heads: Kept) -> Ticket:
    return toys.good_ticket(task, seed, heads, MLPS)


def full_models(tasks: Sequence[str], seeds: Sequence[int], **full: float) -> pd.DataFrame:
    def rows() -> Iterator[dict[str, object]]:
        for (task, seed), kind in product(product(tasks, seeds), ("full", "majority")):
            value = full.get(task, 0.8) if kind == "full" else 0.5
            yield {"task": task, "seed": seed, "kind": kind, "value": value}

    return pd.DataFrame(rows()).assign(
        method="full", state="finetuned", reported=True, metric="accuracy", examples=100
    )


IMPORTANCE = pd.DataFrame(columns=["task", "seed", "unit", "layer", "index", "importance"])
ATTENTION = pd.DataFrame(index=pd.MultiIndex.from_tuples([], names=["task", "seed"]))


@given(head_masks, head_masks)
def test_kappa_is_that_of_two_raters(a: Kept, b: Kept) -> None:
    pairs = overlaps(good("sst2", 1, a), good("sst2", 2, b))
    kappas = {pair.unit: pair.kappa for pair in pairs}
    if (a.all() and b.all()) or not (a.any() or b.any()):
        assert np.isnan(kappas["heads"])
    else:
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        expected = cohens_kappa(np.array(table), return_results=False)
        assert kappas["heads"] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(kappas["mlps"])


def test_agreement_needs_three_tickets_of_a_task_or_of_a_seed() -> None:
    left, right = np.eye(2, 6, dtype=bool), np.eye(2, 6, 3, dtype=bool)
    masks = {("sst2", 1): left, ("sst2", 2): left, ("sst2", 3): right, ("rte", 1): left}
    kappas = agreement_kappas([good(*cell, heads) for cell, heads in masks.items()])
    across_seeds = kappas.loc["sst2"]["heads across seeds"]
    assert across_seeds.mean() == pytest.approx((1 - 0.2 - 0.2) / 3)
    assert across_seeds.loc[3] < across_seeds.loc[1] == across_seeds.loc[2]
    assert "rte" not in kappas.index
    assert "heads across tasks" not in kappas


@given(st.integers(3, 7), st.integers(0, 99))
def test_the_mean_of_pseudo_values_is_the_mean_over_pairs(count: int, seed: int) -> None:
    pairs = np.triu(np.random.default_rng(seed).random((count, count)), 1)
    values = pseudo_values(pairs + pairs.T)
    assert values.mean() == pytest.approx(pairs[np.triu_indices(count, 1)].mean())


def test_a_single_ticket_has_no_agreement() -> None:
    assert agreement_kappas([good("sst2", 1, np.eye(2, 6, dtype=bool))]).empty


@pytest.mark.parametrize("full", [0.58, 0.5, 0.3, float("nan")])
def test_degenerate_cells_are_left_out_of_scores_and_agreement(full: float) -> None:
    rng = np.random.default_rng(0)
    tasks, seeds = ("sst2", "rte", "wnli"), (1, 2)
    tickets = [good(*cell, rng.random((2, 6)) < 0.5) for cell in product(tasks, seeds)]
    scores = full_models(tasks, seeds, wnli=full)
    measured = measure_cells(scores, tickets, IMPORTANCE, ATTENTION)
    sound = measure_cells(full_models(tasks[:2], seeds), tickets[:4], IMPORTANCE, ATTENTION)
    assert measured.degenerate == (("wnli", 1), ("wnli", 2))
    pd.testing.assert_frame_equal(measured.values, sound.values)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20, unique=True))
def test_unimportant_heads_are_in_the_lowest_third_of_the_range(scores: list[float]) -> None:
    frame = pd.DataFrame({"task": "sst2", "seed": 1, "unit": "heads", "importance": scores})
    mlps = frame.assign(unit="mlps", importance=9.0)
    share = unimportant_share(pd.concat([frame, mlps])).loc[("sst2", 1), "unimportant heads"]
    edge = min(scores) + (max(scores) - min(scores)) / 3
    assert share == pytest.approx(sum(score <= edge for score in scores) / len(scores))


def test_equal_importances_have_no_unimportant_share() -> None:
    frame = pd.DataFrame({"task": "sst2", "seed": [1, 1], "unit": "heads", "importance": 0.5})
    assert unimportant_share(frame)["unimportant heads"].isna().all()


def test_published_quantities_are_those_of_the_paper() -> None:
    scores = published_scores.read(ROOT / "published" / "results.csv")
    tickets = published_masks.read(ROOT / "published" / "masks.csv")
    published = measure_published(scores, tickets)
    assert {task for task, _ in published.degenerate} == {"wnli"}
    mean = published.values.mean()
    expected = {
        "full": 0.814,
        "structured good pruned": 0.740, "structured random pruned": 0.589, "structured bad pruned": 0.513,
        "structured good retrained": 0.756, "structured random retrained": 0.732,
        "structured bad retrained": 0.691,
        "magnitude good pruned": 0.754, "magnitude random pruned": 0.372, "magnitude bad pruned": 0.361,
        "magnitude good retrained": 0.806, "magnitude random retrained": 0.613,
        "magnitude bad retrained": 0.512,
    }  # fmt: skip
    assert mean[list(expected)].to_dict() == pytest.approx(expected, abs=6e-4)
    assert published.values["heads across seeds"].count() == 40
