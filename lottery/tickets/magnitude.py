"""m-pruning: remove single weights, smallest magnitude over the whole encoder first (paper, section 3.1).

Nothing is retrained between steps, so the subnetworks are nested. A parameter ranks weights by another saliency.
"""

import sys
from collections.abc import Iterator, Mapping
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
from lottery.tickets.saliencies import MAGNITUDE, OF_WEIGHTS, get_saliency
from lottery.tickets.search import Assessment, Cut, Importance

Bits = NDArray[np.int32]
"""Bit patterns of floats without their sign."""
TINY = np.finfo(np.float32).tiny
"""The least saliency of a weight that is kept: pruned ones have 0."""


@dataclass(frozen=True)
class MagnitudeRanking:
    """Weights of several arrays, ranked by magnitude and, if equal, by position.

    Position breaks ties so that a mask has exactly the requested size and is the same on every machine.

    The bit patterns of non-negative floats, read as integers, have the order of their values. So two histograms, of
    the upper and of the lower 16 bits, find the threshold exactly, without a sorted copy of all weights.
    """

    weights: Mapping[str, NDArray[np.float32]]

    def lowest(self, count: int) -> Iterator[tuple[str, Kept]]:
        """Masks of the `count` smallest of all weights, array by array."""
        threshold, below = self._threshold(count)
        ties = count - below
        for name, weights in self.weights.items():
            bits = _magnitudes(weights)
            chosen = bits < threshold
            if ties:
                equal = np.flatnonzero(bits == threshold)[:ties]
                chosen[equal] = True
                ties -= equal.size
            yield name, chosen.reshape(weights.shape)

    def _threshold(self, count: int) -> tuple[int, int]:
        """The magnitude, as bits, of the weight of rank `count` (from 0), and the number of weights below it."""
        high, below = _bin_of(self._upper(), count)
        low, below_in_bin = _bin_of(self._lower(high), count - below)
        return (high << 16) | low, below + below_in_bin

    def _upper(self) -> NDArray[np.int64]:
        """Number of weights by the upper 16 bits of their magnitudes."""
        counts, first = np.zeros(1 << 16, np.int64), int(sys.byteorder == "little")
        for weights in self.weights.values():
            halves = weights.ravel().view(np.uint16)[first::2]
            counts += np.bincount(halves, minlength=1 << 16)
        positive, negative = counts.reshape(2, -1)
        return positive + negative

    def _lower(self, high: int) -> NDArray[np.int64]:
        """Number of weights by the lower 16 bits of their magnitudes, of those whose upper 16 bits are `high`."""
        counts = np.zeros(1 << 16, np.int64)
        for weights in self.weights.values():
            bits = _magnitudes(weights)
            counts += np.bincount(bits[bits >> 16 == high] & 0xFFFF, minlength=1 << 16)
        return counts


def _magnitudes(weights: NDArray[np.float32]) -> Bits:
    return weights.ravel().view(np.int32) & 0x7FFFFFFF


def not_negative(
    weights: Mapping[str, NDArray[np.float32]],
) -> Mapping[str, NDArray[np.float32]]:
    """Finite values, in the same order if any is below 0: their bits, reordered, are those of floats from 0 on.

    That costs the last bit of the mantissa, and only values up to 1.7e38 fit.
    """
    if not any((values < 0).any() for values in weights.values()):
        return weights
    return {name: _reordered(values) for name, values in weights.items()}


def _reordered(values: NDArray[np.float32]) -> NDArray[np.float32]:
    bits = (values + np.float32(0)).view(np.int32)  # -0 becomes 0
    ordered = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits).astype(np.int64) + 2**31
    return (ordered >> 1).astype(np.int32).view(np.float32)


