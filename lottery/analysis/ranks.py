"""Rank tests within cells: a good ticket among random masks, and bad masks among random ones.

Within a cell all masks prune one fine-tuned model, so that under the null hypothesis they are exchangeable. The tests
are conditional on the cells' models; ties never help the decision.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lottery.analysis.estimate import UNTESTED, Effect, Estimate
from lottery.analysis.resampling import PERMUTATIONS, TOLERANCE

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


def below(cells: Sequence[tuple[str, int, Array, Array]], rng: np.random.Generator) -> Estimate:
    """Are the scores of one set of masks below those of another in the same cell? (van Elteren 1960)

    A cell is its task, its seed, the higher and the lower scores. The statistic weighs the Wilcoxon statistic of a
    cell of N masks by 1 / (N + 1); its distribution comes from permuting masks within cells. The effect is the mean
    probability that the higher mask of a random pair scores higher, ties half, less one half.
    """
    cells = [cell for cell in cells if len(cell[2]) and len(cell[3])]
    if not cells:
        return UNTESTED
    observed, null_R, variances = 0.0, np.zeros(PERMUTATIONS), []
    effects = []
    for task, seed, higher, lower in cells:
        ranks = rankdata(np.concatenate([higher, lower]))
        count, size = len(higher), len(ranks)
        permuted_RN = rng.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1)
        observed += ranks[:count].sum() / (size + 1)
        null_R += permuted_RN[:, :count].sum(axis=1) / (size + 1)
        wins = (ranks[:count].sum() - count * (count + 1) / 2) / (count * len(lower))
        effects.append(Effect(task, seed, float(wins) - 0.5))
        variances.append((size + 1) / (12 * count * len(lower)))
    return _estimate(
        effects,
        float(np.mean([effect.effect for effect in effects])),
        float(np.sqrt(np.sum(variances)) / len(cells)),
        float((1 + (null_R >= observed - TOLERANCE).sum()) / (1 + PERMUTATIONS)),
        float((1 + (null_R <= observed + TOLERANCE).sum()) / (1 + PERMUTATIONS)),
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
