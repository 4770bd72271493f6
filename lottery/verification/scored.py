"""Predictions and scores of a finished run: everything is there once, and scores are those of the predictions."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from lottery.predictions import scores as scores_of
from lottery.schemas import Prediction, Score
from lottery.ticket import Key
from lottery.tickets import measurements
from lottery.verification.run import CellOutputs, Findings
from lottery.vocabulary import State
from lottery.wording import counted


class Identity(NamedTuple):
    """The key of one record: ticket, state, split and metric; a prediction has no metric."""

    key: Key
    state: State
    split: str
    metric: str = ""

    def __str__(self) -> str:
        metric = f"{self.metric} of " if self.metric else ""
        return f"{metric}{self.key.name} {self.state} on {self.split}"


def identity(record: Prediction | Score) -> Identity:
    """The identity that a record states."""
    key = Key(record.method, record.kind, record.draw, record.matched)
    return Identity(key, record.state, record.split, getattr(record, "metric", ""))


def predictions(cell: CellOutputs) -> Findings:
    """There is one prediction for everything that the parameters ask for, and no other; its labels are the data's."""
    recorded, splits = cell.predictions(), cell.splits()
    controls, retrain = cell.run.settings.controls, cell.run.settings.retrain
    planned = [
        *measurements.of_cell(cell.seed, controls, retrain),
        *measurements.of_super_survivors(cell.seed, controls, retrain),
    ]
    due = {Identity(*at, split) for at in planned for split in at.scored_on(splits)}
    yield from _once(cell, "prediction", due, map(identity, recorded))
    for record in recorded:
        split = splits.get(record.split)
        same = split is not None and np.array_equal(record.labels, split.labels_N)
        yield None if same else f"{cell}: {identity(record)}: the data have other labels"


def scores(cell: CellOutputs) -> Findings:
    """There is one score in each metric for every prediction, and it is what the prediction gives."""
    due = {identity(score): score for score in scores_of(cell.predictions())}
    recorded = cell.scores()
    yield from _once(cell, "score", due.keys(), map(identity, recorded))
    for score in recorded:
        expected = due.get(identity(score), score)
        text = f"{score.value:.9g}, {score.n} examples; predictions give {expected.value:.9g}, {expected.n}"
        # An undefined score, NaN, does not equal itself, but is written as itself.
        same = str(score) == str(expected)
        yield None if same else f"{cell}: {identity(score)} is {text}"


def _once(
    cell: CellOutputs, noun: str, due: Collection[Identity], recorded: Iterable[Identity]
) -> Findings:
    """Findings on the records of a cell: everything that is due is there once, and nothing else."""
    counts = Counter(recorded)
    for item in sorted({*due, *counts}, key=str):
        count, expected = counts[item], int(item in due)
        text = f"{cell}: {item}: {counted(count, noun)}, expected {expected}"
        yield None if count == expected else text
