"""Empirical Fisher saliency: squared gradients of single examples."""

from collections.abc import Collection
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.tasks import Task
from lottery.tickets.saliency.matrices import matrix_of, products, row_counts
from lottery.tickets.saliency.weights import WeightSaliency, arrays, losses, named


def empirical_fisher(
    encoder: Encoder, examples: Examples, task: Task, names: Collection[str]
) -> WeightSaliency:
    """E_x (w dL(x)/dw)^2 of each weight.

    That is the diagonal of the Fisher information of a factor on each weight, empirical: the labels are those of the
    data, not drawn from the model. The gradient of an example is the product of what a matrix saw of it, so that one
    backward pass for a batch is enough.
    """
    weights = named(encoder, names)
    squares = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    logits_NC = np.empty((len(examples), encoder.classes))
    with products(encoder, {matrix_of(name) for name in names}) as seen:
        for batch, loss in losses(encoder, examples, task, logits_NC):
            outputs = [product.output_RO for product in seen.values()]
            gradients = torch.autograd.grad(loss, outputs, materialize_grads=True)
            for matrix, gradient_RO in zip(seen, gradients, strict=True):
                counts = row_counts(len(gradient_RO), batch.lengths_B)
                for name in {matrix, matrix.removesuffix("weight") + "bias"} & squares.keys():
                    input_RI = seen[matrix].input_RI if name == matrix else None
                    total = _sum_of_squares(gradient_RO, input_RI, counts)
                    squares[name] += total.reshape_as(squares[name])
            seen.clear()
    fisher = {
        name: weights[name].detach() ** 2 * total / len(examples) for name, total in squares.items()
    }
    return WeightSaliency(arrays(fisher), logits_NC)


def _sum_of_squares(gradient_RO: Tensor, input_RI: Tensor | None, counts: list[int]) -> Tensor:
    """Squared gradients of a matrix [O, I], or without inputs of its bias [O, 1], summed over examples."""
    with torch.autocast(gradient_RO.device.type, enabled=False):
        gradient_RO = gradient_RO.float()
        input_RI = (
            gradient_RO.new_ones(len(gradient_RO), 1) if input_RI is None else input_RI.float()
        )
        if all(count == 1 for count in counts):
            total_OI = (gradient_RO**2).T @ input_RI**2
        else:
            total_OI = gradient_RO.new_zeros(gradient_RO.shape[1], input_RI.shape[1])
            for count, end in zip(counts, accumulate(counts), strict=True):
                rows = slice(end - count, end)
                total_OI += (gradient_RO[rows].T @ input_RI[rows]) ** 2
    return total_OI
