"""Which rows train, which drive the searches, which are reported on: alike on every machine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lottery.corpora import Corpus, Row
from lottery.examples import Data
from lottery.faults import Fault
from lottery.seeds import rng
from lottery.tasks import Task


def divide(task: Task, corpus: Corpus, data: Data) -> dict[str, list[Row]]:
    """The rows of train, select and every dev split, at most as many as `data` asks for.

    A tenth of the groups of the training data is held out for selection, whatever its wanted size
    (none where data.select is 0). Of each split a sample with the classes in proportion is taken,
    and a larger sample contains every smaller one. Rows keep their order.
    """
    held = (
        _held_out(task, corpus["train"])
        if data.select != 0
        else np.zeros(len(corpus["train"]), bool)
    )
    pools = {
        "train": (
            [row for row, out in zip(corpus["train"], held, strict=True) if not out],
            data.train,
        ),
        "select": (
            [row for row, out in zip(corpus["train"], held, strict=True) if out],
            data.select,
        ),
    } | {split: (list(rows), data.dev) for split, rows in corpus.items() if split != "train"}
    for split, (rows, _) in pools.items():
        if not rows and not (split == "select" and data.select == 0):
            raise Fault(f"{task.name}: nothing is left for {split}; the corpus is too small")
    return {split: _sample(task, split, rows, size) for split, (rows, size) in pools.items()}


def _held_out(task: Task, rows: Sequence[Row]) -> NDArray[np.bool_]:
    """A tenth of the groups, whole; a row without a group is one of its own."""
    names = {row.group or index: None for index, row in enumerate(rows)}
    order = rng(task.name, "select").permutation(len(names))
    group = {name: place for name, place in zip(names, order.tolist(), strict=True)}
    places = np.array([group[row.group or index] for index, row in enumerate(rows)], np.int64)
    held: NDArray[np.bool_] = places < max(1, len(names) // 10)
    return held


def _sample(task: Task, split: str, rows: list[Row], size: int | None) -> list[Row]:
    labels = np.array([0.0 if task.regression else row.label for row in rows])
    return [rows[at] for at in np.sort(balanced(labels, task.name, split)[:size]).tolist()]


def balanced(labels_N: NDArray[np.float64], *stream: str) -> NDArray[np.int64]:
    """A random order of the rows; each beginning of it has the classes in proportion."""
    rank_N = np.empty(len(labels_N))
    shuffled = rng(*stream, "sample").permutation(len(labels_N))
    for label in np.unique(labels_N):
        rows = shuffled[labels_N[shuffled] == label]
        rank_N[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    order: NDArray[np.int64] = shuffled[np.argsort(rank_N[shuffled], kind="stable")]
    return order
