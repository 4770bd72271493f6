"""The Multi-Bootstrap: seeds and examples are drawn again together (Sellam et al., ICLR 2022).

A corrected score varies over seeds and over the examples of dev. Within a task, seeds are drawn with replacement, and
with them one set of examples for all tickets and seeds; the full model and the majority class are scored on these
examples too. Suffixes: S seeds, N examples, B bootstrap draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.columns import CELL, SIZED
from lottery.analysis.frames import ordered
from lottery.metrics import METRICS
from lottery.predictions import decided_labels
from lottery.seeds import rng
from lottery.tasks import Task, get_task

DRAWS = 1000
TINY = 1e-12
"""A product of variances below this is 0 but for rounding."""
FEWEST_SEEDS = 5
"""With fewer seeds a bootstrap over them is too narrow; a t interval is used instead."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Resampled:
    """Corrected scores [B] of each cell of a kind of ticket, on examples that were drawn again, and drawn seeds.

    NaN in draws where the full model does not beat the guess: these are left out.
    """

    shares: Mapping[tuple[str, int], Array]

    def example_std(self) -> Mapping[str, float]:
        """Standard deviation over draws of examples of a task's mean over its seeds."""
        return {task: _std(np.mean(of_task, axis=0)) for task, of_task in self._by_task().items()}

    def interval(self) -> tuple[float, float] | None:
        """Percentile interval of 95 % of the mean over tasks; None if a task has fewer than FEWEST_SEEDS seeds."""
        by_task = self._by_task()
        if min(map(len, by_task.values())) < FEWEST_SEEDS:
            return None
        means = [_over_seeds(of_task, rng("bootstrap", task)) for task, of_task in by_task.items()]
        defined = _defined(np.mean(means, axis=0))
        if not len(defined):
            return None
        low, high = np.quantile(defined, (0.025, 0.975))
        return float(low), float(high)

    def _by_task(self) -> dict[str, Array]:
        tasks = dict.fromkeys(task for task, _ in self.shares)
        return {
            task: np.array([draws for (name, _), draws in self.shares.items() if name == task])
            for task in tasks
        }


def _defined(values_B: Array) -> Array:
    return values_B[~np.isnan(values_B)]


def _std(values_B: Array) -> float:
    defined = _defined(values_B)
    return float(defined.std()) if len(defined) else float("nan")


def _over_seeds(shares_SB: Array, random: np.random.Generator) -> Array:
    """Mean [B] over as many seeds drawn with replacement."""
    count, draws = shares_SB.shape
    chosen_SB = random.integers(0, count, (count, draws))
    means_B: Array = np.take_along_axis(shares_SB, chosen_SB, axis=0).mean(axis=0)
    return means_B


def resample(
    predictions: pd.DataFrame, usable: pd.DataFrame
) -> dict[tuple[object, ...], Resampled]:
    """The bootstrap of each kind of ticket, by SIZED with None for a missing `matched`.

    predictions: the rows of dev. usable: the cells of usable tickets, with the columns task, seed and SIZED. Draws
    of one kind are averaged within their cell.
    """
    keys = {(row.task, row.seed, *_key(row)) for row in usable.itertuples()}
    shares: dict[tuple[object, ...], dict[tuple[str, int], Array]] = {}
    drawn = {
        str(task): _drawn(str(task), rows) for task, rows in predictions.groupby("task")["labels"]
    }
    for (task, seed), of_cell in predictions.groupby(CELL, sort=False):
        scores = _scores_by_ticket(str(task), of_cell, drawn[str(task)])
        full, guess = (scores["full", kind, "finetuned", None] for kind in ("full", "majority"))
        room = np.where(full > guess, full - guess, np.nan)
        for identity, draws_B in scores.items():
            if (task, seed, *identity) in keys:
                of_kind = shares.setdefault(identity, {})
                of_kind[str(task), int(str(seed))] = (draws_B - guess) / room
    return {identity: Resampled(by_cell) for identity, by_cell in shares.items()}


class Drawn(NamedTuple):
    """Examples drawn again, the same for all tickets of a task: their rows, and the share that each is of a draw."""

    rows_BN: NDArray[np.int64]
    shares_NB: Array


def _drawn(task: str, labels: "pd.Series[Any]") -> Drawn:
    size = len(labels.iloc[0])
    rows_BN = rng("examples", task).integers(0, size, (DRAWS, size))
    counts_BN = np.apply_along_axis(np.bincount, 1, rows_BN, minlength=size)
    return Drawn(rows_BN, counts_BN.T / size)


def _scores_by_ticket(
    task: str, predictions: pd.DataFrame, drawn: Drawn
) -> dict[tuple[object, ...], Array]:
    """Scores [B] of the kinds of tickets of a cell on examples drawn again, averaged over draws."""
    spec = get_task(task)
    values: dict[tuple[object, ...], list[Array]] = {}
    for row in predictions.itertuples():
        score_B = _score(spec, np.asarray(row.logits), np.asarray(row.labels), drawn)
        values.setdefault(_key(row), []).append(score_B)
    return {identity: np.mean(of_kind, axis=0) for identity, of_kind in values.items()}


def _score(task: Task, logits: Array, labels: Array, drawn: Drawn) -> Array:
    """The task's first metric [B] on drawn examples; 0 for an undefined correlation."""
    metric, y_N = task.metrics[0], labels.astype(np.float64)
    x_N = decided_labels(task, "dev", logits.reshape(-1, task.classes).astype(np.float64))
    if metric in WEIGHTED:
        return WEIGHTED[metric](x_N, y_N, drawn.shares_NB)
    return np.nan_to_num([METRICS[metric](x_N[rows_N], y_N[rows_N]) for rows_N in drawn.rows_BN])


def _accuracy(x_N: Array, y_N: Array, shares_NB: Array) -> Array:
    right_B: Array = (x_N == y_N).astype(np.float64) @ shares_NB
    return right_B


def _pearson(x_N: Array, y_N: Array, shares_NB: Array) -> Array:
    x_B, y_B, xy_B = x_N @ shares_NB, y_N @ shares_NB, (x_N * y_N) @ shares_NB
    squares_B = (x_N**2 @ shares_NB - x_B**2) * (y_N**2 @ shares_NB - y_B**2)
    defined = squares_B > TINY
    correlation_B: Array = np.where(defined, xy_B - x_B * y_B, 0) / np.sqrt(
        np.where(defined, squares_B, 1)
    )
    return correlation_B


WEIGHTED = {"accuracy": _accuracy, "matthews": _pearson, "pearson": _pearson}
"""Metrics of all draws at once, by the share that each example is of a draw; others take the draws one by one."""


def spreads(
    resampled: Mapping[tuple[object, ...], Resampled], cells: pd.DataFrame, tasks: Sequence[str]
) -> pd.DataFrame:
    """Std of each task's corrected scores over seeds (of one seed), and over examples (of the mean over seeds)."""
    usable = cells[cells["reported"] & cells["usable"]]
    over_seeds = usable.groupby(["task", *SIZED], dropna=False, sort=False)["share"].agg(
        seed_std="std", n="count"
    )
    table = over_seeds.reset_index()
    table["example_std"] = [
        resampled[key].example_std().get(str(row.task), np.nan)
        if (key := _key(row)) in resampled
        else np.nan
        for row in table.itertuples()
    ]
    return ordered(table, tasks, ["task", *SIZED])


def _key(row: Any) -> tuple[object, ...]:
    return row.method, row.kind, row.state, None if pd.isna(row.matched) else row.matched
