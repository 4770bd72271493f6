"""s-pruning: remove whole heads and MLPs, least important first (paper, section 3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import search_score
from lottery.subnetwork import Kept, Subnetwork
from lottery.tasks import Task
from lottery.tickets import controls
from lottery.tickets.importance import gate_gradients, importance
from lottery.tickets.parameters import ControlsParameters, ImportanceParameters
from lottery.tickets.pruner import Counts, SearchSettings
from lottery.tickets.search import Assessment, Cut, Importance

JOINT, HEADS, MLPS = "both", "heads", "mlps"
"""The phases of the search, in this order."""


@dataclass(frozen=True)
class Structured:
    """Three phases: heads together with MLPs, then heads alone in half steps, then MLPs alone."""

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    scoring: ImportanceParameters

    @classmethod
    def bind(
        cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings
    ) -> "Structured":
        return cls(encoder, task, examples, settings.prune.rate, settings.of(ImportanceParameters))

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        """Heads go by a share of *all* heads of the model, so that every step removes as many."""
        return _step_sizes(settings.prune.rate, total["heads"])[phase]

    @property
    def full(self) -> Subnetwork:
        return Subnetwork.full(self.encoder.config.shapes)

    @property
    def phases(self) -> Mapping[str, Cut]:
        sizes = _step_sizes(self.rate, self.full["heads"].size)
        return {
            phase: partial(remove_least_important, counts=counts) for phase, counts in sizes.items()
        }

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        """One pass over the data gives the score and the importance for the next step.

        Pruned components are not computed, unless the importance of a head is normalised by that of pruned
        heads too, which then need gradients.
        """
        computed = subnetwork
        if self.scoring.normalise == "all":
            computed = subnetwork.replace(heads=self.full["heads"])
        small = self.encoder.extract(computed)
        gradients = gate_gradients(small, self.examples, self.task, subnetwork)
        score = search_score(self.task, gradients.logits_NC, self.examples)
        return Assessment(score, importance(gradients, self.scoring))

    def random(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """As many heads and as many MLPs as the good ticket, drawn from the full model."""
        draw = controls.exact if how.random == "exact" else controls.bernoulli
        return controls.by_part(good, partial(draw, rng=rng))

    def bad(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """What did not survive, heads and MLPs each brought to the size of the good ticket."""
        return controls.by_part(good, partial(controls.unsurviving, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the weights of all heads and MLPs that is removed, in [0, 1]."""
        config = self.encoder.config
        head, mlp = 4 * config.head_size, 2 * config.intermediate_size
        heads, mlps = subnetwork["heads"], subnetwork["mlps"]
        kept = head * heads.sum() + mlp * mlps.sum()
        return float(1 - kept / (head * heads.size + mlp * mlps.size))

    def violation(self, good: Subnetwork) -> str | None:
        """Which components survive depends on every step of the search, so nothing shows here."""
        return None


def _step_sizes(rate: float, heads: int) -> Mapping[str, Counts]:
    """Components that a step of each phase removes (paper, section 3.2)."""
    step = max(1, int(rate * heads))
    return {
        JOINT: {"heads": step, "mlps": 1},
        HEADS: {"heads": max(1, step // 2)},
        MLPS: {"mlps": 1},
    }


def remove_least_important(
    subnetwork: Subnetwork, importance: Importance, *, counts: Counts
) -> Subnetwork | None:
    """Without the `counts[part]` least important survivors of each part, or all of a part that has fewer.

    None if a part has no survivors. Of equally important components the first is removed first.
    """
    if not all(subnetwork[part].any() for part in counts):
        return None
    return subnetwork.replace(
        **{
            part: _without_least_important(subnetwork[part], importance[part], count)
            for part, count in counts.items()
        }
    )


def _without_least_important(kept: Kept, importance: NDArray[np.float64], count: int) -> Kept:
    survivors = np.flatnonzero(kept)
    order = np.argsort(importance.ravel()[survivors], kind="stable")
    remaining = kept.ravel().copy()
    remaining[survivors[order[:count]]] = False
    return remaining.reshape(kept.shape)
