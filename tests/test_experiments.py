"""Comparison of experiments, on tables of experiments that never ran."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery.analysis import experiments, frames
from lottery.analysis.experiments import TABLES, Experiment
from lottery.report import comparison, markdown
from lottery.report.blocks import Table
from lottery.report.figures import experiment_curves
from tests.records import ToyExperiment, analysed
from tests.reports import blocks

STAGES = {"finetune@sst2-1": {"md5": "a"}, "finetune@stsb-1": {"md5": "b"}, "prune": {"md5": "c"}}


@cache
def toy_tables(
    seeds: tuple[int, ...], degenerate: tuple[str, ...] = ()
) -> Mapping[str, pd.DataFrame]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        analysed(ToyExperiment(tasks=("sst2", "stsb"), seeds=seeds, degenerate=degenerate), root)
        return {name: frames.load(root / "reports/tables" / f"{name}.csv") for name in TABLES}


def run(name: str = "base", rate: Any = 0.1, seeds: tuple[int, ...] = (1, 2, 3)) -> Experiment:
    return Experiment(
        name, name * 9, {"prune": {"rate": rate}, "grid": {}}, toy_tables(seeds), STAGES
    )


def shifted(
    experiment: Experiment, by: float | np.ndarray[Any, np.dtype[np.float64]]
) -> Experiment:
    """The same experiment with every score shifted."""
    cells = experiment.tables["cells"]
    tables = {**experiment.tables, "cells": cells.assign(value=cells["value"] + by)}
    return replace(experiment, tables=tables)


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5))
def test_difference_is_the_shift(by: float) -> None:
    base = run()
    for compared in experiments.compare([shifted(run("other"), by)], base):
        unaffected = "margin" in compared.quantity or "removed" in compared.quantity
        assert compared.difference.mean == pytest.approx(0 if unaffected else by, abs=1e-12)
        assert compared.difference.std == pytest.approx(0, abs=1e-12)
        assert compared.difference.n == compared.estimate.n == 3


def test_paired_difference_has_less_spread_than_the_means() -> None:
    base = run()
    noise = np.random.default_rng(1).normal(0, 1e-4, len(base.tables["cells"]))
    compared = list(experiments.compare([shifted(run("other"), noise)], base))
    score = next(each for each in compared if each.quantity == "s-pruning, retrained")
    assert score.difference.std < score.estimate.std / 10


def test_mean_is_over_tasks_and_seeds() -> None:
    means = {each.quantity: each.estimate.mean for each in experiments.compare([run()], run())}
    cells = run().tables["cells"]
    scores = cells.loc[cells["reported"] & (cells["kind"] == "full"), "value"]
    assert means["full model"] == pytest.approx(scores.mean())


def test_only_sound_cells_of_both_runs_are_compared() -> None:
    base = run()
    apart = experiments.compare([run("apart", seeds=(7, 8))], base)
    assert all(each.difference.n == 0 and each.estimate.n == 2 for each in apart)
    half = replace(run("half"), tables=toy_tables((1, 2, 3), ("sst2",)))
    assert set(experiments.headline_quantities(half).reset_index()["task"]) == {"stsb"}
    stsb = experiments.headline_quantities(base).loc["stsb"]["full model"].mean()
    full = next(iter(experiments.compare([base], half)))
    gap = stsb - experiments.headline_quantities(half)["full model"].mean()
    assert full.difference.mean == pytest.approx(gap)


def unusable(experiment: Experiment, **cells_of: object) -> Experiment:
    """The experiment without use of the tickets with these values of columns."""
    cells = experiment.tables["cells"]
    chosen = np.logical_and.reduce([cells[column] == value for column, value in cells_of.items()])
    tables = {**experiment.tables, "cells": cells.assign(usable=cells["usable"] & ~chosen)}
    return replace(experiment, tables=tables)


def test_a_seed_that_lacks_a_task_is_in_no_mean() -> None:
    lacking = unusable(run(), task="sst2", seed=2)
    for compared in experiments.compare([lacking], run("base")):
        assert compared.estimate.n == compared.difference.n == 2
    [full, *_] = experiments.compare([lacking], run())
    complete = experiments.headline_quantities(run())["full model"].drop(2, level="seed")
    assert full.estimate.mean == pytest.approx(complete.mean())


def test_what_an_unusable_search_removed_is_in_no_mean() -> None:
    other = unusable(run(), method="structured", seed=3)
    compared = {row.quantity: row.estimate.n for row in experiments.compare([other], run())}
    assert compared["s-pruning, weights removed"] == compared["s-pruning, pruned"] == 2
    assert compared["m-pruning, weights removed"] == 3


def test_differing_parameters_are_listed_and_no_others() -> None:
    runs = [run("a", 0.1), run("b", 0.30000000000000004), run("c", None)]
    values = experiments.changed_parameters(runs)
    assert values.to_dict() == {"prune.rate": {"a": "0.1", "b": "0.30000000000000004", "c": "null"}}
    assert experiments.changed_parameters(runs[:1]).empty


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=20, unique=True))
def test_runs_are_ordered_by_the_number_they_differ_in(rates: list[float]) -> None:
    runs = [
        Experiment(str(at), "", {"prune": {"rate": rate}}, {}, {}) for at, rate in enumerate(rates)
    ]
    ordered = [run.parameters["prune"]["rate"] for run in experiments.in_order_of_change(runs)]
    assert ordered == sorted(rates)
    words = [replace(run, parameters={"prune": {"data": run.name + "x"}}) for run in runs]
    assert experiments.in_order_of_change(words) == words


def test_changed_verdicts_are_listed() -> None:
    base = run()
    verdicts = base.tables["verdicts"].copy()
    verdicts.loc[[2, 5], "verdict"] = "contradicted"
    other = replace(run("other"), tables={**base.tables, "verdicts": verdicts})
    changes = experiments.changed_verdicts([run("same"), other], base)
    assert list(changes["claim"]) == list(verdicts.loc[[2, 5], "claim"])
    assert set(changes["run"]) == {"other"}
    text = markdown.render(comparison.compose([base, other], True, [], "experiments"))
    assert "→ **contradicted**" in text
    assert "effects [the interval that decides" in text


def test_stages_with_equal_locks_are_reused() -> None:
    other = replace(run("other"), stages=STAGES | {"prune": {"md5": "z"}})
    reused = [tuple(row) for row in frames.rows(experiments.reused_stages([other], run()))]
    assert reused == [("other", "finetune", 2, 2), ("other", "prune", 0, 1)]


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_any_number_of_experiments_can_be_compared(count: int) -> None:
    seeds = ((1,), (1, 2), (1, 2, 3))
    runs = [run(f"rate-{at}", 0.1 + at / 100, seeds[at % 3]) for at in range(count)]
    document = comparison.compose(runs, True, ["later"], "experiments")
    text = markdown.render(document)
    assert "for want of results: `later`" in text
    assert all(f"| `{each.name}`" in text for each in runs)
    assert "nan" not in text.lower()
    assert ("make sweep" in text) == (count < 2)
    for table in (block for block in blocks(document) if isinstance(block, Table)):
        assert {len(row) for row in table.rows} == {len(table.header)}


def test_first_experiment_is_the_baseline_if_the_commit_has_no_results() -> None:
    runs = [run("a"), run("b", 0.2)]
    text = markdown.render(comparison.compose(runs, False, [], "experiments"))
    assert "has no results, so `a` serves as the baseline" in text
    assert "and the baseline" not in text


def test_every_run_has_its_own_line_in_every_panel() -> None:
    runs = [run(f"rate-{at}", at) for at in range(5)]
    names = [each.name for each in runs]
    trajectories, tasks = experiments.trajectories(runs), experiments.all_tasks(runs)
    figure = experiment_curves.overlay(trajectories, tasks, names)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        lines = [line for line in axes.get_lines() if len(line.get_xydata()) > 1]  # type: ignore[arg-type]
        looks = {(str(line.get_color()), line.get_linestyle()) for line in lines}
        assert len(lines) == len(looks) == 5
