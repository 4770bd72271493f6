"""Wanda: magnitude times the norm of what the weight is multiplied with."""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import packed_batches
from lottery.tasks import Task
from lottery.tickets.saliency.matrices import matrix_of, products, row_counts
from lottery.tickets.saliency.weights import WeightSaliency, arrays, named


def wanda(
    encoder: Encoder, examples: Examples, _task: Task, names: Collection[str]
) -> WeightSaliency:
    """|w| times the L2 norm of its input over all tokens of all examples (Sun et al. 2024).

    Ranked over the whole encoder like all others, not within each output as there. The input of a bias is 1. In the
    last layer only [CLS] has inputs of the matrices that no other token needs.
    """
    weights = named(encoder, names)
    squares: dict[str, Tensor] = {}
    logits_NC = np.empty((len(examples), encoder.classes))
    with torch.inference_mode(), products(encoder, {matrix_of(name) for name in names}) as seen:
        for batch, tokens in packed_batches(examples, encoder.device):
            logits_NC[batch.rows_B] = encoder(tokens).double().cpu().numpy()
            for name in names:
                if (product := seen.get(matrix_of(name))) is not None:
                    real = sum(row_counts(len(product.input_RI), batch.lengths_B))
                    input_RI = product.input_RI[:real].float()
                    inputs = input_RI if name == matrix_of(name) else input_RI.new_ones(real)
                    squares[name] = squares.get(name, 0) + (inputs**2).sum(dim=0)
    norms = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    norms |= {name: weights[name].detach().abs() * total.sqrt() for name, total in squares.items()}
    return WeightSaliency(arrays(norms), logits_NC)
