"""The estimate of a claim's effect, with the p values of the three words that can be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

NAN, INFINITE = float("nan"), float("inf")
EDGE = 1e-6
"""The logit of an effect at a bound is that of one this far from it, as a share of the range."""
POWER = 0.8


@dataclass(frozen=True)
class Effect:
    """The effect in one cell, positive if it supports the claim."""

    task: str
    seed: int
    effect: float


@dataclass(frozen=True)
class Scale:
    """The scale on which an effect is tested: its own, or the logit between the bounds that it cannot exceed."""

    low: float = -INFINITE
    high: float = INFINITE

    def distance(self, effect: float, other: float, se: float) -> float:
        """The difference of `effect` from `other`, in standard errors of `effect`."""
        if np.isinf(self.low):
            return (effect - other) / se
        if not self.low < other < self.high:
            return INFINITE if other <= self.low else -INFINITE
        return (self._logit(effect) - self._logit(other)) / (se * self._slope(effect))

    def shifted(self, effect: float, se: float, steps: float) -> float:
        """`effect`, moved by this number of standard errors."""
        if np.isinf(self.low):
            return effect + steps * se
        moved = special.expit(self._logit(effect) + steps * se * self._slope(effect))
        return float(self.low + (self.high - self.low) * moved)

    def _logit(self, effect: float) -> float:
        return float(special.logit(self._share(effect)))

    def _slope(self, effect: float) -> float:
        share = self._share(effect)
        return 1 / (share * (1 - share)) / (self.high - self.low)

    def _share(self, effect: float) -> float:
        """Position of the effect between the bounds, as a share of the range, clear of both."""
        share = (effect - self.low) / (self.high - self.low)
        return float(np.clip(share, EDGE, 1 - EDGE))


LINEAR = Scale()


@dataclass(frozen=True)
class Estimate:
    """The effect of a claim, its standard error and the degrees of freedom, over `cells` cells of `tasks` tasks.

    p_for and p_against: one-sided, that the effect supports or contradicts the claim by chance alone. p_null: that it
    is within the margin by chance alone (two one-sided tests); NaN where no margin was declared. equivalence: whether
    the claim itself is that the effect is within a margin. sides: the number of ways to contradict the claim, among
    which the error of `p_against` is divided. `t_based` says whether an interval may be built from the standard error;
    ranks have none. scale: on which the effect is tested.
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
    scale: Scale = LINEAR
    by_cell: Sequence[Effect] = ()

    @property
    def tested(self) -> bool:
        """True if a p value exists."""
        return not np.isnan(self.p_for)

    def interval(self, level: float, contradicts: float | None = None) -> tuple[float, float]:
        """Bounds that exclude what is rejected at `level` from below, and at `contradicts` from above."""
        if not self.t_based or np.isnan(self.se):
            return NAN, NAN
        upper = level if contradicts is None else contradicts
        widths = (-float(stats.t.isf(level, self.df)), float(stats.t.isf(upper, self.df)))
        low, high = (self.scale.shifted(self.effect, self.se, width) for width in widths)
        return low, high

    def detectable(self, level: float) -> float:
        """The smallest effect that a test at this level finds with a power of 80 %.

        NaN if that is more than there can be, and for the claim that there is no effect.
        """
        if self.equivalence or np.isnan(self.se) or not self.tested:
            return NAN
        smallest = float(stats.t.isf(level, self.df) + stats.t.ppf(POWER, self.df)) * self.se
        return smallest if smallest < self.scale.high else NAN


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
