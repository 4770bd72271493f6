"""The section on learning curves of a comparison of experiments: figure and table."""

from collections.abc import Iterator

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.learning_curves import means
from lottery.report import numbers
from lottery.report.blocks import Block, Entry, Figure, Section, Table
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, METRICS, WHOLE
from lottery.wording import NONE, seeds

INCLUDED = (
    "Only experiments that differ from the baseline in nothing but `data.train`, `finetune.epochs` and"
    " `finetune.batch`, usable subnetworks of sound cells, and methods whose controls are retrained."
)


def section(points: pd.DataFrame, tasks: pd.DataFrame, picture: str) -> Section:
    """The curves of `points`, which must not be empty; `picture` is the path of their figure."""
    return Section("Length of training", list(_blocks(points, tasks, picture)))


def _blocks(points: pd.DataFrame, tasks: pd.DataFrame, picture: str) -> Iterator[Block]:
    counts = means(points)["n"]
    yield Figure(
        picture,
        "Line plots, a panel for each task and pruning method: chance-corrected score of retrained good, random and bad"
        " subnetworks against the number of optimiser steps.",
        "Learning curves: chance-corrected score r of retrained subnetworks on dev against optimiser steps (and"
        " training examples). 1 is the full model trained for as many steps, 0 is guessing; points are seeds, lines"
        f" join their means. {INCLUDED} Source: `tables/cells.csv` of each experiment.",
    )
    yield Table(
        "Learning curves: score of the full model in its metric, and chance-corrected score r of retrained"
        f" subnetworks, on dev, with [95 % interval over seeds], {seeds(counts)}. {INCLUDED} Source: `tables/cells.csv`"
        " of each experiment.",
        ["task", "method", "steps", "examples", "experiment", "full model", *GOOD_AND_CONTROLS],
        list(_rows(points, tasks)),
    )


def _rows(points: pd.DataFrame, tasks: pd.DataFrame) -> Iterator[list[Entry]]:
    estimates = {(row.run, row.task, row.method, row.kind): row for row in rows(means(points))}

    def estimate(run: str, task: str, method: str, kind: str) -> Entry:
        row = estimates.get((run, task, method, kind))
        return numbers.estimate(row) if row else NONE

    trainings = points.drop_duplicates(["task", "method", "run"]).sort_values(
        "steps", kind="stable"
    )
    for task in rows(tasks):
        for method in METHODS.values():
            of_both = (trainings["task"] == task.task) & (trainings["method"] == method.name)
            for row in rows(trainings[of_both]):
                yield [
                    f"{task.title}, {METRICS[task.metric]}",
                    method.title,
                    numbers.number(row.steps, 0),
                    numbers.number(row.examples, 0),
                    f"`{row.run}`",
                    estimate(row.run, task.task, WHOLE, "full"),
                    *(
                        estimate(row.run, task.task, method.name, kind)
                        for kind in GOOD_AND_CONTROLS
                    ),
                ]
