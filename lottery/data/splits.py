"""Which rows train, which drive the searches, which are reported on: alike on every machine."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lottery.data.corpora import Corpus, Row
from lottery.data.examples import DataParameters
from lottery.errors import UserError
from lottery.seeds import rng
from lottery.tasks import Task


def split_corpus(task: Task, corpus: Corpus, data: DataParameters) -> dict[str, list[Row]]:
    """The rows of train, select and every dev split, at most as many as `data` asks for.

    A tenth of the groups of the training data is held out for selection, whatever its wanted size
    (none where data.select is 0). Of each split a sample with the classes in proportion is taken,
    and a larger sample contains every smaller one. Rows keep their order.
    """
    rows = corpus["train"]
    train, select = (rows, []) if data.select == 0 else _hold_out(task, rows)
    pools = {"train": (train, data.training(task.name)), "select": (select, data.select)} | {
        split: (rows, data.dev) for split, rows in corpus.items() if split != "train"
    }
    for split, (rows, _) in pools.items():
        if not rows and (split != "select" or data.select != 0):
            raise UserError(f"{task.name}: nothing is left for {split}; the corpus is too small")
    return {split: _sample(task, split, rows, size) for split, (rows, size) in pools.items()}


def require_learnable(task: Task, found: Mapping[str, Sequence[Row]]) -> None:
    """A UserError where nothing could be learned, or where what is reported on was learned by heart."""
    known = {row[:3] for row in found["train"]}
    if len({row.label for row in found["train"]}) < 2:
        raise UserError(
            f"{task.name}: all training labels are alike; raise data.train, or mend the corpus"
        )
    for split, rows in found.items():
        repeated = sum(row[:3] in known for row in rows)
        if split != "train" and repeated > len(rows) / 2:
            raise UserError(
                f"{task.name}: {repeated} of {len(rows)} rows of {split} are in train as well; give it"
                " rows of its own"
            )


def _hold_out(task: Task, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that train and a tenth of the groups, whole; a row without a group is its own."""
    groups: dict[str | int, list[Row]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.group or index, []).append(row)
    order = balanced(_classes(task, [group[0] for group in groups.values()]), task.name, "hold")
    held = set(order[: max(1, len(groups) // 10)].tolist())
    train, select = list[Row](), list[Row]()
    for at, group in enumerate(groups.values()):
        (select if at in held else train).extend(group)
    return train, select


def _sample(task: Task, split: str, rows: Sequence[Row], size: int | None) -> list[Row]:
    order = balanced(_classes(task, rows), task.name, split)
    return [rows[at] for at in np.sort(order[:size]).tolist()]


def _classes(task: Task, rows: Sequence[Row]) -> NDArray[np.float64]:
    """What a sample is balanced by: scores of a regression count as one class."""
    return np.array([0.0 if task.regression else row.label for row in rows])


def balanced(labels_N: NDArray[np.float64], *stream: str) -> NDArray[np.int64]:
    """A random order of the rows; each beginning of it has the classes in proportion."""
    rank_N = np.empty(len(labels_N))
    shuffled = rng(*stream, "sample").permutation(len(labels_N))
    for label in np.unique(labels_N):
        rows = shuffled[labels_N[shuffled] == label]
        rank_N[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    order: NDArray[np.int64] = shuffled[np.argsort(rank_N[shuffled], kind="stable")]
    return order
