"""s-pruning: remove whole heads and MLPs, the least important first (paper, section 3.2)."""

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
from lottery.tickets.parameters import ControlsParameters, ImportanceParameters
from lottery.tickets.pruner import Counts, SearchSettings
from lottery.tickets.saliencies import get_saliency
from lottery.tickets.search import Assessment, Cut, Importance

JOINT, HEADS, MLPS = "both", "heads", "mlps"
"""The phases of the search, in this order."""


@dataclass(frozen=True)
class Structured:
    """s-pruning in three phases: heads together with MLPs, then heads alone in half steps, then MLPs alone."""

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    parameters: ImportanceParameters

    @classmethod
    def bind(
        cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings
    ) -> "Structured":
        return cls(encoder, task, examples, settings.prune.rate, settings.of(ImportanceParameters))

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        """A share of *all* heads of the model: every step removes as many, and about 1 / rate steps leave none."""
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
        """Score, and the importance for the next step, by the saliency of the search: mostly of one pass."""
        saliency = get_saliency("importance.saliency", self.parameters.saliency)
        ranked = saliency.units()(
            self.encoder, self.examples, self.task, subnetwork, self.parameters
        )
        score = search_score(self.task, ranked.logits_NC, self.examples)
        return Assessment(score, ranked.units)

    def random(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A random ticket with as many heads and MLPs as the good one."""
        draw = controls.exact if parameters.random == "exact" else controls.bernoulli
        return controls.by_part(good, partial(draw, rng=rng))

    def bad(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A bad ticket with as many heads and MLPs as the good one: those that did not survive first."""
        return controls.by_part(good, partial(controls.unsurvived, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the weights of all heads and MLPs that are removed, in [0, 1]."""
        config = self.encoder.config
        head, mlp = 4 * config.head_size, 2 * config.intermediate_size
        heads, mlps = subnetwork["heads"], subnetwork["mlps"]
        kept = head * heads.sum() + mlp * mlps.sum()
        return float(1 - kept / (head * heads.size + mlp * mlps.size))

    def violation(self, good: Subnetwork) -> str | None:
        """None: which components survive depends on all steps of the search, not on the weights alone."""
        return None


def _step_sizes(rate: float, heads: int) -> Mapping[str, Counts]:
    """Number of components that one step of each phase prunes (paper, section 3.2)."""
    step = max(1, int(rate * heads))
    return {
        JOINT: {"heads": step, "mlps": 1},
        HEADS: {"heads": max(1, step // 2)},
        MLPS: {"mlps": 1},
    }


def remove_least_important(
    subnetwork: Subnetwork, importance: Importance, *, counts: Counts
) -> Subnetwork | None:
    """Prune the `counts[part]` least important survivors of each part, or all if there are fewer.

    Returns None if a part has no survivors. Equally important components are pruned in the order of their position.
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
