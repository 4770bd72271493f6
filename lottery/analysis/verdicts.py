"""Each claim tested over the cells: reproduced, contradicted or undecided, and why.

The mean over cells is tested against 0 by flipping signs, in both directions; each direction is corrected over
all claims tested (Holm). So the chance of any false `reproduced` is at most ALPHA, and that of any false
`contradicted` too. Cells of one task share their data: a verdict is about these tasks, not about others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.claims import CLAIMS, Claim
from lottery.analysis.intervals import interval
from lottery.analysis.quantities import Observed
from lottery.analysis.significance import ALPHA, Side, holm, sign_flip, smallest
from lottery.seeds import rng
from lottery.wording import counted, number

Word = Literal["reproduced", "contradicted", "undecided"]
SIDES: tuple[Side, Side] = ("greater", "less")


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    `effect` is the mean over `n` cells, positive where it speaks for the claim, with its 95 % t interval;
    `p` is one-sided in the direction of the effect, `p_holm` corrected. `published` is the authors' effect over
    `published_n` tasks, or cells where they published those.
    """

    claim: str
    section: str
    sentence: str
    test: str
    verdict: Word
    effect: float
    low: float
    high: float
    n: int
    p: float
    p_holm: float
    published: float
    published_n: int
    evidence: str


def judge(
    observed: Observed, published: Observed, claims: Sequence[Claim] = CLAIMS
) -> list[Verdict]:
    """A verdict on every claim; what was not measured, or too little, is undecided and says so."""
    effects = [measured(claim, observed) for claim in claims]
    above, below = (_tested(claims, effects, side) for side in SIDES)
    tests = sum(not np.isnan(p) for p, _ in above)
    found = []
    for claim, own, *sides in zip(claims, effects, above, below, strict=True):
        mean = interval(_defined(own))
        p, p_holm = sides[mean.mean < 0]
        word = _word(mean.mean, p_holm)
        theirs = interval(_defined(measured(claim, published)))
        found.append(
            Verdict(
                claim=claim.name,
                section=claim.section,
                sentence=claim.sentence,
                test=claim.test,
                verdict=word,
                effect=mean.mean,
                low=mean.low,
                high=mean.high,
                n=mean.n,
                p=p,
                p_holm=p_holm,
                published=theirs.mean,
                published_n=theirs.n,
                evidence="; ".join(_evidence(own, p, tests, word, len(observed.degenerate))),
            )
        )
    return found


def measured(claim: Claim, observed: Observed) -> NDArray[np.float64]:
    """The claim's sum in each sound cell; NaN where a cell lacks a term, empty where all of them do."""
    if not set(claim.terms) <= set(observed.values.columns):
        return np.empty(0)
    total = observed.values[list(claim.terms)] @ pd.Series(claim.terms) + claim.constant
    return total.to_numpy(np.float64)


def _tested(
    claims: Sequence[Claim], effects: Sequence[NDArray[np.float64]], side: Side
) -> list[tuple[float, float]]:
    """Each claim's p on one side, as it is and corrected; NaN for a claim without two cells."""
    p = [
        sign_flip(_defined(own), side, rng("claims", claim.name))
        for claim, own in zip(claims, effects, strict=True)
    ]
    return list(zip(p, holm(np.array(p)).tolist(), strict=True))


def _word(effect: float, p_holm: float) -> Word:
    if p_holm <= ALPHA:
        return "contradicted" if effect < 0 else "reproduced"
    return "undecided"


def _evidence(
    effects: NDArray[np.float64], p: float, tests: int, word: Word, degenerate: int
) -> Iterator[str]:
    """How many cells speak for it, why it is undecided if it is, and what was left out."""
    if not len(effects):
        yield "not measured in this run"
        return
    own = _defined(effects)
    yield f"{(own > 0).sum()} of {counted(len(own), 'cell')} for it"
    if len(own) < 2:
        yield "lack of data: a test needs 2 cells at least"
    elif word == "undecided" and smallest(len(own)) * tests > ALPHA:
        yield (
            f"lack of data: {len(own)} cells cannot give a p below {number(smallest(len(own)), 4)},"
            f" and {tests} tests ask for {number(ALPHA / tests, 4)}"
        )
    elif word == "undecided" and p <= ALPHA:
        side = "for" if own.mean() > 0 else "against"
        yield f"clear {side} it as the only test (p = {number(p)}), not as one of {tests}"
    elif word == "undecided":
        yield "too close to zero for its spread over the cells"
    if missing := len(effects) - len(own):
        yield f"{counted(missing, 'cell')} without a score left out"
    if degenerate:
        yield f"{counted(degenerate, 'degenerate cell')} left out"


def _defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[~np.isnan(values)]
