"""s-pruning: whole heads and MLPs, least important first (paper, section 3.2)."""

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
from lottery.tickets.search import Assessment, Cut, Importance


@dataclass(frozen=True)
class Structured:
    """Three phases: heads with MLPs, then heads alone in half steps, then MLPs alone."""

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    scoring: ImportanceParameters

    @property
    def full(self) -> Subnetwork:
        return Subnetwork.full(self.encoder.config.shapes)

    @property
    def phases(self) -> Mapping[str, Cut]:
        step = max(1, int(self.rate * self.full["heads"].size))
        return {
            "both": partial(cut_weakest, heads=step, mlps=1),
            "heads": partial(cut_weakest, heads=max(1, step // 2)),
            "mlps": partial(cut_weakest, mlps=1),
        }

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        """One pass gives the score and the next importance. What was cut is not computed, unless a head's
        importance is normalised by that of pruned ones too."""
        computed = subnetwork
        if self.scoring.normalise == "all":
            computed = subnetwork.replace(heads=self.full["heads"])
        small = self.encoder.extract(computed)
        found = gate_gradients(small, self.examples, self.task, subnetwork)
        score = search_score(self.task, found.logits_NC, self.examples)
        return Assessment(score, importance(found, self.scoring))

    def random(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """Heads for heads and MLPs for MLPs, drawn from the full model."""
        draw = controls.exact if how.random == "exact" else controls.bernoulli
        return controls.by_part(good, partial(draw, rng=rng))

    def bad(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """What did not survive, heads and MLPs each brought to the size of the good ones."""
        return controls.by_part(good, partial(controls.unsurviving, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the weights of all heads and MLPs that is gone, in [0, 1]."""
        config = self.encoder.config
        head, mlp = 4 * config.head_size, 2 * config.intermediate_size
        heads, mlps = subnetwork["heads"], subnetwork["mlps"]
        kept = head * heads.sum() + mlp * mlps.sum()
        return float(1 - kept / (head * heads.size + mlp * mlps.size))


def cut_weakest(subnetwork: Subnetwork, importance: Importance, **counts: int) -> Subnetwork | None:
    """Without the `counts[part]` least important survivors of each part, or all of a part that has fewer.

    None where a part has none left. Of equally important components the first goes first.
    """
    if not all(subnetwork[part].any() for part in counts):
        return None
    return subnetwork.replace(
        **{
            part: _without_weakest(subnetwork[part], importance[part], count)
            for part, count in counts.items()
        }
    )


def _without_weakest(kept: Kept, importance: NDArray[np.float64], count: int) -> Kept:
    survivors = np.flatnonzero(kept)
    order = np.argsort(importance.ravel()[survivors], kind="stable")
    remaining = kept.ravel().copy()
    remaining[survivors[order[:count]]] = False
    return remaining.reshape(kept.shape)
