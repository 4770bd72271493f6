"""Means over fixed tasks and replicated seeds: Welch-Satterthwaite t tests, and equivalence by two of them.

The tasks of a run are its subject, not a sample; its seeds, each with training data of its own, are the replicates
(Bouthillier et al. 2021). The effect is the mean of the tasks' means, and only the spread of seeds within tasks counts
as noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lottery.analysis.estimate import LINEAR, NAN, UNTESTED, Effect, Estimate, Scale

MANY_SEEDS = 5
"""From this many replicates on, a task's own variance is trusted; with fewer, the pooled one is its lower bound."""
NOISE_FLOOR = 1e-9
"""Smaller standard errors count as this much: differences of equal numbers."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Strata:
    """Means, variances (ddof 1) and numbers of replicates of a quantity, by task."""

    tasks: Sequence[str]
    means: Array
    variances: Array
    counts: Array
    by_cell: Sequence[Effect] = ()

    @classmethod
    def of_cells(cls, values: "pd.Series[float]") -> "Strata":
        """Strata of values by (task, seed); undefined values are left out."""
        defined = values.dropna()
        tasks = defined.index.get_level_values("task").astype(str).tolist()
        seeds = defined.index.get_level_values("seed").astype(int).tolist()
        by_task = {
            task: np.array([v for v, t in zip(defined, tasks, strict=True) if t == task])
            for task in dict.fromkeys(tasks)
        }
        return cls(
            list(by_task),
            np.array([of_task.mean() for of_task in by_task.values()], np.float64),
            np.array([_variance(of_task) for of_task in by_task.values()], np.float64),
            np.array([len(of_task) for of_task in by_task.values()], np.float64),
            [Effect(*effect) for effect in zip(tasks, seeds, defined.tolist(), strict=True)],
        )

    def only(self, task: str) -> "Strata":
        """The task alone, with at least the pooled variance where it has few replicates; empty if there is none."""
        moderated = self.moderated()
        at = [name == task for name in moderated.tasks]
        return Strata(
            [name for name in moderated.tasks if name == task],
            moderated.means[at],
            moderated.variances[at],
            moderated.counts[at],
            [effect for effect in self.by_cell if effect.task == task],
        )

    def moderated(self) -> "Strata":
        """Strata whose variance is at least the pooled one where there are fewer than MANY_SEEDS replicates."""
        pooled = self._pooled()
        few = self.counts < MANY_SEEDS
        variances = np.where(few, np.fmax(self.variances, pooled), self.variances)
        return Strata(self.tasks, self.means, variances, self.counts, self.by_cell)

    def _pooled(self) -> float:
        df = self.counts - 1
        several = df > 0
        return (
            float(np.average(self.variances[several], weights=df[several]))
            if several.any()
            else NAN
        )

    def mean(self) -> tuple[float, float, float]:
        """The mean of the tasks' means, its standard error, and its degrees of freedom (Satterthwaite 1946).

        A task with few replicates has at least the pooled variance, and one with a single replicate just that; the
        degrees of freedom are those of the tasks' own variances. NaN if no task has two replicates.
        """
        total_df = float(np.maximum(self.counts - 1, 0).sum())
        single = self.counts < 2
        errors = np.where(single, self._pooled(), self.variances) / self.counts
        df = np.where(single, total_df, self.counts - 1)
        variance = float((self.moderated().variances / self.counts).sum()) / len(self.means) ** 2
        effect = float(self.means.mean())
        if not errors.sum() > 0:
            return effect, NOISE_FLOOR if variance == 0 else NAN, total_df or NAN
        satterthwaite = float(errors.sum() ** 2 / (errors**2 / df).sum())
        return effect, max(variance**0.5, NOISE_FLOOR), min(satterthwaite, total_df)


def _variance(values: Array) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else NAN


class Mean(NamedTuple):
    """A mean over tasks of means over seeds, the bounds of its 95 % interval, and the tasks and cells behind it."""

    mean: float
    low: float
    high: float
    tasks: int
    cells: int


def mean_of_cells(values: "pd.Series[float]", scale: Scale = LINEAR) -> Mean:
    """The mean of values by (task, seed), with the interval of its t test; undefined values are left out."""
    estimate = above_zero(Strata.of_cells(values), scale=scale)
    return Mean(estimate.effect, *estimate.interval(0.025), estimate.tasks, estimate.cells)


def above_zero(strata: Strata, margin: float = NAN, scale: Scale = LINEAR) -> Estimate:
    """Is the mean above 0 (for), below 0 (against), or within the margin of 0 (null)?"""
    if not len(strata.means):
        return UNTESTED
    effect, se, df = strata.mean()
    t = scale.distance(effect, 0.0, se)
    return Estimate(
        effect=effect,
        se=se,
        df=df,
        cells=int(strata.counts.sum()),
        tasks=len(strata.tasks),
        p_for=float(stats.t.sf(t, df)),
        p_against=float(stats.t.cdf(t, df)),
        p_null=max(_beyond(effect, se, df, margin, scale)),
        scale=scale,
        by_cell=strata.by_cell,
    )


def within(strata: Strata, margin: float, scale: Scale = LINEAR) -> Estimate:
    """Is the mean within the margin of 0 (for), or beyond it on either side (against)?"""
    if not len(strata.means):
        return UNTESTED
    effect, se, df = strata.mean()
    estimate = equivalence(effect, se, df, margin, scale)
    cells = int(strata.counts.sum())
    return replace(estimate, cells=cells, tasks=len(strata.tasks), by_cell=strata.by_cell)


def equivalence(
    effect: float, se: float, df: float, margin: float, scale: Scale = LINEAR
) -> Estimate:
    """Two one-sided tests of an effect against a margin (Schuirmann 1987), and their opposite."""
    p = _beyond(effect, se, df, margin, scale)
    return Estimate(
        effect=effect,
        se=se,
        df=df,
        cells=0,
        tasks=0,
        p_for=max(p),
        p_against=min(1.0, 2 * (1 - max(p))),
        equivalence=True,
        sides=2,
        scale=scale,
    )


def _beyond(
    effect: float, se: float, df: float, margin: float, scale: Scale
) -> tuple[float, float]:
    """p values against an effect of -margin or less, and of margin or more."""
    below, above = (scale.distance(effect, edge, se) for edge in (-margin, margin))
    return float(stats.t.sf(below, df)), float(stats.t.cdf(above, df))
