"""Verdicts on claims: reproduced, contradicted, equivalent or undecided, over all tasks and in each.

Each of the three words has a null hypothesis of its own, and Holm's correction in each family keeps the probability of
saying it falsely of any claim of the family at the level of the look. Secondary claims are tested where the clause
that they hang on is decided. The interval of a claim is at the level that decides it, so that it agrees with the word.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lottery.analysis.claims import Claim
from lottery.analysis.estimate import NAN, Estimate, both
from lottery.analysis.evidence import Evidence
from lottery.analysis.hypotheses import Hypothesis
from lottery.analysis.significance import holm, holm_levels

Verdict = Literal["reproduced", "contradicted", "equivalent", "undecided", "closed", "untested"]
DECIDED: frozenset[Verdict] = frozenset({"reproduced", "contradicted", "equivalent"})
WORDS: Mapping[Verdict, Callable[[Estimate], float]] = {
    "reproduced": lambda estimate: estimate.p_for,
    "contradicted": lambda estimate: estimate.p_against,
    "equivalent": lambda estimate: estimate.p_null,
}
"""The words that a test can give, in the order in which they are tried, with the p value of each."""


@dataclass(frozen=True)
class Decision:
    """The verdict on an estimate, its interval, its p value in the direction of the verdict, uncorrected and corrected.

    detectable: the smallest effect that the test finds with a power of 80 %.
    """

    estimate: Estimate
    verdict: Verdict
    low: float
    high: float
    p: float
    p_adjusted: float
    detectable: float


@dataclass(frozen=True)
class ClaimDecision:
    """The decision on a claim over all tasks, and in each task by name."""

    claim: Claim
    family: str
    overall: Decision
    tasks: Mapping[str, Decision]

    @property
    def supporting(self) -> int:
        """In how many tasks the claim holds, at least (partial conjunction, Dror et al. 2017)."""
        return sum(decision.verdict == "reproduced" for decision in self.tasks.values())


def decide(
    families: Mapping[str, Sequence[Claim]],
    evidence: Evidence,
    tasks: Sequence[str],
    level: float,
    of_means: bool = False,
) -> list[ClaimDecision]:
    """Decisions on all claims of the families `primary`, `secondary` and others, in their order.

    of_means: test the hypotheses that stand in where only means over seeds are known, and all claims, without gates:
    this is how data with known answers are used.
    """
    by_claim: dict[str, Decision] = {}
    for family, claims in families.items():
        gates = {claim.clause for claim in claims} if family == "secondary" else {""}
        for gate in gates:
            group = [claim for claim in claims if gate in {"", claim.clause}]
            estimates = [_estimate(claim, evidence, of_means) for claim in group]
            is_open = of_means or not gate or by_claim[gate].verdict in DECIDED
            decisions = decide_family(estimates, level) if is_open else map(closed, estimates)
            by_claim |= {
                claim.name: decision for claim, decision in zip(group, decisions, strict=True)
            }
    return [
        ClaimDecision(
            claim,
            family,
            by_claim[claim.name],
            _by_task(claim, evidence, tasks, level, of_means, by_claim[claim.name].verdict),
        )
        for family, claims in families.items()
        for claim in claims
    ]


def _hypotheses(claim: Claim, of_means: bool) -> Sequence[Hypothesis]:
    return claim.of_means if of_means and claim.of_means else claim.parts


def _estimate(claim: Claim, evidence: Evidence, of_means: bool) -> Estimate:
    return both([part.test(evidence) for part in _hypotheses(claim, of_means)])


def _by_task(
    claim: Claim,
    evidence: Evidence,
    tasks: Sequence[str],
    level: float,
    of_means: bool,
    overall: Verdict,
) -> dict[str, Decision]:
    """Decisions by task, corrected for the number of tasks: those that hold count for the partial conjunction."""
    estimates = {
        task: both([part.test_task(evidence, task) for part in _hypotheses(claim, of_means)])
        for task in tasks
    }
    measured = {task: estimate for task, estimate in estimates.items() if estimate.cells}
    if overall == "closed":
        return {task: closed(estimate) for task, estimate in measured.items()}
    decisions = decide_family(list(measured.values()), level)
    return dict(zip(measured, decisions, strict=True))


def decide_family(estimates: Sequence[Estimate], level: float) -> list[Decision]:
    """Decisions on the estimates of one family, each word corrected by Holm's procedure."""
    p = {
        word: np.array([value(estimate) for estimate in estimates]) for word, value in WORDS.items()
    }
    levels = {word: holm_levels(values, level) for word, values in p.items()}
    adjusted = {word: holm(values) for word, values in p.items()}
    return [
        _decision(
            estimate,
            *(
                {word: float(column[word][at]) for word in WORDS}
                for column in (p, adjusted, levels)
            ),
        )
        for at, estimate in enumerate(estimates)
    ]


def _decision(
    estimate: Estimate,
    p: Mapping[Verdict, float],
    adjusted: Mapping[Verdict, float],
    levels: Mapping[Verdict, float],
) -> Decision:
    if not estimate.tested:
        return Decision(estimate, "untested", NAN, NAN, NAN, NAN, NAN)
    verdict: Verdict = next((word for word in WORDS if p[word] <= levels[word]), "undecided")
    reported = verdict
    if verdict == "undecided":
        reported = "reproduced" if p["reproduced"] <= p["contradicted"] else "contradicted"
    low, high = _bounds(estimate, verdict, levels)
    detectable = estimate.detectable(levels["reproduced"])
    return Decision(estimate, verdict, low, high, p[reported], adjusted[reported], detectable)


def _bounds(
    estimate: Estimate, verdict: Verdict, levels: Mapping[Verdict, float]
) -> tuple[float, float]:
    """An interval that agrees with the verdict: excludes 0, or stays within the margin, just where the verdict does."""
    against = levels["contradicted"] / estimate.sides
    if verdict == "equivalent":
        return estimate.interval(levels["equivalent"])
    if estimate.equivalence:
        return estimate.interval(levels["reproduced"] if verdict == "reproduced" else against)
    return estimate.interval(levels["reproduced"], against)


def closed(estimate: Estimate) -> Decision:
    """An estimate whose gate is closed: described with an interval of 95 %, and not tested."""
    if not estimate.tested:
        return Decision(estimate, "untested", NAN, NAN, NAN, NAN, NAN)
    return Decision(estimate, "closed", *estimate.interval(0.025), NAN, NAN, NAN)
