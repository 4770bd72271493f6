"""Saliency of heads and MLPs: the interface, and how that of weights is added up.

Suffixes: L layers, H heads of each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.tickets.parameters import ImportanceParameters
from lottery.tickets.saliency.weights import Rank

Array = NDArray[np.float64]


@dataclass(frozen=True)
class UnitSaliency:
    """Logits [N, C] of a subnetwork, and the saliency of its units, 0 where it is not computed.

    Units are heads [L, H], mlps [L] and, if they are pruned, neurons [L, width].
    """

    logits_NC: Array
    units: Mapping[str, Array]


RankUnits = Callable[[Encoder, Examples, Task, Subnetwork, ImportanceParameters], UnitSaliency]
"""From a whole model, the data of a search and a subnetwork to the saliency of the units that it keeps."""


def summed(rank: Rank) -> RankUnits:
    """The saliency of units that adds up that of their weights, in the pruned encoder."""

    def rank_units(
        encoder: Encoder,
        examples: Examples,
        task: Task,
        kept: Subnetwork,
        _: ImportanceParameters,
    ) -> UnitSaliency:
        small = encoder.extract(kept)
        saliency = rank(small, examples, task, [*small.prunable()])
        logits_NC = predict(small, examples) if saliency.logits_NC is None else saliency.logits_NC
        sums = unit_sums(small, saliency.weights)
        return UnitSaliency(logits_NC, {part: sums[part] for part in kept})

    return rank_units


def unit_sums(encoder: Encoder, weights: Mapping[str, NDArray[np.float32]]) -> dict[str, Array]:
    """Sums over the matrices of each unit; units that the encoder has no more have 0.

    A head has rows of query, key and value, and columns of the output projection; a neuron a row of the first matrix of
    its MLP and a column of the second.
    """
    sums = {part: np.zeros(shape) for part, shape in encoder.config.fine_shapes.items()}
    for index, layer in enumerate(encoder.typed_layers):
        attention, mlp = f"layers.{index}.attention", f"layers.{index}.mlp"
        inputs = [weights[f"{attention}.{name}.weight"] for name in ("query", "key", "value")]
        by_row = _by_row(*inputs, weights[f"{attention}.output.weight"].T)
        heads, size = list(layer.attention.heads), layer.attention.head_size
        sums["heads"][index, heads] = by_row.reshape(len(heads), size).sum(axis=1)
        if layer.mlp is not None:
            of_neurons = _by_row(
                weights[f"{mlp}.expand.weight"], weights[f"{mlp}.contract.weight"].T
            )
            sums["neurons"][index, list(layer.mlp.neurons)] = of_neurons
            sums["mlps"][index] = of_neurons.sum()
    return sums


def _by_row(*matrices: NDArray[np.float32]) -> Array:
    """Sums over the rows of several matrices, which have as many."""
    sums: Array = np.sum([matrix.sum(axis=1, dtype=np.float64) for matrix in matrices], axis=0)
    return sums
