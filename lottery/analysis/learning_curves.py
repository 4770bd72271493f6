"""Learning curves: corrected scores of retrained tickets against the length of training.

The experiments of a curve differ in the number of training examples, in epochs or in the size of batches, and in no
other parameter.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

import pandas as pd

from lottery.analysis.experiments import Experiment
from lottery.analysis.frames import spread, stacked
from lottery.vocabulary import DRAWN, GOOD_AND_CONTROLS, WHOLE
from lottery.wording import flat

LENGTH = ("data.train", "finetune.epochs", "finetune.batch")
"""The parameters that set the length of training; `data.train` may be one number per task."""
POINT = ["run", "task", "method", "kind", "seed", "examples", "steps", "value", "share"]
MEAN = ["task", "method", "examples", "steps", "run", "kind"]


class Length(NamedTuple):
    """Length of training of every model of a task: its examples, and the optimiser steps of all epochs."""

    examples: int
    steps: int


def length(run: Experiment, task: str) -> Length | None:
    """Length of training of a task by the parameters; None if they do not limit the number of its examples.

    A corpus that has fewer examples than `data.train` is trained on for fewer steps than this.
    """
    data, recipe = (run.parameters.get(section, {}) for section in ("data", "finetune"))
    train = data.get("train")
    examples = train.get(task) if isinstance(train, Mapping) else train
    if examples is None:
        return None
    return Length(examples, recipe["epochs"] * ceil(examples / recipe["batch"]))


def points(runs: Sequence[Experiment]) -> pd.DataFrame:
    """Scores of retrained tickets and of the full model: one row per run, task, method, kind and seed.

    `value` is the task's reported metric, `share` the corrected score. Only usable tickets of sound cells count, of the
    size that their search left, and only of methods whose controls are retrained. Tasks that are not trained for
    different numbers of steps, or of which no such ticket is, are left out. The first of `runs` is the baseline.
    """
    table = stacked([_points(run) for run in _alike(runs)])
    by_task = table.assign(retrained=table["method"] != WHOLE).groupby("task")
    varied, retrained = (
        by_task["steps"].transform("nunique") > 1,
        by_task["retrained"].transform("any"),
    )
    return table[varied & retrained].reset_index(drop=True)


def means(points: pd.DataFrame) -> pd.DataFrame:
    """Mean score over seeds with its 95 % interval: a row per task, method, length, run and kind.

    Scores are corrected; those of the full model, which is 1 on that scale, are in the units of the task's metric.
    """
    full = points["method"] == WHOLE
    scores = points.assign(score=points["value"].where(full, points["share"]))
    return spread(scores.sort_values("steps", kind="stable"), MEAN, "score")


def _alike(runs: Sequence[Experiment]) -> Iterator[Experiment]:
    """Runs that share all other parameters with the first; of runs with equal parameters the first."""
    others = _other_parameters(runs[0])
    distinct = list[Mapping[str, object]]()
    for run in runs:
        if _other_parameters(run) == others and run.parameters not in distinct:
            distinct.append(run.parameters)
            yield run


def _other_parameters(run: Experiment) -> Mapping[str, str]:
    return {
        name: value
        for name, value in flat(run.parameters)
        if not any(f"{name}.".startswith(f"{parameter}.") for parameter in LENGTH)
    }


def _points(run: Experiment) -> pd.DataFrame:
    cells = run.tables["cells"].drop(columns="examples")  # those of the split, which is no length
    counted = cells["reported"] & cells["usable"] & cells["matched"].isna() & cells["share"].notna()
    full = cells["state"].eq("finetuned") & cells["kind"].eq("full")
    retrained = cells["state"].eq("retrained") & cells["kind"].isin(GOOD_AND_CONTROLS)
    drawn = retrained & cells["kind"].isin(DRAWN)
    with_controls = drawn.groupby([cells["task"], cells["method"]]).transform("any")
    shown = cells[counted & (full | (retrained & with_controls))]
    lengths = [
        {"task": task, **trained._asdict()}
        for task in shown["task"].unique()
        if (trained := length(run, task))
    ]
    frame = pd.DataFrame(lengths, columns=["task", *Length._fields])
    return shown.assign(run=run.name).merge(frame, on="task")[POINT]