def _bin_of(counts: NDArray[np.int64], rank: int) -> tuple[int, int]:
    """The bin with the weight of this rank (the last bin if there is none), and the number of weights in lower bins."""
    up_to_bin = np.cumsum(counts)
    index = min(int(np.searchsorted(up_to_bin, rank, side="right")), len(up_to_bin) - 1)
    return index, int(up_to_bin[index - 1]) if index else 0


@dataclass(frozen=True)
class Magnitude:
    """m-pruning in one phase: each step prunes a constant share of the remaining weights, the smallest first.

    Weights are zeroed in place, which saves a copy of the model: the subnetworks are nested, and weights that are 0
    rank lowest, so they stay pruned. The encoder cannot be reused after the search.
    """

    encoder: Encoder
    task: Task
    examples: Examples
    rate: float
    parameters: MagnitudeParameters

    @classmethod
    def bind(
        cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings
    ) -> "Magnitude":
        return cls(encoder, task, examples, _rate(settings), settings.of(MagnitudeParameters))

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        """A share of the *remaining* weights.

        Steps get smaller as the search nears the sparsity at which the score falls. It would take very many of them to
        empty the model, so `until` ends the search.
        """
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
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A random ticket with as many weights as the good one, drawn from the whole encoder."""
        return controls.pooled(good, partial(controls.exact, rng=rng))

    def bad(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A bad ticket with as many weights as the good one: those that did not survive first, or the smallest."""
        if parameters.bad == "smallest":
            return Subnetwork(self._ranking.lowest(good.size))
        return controls.pooled(good, partial(controls.unsurvived, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of the prunable weights that is removed, in [0, 1]."""
        return 1 - subnetwork.density

    def violation(self, good: Subnetwork) -> str | None:
        """By magnitude, a good ticket must not prune a weight that is larger than one that it keeps."""
        if self.parameters.saliency != MAGNITUDE.name:
            return None
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
        if pruned > self.parameters.until * subnetwork.total:
            return None
        lowest = self._ranking_of(subnetwork).lowest(pruned)
        return Subnetwork((name, ~mask) for name, mask in lowest)

    def _ranking_of(self, subnetwork: Subnetwork) -> MagnitudeRanking:
        """Ranking of all weights by the saliency of the search in this subnetwork; pruned ones come first."""
        weights = get_saliency("magnitude.saliency", self.parameters.saliency, OF_WEIGHTS)
        if weights is MAGNITUDE.weights:
            # Pruned weights that are not zeroed yet are the smallest, and no copy is needed.
            return self._ranking
        self.encoder.mask(subnetwork)  # which a resumed search has not done yet
        ranked = weights()(self.encoder, self.examples, self.task, [*self._prunable])
        return MagnitudeRanking(
            {
                name: np.where(subnetwork[name], np.maximum(values, TINY), np.float32(0))
                for name, values in not_negative(ranked.weights).items()
            }
        )

    @cached_property
    def _prunable(self) -> dict[str, nn.Parameter]:
        return dict(self.encoder.prunable(self.parameters.biases))

    @property
    def _ranking(self) -> MagnitudeRanking:
        return MagnitudeRanking(_arrays(self._prunable))


def largest(encoder: Encoder, size: int, biases: bool) -> Subnetwork:
    """The mask of the `size` largest prunable weights of an encoder; of equal ones, the last."""
    weights = _arrays(encoder.prunable(biases))
    total = sum(array.size for array in weights.values())
    lowest = MagnitudeRanking(weights).lowest(total - size)
    return Subnetwork((name, ~mask) for name, mask in lowest)


def _arrays(weights: Mapping[str, nn.Parameter]) -> dict[str, NDArray[np.float32]]:
    return {name: weight.detach().cpu().numpy() for name, weight in weights.items()}


def _rate(settings: SearchSettings) -> float:
    """Share of the remaining weights that a step prunes: the method's own rate, or else that of all searches."""
    rate = settings.of(MagnitudeParameters).rate
    return settings.prune.rate if rate is None else rate


def _step(rate: float, kept: int) -> int:
    return max(1, int(rate * kept))
