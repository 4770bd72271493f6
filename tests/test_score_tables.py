"""Tables of scores, trajectories and survival: means, counts, degenerate tasks, order of rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery import records
from lottery.analysis import averages, frames, score_tables, survival
from lottery.analysis.overlap import by_unit
from lottery.errors import UserError
from lottery.schemas import Score
from lottery.subnetwork import Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import MAGNITUDE
from tests import toys
from tests.records import ToyExperiment

Row = tuple[str, int, str, str, int, str, float]


def scores(*rows: Row) -> pd.DataFrame:
    """Rows of task, seed, method, kind, draw, state, value: accuracy on dev."""
    columns = ["task", "seed", "method", "kind", "draw", "state", "value"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(split="dev", metric="accuracy", n=100, matched=np.nan)


def cells_of(*rows: Row) -> pd.DataFrame:
    """The cells of such rows, all of them usable."""
    tasks = list(dict.fromkeys(row[0] for row in rows))
    return score_tables.cells(scores(*rows), tasks).assign(usable=True)


def baselines(task: str, seed: int, value: float, majority: float = 0.5) -> list[Row]:
    return [
        (task, seed, "full", "majority", 0, "finetuned", majority),
        (task, seed, "full", "full", 0, "finetuned", value),
    ]


def test_draws_are_averaged_within_seeds_before_means_over_seeds() -> None:
    rows = [
        ("sst2", 1, "structured", "random", draw, "pruned", value)
        for draw, value in enumerate((0.1, 0.3))
    ]
    rows += [("sst2", 2, "structured", "random", 0, "pruned", 0.6)]
    cells = cells_of(*rows, *baselines("sst2", 1, 0.8), *baselines("sst2", 2, 0.8))
    cells = cells[cells["kind"] == "random"]
    assert cells["value"].tolist() == pytest.approx([0.2, 0.6])
    assert cells["draws"].tolist() == [2, 1]
    (row,) = frames.rows(score_tables.results(cells))
    assert (row.mean, row.n) == (pytest.approx(0.4), 2)
    assert row.std == pytest.approx(np.std([0.2, 0.6], ddof=1))


def test_a_seed_with_an_undefined_draw_is_undefined_and_left_out_of_n() -> None:
    rows = [
        ("sst2", 1, "structured", "random", draw, "pruned", value)
        for draw, value in enumerate((0.1, np.nan))
    ]
    rows += [("sst2", 2, "structured", "random", 0, "pruned", 0.6)]
    (row,) = frames.rows(score_tables.results(cells_of(*rows)))
    assert (row.mean, row.n, row.undefined) == (0.6, 1, 1)


@settings(max_examples=10)
@given(st.lists(st.lists(st.floats(0.6, 1), min_size=2, max_size=2), min_size=2, max_size=5))
def test_averages_are_means_of_corrected_scores_over_seeds_within_each_task(
    values: list[list[float]],
) -> None:
    rows = [
        row
        for seed, pair in enumerate(values)
        for task, value in zip(("sst2", "rte"), pair, strict=True)
        for row in (
            *baselines(task, seed, 0.9),
            (task, seed, "structured", "good", 0, "pruned", value),
        )
    ]
    table = averages.averages(cells_of(*rows), ["sst2", "rte"], {})
    average = table[table["kind"] == "good"].iloc[0]
    assert average["mean"] == pytest.approx(np.mean((np.array(values) - 0.5) / 0.4))
    assert (average["tasks"], average["n"]) == (2, 2 * len(values))
    assert average["low"] <= average["mean"] <= average["high"]
    assert table[table["kind"] == "full"].iloc[0][["mean", "low", "high"]].tolist() == [1, 1, 1]


def test_what_is_not_usable_is_in_no_mean() -> None:
    rows = [
        ("sst2", 1, "structured", "good", 0, "pruned", 0.7),
        ("sst2", 2, "structured", "good", 0, "pruned", 0.2),
    ]
    cells = cells_of(*rows, *baselines("sst2", 1, 0.8), *baselines("sst2", 2, 0.8))
    cells["usable"] = cells["seed"] == 1
    (average,) = averages.averages(cells, ["sst2"], {}).query("kind == 'good'").to_dict("records")
    assert (average["mean"], average["n"]) == (pytest.approx(2 / 3), 1)
    assert np.isnan(
        [average["low"], average["high"]]
    ).all()  # a single cell says nothing about spread
    (result,) = score_tables.results(cells).query("kind == 'good'").to_dict("records")
    assert (result["mean"], result["n"], result["undefined"]) == (0.7, 1, 1)


@pytest.mark.parametrize(("metric", "lowest"), [("accuracy", 0), ("f1", 0), ("spearman", -1)])
def test_intervals_of_scores_are_cut_at_what_a_metric_cannot_exceed(
    metric: str, lowest: float
) -> None:
    rows = [("sst2", seed, "structured", "good", 0, "pruned", seed / 2) for seed in range(3)]
    (wide,) = score_tables.results(cells_of(*rows).assign(metric=metric)).to_dict("records")
    low = max(lowest, 0.5 - 4.302653 * 0.5 / 3**0.5)
    assert [wide["low"], wide["mean"], wide["high"]] == pytest.approx([low, 0.5, 1])


def test_the_last_accepted_step_is_chosen_or_else_the_full_model() -> None:
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
    found = pd.DataFrame({"task": ["a", "b"], "seed": 1, "method": "structured", "guess": 0.5})
    curves = score_tables.curves(steps, found)
    chosen = curves.loc[curves["chosen"], ["task", "step"]]
    assert chosen.to_numpy().tolist() == [["a", 3], ["b", 0]]


def random_subnetwork(rng: np.random.Generator) -> Subnetwork:
    return Subnetwork({"heads": rng.random((3, 5)) < 0.5, "mlps": rng.random(3) < 0.6})


@given(st.integers(0, 2**16))
def test_overlap_and_agreement_equal_set_algebra(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = {(task, s): random_subnetwork(rng) for task in ("sst2", "rte") for s in (1, 2)}
    tickets = [toys.good_ticket(*cell, kept["heads"], kept["mlps"]) for cell, kept in masks.items()]
    overlap = survival.overlap(tickets, ["sst2", "rte"]).set_index(["task_a", "task_b", "unit"])
    agreement = survival.agreement(tickets, ["sst2", "rte"]).set_index(["task", "unit"])
    for unit in ("heads", "mlps"):
        shared = [int((masks["sst2", s] & masks["rte", s])[unit].sum()) for s in (1, 2)]
        assert overlap.loc[("sst2", "rte", unit), "mean"] == np.mean(shared)
        a, b = (masks["rte", s] for s in (1, 2))
        union = int((a | b)[unit].sum())
        expected = int((a & b)[unit].sum()) / union if union else np.nan
        assert agreement.loc[("rte", unit), "jaccard"] == pytest.approx(expected, nan_ok=True)


def test_shares_of_heads_and_mlps_count_their_surviving_weights() -> None:
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
    ticket = Ticket("sst2", 1, MAGNITUDE.good, Subnetwork(kept))
    shares = survival.component_shares(ticket, heads=2)
    assert shares["heads"].tolist() == [[0.25, 0.25]]
    assert shares["mlps"].tolist() == [0.5]
    assert {unit: part.size for unit, part in by_unit(ticket).items()} == {"weights": 48}


@pytest.fixture(scope="module")
def records_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("records")
    ToyExperiment(tasks=("sst2", "stsb"), seeds=(1, 2)).write(root)
    return root


def test_the_selection_gap_is_the_difference_of_shares_on_both_splits(records_root: Path) -> None:
    folder = records_root / "scores"
    paths = [folder / task / seed / "1.parquet" for task in ("sst2", "stsb") for seed in ("1", "2")]
    cells = score_tables.cells(records.read(Score, paths).to_pandas(), ["sst2", "stsb"])
    means = score_tables.selection(cells.assign(usable=True)).set_index(
        ["task", "method", "quantity"]
    )["mean"]
    for task, method in {(task, method) for task, method, _ in means.index}:
        gap = means[task, method, "select"] - means[task, method, "dev"]
        assert means[task, method, "gap"] == pytest.approx(gap)
    assert len(means) == 2 * 2 * 3


def test_a_missing_table_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"results\.csv"):
        frames.load(tmp_path / "results.csv")
    with pytest.raises(UserError, match=r"results\.csv"):
        frames.Tables(tmp_path)["results"]


def test_rows_are_in_the_order_of_the_grid_and_the_vocabulary() -> None:
    names = [("rte", "random"), ("sst2", "bad"), ("rte", "good"), ("sst2", "good")]
    frame = pd.DataFrame(names, columns=["task", "kind"])
    ordered = frames.ordered(frame, ["sst2", "rte"], ["task", "kind"])
    assert ordered.to_numpy().tolist() == [
        ["sst2", "good"],
        ["sst2", "bad"],
        ["rte", "good"],
        ["rte", "random"],
    ]
