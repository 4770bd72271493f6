from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.inter_rater import cohens_kappa

from lottery.analysis import published_masks, published_scores
from lottery.analysis.evidence import MATCHED
from lottery.analysis.kappas import (
    ALL_TASKS,
    across_seeds,
    across_tasks,
    like_pretrained,
    pseudo_values,
)
from lottery.analysis.overlap import overlaps
from lottery.analysis.quantities import of_publication, survival_std, unimportant_share
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import MAGNITUDE
from tests import toys
from tests.project import ROOT

head_masks = arrays(np.bool_, (2, 6))
MLPS = np.ones(2, bool)


def good(task: str, seed: int, heads: Kept) -> Ticket:
    return toys.good_ticket(task, seed, heads, MLPS)


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


def test_agreement_needs_three_seeds_of_a_task_or_two_tasks_of_a_seed() -> None:
    left, right = np.eye(2, 6, dtype=bool), np.eye(2, 6, 3, dtype=bool)
    masks = {("sst2", 1): left, ("sst2", 2): left, ("sst2", 3): right, ("rte", 1): left}
    tickets = [good(*cell, heads) for cell, heads in masks.items()]
    values = across_seeds(tickets).loc["sst2"]["heads across seeds"]
    assert values.mean() == pytest.approx((1 - 0.2 - 0.2) / 3)
    assert values.loc[3] < values.loc[1] == values.loc[2]
    assert "rte" not in across_seeds(tickets).index
    assert across_tasks(tickets)["heads across tasks"].to_dict() == {(ALL_TASKS, 1): 1.0}


def test_a_mask_is_compared_with_the_pre_trained_one_of_its_cell() -> None:
    def ticket(kind: Literal["good", "pretrained"], seed: int, kept: Sequence[bool]) -> Ticket:
        key = Key(MAGNITUDE.name, kind, matched=0.5)
        return Ticket("sst2", seed, key, Subnetwork({"w": np.array(kept)}))

    a, b = [True, True, False, False], [True, False, True, False]
    tickets = [
        ticket("good", 1, a),
        ticket("pretrained", 1, a),
        ticket("good", 2, a),
        ticket("pretrained", 2, b),
    ]
    assert like_pretrained(tickets)["weights like pre-trained"].to_list() == [1.0, 0.0]


def test_the_spread_of_survival_is_that_of_shares_of_weights_over_seeds() -> None:
    def ticket(seed: int, kept: bool) -> Ticket:
        parts = {
            f"layers.0.attention.{name}.weight": np.ones((2, 2), bool)
            for name in ("query", "key", "value")
        }
        parts["layers.0.attention.output.weight"] = np.full((2, 2), kept)
        parts |= {
            f"layers.0.mlp.{name}.weight": np.ones((2, 2), bool) for name in ("expand", "contract")
        }
        return Ticket("sst2", seed, MAGNITUDE.good, Subnetwork(parts))

    [row] = survival_std([ticket(1, True), ticket(2, False)], 2).to_dict("records")
    assert row["mean"] == pytest.approx(np.std([1, 0.75], ddof=1))
    assert row["n"] == 2


@given(st.integers(3, 7), st.integers(0, 99))
def test_the_mean_of_pseudo_values_is_the_mean_over_pairs(count: int, seed: int) -> None:
    pairs = np.triu(np.random.default_rng(seed).random((count, count)), 1)
    values = pseudo_values(pairs + pairs.T)
    assert values.mean() == pytest.approx(pairs[np.triu_indices(count, 1)].mean())


def test_a_single_ticket_has_no_agreement() -> None:
    assert across_seeds([good("sst2", 1, np.eye(2, 6, dtype=bool))]).empty


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
    published = of_publication(scores, tickets)
    means = published.summaries.pivot(index="task", columns="quantity", values="mean")
    cola = means.loc["cola"]
    assert cola["structured good pruned"] == pytest.approx(0.5112 / 0.5604)
    assert means.loc["sst2", "structured bad retrained"] == pytest.approx(
        (0.8583 - 0.5092) / (0.9257 - 0.5092)
    )
    assert len(means) == 8
    assert "wnli" not in means.index
    assert means["unstable heads"].mean() == pytest.approx(0.73, abs=0.005)
    assert published.cells["heads across seeds"].count() == 40
    assert not any(str(name).endswith(MATCHED) for name in published.cells)
