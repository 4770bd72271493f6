"""Movement saliency: do weights move away from 0 while the model is trained (Sanh et al. 2020)?"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice, repeat

import torch
from torch import Tensor, nn

from lottery.data.examples import Batch, Examples, shuffled
from lottery.model.adamw import AdamW
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.model.loss import total_loss
from lottery.seeds import rng
from lottery.tasks import Task
from lottery.tickets.saliency.short_training import BATCH, LEARNING_RATE, STEPS
from lottery.tickets.saliency.weights import WeightSaliency, arrays, named


def movement(
    encoder: Encoder, examples: Examples, task: Task, names: Collection[str]
) -> WeightSaliency:
    """-sum_t w_t dL_t/dw_t of each weight over the steps t of a short training of the named weights alone.

    These are the accumulated scores of Sanh et al., below 0 for weights that move towards 0. The training goes on from
    the encoder, without dropout, over the data of the search, and is undone: no model keeps it. Weights that are 0, as
    pruned ones are, stay 0. The scores choose no masks while it lasts, as they do in the soft and hard variants.
    """
    weights = named(encoder, names)
    sums = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    with _undone(weights):
        optimiser = AdamW(weights)
        alive = {name: weight.detach() != 0 for name, weight in weights.items()}
        for batch in islice(_batches(examples, task), STEPS if weights else 0):
            gradients = _gradients(encoder, task, batch, [*weights.values()])
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
                weight.grad = gradient * alive[name]
                sums[name] -= weight.detach() * weight.grad
            optimiser.step(LEARNING_RATE)
    return WeightSaliency(arrays(sums))


def _batches(examples: Examples, task: Task) -> Iterator[Batch]:
    """The same batches without end, in the same order for all steps of all searches of a task."""
    order = rng("movement saliency", task.name)
    return chain.from_iterable(repeat(shuffled(examples, BATCH, order)))


def _gradients(
    encoder: Encoder, task: Task, batch: Batch, weights: list[nn.Parameter]
) -> tuple[Tensor, ...]:
    """Gradients of the batch's mean loss."""
    tokens = PackedBatch.pack(batch.ids_T, batch.types_T, batch.lengths_B, encoder.device)
    labels_B = torch.from_numpy(batch.labels_B).to(encoder.device)
    loss = total_loss(task, encoder(tokens), labels_B) / len(labels_B)
    return torch.autograd.grad(loss, weights, materialize_grads=True)


@contextmanager
def _undone(weights: Mapping[str, nn.Parameter]) -> Iterator[None]:
    """Give weights their values back, to the bit, and drop their gradients."""
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(before[name])
                weight.grad = None
