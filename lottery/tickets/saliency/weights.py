"""Saliency of single weights: the interface of its functions, and the passes over the data that they share."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lottery.data.examples import Batch, Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import packed_batches
from lottery.model.loss import total_loss
from lottery.tasks import Task


@dataclass(frozen=True)
class WeightSaliency:
    """Saliency of each weight by its name, the lowest is pruned first; logits [N, C] if all examples were predicted."""

    weights: Mapping[str, NDArray[np.float32]]
    logits_NC: NDArray[np.float64] | None = None


Rank = Callable[[Encoder, Examples, Task, Collection[str]], WeightSaliency]
"""From a model, the data of a search and the names of prunable weights to their saliency."""


def named(encoder: Encoder, names: Collection[str]) -> dict[str, nn.Parameter]:
    """The parameters of these names."""
    parameters = dict(encoder.named_parameters())
    return {name: parameters[name] for name in names}


def arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    """Tensors as arrays, by name."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in tensors.items()}


def losses(
    encoder: Encoder, examples: Examples, task: Task, logits_NC: NDArray[np.float64]
) -> Iterator[tuple[Batch, Tensor]]:
    """The summed loss of each batch, ready for a backward pass; fills in the logits [N, C]."""
    for batch, tokens in packed_batches(examples, encoder.device):
        logits_BC = encoder(tokens)
        logits_NC[batch.rows_B] = logits_BC.detach().double().cpu().numpy()
        yield (
            batch,
            total_loss(task, logits_BC, torch.from_numpy(batch.labels_B).to(encoder.device)),
        )
