"""Taylor saliency: the first-order change of the loss if a weight is removed."""

from collections.abc import Collection

import numpy as np
import torch

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.tasks import Task
from lottery.tickets.saliency.weights import WeightSaliency, arrays, losses, named


def taylor(
    encoder: Encoder, examples: Examples, task: Task, names: Collection[str]
) -> WeightSaliency:
    """|w dL/dw| of each weight, where L is the mean loss over the examples (Molchanov et al. 2019)."""
    weights = named(encoder, names)
    sums = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    logits_NC = np.empty((len(examples), encoder.classes))
    for _, loss in losses(encoder, examples, task, logits_NC):
        gradients = torch.autograd.grad(loss, [*weights.values()], materialize_grads=True)
        torch._foreach_add_([*sums.values()], gradients)
    changes = {
        name: (weights[name].detach() * total / len(examples)).abs() for name, total in sums.items()
    }
    return WeightSaliency(arrays(changes), logits_NC)
