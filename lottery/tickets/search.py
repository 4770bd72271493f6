"""Pruning search: prune, evaluate, continue while the score stays above the threshold (paper, section 3).

The search knows neither model nor data: a criterion proposes smaller subnetworks and assesses them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.subnetwork import Subnetwork
from lottery.tickets.parameters import PruneParameters

Importance = Mapping[str, NDArray[np.float64]]
HALVES = ("first half", "second half")
"""Every other example, from the first and from the second on."""
Cut = Callable[[Subnetwork, Importance], Subnetwork | None]
"""The next smaller subnetwork, or None if this phase has nothing left to prune."""


@dataclass(frozen=True)
class Assessment:
    """Score of a subnetwork, and the importance of its components, part by part; empty for methods without one."""

    score: float
    importance: Importance = field(default_factory=dict)


def half_of(part: str, half: str) -> str:
    """The name under which an assessment has the importance of a part by one of HALVES."""
    return f"{part}, {half}"


Assess = Callable[[Subnetwork], Assessment]


class Criterion(Protocol):
    """The interface that a search uses: the full model, the phases that prune it, and the assessment of candidates."""

    @property
    def full(self) -> Subnetwork:
        """The full model, from which a search starts."""
        ...

    @property
    def phases(self) -> Mapping[str, Cut]:
        """The pruning step of each phase, by the name that the trajectory records."""
        ...

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of all prunable encoder weights that are removed, in [0, 1]."""
        ...

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        """Score and importance of a candidate. It may change the encoder: within a phase, candidates are nested."""
        ...


@dataclass(frozen=True)
class Step:
    """One assessed candidate of a search; `accepted` if its score reached the threshold."""

    phase: str
    subnetwork: Subnetwork
    sparsity: float
    score: float
    importance: Importance
    accepted: bool


def score_threshold(full_score: float, rule: PruneParameters, floor: float | None) -> float:
    """The lowest score that is accepted; NaN, which no score reaches, if the full model has none."""
    threshold = rule.threshold * full_score
    return threshold if floor is None else max(threshold, floor)


def search(
    criterion: Criterion,
    rule: PruneParameters,
    floor: float | None = None,
    journal: Journal = NO_JOURNAL,
) -> Iterator[Step]:
    """Yield all candidates in the order of assessment, the full model first.

    `floor` is what `rule.floor` amounts to on the data of the criterion.

    Each phase starts from the last accepted subnetwork and ends with the first candidate below the threshold, or when
    nothing is left to prune. Below the threshold, the first phase continues up to the sparsity `rule.curve` and accepts
    nothing any more. A NaN score is below every threshold. Candidates that `journal` holds are not assessed again.
    """
    assess = _resumable(criterion.assess, journal)
    last_accepted, assessment = criterion.full, assess(criterion.full)
    threshold = score_threshold(assessment.score, rule, floor)
    entry_importance = assessment.importance
    accepted = assessment.score >= threshold
    yield Step("full", last_accepted, 0.0, assessment.score, entry_importance, accepted)
    for index, (phase, cut) in enumerate(criterion.phases.items()):
        # A phase may accept a smaller subnetwork even where the full model is below the floor.
        candidate, importance, accepted = last_accepted, entry_importance, True
        while (smaller := cut(candidate, importance)) is not None:
            candidate, assessment = smaller, assess(smaller)
            importance = assessment.importance
            if accepted and assessment.score >= threshold:
                last_accepted, entry_importance = candidate, importance
            elif accepted:
                accepted = False
                # The authors' code overwrites the importance before it checks the score, so that the next phase
                # starts with the importance of the candidate that was just rejected.
                if rule.entry == "stale":
                    entry_importance = importance
            sparsity = criterion.sparsity(candidate)
            yield Step(phase, candidate, sparsity, assessment.score, importance, accepted)
            if not accepted and (index > 0 or sparsity >= rule.curve):
                break


def _resumable(assess: Assess, journal: Journal) -> Assess:
    """`assess`, with results read from the journal as far as it goes: a search asks for them in a fixed order.

    A recalled assessment leaves the encoder as it is. For m-pruning, which zeroes weights in place, that changes
    nothing: weights that were not zeroed yet are the smallest, so they are pruned all the same.
    """
    numbers = count()

    def recall_or_assess(subnetwork: Subnetwork) -> Assessment:
        unit = f"step {next(numbers)}"
        entry = journal.recall(unit)
        if entry is not None:
            return Assessment(*entry)
        assessment = assess(subnetwork)
        journal.note(unit, assessment.score, assessment.importance)
        return assessment

    return recall_or_assess
