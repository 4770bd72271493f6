"""Tables from scores and masks: means over seeds after means over draws, what is left out, what is counted."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import records
from lottery.analysis import frames, score_tables, survival
from lottery.analysis.overlap import by_unit
from lottery.errors import UserError
from lottery.schemas import Score
from lottery.subnetwork import Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import MAGNITUDE, METHODS
from tests import toys
from tests.records import ToyExperiment


def scores(*rows: tuple[str, int, str, str, int, str, float]) -> pd.DataFrame:
    """Rows of task, seed, method, kind, draw, state, value: accuracy on dev."""
    columns = ["task", "seed", "method", "kind", "draw", "state", "value"]
    return pd.DataFrame(rows, columns=columns).assign(split="dev", metric="accuracy", n=100)


def full(task: str, seed: int, value: float, majority: float = 0.5) -> list[tuple[object, ...]]:
    return [
        (task, seed, "full", "majority", 0, "finetuned", majority),
        (task, seed, "full", "full", 0, "finetuned", value),
    ]


def sizes(sparsity: float = 0.5, tasks: tuple[str, ...] = ("sst2", "rte")) -> pd.DataFrame:
    rows = [(task, method, 1, sparsity) for task in tasks for method in METHODS]
    return pd.DataFrame(rows, columns=["task", "method", "seed", "sparsity"])


def test_draws_are_averaged_within_a_seed_first() -> None:
    rows = [
        ("sst2", 1, "structured", "random", draw, "pruned", value)
        for draw, value in enumerate((0.1, 0.3))
    ]
    rows += [("sst2", 2, "structured", "random", 0, "pruned", 0.6)]
    cells = score_tables.cells(scores(*rows), ["sst2"])
    assert cells["value"].tolist() == pytest.approx([0.2, 0.6])
    assert cells["draws"].tolist() == [2, 1]
    (found,) = frames.rows(score_tables.results(cells))
    assert (found.mean, found.n) == (pytest.approx(0.4), 2)
    assert found.std == pytest.approx(np.std([0.2, 0.6], ddof=1))


def test_an_undefined_draw_leaves_its_seed_undefined_and_out_of_n() -> None:
    rows = [
        ("sst2", 1, "structured", "random", draw, "pruned", value)
        for draw, value in enumerate((0.1, np.nan))
    ]
    rows += [("sst2", 2, "structured", "random", 0, "pruned", 0.6)]
    (found,) = frames.rows(score_tables.results(score_tables.cells(scores(*rows), ["sst2"])))
    assert (found.mean, found.n, found.undefined) == (0.6, 1, 1)


@pytest.mark.parametrize("value", [0.58, 0.5, 0.4, np.nan])
def test_a_full_model_not_clearly_above_the_majority_class_is_degenerate(value: float) -> None:
    rows = [*full("sst2", 1, 0.8), *full("rte", 1, value)]
    cells = score_tables.cells(scores(*rows), ["sst2", "rte"])  # type: ignore[arg-type]
    overview = score_tables.overview(cells, sizes(), ["sst2", "rte"])
    assert overview["degenerate"].tolist() == [False, True]
    assert "seed 1" in overview["reason"][1]
    averages = score_tables.averages(cells, overview)
    sound = averages[(averages["scope"] == "sound") & (averages["kind"] == "full")]
    assert sound[["mean", "tasks"]].to_numpy().tolist() == [[0.8, 1]]
    assert set(averages["scope"]) == {"sound", "all"}


def test_a_search_that_kept_nothing_is_degenerate() -> None:
    cells = score_tables.cells(scores(*full("sst2", 1, 0.8)), ["sst2"])  # type: ignore[arg-type]
    assert score_tables.overview(cells, sizes(1.0, ("sst2",)), ["sst2"])["degenerate"].tolist() == [
        True
    ]


@given(st.lists(st.lists(st.floats(0.6, 1), min_size=2, max_size=2), min_size=2, max_size=5))
def test_an_average_is_the_mean_over_tasks_within_each_seed(values: list[list[float]]) -> None:
    rows = [
        row
        for seed, pair in enumerate(values)
        for task, value in zip(("sst2", "rte"), pair, strict=True)
        for row in full(task, seed, value)
    ]
    cells = score_tables.cells(scores(*rows), ["sst2", "rte"])  # type: ignore[arg-type]
    averages = score_tables.averages(cells, score_tables.overview(cells, sizes(), ["sst2", "rte"]))
    found = averages[averages["kind"] == "full"].iloc[0]
    per_seed = np.mean(values, axis=1)
    assert found["mean"] == pytest.approx(per_seed.mean())
    assert found["std"] == pytest.approx(per_seed.std(ddof=1))
    assert set(averages["scope"]) == {"sound"}


def test_the_last_accepted_step_is_chosen_and_the_full_model_where_none_was() -> None:
    steps = pd.DataFrame(
        [
            ("a", 0, True),
            ("a", 1, True),
            ("a", 2, False),
            ("a", 3, True),
            ("b", 0, False),
            ("b", 1, False),
        ],
        columns=["task", "step", "accepted"],
    ).assign(seed=1, method="structured")
    chosen = score_tables.curves(steps)
    assert chosen.loc[chosen["chosen"], ["task", "step"]].to_numpy().tolist() == [
        ["a", 3],
        ["b", 0],
    ]


def good(chance: np.random.Generator) -> Subnetwork:
    return Subnetwork({"heads": chance.random((3, 5)) < 0.5, "mlps": chance.random(3) < 0.6})


@given(st.integers(0, 2**16))
def test_overlap_and_agreement_equal_set_algebra(seed: int) -> None:
    chance = np.random.default_rng(seed)
    masks = {(task, s): good(chance) for task in ("sst2", "rte") for s in (1, 2)}
    found = [toys.good_ticket(*cell, kept["heads"], kept["mlps"]) for cell, kept in masks.items()]
    overlap = survival.overlap(found, ["sst2", "rte"]).set_index(["task_a", "task_b", "unit"])
    agreement = survival.agreement(found, ["sst2", "rte"]).set_index(["task", "unit"])
    for unit in ("heads", "mlps"):
        shared = [int((masks["sst2", s] & masks["rte", s])[unit].sum()) for s in (1, 2)]
        assert overlap.loc[("sst2", "rte", unit), "mean"] == np.mean(shared)
        a, b = (masks["rte", s] for s in (1, 2))
        union = int((a | b)[unit].sum())
        expected = int((a & b)[unit].sum()) / union if union else np.nan
        assert agreement.loc[("rte", unit), "jaccard"] == pytest.approx(expected, nan_ok=True)


def test_shares_of_weights_per_head_and_mlp() -> None:
    kept = {
        f"layers.0.attention.{name}.weight": np.zeros((4, 4), bool)
        for name in ("query", "key", "value", "output")
    }
    kept |= {
        "layers.0.mlp.expand.weight": np.ones((8, 4), bool),
        "layers.0.mlp.contract.weight": np.zeros((4, 8), bool),
    }
    kept["layers.0.attention.query.weight"][:2] = True
    kept["layers.0.attention.output.weight"][:, 2:] = True
    ticket = Ticket("sst2", 1, MAGNITUDE.name, "good", 0, Subnetwork(kept))
    shares = survival.component_shares(ticket, heads=2)
    assert shares["heads"].tolist() == [[0.25, 0.25]]
    assert shares["mlps"].tolist() == [0.5]
    assert {unit: part.size for unit, part in by_unit(ticket).items()} == {"weights": 48}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("records")
    ToyExperiment(tasks=("sst2", "stsb"), seeds=(1, 2)).write(root)
    return root


def test_selection_compares_shares_kept_on_both_splits(written: Path) -> None:
    paths = [
        written / f"scores/{task}/{seed}/1.parquet" for task in ("sst2", "stsb") for seed in (1, 2)
    ]
    cells = score_tables.cells(records.read(Score, paths).to_pandas(), ["sst2", "stsb"])
    found = score_tables.selection(cells).set_index(["task", "method", "quantity"])["mean"]
    for task, method in {(task, method) for task, method, _ in found.index}:
        gap = found[task, method, "select"] - found[task, method, "dev"]
        assert found[task, method, "gap"] == pytest.approx(gap)
    assert len(found) == 2 * 2 * 3


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"results\.csv"):
        frames.load(tmp_path / "results.csv")


def test_rows_come_in_the_order_of_the_grid_and_the_labels() -> None:
    names = [("rte", "random"), ("sst2", "bad"), ("rte", "good"), ("sst2", "good")]
    frame = pd.DataFrame(names, columns=["task", "kind"])
    found = frames.ordered(frame, ["sst2", "rte"], ["task", "kind"])
    assert found.to_numpy().tolist() == [
        ["sst2", "good"],
        ["sst2", "bad"],
        ["rte", "good"],
        ["rte", "random"],
    ]
    assert all(a != b for a, b in combinations(map(tuple, found.to_numpy()), 2))
