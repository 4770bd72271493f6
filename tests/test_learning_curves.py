"""Learning curves over experiments that never ran: which experiments count, and what is drawn."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.analysis import frames
from lottery.analysis.experiments import TABLES, Experiment, all_tasks
from lottery.analysis.learning_curves import Length, length, means, points
from lottery.report import comparison, markdown
from lottery.report.figures.learning_curves import learning_curves
from lottery.tickets.methods import METHODS
from tests.records import ToyExperiment, analysed

SIZES = (400, 800, 1600, 3200)


@cache
def toy_tables() -> Mapping[str, pd.DataFrame]:
    with TemporaryDirectory() as folder:
        analysed(ToyExperiment(tasks=("sst2", "stsb"), seeds=(1, 2, 3)), Path(folder))
        tables = Path(folder, "reports", "tables")
        return {name: frames.load(tables / f"{name}.csv") for name in TABLES}


def run(train: Any, batch: int = 8, epochs: int = 1, rate: float = 0.1) -> Experiment:
    """An experiment whose retrained subnetworks score the share of 3,200 examples that they have seen."""
    tree = {
        "data": {"train": train},
        "finetune": {"epochs": epochs, "batch": batch},
        "prune": {"rate": rate},
    }
    tables = toy_tables()
    cells = tables["cells"]
    share = train / 3200 if isinstance(train, int) else 0.5
    learned = cells.assign(share=cells["share"].where(cells["state"] != "retrained", share))
    return Experiment(f"size-{train}", "abc", tree, {**tables, "cells": learned}, {})


@given(st.integers(1, 10**6), st.integers(1, 512), st.integers(1, 9))
def test_every_epoch_takes_all_examples_in_batches(train: int, batch: int, epochs: int) -> None:
    trained = length(run(train, batch, epochs), "sst2")
    assert trained is not None
    assert trained.examples == train
    assert trained.steps == epochs * len(range(0, train, batch))


def test_a_task_has_its_own_number_of_examples() -> None:
    assert length(run({"sst2": 80}), "sst2") == Length(80, 10)
    assert length(run({"sst2": 80}), "stsb") is length(run(None), "sst2") is None
    assert length(Experiment("other", "", {"prune": {"rate": 0.1}}, {}, {}), "sst2") is None


def test_points_are_the_retrained_scores_of_every_seed() -> None:
    curves = points([run(size) for size in SIZES])
    retrained = curves[curves["method"] != "full"]
    assert (retrained["share"] == retrained["examples"] / 3200).all()
    assert set(retrained["kind"]) == {"good", "random", "bad"}
    assert not retrained.duplicated(["task", "method", "kind", "seed", "steps"]).any()
    assert set(retrained.groupby(["task", "method", "kind", "steps"])["seed"].nunique()) == {3}
    assert (curves.loc[curves["method"] == "full", "share"] == 1).all()


def test_experiments_that_differ_in_anything_else_are_left_out() -> None:
    runs = [run(1600), run(400), run(3200, rate=0.2), replace(run(1600), name="again")]
    assert set(points(runs)["run"]) == {"size-1600", "size-400"}
    assert set(points([run(1600), run({"sst2": 400})])["task"]) == {"sst2"}


@pytest.mark.parametrize(
    "runs",
    [
        [run(1600)],
        [run(1600), run(1600, rate=0.2)],
        [run(400, 8, 2), run(800, 8, 1), run(1600, 16, 1)],
        [run(1600), run(None)],
    ],
)
def test_equally_long_trainings_make_no_curve(runs: list[Experiment]) -> None:
    assert points(runs).empty
    assert "optimiser steps" not in markdown.render(comparison.compose(runs, True, [], "here"))


def test_methods_whose_controls_are_not_retrained_have_no_curve() -> None:
    def without(experiment: Experiment, *methods: str) -> Experiment:
        cells = experiment.tables["cells"]
        controls = cells["kind"].isin(["random", "bad"]) & (cells["state"] == "retrained")
        kept = cells[~(controls & cells["method"].isin(methods))]
        return replace(experiment, tables={**experiment.tables, "cells": kept})

    curves = points([without(run(size), "magnitude") for size in SIZES])
    assert set(curves["method"]) == {"full", "structured"}
    assert len(learning_curves(curves, all_tasks([run(400)])).axes) == 2
    assert points([without(run(size), *METHODS) for size in SIZES]).empty


def test_lines_join_the_means_over_seeds() -> None:
    runs = [run(size) for size in SIZES]
    figure = learning_curves(points(runs), all_tasks(runs))
    assert len(figure.axes) == 4
    for axes in figure.axes:
        lines = {str(line.get_label()): line for line in axes.get_lines()}
        for kind in ("good", "random", "bad"):
            assert np.allclose(np.asarray(lines[kind].get_ydata()), np.array(SIZES) / 3200)
        assert [label.get_text() for label in axes.get_xticklabels()] == [
            "50\n(400)", "100\n(800)", "200\n(1,600)", "400\n(3,200)",
        ]  # fmt: skip


def test_the_comparison_has_a_row_for_every_length() -> None:
    runs = [run(size) for size in SIZES]
    text = markdown.render(comparison.compose(runs, True, [], "experiments"))
    assert "](experiments/learning.png)" in text
    for size in SIZES:
        [row, *others] = [
            line for line in text.splitlines() if f"| `size-{size}`" in line and "STS-B" in line
        ]
        assert f"{size / 3200:.3f}" in row
        assert len(others) == 1
    full = means(points(runs)).query("method == 'full' and task == 'stsb'")
    assert f"{full['mean'].iloc[0]:.3f}" in row
