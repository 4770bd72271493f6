"""Verdicts on claims: each is tested over the cells, and reproduced, contradicted or undecided.

The mean effect over cells is tested against 0 by flipping signs, in both directions; each direction is corrected for
the number of claims tested (Holm). So the probability of any false `reproduced` is at most ALPHA, and that of any
false `contradicted` too. Cells of one task share their data: verdicts are about the tasks of the run, not about others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.claims import CLAIMS, Claim
from lottery.analysis.intervals import interval
from lottery.analysis.quantities import Quantities
from lottery.analysis.significance import ALPHA, Side, holm, sign_flip, smallest_p
from lottery.seeds import rng
from lottery.wording import counted, number

Outcome = Literal["reproduced", "contradicted", "undecided"]
Effects = NDArray[np.float64]
"""The sum of a claim in each cell, [cells]; positive where it supports the claim."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim, and the effect that it rests on.

    `effect` is the mean over `n` cells, positive if it supports the claim, with its 95 % t interval; `p` is one-sided,
    in the direction of the effect, and `p_holm` corrected. `published` is the authors' effect over `published_n`
    tasks, or over cells if it is about their masks.
    """

    claim: str
    section: str
    sentence: str
    test: str
    verdict: Outcome
    effect: float
    low: float
    high: float
    n: int
    p: float
    p_holm: float
    published: float
    published_n: int
    evidence: str


def decide(
    measured: Quantities, published: Quantities, claims: Sequence[Claim] = CLAIMS
) -> list[Verdict]:
    """A verdict on every claim; a claim that was not measured, or in too few cells, is undecided and says so."""
    effects = [cell_effects(claim, measured) for claim in claims]
    above, below = (_p_values(claims, effects, "greater"), _p_values(claims, effects, "less"))
    tests = sum(not np.isnan(p) for p, _ in above)
    verdicts = []
    for index, claim in enumerate(claims):
        mean = interval(_defined(effects[index]))
        p, p_holm = below[index] if mean.mean < 0 else above[index]
        outcome = _outcome(mean.mean, p_holm)
        evidence = _evidence(effects[index], p, tests, outcome, len(measured.degenerate))
        published_mean = interval(_defined(cell_effects(claim, published)))
        verdicts.append(
            Verdict(
                claim=claim.name,
                section=claim.section,
                sentence=claim.sentence,
                test=claim.test,
                verdict=outcome,
                effect=mean.mean,
                low=mean.low,
                high=mean.high,
                n=mean.n,
                p=p,
                p_holm=p_holm,
                published=published_mean.mean,
                published_n=published_mean.n,
                evidence="; ".join(evidence),
            )
        )
    return verdicts


def cell_effects(claim: Claim, measured: Quantities) -> Effects:
    """The claim's sum in each cell: NaN if the cell lacks a term, empty if no cell has all of them."""
    if not set(claim.terms) <= set(measured.values.columns):
        return np.empty(0)
    total = measured.values[list(claim.terms)] @ pd.Series(claim.terms) + claim.constant
    return total.to_numpy(np.float64)


def _p_values(
    claims: Sequence[Claim], effects: Sequence[Effects], side: Side
) -> list[tuple[float, float]]:
    """Each claim's one-sided p value, uncorrected and corrected; NaN for a claim measured in fewer than 2 cells."""
    p = [
        sign_flip(_defined(of_claim), side, rng("claims", claim.name))
        for claim, of_claim in zip(claims, effects, strict=True)
    ]
    return list(zip(p, holm(np.array(p)).tolist(), strict=True))


def _outcome(effect: float, p_holm: float) -> Outcome:
    if p_holm <= ALPHA:
        return "contradicted" if effect < 0 else "reproduced"
    return "undecided"


def _evidence(
    effects: Effects, p: float, tests: int, outcome: Outcome, degenerate: int
) -> Iterator[str]:
    """Number of cells that support the claim, the reason if it is undecided, and the number of cells left out."""
    if not len(effects):
        left_out = f"no cell left: {counted(degenerate, 'degenerate cell')} left out"
        yield left_out if degenerate else "not measured in this run"
        return
    defined = _defined(effects)
    least = smallest_p(len(defined))
    yield f"{(defined > 0).sum()} of {counted(len(defined), 'cell')} support it"
    if len(defined) < 2:
        yield "too few cells: a test needs at least 2"
    elif outcome == "undecided" and least * tests > ALPHA:
        yield (
            f"too few cells: with {len(defined)}, p cannot fall below {number(least, 4)}, but {tests} tests require"
            f" {number(ALPHA / tests, 4)}"
        )
    elif outcome == "undecided" and p <= ALPHA:
        side = "for" if defined.mean() > 0 else "against"
        yield (
            f"would be significant {side} the claim as a single test (p = {number(p)}), but not after correction for"
            f" {tests} tests"
        )
    elif outcome == "undecided":
        yield "too close to zero, given the spread over the cells"
    if missing := len(effects) - len(defined):
        yield f"{counted(missing, 'cell')} left out, where it is not defined"
    if degenerate:
        yield f"{counted(degenerate, 'degenerate cell')} left out"


def _defined(effects: Effects) -> Effects:
    return effects[~np.isnan(effects)]
