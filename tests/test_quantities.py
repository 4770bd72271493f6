from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.inter_rater import cohens_kappa

from lottery.analysis import published_masks
from lottery.analysis import published_scores as authors
from lottery.analysis.overlap import overlaps
from lottery.analysis.quantities import (
    likeness,
    observe,
    pseudo_values,
    published,
    unimportant,
)
from lottery.subnetwork import Kept
from lottery.ticket import Ticket
from tests import toys
from tests.project import ROOT

heads = arrays(np.bool_, (2, 6))
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


@given(heads, heads)
def test_kappa_is_that_of_two_raters(a: Kept, b: Kept) -> None:
    found = {each.unit: each.kappa for each in overlaps(good("sst2", 1, a), good("sst2", 2, b))}
    if (a.all() and b.all()) or not (a.any() or b.any()):
        assert np.isnan(found["heads"])
    else:
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        expected = cohens_kappa(np.array(table), return_results=False)
        assert found["heads"] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(found["mlps"])


def test_fellows_share_the_task_or_the_seed_and_two_are_too_few() -> None:
    left, right = np.eye(2, 6, dtype=bool), np.eye(2, 6, 3, dtype=bool)
    kept = {("sst2", 1): left, ("sst2", 2): left, ("sst2", 3): right, ("rte", 1): left}
    found = likeness([good(*cell, own) for cell, own in kept.items()])
    across = found.loc["sst2"]["heads across seeds"]
    assert across.mean() == pytest.approx((1 - 0.2 - 0.2) / 3)
    assert across.loc[3] < across.loc[1] == across.loc[2]
    assert "rte" not in found.index
    assert "heads across tasks" not in found


@given(st.integers(3, 7), st.integers(0, 99))
def test_pseudo_values_have_the_mean_of_the_pairs(count: int, seed: int) -> None:
    pairs = np.triu(np.random.default_rng(seed).random((count, count)), 1)
    values = pseudo_values(pairs + pairs.T)
    assert values.mean() == pytest.approx(pairs[np.triu_indices(count, 1)].mean())


def test_one_cell_has_no_fellows() -> None:
    assert likeness([good("sst2", 1, np.eye(2, 6, dtype=bool))]).empty


@pytest.mark.parametrize("full", [0.58, 0.5, 0.3, float("nan")])
def test_a_degenerate_cell_is_left_out_also_as_a_fellow(full: float) -> None:
    chance = np.random.default_rng(0)
    tasks, seeds = ("sst2", "rte", "wnli"), (1, 2)
    found = [good(*cell, chance.random((2, 6)) < 0.5) for cell in product(tasks, seeds)]
    both = observe(full_models(tasks, seeds, wnli=full), found, IMPORTANCE, ATTENTION)
    sound = observe(full_models(tasks[:2], seeds), found[:4], IMPORTANCE, ATTENTION)
    assert both.degenerate == (("wnli", 1), ("wnli", 2))
    pd.testing.assert_frame_equal(both.values, sound.values)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20, unique=True))
def test_unimportant_is_the_lowest_third_of_the_range(scores: list[float]) -> None:
    frame = pd.DataFrame({"task": "sst2", "seed": 1, "unit": "heads", "importance": scores})
    mlps = frame.assign(unit="mlps", importance=9.0)
    share = unimportant(pd.concat([frame, mlps])).loc[("sst2", 1), "unimportant heads"]
    edge = min(scores) + (max(scores) - min(scores)) / 3
    assert share == pytest.approx(sum(score <= edge for score in scores) / len(scores))


def test_equal_importances_have_no_lowest_third() -> None:
    frame = pd.DataFrame({"task": "sst2", "seed": [1, 1], "unit": "heads", "importance": 0.5})
    assert unimportant(frame)["unimportant heads"].isna().all()


def test_the_published_figures_are_those_of_the_paper() -> None:
    results = authors.results(ROOT / "published" / "results.csv")
    found = published(results, published_masks.read(ROOT / "published" / "masks.csv"))
    assert {task for task, _ in found.degenerate} == {"wnli"}
    mean = found.values.mean()
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
    assert found.values["heads across seeds"].count() == 40
