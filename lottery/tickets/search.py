"""The way down: cut, assess, and go on while the score holds (paper, section 3).

The search knows neither model nor data: a criterion proposes the cuts and assesses their results.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Literal, Protocol

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from lottery.params import Parameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.subnetwork import Subnetwork
from lottery.tickets.controls import ControlsParameters


class PruneParameters(Parameters, frozen=True):
    """When a search goes on, and what it looks at.

    rate: share of the heads, or of the remaining weights, cut per step. threshold: share of the full model's
    score a subnetwork must keep. floor: absolute score it must keep as well, or null. data: the split that
    drives the search; `select` is held out, `dev` is the paper's choice, which reports on what it selected.
    entry: the importance with which later phases start; `fresh` is that of the accepted subnetwork, `stale`
    (the authors' code) that of the rejected one. curve: walk the first phase down to nothing, past the
    threshold, for the report's curves.
    """

    rate: Annotated[float, Meta(gt=0, lt=1)]
    threshold: Annotated[float, Meta(gt=0, le=1)]
    floor: Annotated[float, Meta(ge=-1, le=1)] | None
    data: Literal["select", "dev"]
    entry: Literal["fresh", "stale"]
    curve: bool


Importance = Mapping[str, NDArray[np.float64]]
Cut = Callable[[Subnetwork, Importance], Subnetwork | None]
"""The next smaller subnetwork, or None where this phase has nothing left to cut."""


@dataclass(frozen=True)
class Assessment:
    """The score of a subnetwork and the importance of its parts, shaped like them; may be empty."""

    score: float
    importance: Importance = field(default_factory=dict)


Assess = Callable[[Subnetwork], Assessment]


class Pruner(Protocol):
    """A way of pruning, bound to a model and to the data that drives its search.

    A new way is a new class: what there is to prune, how to cut it phase by phase, how good a candidate is,
    what its contrasts are, and how much of the encoder it takes away.
    """

    @property
    def full(self) -> Subnetwork: ...

    @property
    def phases(self) -> Mapping[str, Cut]: ...

    def assess(self, subnetwork: Subnetwork) -> Assessment: ...

    def random(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork: ...

    def bad(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork: ...

    def sparsity(self, subnetwork: Subnetwork) -> float: ...


@dataclass(frozen=True)
class Step:
    """One assessed candidate of a search; `accepted` says that its score held."""

    phase: str
    subnetwork: Subnetwork
    score: float
    importance: Importance
    accepted: bool


def score_threshold(full_score: float, rule: PruneParameters) -> float:
    """The score that must be kept; NaN, which nothing reaches, where the full model has none."""
    kept = rule.threshold * full_score
    return kept if rule.floor is None else max(kept, rule.floor)


def search(
    criterion: Pruner, rule: PruneParameters, journal: Journal = NO_JOURNAL
) -> Iterator[Step]:
    """Every candidate in the order of assessment, the full model first.

    Each phase starts from the last accepted subnetwork and ends at the first candidate below the bar or with
    nothing left to cut; with `rule.curve` the first phase goes on below the bar, where nothing is accepted
    any more. A NaN score is below any bar. What `journal` remembers is not assessed again.
    """
    assess = _remembered(criterion.assess, journal)
    best, evidence = criterion.full, assess(criterion.full)
    required = score_threshold(evidence.score, rule)
    held = evidence.score >= required
    yield Step("full", best, evidence.score, evidence.importance, accepted=held)
    for index, (phase, cut) in enumerate(criterion.phases.items()):
        candidate, importance, held = best, evidence.importance, True
        while (smaller := cut(candidate, importance)) is not None:
            candidate, reading = smaller, assess(smaller)
            importance = reading.importance
            if held and reading.score >= required:
                best, evidence = candidate, reading
            elif held:
                held = False
                if rule.entry == "stale":
                    evidence = reading
            yield Step(phase, candidate, reading.score, importance, accepted=held)
            if not held and not (rule.curve and index == 0):
                break


def _remembered(assess: Assess, journal: Journal) -> Assess:
    """The same assessments in the same order, read from the journal as far as it goes."""
    numbers = count()

    def remembered(subnetwork: Subnetwork) -> Assessment:
        unit = f"step {next(numbers)}"
        known = journal.recall(unit)
        if known is not None:
            return Assessment(*known)
        found = assess(subnetwork)
        journal.note(unit, found.score, found.importance)
        return found

    return remembered
