"""Comparison of experiments, on made-up results."""

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
from lottery.report import comparison
from lottery.report.figures import experiment_curves
from tests.records import ToyExperiment, analysed

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


def with_shift(
    experiment: Experiment, shift: float | np.ndarray[Any, np.dtype[np.float64]]
) -> Experiment:
    """The experiment with `shift` added to all scores of its cells."""
    cells = experiment.tables["cells"].assign(value=lambda table: table["value"] + shift)
    return replace(experiment, tables={**experiment.tables, "cells": cells})


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5))
def test_differences_equal_the_shift_of_the_scores(shift: float) -> None:
    for each in experiments.compare([with_shift(run("other"), shift)], run()):
        is_score = "margin" not in each.quantity and "removed" not in each.quantity
        assert each.difference.mean == pytest.approx(shift if is_score else 0, abs=1e-12)
        assert each.difference.std == pytest.approx(0, abs=1e-12)
        assert each.difference.n == each.estimate.n == 3


def test_paired_differences_vary_less_than_the_estimates() -> None:
    noise = np.random.default_rng(1).normal(0, 1e-4, len(run().tables["cells"]))
    comparisons = experiments.compare([with_shift(run("other"), noise)], run())
    score = next(each for each in comparisons if each.quantity == "s-pruning, retrained")
    assert score.difference.std < score.estimate.std / 10


def test_estimates_are_means_of_reported_scores() -> None:
    estimates = {each.quantity: each.estimate for each in experiments.compare([run()], run())}
    cells = run().tables["cells"]
    full = cells[cells["reported"] & (cells["kind"] == "full")]
    assert estimates["full model"].mean == pytest.approx(full["value"].mean())


def test_only_sound_cells_of_both_experiments_are_compared() -> None:
    disjoint = experiments.compare([run("disjoint", seeds=(7, 8))], run())
    assert all(each.difference.n == 0 and each.estimate.n == 2 for each in disjoint)
    degenerate = replace(run("degenerate"), tables=toy_tables((1, 2, 3), ("sst2",)))
    quantities = experiments.headline_quantities(degenerate)
    assert set(quantities.reset_index()["task"]) == {"stsb"}
    stsb = experiments.headline_quantities(run()).loc["stsb"]["full model"].mean()
    full = next(experiments.compare([run()], degenerate))
    assert full.difference.mean == pytest.approx(stsb - quantities["full model"].mean())


def test_changed_parameters_are_those_that_differ() -> None:
    runs = [run("a", 0.1), run("b", 0.30000000000000004), run("c", None)]
    rates = {"a": "0.1", "b": "0.30000000000000004", "c": "null"}
    assert experiments.changed_parameters(runs).to_dict() == {"prune.rate": rates}
    assert experiments.changed_parameters(runs[:1]).empty


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=20, unique=True))
def test_runs_that_differ_in_one_number_are_sorted_by_it(rates: list[float]) -> None:
    runs = [
        Experiment(str(number), "", {"prune": {"rate": rate}}, {}, {})
        for number, rate in enumerate(rates)
    ]
    in_order = experiments.in_order_of_change(runs)
    assert [experiment.parameters["prune"]["rate"] for experiment in in_order] == sorted(rates)
    words = [replace(each, parameters={"prune": {"data": each.name + "x"}}) for each in runs]
    assert experiments.in_order_of_change(words) == words


def test_changed_verdicts_have_both_effects() -> None:
    base = run()
    verdicts = base.tables["verdicts"].copy()
    verdicts.loc[[2, 5], "verdict"] = "contradicted"
    other = replace(run("other"), tables={**base.tables, "verdicts": verdicts})
    found = experiments.changed_verdicts([run("same"), other], base)
    assert list(found["claim"]) == list(verdicts.loc[[2, 5], "claim"])
    assert set(found["run"]) == {"other"}
    assert "→ **contradicted**" in comparison.render([base, other], True, {}, "x.png")


def test_stages_are_reused_where_their_locks_are_equal() -> None:
    other = replace(run("other"), stages=STAGES | {"prune": {"md5": "z"}})
    found = [tuple(row) for row in frames.rows(experiments.reused_stages([other], run()))]
    assert found == [("other", "finetune", 2, 2), ("other", "prune", 0, 1)]


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_any_number_of_experiments_makes_a_comparison(count: int) -> None:
    seeds = ((1,), (1, 2), (1, 2, 3))
    runs = [run(f"rate-{at}", 0.1 + at / 100, seeds[at % 3]) for at in range(count)]
    text = comparison.render(runs, True, {"later": "queued"}, "curves.png")
    assert "`later` (queued)" in text
    assert all(f"| `{one.name}`" in text for one in runs)
    assert "nan" not in text.lower()
    assert ("make sweep" in text) == (count < 2)
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_without_results_of_the_commit_the_first_experiment_is_the_baseline() -> None:
    text = comparison.render([run("a"), run("b", 0.2)], False, {}, "curves.png")
    assert "holds no results, so `a` serves as the baseline" in text
    assert "beside the baseline" not in text


def test_every_run_has_a_line_of_its_own_in_every_panel() -> None:
    runs = [run(f"rate-{at}", at) for at in range(5)]
    names = [one.name for one in runs]
    trajectories, tasks = experiments.trajectories(runs), experiments.all_tasks(runs)
    figure = experiment_curves.overlay(trajectories, tasks, names)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        lines = [line for line in axes.get_lines() if len(line.get_xydata()) > 1]  # type: ignore[arg-type]
        looks = {(str(line.get_color()), line.get_linestyle()) for line in lines}
        assert len(lines) == len(looks) == 5
