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
from lottery.tickets import controls, neurons
from lottery.tickets.neurons import NEURONS
from lottery.tickets.parameters import ControlsParameters, ImportanceParameters
from lottery.tickets.pruner import Counts, SearchSettings
from lottery.tickets.saliencies import SALIENCIES, get_saliency
from lottery.tickets.saliency.units import UnitSaliency
from lottery.tickets.search import HALVES, Assessment, Cut, Importance, half_of

JOINT, HEADS, MLPS = "both", "heads", "mlps"
"""The phases of the search, in this order; a last one of neurons follows if they are pruned."""


@dataclass(frozen=True)
class Structured:
    """s-pruning in three phases: heads together with MLPs, then heads alone in half steps, then MLPs alone.

    A parameter adds a fourth: single neurons of the MLPs that are left.
    """

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
        """A share of *all* heads of the model: every step removes as many, and about 1 / rate steps leave none.

        Neurons go with their MLP. None was pruned alone before the last phase, so that each MLP has all its neurons.
        """
        size = _step_sizes(settings.prune.rate, total)[phase]
        mlps = min(size.get("mlps", 0), kept["mlps"])
        wide = total.get(NEURONS, 0) // total["mlps"]
        return {NEURONS: mlps * wide, **size} if NEURONS in total else size

    @property
    def full(self) -> Subnetwork:
        config = self.encoder.config
        return Subnetwork.full(config.fine_shapes if self.parameters.neurons else config.shapes)

    @property
    def phases(self) -> Mapping[str, Cut]:
        sizes = _step_sizes(self.rate, {part: kept.size for part, kept in self.full.items()})
        return {
            phase: partial(remove_least_important, counts=counts) for phase, counts in sizes.items()
        }

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        """Score, and the importance for the next step, by the saliency of the search: mostly of one pass.

        Another pass over the full model gives its importance by either half of the examples.
        """
        ranked = self._rank(subnetwork, self.examples)
        score = search_score(self.task, ranked.logits_NC, self.examples)
        importance = dict(ranked.units)
        if subnetwork == self.full and len(self.examples) > 1:
            for start, half in enumerate(HALVES):
                rows = np.arange(start, len(self.examples), 2)
                units = self._rank(subnetwork, self.examples.take(rows)).units
                importance |= {half_of(part, half): values for part, values in units.items()}
        return Assessment(score, importance)

    def _rank(self, subnetwork: Subnetwork, examples: Examples) -> UnitSaliency:
        saliency = get_saliency("importance.saliency", self.parameters.saliency, SALIENCIES)
        return saliency.units()(self.encoder, examples, self.task, subnetwork, self.parameters)

    def random(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A random ticket with as many heads and MLPs as the good one."""
        draw = controls.exact if parameters.random == "exact" else controls.bernoulli
        control = controls.by_part(neurons.without(good), partial(draw, rng=rng))
        return neurons.random(good, control, rng)

    def bad(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A bad ticket with as many heads and MLPs as the good one: those that did not survive first."""
        control = controls.by_part(neurons.without(good), partial(controls.unsurvived, rng=rng))
        return neurons.bad(good, control, rng)

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the weights of all heads and MLPs that are removed, in [0, 1]."""
        config = self.encoder.config
        head, mlp = 4 * config.head_size, 2 * config.intermediate_size
        heads, mlps = subnetwork["heads"], subnetwork["mlps"]
        of_mlps = 2 * subnetwork[NEURONS].sum() if NEURONS in subnetwork else mlp * mlps.sum()
        kept = head * heads.sum() + of_mlps
        return float(1 - kept / (head * heads.size + mlp * mlps.size))

    def violation(self, good: Subnetwork) -> str | None:
        """None: which components survive depends on all steps of the search, not on the weights alone."""
        return None


def _step_sizes(rate: float, total: Counts) -> Mapping[str, Counts]:
    """Number of components that one step of each phase prunes (paper, section 3.2), from those of the whole model."""
    step = max(1, int(rate * total["heads"]))
    sizes = {
        JOINT: {"heads": step, "mlps": 1},
        HEADS: {"heads": max(1, step // 2)},
        MLPS: {"mlps": 1},
    }
    if NEURONS in total:
        sizes[NEURONS] = {NEURONS: max(1, int(rate * total[NEURONS]))}
    return sizes


def remove_least_important(
    subnetwork: Subnetwork, importance: Importance, *, counts: Counts
) -> Subnetwork | None:
    """Prune the `counts[part]` least important survivors of each part, or all if there are fewer.

    Returns None if a part has no survivors. Equally important components are pruned in the order of their position.
    Neurons go with their MLP.
    """
    if not all(subnetwork[part].any() for part in counts):
        return None
    smaller = {
        part: _without_least_important(subnetwork[part], importance[part], count)
        for part, count in counts.items()
    }
    return neurons.of_kept_mlps(subnetwork.replace(**smaller))


def _without_least_important(kept: Kept, importance: NDArray[np.float64], count: int) -> Kept:
    survivors = np.flatnonzero(kept)
    order = np.argsort(importance.ravel()[survivors], kind="stable")
    remaining = kept.ravel().copy()
    remaining[survivors[order[:count]]] = False
    return remaining.reshape(kept.shape)
