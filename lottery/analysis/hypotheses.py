"""Statements that evidence can decide: each says how it is tested, over all tasks and in a single one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from lottery.analysis import ranks
from lottery.analysis.estimate import LINEAR, NAN, UNTESTED, Estimate, Scale
from lottery.analysis.evidence import Evidence
from lottery.analysis.strata import Strata, above_zero, within

Unit = Literal["share", "kappa", "probability", "maps", "slope", "heads", "std"]
"""Of an effect: corrected score, Cohen's kappa, probability above one half, share of maps and a
difference of such shares, share of heads, std."""

BOUNDS: Mapping[Unit, tuple[float, float]] = {
    "kappa": (-1, 1),
    "maps": (0, 1),
    "slope": (-1, 1),
    "heads": (0, 1),
}
"""Values that a quantity of the unit cannot exceed."""
PAIRS = Scale(-0.5, 0.5)
"""The scale of a share of pairs, less one half."""


@dataclass(frozen=True)
class Hypothesis(ABC):
    """A statement about quantities, with the unit of its effect."""

    @property
    @abstractmethod
    def unit(self) -> Unit: ...

    @property
    @abstractmethod
    def words(self) -> str:
        """The test in words or as a formula."""

    @abstractmethod
    def test(self, evidence: Evidence) -> Estimate:
        """The estimate over all tasks."""

    @abstractmethod
    def test_task(self, evidence: Evidence, task: str) -> Estimate:
        """The estimate in one task."""


@dataclass(frozen=True)
class Above(Hypothesis):
    """The mean over tasks of sum(factor * quantity) + constant is above 0: Welch-Satterthwaite t test.

    margin: an effect within it of 0 counts as none; NaN if no such margin is declared.
    """

    terms: Mapping[str, float]
    constant: float = 0.0
    margin: float = NAN
    unit: Unit = "share"

    @property
    def words(self) -> str:
        return f"{formula(self.terms, self.constant)} > 0"

    @property
    def scale(self) -> Scale:
        """The scale of the test: a logit if the quantity is bounded."""
        return _scale(self.terms, self.constant, self.unit)

    def test(self, evidence: Evidence) -> Estimate:
        return above_zero(evidence.strata(self.terms, self.constant), self.margin, self.scale)

    def test_task(self, evidence: Evidence, task: str) -> Estimate:
        return above_zero(
            evidence.strata(self.terms, self.constant).only(task), self.margin, self.scale
        )


@dataclass(frozen=True)
class Within(Hypothesis):
    """The mean over tasks of sum(factor * quantity) + constant is within the margin of 0: two one-sided t tests.

    seeds: the number of seeds that the quantity needs to mean what the claim says.
    """

    terms: Mapping[str, float]
    constant: float
    margin: float
    unit: Unit = "share"
    seeds: int = 1

    @property
    def words(self) -> str:
        needs = f", from {self.seeds} seeds on" if self.seeds > 1 else ""
        return f"|{formula(self.terms, self.constant)}| < {self.margin:g}{needs}"

    @property
    def scale(self) -> Scale:
        """The scale of the test: a logit if the quantity is bounded."""
        return _scale(self.terms, self.constant, self.unit)

    def test(self, evidence: Evidence) -> Estimate:
        if evidence.seeds < self.seeds:
            return UNTESTED
        return within(evidence.strata(self.terms, self.constant), self.margin, self.scale)

    def test_task(self, evidence: Evidence, task: str) -> Estimate:
        if evidence.seeds < self.seeds:
            return UNTESTED
        return within(
            evidence.strata(self.terms, self.constant).only(task), self.margin, self.scale
        )


@dataclass(frozen=True)
class GoodAmongRandom(Hypothesis):
    """The good ticket ranks high among random masks of its size, pruned: exact test of the rank sum."""

    method: str
    unit: Unit = "probability"

    @property
    def words(self) -> str:
        return f"{self.method} good beats more than half of its random masks (rank sum over cells, exact)"

    def test(self, evidence: Evidence) -> Estimate:
        return self._test(evidence.masks(self.method))

    def test_task(self, evidence: Evidence, task: str) -> Estimate:
        masks = evidence.masks(self.method)
        return self._test(masks[masks["task"] == task])

    def _test(self, masks: pd.DataFrame) -> Estimate:
        return ranks.good_among_random(
            [
                (*cell, float(kinds["good"][0]), kinds["random"])
                for cell, kinds in ranks.scores_by_cell(masks).items()
                if {"good", "random"} <= kinds.keys() and len(kinds["good"])
            ]
        )


@dataclass(frozen=True)
class DrawsBelow(Hypothesis):
    """Masks of one kind win less than half of their pairs with others of their size, pruned: t test over cells."""

    method: str
    higher: str
    lower: str
    unit: Unit = "probability"

    @property
    def words(self) -> str:
        pairs = f"pairs of {self.method} {self.higher} and {self.lower}"
        return f"share of {pairs} that {self.higher} wins - 0.5 > 0"

    def test(self, evidence: Evidence) -> Estimate:
        return above_zero(self._strata(evidence), scale=PAIRS)

    def test_task(self, evidence: Evidence, task: str) -> Estimate:
        return above_zero(self._strata(evidence).only(task), scale=PAIRS)

    def _strata(self, evidence: Evidence) -> Strata:
        masks = ranks.scores_by_cell(evidence.masks(self.method))
        return Strata.of_cells(
            ranks.pairs_won(
                [
                    (*cell, kinds[self.higher], kinds[self.lower])
                    for cell, kinds in masks.items()
                    if {self.higher, self.lower} <= kinds.keys()
                ]
            )
        )


def formula(terms: Mapping[str, float], constant: float) -> str:
    """A linear sum as text: `a - 0.5 b + 0.1`."""
    parts = [_signed(factor, f" {quantity}") for quantity, factor in terms.items()]
    if constant:
        parts.append(_signed(constant, ""))
    return " ".join(parts).removeprefix("+ ")


def _signed(factor: float, term: str) -> str:
    size = "" if abs(factor) == 1 and term else f"{abs(factor):g}"
    return f"{'-' if factor < 0 else '+'} {(size + term).strip()}"


def _scale(terms: Mapping[str, float], constant: float, unit: Unit) -> Scale:
    """The scale of factor * quantity + constant, where the quantity is of a bounded unit."""
    if unit not in BOUNDS:
        return LINEAR
    [factor] = terms.values()
    low, high = sorted(factor * bound + constant for bound in BOUNDS[unit])
    return Scale(low, high)
