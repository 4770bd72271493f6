"""m-pruning: single weights, smallest magnitude first over the whole encoder (paper, section 3.1).

Nothing is retrained between steps, so the subnetworks are nested.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict, search_score
from lottery.subnetwork import Kept, Subnetwork
from lottery.tasks import Task
from lottery.tickets import controls
from lottery.tickets.parameters import ControlsParameters, MagnitudeParameters
from lottery.tickets.search import Assessment, Cut, Importance

Bits = NDArray[np.int32]
"""The bits of floats without their sign."""


@dataclass(frozen=True)
class MagnitudeRanking:
    """Weights of several arrays by magnitude; of equal ones the first is the smaller.

    The bits of non-negative floats are in the order of their values, so that counting bits finds a threshold
    exactly, without a sorted copy.
    """

    weights: Mapping[str, NDArray[np.float32]]

    def lowest(self, count: int) -> Iterator[tuple[str, Kept]]:
        """Which are the `count` smallest of all arrays together, array by array."""
        threshold, below = self._threshold(count)
        ties = count - below
        for name, weights in self.weights.items():
            bits = _magnitudes(weights)
            chosen = bits < threshold
            equal = np.flatnonzero(bits == threshold)[:ties]
            chosen[equal] = True
            ties -= equal.size
            yield name, chosen.reshape(weights.shape)

    def _threshold(self, count: int) -> tuple[int, int]:
        """The magnitude, as bits, of the first weight that stays, and how many lie below it."""
        upper = self._counts(1 << 15, lambda bits: bits >> 16)
        high, below = _reach(upper, count)
        lower = self._counts(1 << 16, lambda bits: bits[bits >> 16 == high] & 0xFFFF)
        low, within = _reach(lower, count - below)
        return (high << 16) | low, below + within

    def _counts(self, size: int, halves: Callable[[Bits], Bits]) -> NDArray[np.int64]:
        """How many weights have each of the `size` possible upper, or lower, halves of their bits."""
        found = np.zeros(size, np.int64)
        for weights in self.weights.values():
            found += np.bincount(halves(_magnitudes(weights)), minlength=size)
        return found


def _magnitudes(weights: NDArray[np.float32]) -> Bits:
    return weights.ravel().view(np.int32) & 0x7FFFFFFF


def _reach(counts: NDArray[np.int64], wanted: int) -> tuple[int, int]:
    """The first bin with which the bins hold more than `wanted`, or the last; and what those before it hold."""
    totals = np.cumsum(counts)
    found = min(int(np.searchsorted(totals, wanted, side="right")), len(totals) - 1)
    return found, int(totals[found - 1]) if found else 0


@dataclass(frozen=True)
class Magnitude:
    """One phase: the smallest of the remaining weights, a constant share per step.

    The subnetworks are nested, so each is cut in place and `encoder` is used up by the way down: what was 0
    stays the smallest, and there is one copy of the weights.
    """

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    weights: MagnitudeParameters

    @cached_property
    def full(self) -> Subnetwork:
        return Subnetwork.full({name: tuple(w.shape) for name, w in self._prunable.items()})

    @property
    def phases(self) -> Mapping[str, Cut]:
        return {"weights": self._smaller}

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        self.encoder.mask(subnetwork)
        logits_NC = predict(self.encoder, self.examples)
        return Assessment(search_score(self.task, logits_NC, self.examples))

    def random(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """As many weights, wherever they lie."""
        return controls.pooled(good, partial(controls.exact, rng=rng))

    def bad(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """The weights that did not survive, or the smallest, brought to the size of the good ones."""
        if how.bad == "smallest":
            return Subnetwork(self._ranking.lowest(good.size))
        return controls.pooled(good, partial(controls.unsurviving, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the prunable weights that is gone, in [0, 1]."""
        return 1 - subnetwork.density

    def _smaller(self, subnetwork: Subnetwork, _: Importance) -> Subnetwork | None:
        cut = subnetwork.total - subnetwork.size + max(1, int(self.rate * subnetwork.size))
        if cut > self.weights.until * subnetwork.total:
            return None
        return Subnetwork((name, ~lowest) for name, lowest in self._ranking.lowest(cut))

    @cached_property
    def _prunable(self) -> dict[str, nn.Parameter]:
        return dict(self.encoder.prunable(self.weights.biases))

    @property
    def _ranking(self) -> MagnitudeRanking:
        return MagnitudeRanking(
            {name: weight.detach().cpu().numpy() for name, weight in self._prunable.items()}
        )
