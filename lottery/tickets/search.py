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
Cut = Callable[[Subnetwork, Importance], Subnetwork | None]
"""The next smaller subnetwork, or None if this phase has nothing left to prune."""


@dataclass(frozen=True)
class Assessment:
    """The score of a subnetwork, and the importance of its parts, shaped like them; may be empty."""

    score: float
    importance: Importance = field(default_factory=dict)


Assess = Callable[[Subnetwork], Assessment]


class Criterion(Protocol):
    """What a search needs: the full model, how each phase prunes, and how good a candidate is."""

    @property
    def full(self) -> Subnetwork: ...

    @property
    def phases(self) -> Mapping[str, Cut]: ...

    def assess(self, subnetwork: Subnetwork) -> Assessment: ...


@dataclass(frozen=True)
class Step:
    """One assessed candidate of a search; `accepted` if its score reached the threshold."""

    phase: str
    subnetwork: Subnetwork
    score: float
    importance: Importance
    accepted: bool


def score_threshold(full_score: float, rule: PruneParameters) -> float:
    """The score to keep; NaN, which no score reaches, if the full model has none."""
    threshold = rule.threshold * full_score
    return threshold if rule.floor is None else max(threshold, rule.floor)


def search(
    criterion: Criterion, rule: PruneParameters, journal: Journal = NO_JOURNAL
) -> Iterator[Step]:
    """Yield every candidate in the order of assessment, the full model first.

    Each phase starts from the last accepted subnetwork and ends at the first candidate below the threshold, or
    with nothing left to prune; with `rule.curve` the first phase continues below the threshold, where nothing is
    accepted any more. A NaN score is below every threshold. What `journal` holds is not assessed again.
    """
    assess = _resumable(criterion.assess, journal)
    best, best_assessment = criterion.full, assess(criterion.full)
    threshold = score_threshold(best_assessment.score, rule)
    accepted = best_assessment.score >= threshold
    yield Step("full", best, best_assessment.score, best_assessment.importance, accepted)
    for index, (phase, cut) in enumerate(criterion.phases.items()):
        candidate, importance, accepted = best, best_assessment.importance, True
        while (smaller := cut(candidate, importance)) is not None:
            candidate, assessment = smaller, assess(smaller)
            importance = assessment.importance
            if accepted and assessment.score >= threshold:
                best, best_assessment = candidate, assessment
            elif accepted:
                accepted = False
                # The authors' code overwrites its importance before it looks at the score, so that the next
                # phase starts with the importance of the candidate it has just rejected.
                if rule.entry == "stale":
                    best_assessment = assessment
            yield Step(phase, candidate, assessment.score, importance, accepted)
            if not accepted and not (rule.curve and index == 0):
                break


def _resumable(assess: Assess, journal: Journal) -> Assess:
    """The same assessments in the same order, read from the journal as far as it goes."""
    numbers = count()

    def recalled_or_assessed(subnetwork: Subnetwork) -> Assessment:
        unit = f"step {next(numbers)}"
        entry = journal.recall(unit)
        if entry is not None:
            return Assessment(*entry)
        assessment = assess(subnetwork)
        journal.note(unit, assessment.score, assessment.importance)
        return assessment

    return recalled_or_assessed
