"""m-pruning: remove single weights, smallest magnitude first over the whole encoder (paper, section 3.1).

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
from lottery.tickets.pruner import Counts, SearchSettings
from lottery.tickets.search import Assessment, Cut, Importance

Bits = NDArray[np.int32]
"""The bits of floats without their sign."""


@dataclass(frozen=True)
class MagnitudeRanking:
    """Weights of several arrays ranked by magnitude; of equal weights the first ranks lower.

    The bit patterns of non-negative floats, read as integers, are in the order of their values. So two histograms, of
    the upper and of the lower 16 bits, find the threshold exactly, without a sorted copy of all weights.
    """

    weights: Mapping[str, NDArray[np.float32]]

    def lowest(self, count: int) -> Iterator[tuple[str, Kept]]:
        """Masks of the `count` smallest weights of all arrays together, array by array."""
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
        """The magnitude, as bits, of the smallest weight that stays, and how many weights lie below it."""
        upper = self._histogram(1 << 15, lambda bits: bits >> 16)
        high, below = _bin_of(upper, count)
        lower = self._histogram(1 << 16, lambda bits: bits[bits >> 16 == high] & 0xFFFF)
        low, below_in_bin = _bin_of(lower, count - below)
        return (high << 16) | low, below + below_in_bin

    def _histogram(self, bins: int, half: Callable[[Bits], Bits]) -> NDArray[np.int64]:
        """How many weights have each of the `bins` possible upper, or lower, halves of their bits."""
        counts = np.zeros(bins, np.int64)
        for weights in self.weights.values():
            counts += np.bincount(half(_magnitudes(weights)), minlength=bins)
        return counts


def _magnitudes(weights: NDArray[np.float32]) -> Bits:
    return weights.ravel().view(np.int32) & 0x7FFFFFFF


def _bin_of(counts: NDArray[np.int64], rank: int) -> tuple[int, int]:
    """The bin that holds the weight of this rank, or the last bin; and how many weights the bins before it hold."""
    totals = np.cumsum(counts)
    index = min(int(np.searchsorted(totals, rank, side="right")), len(totals) - 1)
    return index, int(totals[index - 1]) if index else 0


@dataclass(frozen=True)
class Magnitude:
    """One phase: the smallest of the remaining weights, a constant share of them per step.

    Weights are zeroed in place, which spares a copy of the model: the subnetworks are nested, and a weight that is 0
    ranks lowest, so it stays pruned. The encoder cannot be reused after the search.
    """

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    weights: MagnitudeParameters

    @classmethod
    def bind(
        cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings
    ) -> "Magnitude":
        return cls(encoder, task, examples, _rate(settings), settings.of(MagnitudeParameters))

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        """Weights go by a share of those that remain, so that steps get smaller."""
        return {"weights": _step(_rate(settings), kept["weights"])}

    @cached_property
    def full(self) -> Subnetwork:
        return Subnetwork.full(
            {name: tuple(weight.shape) for name, weight in self._prunable.items()}
        )

    @property
    def phases(self) -> Mapping[str, Cut]:
        return {"weights": self._remove_smallest}

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        self.encoder.mask(subnetwork)
        logits_NC = predict(self.encoder, self.examples)
        return Assessment(search_score(self.task, logits_NC, self.examples))

    def random(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """As many weights as the good ticket, drawn from the whole encoder."""
        return controls.pooled(good, partial(controls.exact, rng=rng))

    def bad(
        self, good: Subnetwork, how: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """The weights that did not survive, or the smallest, brought to the size of the good ticket."""
        if how.bad == "smallest":
            return Subnetwork(self._ranking.lowest(good.size))
        return controls.pooled(good, partial(controls.unsurviving, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the prunable weights that is removed, in [0, 1]."""
        return 1 - subnetwork.density

    def violation(self, good: Subnetwork) -> str | None:
        """A pruned weight that is larger than one that was kept."""
        magnitudes = {
            name: weight.detach().abs().cpu().numpy() for name, weight in self._prunable.items()
        }
        kept = np.concatenate([magnitudes[part][mask] for part, mask in good.items()])
        pruned = np.concatenate([magnitudes[part][~mask] for part, mask in good.items()])
        smallest_kept, largest_pruned = kept.min(initial=np.inf), pruned.max(initial=0)
        if smallest_kept >= largest_pruned:
            return None
        return f"prunes a weight of {largest_pruned:.3g} and keeps one of {smallest_kept:.3g}"

    def _remove_smallest(self, subnetwork: Subnetwork, _: Importance) -> Subnetwork | None:
        pruned = subnetwork.total - subnetwork.size + _step(self.rate, subnetwork.size)
        if pruned > self.weights.until * subnetwork.total:
            return None
        return Subnetwork((name, ~lowest) for name, lowest in self._ranking.lowest(pruned))

    @cached_property
    def _prunable(self) -> dict[str, nn.Parameter]:
        return dict(self.encoder.prunable(self.weights.biases))

    @property
    def _ranking(self) -> MagnitudeRanking:
        return MagnitudeRanking(
            {name: weight.detach().cpu().numpy() for name, weight in self._prunable.items()}
        )


def _rate(settings: SearchSettings) -> float:
    """The share of the remaining weights that a step removes: the method's own, or that of all searches."""
    rate = settings.of(MagnitudeParameters).rate
    return settings.prune.rate if rate is None else rate


def _step(rate: float, kept: int) -> int:
    return max(1, int(rate * kept))
