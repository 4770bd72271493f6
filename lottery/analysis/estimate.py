"""The estimate of a claim's effect, with the p values of the three words that can be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

NAN = float("nan")
POWER = 0.8


@dataclass(frozen=True)
class Effect:
    """The effect in one cell, positive if it supports the claim."""

    task: str
    seed: int
    effect: float


@dataclass(frozen=True)
class Estimate:
    """The effect of a claim, its standard error and the degrees of freedom, over `cells` cells of `tasks` tasks.

    p_for and p_against: one-sided, that the effect supports or contradicts the claim by chance alone. p_null: that it
    is within the margin by chance alone (two one-sided tests); NaN where no margin was declared. equivalence: whether
    the claim itself is that the effect is within a margin. sides: the number of ways to contradict the claim, among
    which the error of `p_against` is divided. `t_based` says whether an interval may be built from the standard error; ranks have none.
    """

    effect: float
    se: float
    df: float
    cells: int
    tasks: int
    p_for: float
    p_against: float
    p_null: float = NAN
    equivalence: bool = False
    sides: int = 1
    t_based: bool = True
    by_cell: Sequence[Effect] = ()

    @property
    def tested(self) -> bool:
        """Whether a p value exists."""
        return not np.isnan(self.p_for)

    def interval(self, level: float, contradicts: float | None = None) -> tuple[float, float]:
        """Bounds that exclude what is rejected at `level` from below, and at `contradicts` from above."""
        if not self.t_based or np.isnan(self.se):
            return NAN, NAN
        lower, upper = level, level if contradicts is None else contradicts
        return (
            self.effect - float(stats.t.isf(lower, self.df)) * self.se,
            self.effect + float(stats.t.isf(upper, self.df)) * self.se,
        )

    def detectable(self, level: float) -> float:
        """The smallest effect that a test at this level finds with a power of 80 %."""
        if np.isnan(self.se) or not self.tested:
            return NAN
        return float(stats.t.isf(level, self.df) + stats.t.ppf(POWER, self.df)) * self.se


UNTESTED = Estimate(NAN, NAN, NAN, 0, 0, NAN, NAN)


def both(parts: Sequence[Estimate]) -> Estimate:
    """The estimate of a claim all of whose parts must hold (intersection-union test, Berger 1982).

    It holds if each part does at the level; one part that fails, at the level divided by their number, contradicts it.
    Effect and interval are those of the weakest part.
    """
    if not all(part.tested for part in parts):
        return UNTESTED
    weakest = max(parts, key=lambda part: part.p_for)
    if len(parts) == 1:
        return weakest
    against = min(1.0, len(parts) * min(part.p_against for part in parts))
    sides = len(parts) * weakest.sides
    return replace(weakest, p_against=against, p_null=NAN, sides=sides)
