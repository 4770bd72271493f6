"""Division of a corpus into train, select and dev: a draw for each seed, the same on every machine."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lottery.data.examples import DataParameters
from lottery.data.rows import Corpus, Row
from lottery.errors import UserError
from lottery.seeds import rng
from lottery.tasks import Task

Stream = tuple[str | int, ...]
"""The names of a random stream."""


def split_corpus(
    task: Task, corpus: Corpus, data: DataParameters, seed: int
) -> dict[str, list[Row]]:
    """Rows of train, select and every dev split, at most as many as `data` allows.

    Every seed draws its own train and select; the dev splits are the same for all. A tenth of the groups of the
    training data is held out for select, however many of its rows are used (none if data.select is 0), so that train
    does not depend on data.select. Samples are stratified by class, and a larger sample contains every smaller one.
    Rows keep their order. Raises UserError if a split is left without rows.
    """
    rows = corpus["train"]
    train, select = (rows, []) if data.select == 0 else _hold_out(task, rows, 0.1, seed, task.name)
    drawn: Stream = (seed, task.name)
    pools = {
        "train": (train, data.train_size(task.name), drawn),
        "select": (select, data.select, drawn),
    } | {
        split: (rows, data.dev, (task.name,)) for split, rows in corpus.items() if split != "train"
    }
    for split, (rows, *_) in pools.items():
        if not rows and (split != "select" or data.select != 0):
            raise UserError(f"{task.name}: nothing is left for {split}; the corpus is too small")
    return {
        split: _sample(task, rows, size, (*stream, split))
        for split, (rows, size, stream) in pools.items()
    }


def require_learnable(task: Task, splits: Mapping[str, Sequence[Row]]) -> None:
    """Raise UserError on constant training labels, or if over half of another split is also in train (leakage)."""
    seen = {row[:3] for row in splits["train"]}
    if len({row.label for row in splits["train"]}) < 2:
        raise UserError(
            f"{task.name}: all training labels are the same; raise data.train, or fix the corpus"
        )
    for split, rows in splits.items():
        repeated = sum(row[:3] in seen for row in rows)
        if split != "train" and repeated > len(rows) / 2:
            raise UserError(
                f"{task.name}: {repeated} of {len(rows)} rows of {split} are also in train; give it"
                " rows of its own"
            )


def divide(task: Task, rows: Sequence[Row], share: float, draw: int) -> tuple[list[Row], list[Row]]:
    """Train and dev of a corpus that has no dev split: `share` of its groups are dev, the same for all seeds."""
    return _hold_out(task, rows, share, "dev", draw, task.name)


def _hold_out(
    task: Task, rows: Sequence[Row], share: float, *stream: str | int
) -> tuple[list[Row], list[Row]]:
    """The rows to train on, and a share of the groups held out; a row without a group is its own group."""
    groups: dict[str | int, list[Row]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.group or index, []).append(row)
    order = stratified_order(
        _classes(task, [group[0] for group in groups.values()]), *stream, "hold"
    )
    held_out = set(order[: max(1, int(share * len(groups)))].tolist())
    train, select = list[Row](), list[Row]()
    for at, group in enumerate(groups.values()):
        (select if at in held_out else train).extend(group)
    return train, select


def _sample(task: Task, rows: Sequence[Row], size: int | None, stream: Stream) -> list[Row]:
    order = stratified_order(_classes(task, rows), *stream)
    return [rows[at] for at in np.sort(order[:size]).tolist()]


def _classes(task: Task, rows: Sequence[Row]) -> NDArray[np.float64]:
    """The classes to stratify by; all scores of a regression count as one class."""
    return np.array([0.0 if task.regression else row.label for row in rows])


def stratified_order(labels_N: NDArray[np.float64], *stream: str | int) -> NDArray[np.int64]:
    """Random order of N rows of which every prefix has the classes in proportion.

    The rows of a class, shuffled, get evenly spaced ranks in (0, 1); sorting all rows by rank interleaves the classes.
    `stream` names the random stream.
    """
    rank_N = np.empty(len(labels_N))
    shuffled = rng(*stream, "sample").permutation(len(labels_N))
    for label in np.unique(labels_N):
        rows = shuffled[labels_N[shuffled] == label]
        rank_N[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    order: NDArray[np.int64] = shuffled[np.argsort(rank_N[shuffled], kind="stable")]
    return order
