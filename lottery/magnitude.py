"""m-pruning: single weights, smallest magnitude first over the whole encoder (paper, section 3.1).

Nothing is retrained between steps, so the subnetworks are nested, and one sort serves the whole search.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from torch import nn

from lottery import sampling
from lottery.encoder import Encoder
from lottery.evaluation import predict, search_score
from lottery.examples import Examples
from lottery.params import Section
from lottery.pruning import Assessment, Cut, Importance
from lottery.sampling import Sampling
from lottery.subnetwork import Kept, Subnetwork
from lottery.tasks import Task


class Weights(Section, frozen=True):
    """rate: share of the remaining weights cut per step; null takes that of `prune`. biases: count those of
    all but the last projection among the weights, as the authors' code does. until: the sparsity at which
    the search gives up, and its curve ends."""

    rate: Annotated[float, Meta(gt=0, lt=1)] | None
    biases: bool
    until: Annotated[float, Meta(gt=0, lt=1)]


@dataclass(frozen=True)
class Ranking:
    """Weights [n] by magnitude; of equal ones the first is the smaller."""

    magnitudes: NDArray[np.float32]

    @cached_property
    def ascending(self) -> NDArray[np.float32]:
        return np.sort(self.magnitudes)

    def lowest(self, count: int) -> Kept:
        """Exactly the `count` smallest."""
        if count == 0:
            return np.zeros(self.magnitudes.size, bool)
        threshold = self.ascending[count - 1]
        chosen: Kept = self.magnitudes < threshold
        ties = np.flatnonzero(self.magnitudes == threshold)
        chosen[ties[: count - int(chosen.sum())]] = True
        return chosen


@dataclass(frozen=True)
class Magnitude:
    """One phase: the smallest of the remaining weights, a constant share per step."""

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    weights: Weights

    @cached_property
    def full(self) -> Subnetwork:
        return Subnetwork.full({name: tuple(w.shape) for name, w in self._prunable.items()})

    @property
    def phases(self) -> Mapping[str, Cut]:
        return {"weights": self._smaller}

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        for name, weight in self._prunable.items():
            self._masked.get_parameter(name).data.copy_(weight)
        self._masked.mask(subnetwork)
        logits_NC = predict(self._masked, self.examples)
        return Assessment(search_score(self.task, logits_NC, self.examples))

    def random(self, good: Subnetwork, how: Sampling, rng: np.random.Generator) -> Subnetwork:
        """As many weights, wherever they lie."""
        return sampling.pooled(good, partial(sampling.exact, rng=rng))

    def bad(self, good: Subnetwork, how: Sampling, rng: np.random.Generator) -> Subnetwork:
        """The weights that did not survive, or the smallest, brought to the size of the good ones."""
        if how.bad == "smallest":
            return Subnetwork.unflatten(good.shapes, self._ranking.lowest(good.size))
        return sampling.pooled(good, partial(sampling.unsurvived, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the prunable weights that is gone, in [0, 1]."""
        return 1 - subnetwork.density

    def _smaller(self, subnetwork: Subnetwork, _: Importance) -> Subnetwork | None:
        cut = subnetwork.total - subnetwork.size + max(1, int(self.rate * subnetwork.size))
        if cut > self.weights.until * subnetwork.total:
            return None
        return Subnetwork.unflatten(subnetwork.shapes, ~self._ranking.lowest(cut))

    @cached_property
    def _prunable(self) -> dict[str, nn.Parameter]:
        return dict(self.encoder.prunable(self.weights.biases))

    @cached_property
    def _masked(self) -> Encoder:
        return deepcopy(self.encoder)

    @cached_property
    def _ranking(self) -> Ranking:
        flat = [weight.detach().abs().cpu().numpy().ravel() for weight in self._prunable.values()]
        return Ranking(np.concatenate(flat))
