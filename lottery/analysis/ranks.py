"""Ranks within cells: a good ticket among random masks, and pairs of random and bad ones.

Within a cell all masks prune one fine-tuned model, so that under the null hypothesis they are exchangeable. The tests
are conditional on the cells' models and on the scores of their masks, ties among them included.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.columns import CELL
from lottery.analysis.estimate import UNTESTED, Effect, Estimate

Array = NDArray[np.float64]
INFINITE = float("inf")


def good_among_random(cells: Sequence[tuple[str, int, float, Array]]) -> Estimate:
    """The number of random masks that the good ticket beats, ties half, summed over cells, and its exact distribution.

    A cell is its task, its seed, the good score and the scores of its K random masks. Under the null hypothesis the
    good ticket is any of the 1 + K masks of its cell with equal probability, whatever ties there are among them. The
    effect is the mean share of random masks that are beaten, less one half.
    """
    cells = [cell for cell in cells if len(cell[3])]
    if not cells:
        return UNTESTED
    # Twice the numbers, so that half a win is an integer.
    wins = [_wins(np.array([good, *random])) for _, _, good, random in cells]
    probability = reduce(np.convolve, [np.bincount(of_cell) / len(of_cell) for of_cell in wins])
    seen = sum(int(of_cell[0]) for of_cell in wins)
    effects = [
        Effect(task, seed, float(of_cell[0] / (2 * len(random)) - 0.5))
        for (task, seed, _, random), of_cell in zip(cells, wins, strict=True)
    ]
    null_variances = [float((of_cell / (2 * (len(of_cell) - 1))).var()) for of_cell in wins]
    return _estimate(
        effects,
        float(np.mean([effect.effect for effect in effects])),
        float(np.sqrt(np.sum(null_variances)) / len(cells)),
        min(1.0, float(probability[seen:].sum())),
        min(1.0, float(probability[: seen + 1].sum())),
    )


def _wins(scores: Array) -> NDArray[np.int64]:
    """Of each mask: twice the number of the other masks that it beats, and once that of those it ties with."""
    beaten = (scores[:, None] > scores).sum(axis=1)
    tied = (scores[:, None] == scores).sum(axis=1) - 1
    return np.asarray(2 * beaten + tied, np.int64)


def pairs_won(cells: Sequence[tuple[str, int, Array, Array]]) -> "pd.Series[float]":
    """Of each cell, indexed by task and seed: the share of pairs that the higher mask wins, ties half, less one half.

    A cell is its task, its seed, the higher and the lower scores. Bad masks of a cell are all drawn from what one good
    ticket left and resemble each other, so they are no independent draws: a cell counts as one replicate, and no test
    may permute its masks.
    """
    won = {
        (task, seed): float(
            ((higher[:, None] > lower) + (higher[:, None] == lower) / 2).mean() - 0.5
        )
        for task, seed, higher, lower in cells
        if len(higher) and len(lower)
    }
    index = pd.MultiIndex.from_tuples(list(won), names=CELL)
    return pd.Series(list(won.values()), index, dtype=float)


def _estimate(
    effects: Sequence[Effect], effect: float, null_se: float, above: float, under: float
) -> Estimate:
    """An estimate without interval, whose standard error is that under the null hypothesis."""
    return Estimate(
        effect=effect,
        se=null_se,
        df=INFINITE,
        cells=len(effects),
        tasks=len({of_cell.task for of_cell in effects}),
        p_for=above,
        p_against=under,
        t_based=False,
        by_cell=effects,
    )


def scores_by_cell(draws: pd.DataFrame) -> dict[tuple[str, int], dict[str, Array]]:
    """The corrected scores of every kind of mask, by cell."""
    scores: dict[tuple[str, int], dict[str, Array]] = {}
    for (task, seed, kind), of_kind in draws.groupby(["task", "seed", "kind"], sort=False):
        values = of_kind["share"].dropna().to_numpy(np.float64)
        scores.setdefault((str(task), int(str(seed))), {})[str(kind)] = values
    return scores
