"""Rank tests within cells: a good ticket among random masks, and bad masks among random ones.

Within a cell all masks prune one fine-tuned model, so that under the null hypothesis they are exchangeable. The tests
are conditional on the cells' models; ties never help the decision.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.estimate import UNTESTED, Effect, Estimate

Array = NDArray[np.float64]
INFINITE = float("inf")


def good_among_random(cells: Sequence[tuple[str, int, float, Array]]) -> Estimate:
    """The number of random masks that the good ticket beats, summed over cells, and its exact distribution.

    A cell is its task, its seed, the good score and the scores of its K random masks. Under the null hypothesis the
    number is uniform on 0..K in each cell. A tie counts as lost for `p_for` and as won for `p_against`. The effect is
    the mean share of random masks that are beaten, ties half, less one half.
    """
    cells = [cell for cell in cells if len(cell[3])]
    if not cells:
        return UNTESTED
    sizes = [len(random) for _, _, _, random in cells]
    uniforms = [np.full(size + 1, 1 / (size + 1)) for size in sizes]
    probability = reduce(np.convolve, uniforms)
    beaten = sum(int((random < good).sum()) for _, _, good, random in cells)
    not_lost = sum(int((random <= good).sum()) for _, _, good, random in cells)
    effects = [
        Effect(task, seed, float(((random < good) + (random == good) / 2).mean()) - 0.5)
        for task, seed, good, random in cells
    ]
    null_variances = [(size + 2) / (12 * size) for size in sizes]
    return _estimate(
        effects,
        float(np.mean([effect.effect for effect in effects])),
        float(np.sqrt(np.sum(null_variances)) / len(cells)),
        min(1.0, float(probability[beaten:].sum())),
        min(1.0, float(probability[: not_lost + 1].sum())),
    )


def below(cells: Sequence[tuple[str, int, Array, Array]]) -> Estimate:
    """Do masks lose to the higher-scoring ones of the same cell, beyond what one draw of them would by chance?

    A cell is its task, its seed, the higher and the lower scores. The lower masks of a cell may resemble each other
    more than random ones do: bad masks are all drawn from what one good ticket left. So they are no independent draws,
    and each of them is tested alone, as a good ticket is. Twice the mean of the p values is a p value, whatever their
    dependence (Vovk and Wang, Biometrika 2020). The effect is the mean over draws.
    """
    cells = [cell for cell in cells if len(cell[2]) and len(cell[3])]
    if not cells:
        return UNTESTED
    draws = [
        good_among_random(
            [(task, seed, -float(lower[draw]), -higher) for task, seed, higher, lower in cells]
        )
        for draw in range(min(len(lower) for *_, lower in cells))
    ]
    by_cell = [
        Effect(*cell, float(np.mean([effect.effect for effect in effects])))
        for cell, effects in zip(
            [cell[:2] for cell in cells],
            zip(*(draw.by_cell for draw in draws), strict=True),
            strict=True,
        )
    ]
    return replace(
        draws[0],
        effect=float(np.mean([draw.effect for draw in draws])),
        p_for=min(1.0, 2 * float(np.mean([draw.p_for for draw in draws]))),
        p_against=min(1.0, 2 * float(np.mean([draw.p_against for draw in draws]))),
        by_cell=by_cell,
    )


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
