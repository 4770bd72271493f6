"""The section on linear mode connectivity, in runs that train tickets twice."""

from collections.abc import Iterator

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report import numbers
from lottery.report.blocks import Block, Figure, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.report.reasons import reasons
from lottery.tickets.connectivity import ConnectivityParameters
from lottery.tickets.methods import method_title
from lottery.vocabulary import KINDS
from lottery.wording import NONE, between, counted, listed, seeds

PROCEDURE = (
    "Does training end in one valley, whatever the order of the data? Each ticket is trained twice from the same start,"
    " with the same classifier, mask and dropout, and with two orders of its examples; the first training is the"
    " retraining of the other sections. The barrier is the linear interpolation instability of Frankle et al."
    " ([2020](https://arxiv.org/abs/1912.05671)): the highest error on the straight line between the weights"
    " of both, at {points} points, less the mean error of its ends. The error is 1 less r on dev, r being 0 for"
    " guessing and 1 for the full model."
)


def connectivity(material: Material) -> Iterator[Block]:
    """Barriers, and whether they predict who retrains; nothing if no ticket was trained twice."""
    lines = material.tables.get("connectivity")
    if lines is None:
        return
    points = material.parameters[ConnectivityParameters].points
    answers = (PROCEDURE.format(points=points), _answer(material), *_left_out(material, lines))
    yield Paragraph(" ".join(answers))
    path = material.tables["connectivity-path"]
    if len(path):
        tasks = listed(
            title for task, title in material.titles.items() if task in set(path["task"])
        )
        yield Figure(
            material.figure("connectivity"),
            f"Scores on the line between two trainings of full, good, random and bad tickets: {tasks}.",
            f"Score r on the line between two trainings: mean and range over seeds, {seeds(path['n'])}. Source:"
            " `tables/connectivity-path.csv`.",
        )
        yield _means(material.tables["connectivity-means"])
    yield Folded("Barriers by cell", [_lines(material, lines)])


def _answer(material: Material) -> str:
    """The correlation of barriers and retrained scores, in words."""
    ranks = material.tables["connectivity-ranks"]
    if ranks.empty:
        return "No cell has enough usable tickets to say whether it predicts who retrains."
    first, *others = rows(ranks)
    answer = "Whether it predicts who retrains is undecided"
    if first.high < 0:
        answer = "Tickets with a higher barrier retrain worse"
    elif first.low > 0:
        answer = "Tickets with a higher barrier retrain better"
    by_method = "; ".join(f"{method_title(row.method)} {between(row, 2)}" for row in others)
    of_methods = f" By method, the full model included: {by_method}." if others else ""
    return (
        f"{answer}: within a cell, Spearman's correlation of barrier and r of the"
        f" retrained ticket is {between(first, 2)}, mean and 95 % interval over"
        f" {counted(first.cells, 'cell')} with {counted(first.tickets, 'ticket')}.{of_methods} Both contain the score"
        " of the first training, so that its noise alone may correlate them."
    )


def _left_out(material: Material, lines: pd.DataFrame) -> Iterator[str]:
    """A sentence on tickets that count for nothing, if there are any."""
    unusable = lines[~lines["usable"].eq(True)]
    if len(unusable):
        words = dict.fromkeys(word for row in rows(unusable) for word in reasons(row.reason))
        tasks = listed(material.titles[task] for task in dict.fromkeys(unusable["task"]))
        yield f"Left out: {counted(len(unusable), 'ticket')} of {tasks} ({listed(words)})."


def _means(means: pd.DataFrame) -> Table:
    return Table(
        "Barriers, means over tasks with their 95 % interval (t test over tasks and seeds, cut at 0), r of both"
        " trainings, and n cells. A description, not a claim. Source: `tables/connectivity-means.csv`.",
        ["method", "kind", "barrier", "r, first order", "r, second order", "n"],
        [
            [
                method_title(row.method) or NONE,
                KINDS[row.kind],
                numbers.estimate(row),
                numbers.number(row.first),
                numbers.number(row.second),
                numbers.number(row.cells, 0),
            ]
            for row in rows(means)
        ],
    )


def _lines(material: Material, lines: pd.DataFrame) -> Table:
    return Table(
        "The line of every ticket: r of both trainings, the lowest r between them and where (0 is the first training),"
        " and the barrier in r and in the task's metric. Source: `tables/connectivity.csv`.",
        [
            "task",
            "seed",
            "method",
            "kind",
            "first",
            "second",
            "lowest",
            "at",
            "barrier",
            "in metric",
        ],
        [
            [
                material.titles[row.task],
                str(row.seed),
                method_title(row.method) or NONE,
                KINDS[row.kind],
                *(numbers.number(value) for value in (row.first, row.second, row.lowest)),
                numbers.number(row.at, 2),
                numbers.number(row.barrier),
                numbers.number(row.barrier * row.room),
            ]
            for row in rows(lines)
        ],
    )
