"""How much each head and MLP matters: the gradient of the loss at its gate (paper, eq. 3).

I_head[l, h] = E_x |dL(x) / dxi[l, h]| and I_mlp[l] = E_x |dL(x) / dnu[l]| at the current gates, dropout off.
Gates of their own for every example give all absolute values of a batch in one backward pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder, Gates
from lottery.model.evaluation import packed_batches
from lottery.model.loss import total_loss
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.tickets.parameters import ImportanceParameters

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GateGradients:
    """One pass over the data: logits [N, C], and per example the gradients heads [N, L, H], mlps [N, L]."""

    logits_NC: Array
    gradients: Mapping[str, Array]


def gate_gradients(
    encoder: Encoder, examples: Examples, task: Task, kept: Subnetwork
) -> GateGradients:
    """Gradients of each example's loss at the gates, which are 1 for `kept` and 0 for the rest.

    Heads and MLPs that the encoder no longer holds have gradient 0.
    """
    logits_NC = np.empty((len(examples), encoder.classes))
    gradients = {part: np.zeros((len(examples), *shape)) for part, shape in kept.shapes.items()}
    gate = {
        part: torch.tensor(array, dtype=torch.float, device=encoder.device)
        for part, array in kept.items()
    }
    weights = [weight for weight in encoder.parameters() if weight.requires_grad]
    encoder.requires_grad_(False)
    for batch, tokens in packed_batches(examples, encoder.device):
        own = [
            gate[part].expand(len(batch.rows_B), *gate[part].shape).clone()
            for part in ("heads", "mlps")
        ]
        gates = Gates(*(each.requires_grad_() for each in own))
        logits_BC = encoder(tokens, gates)
        logits_NC[batch.rows_B] = logits_BC.detach().double().cpu().numpy()
        if logits_BC.requires_grad:
            loss = total_loss(task, logits_BC, torch.from_numpy(batch.labels_B).to(encoder.device))
            found = torch.autograd.grad(loss, gates, materialize_grads=True)
            for part, gradient in zip(("heads", "mlps"), found, strict=True):
                gradients[part][batch.rows_B] = gradient.double().cpu().numpy()
    for weight in weights:
        weight.requires_grad_(True)
    return GateGradients(logits_NC, gradients)


def importance(found: GateGradients, scoring: ImportanceParameters) -> dict[str, Array]:
    """Scores like the gates: heads [L, H], normalised within each layer, and mlps [L]."""
    reduce = REDUCTIONS[scoring.reduction]
    heads_LH, mlps_L = (reduce(found.gradients[part], scoring.batch) for part in ("heads", "mlps"))
    norm_L1 = np.linalg.norm(heads_LH, axis=1, keepdims=True)
    return {
        "heads": np.divide(heads_LH, norm_L1, out=np.zeros_like(heads_LH), where=norm_L1 > 0),
        "mlps": mlps_L,
    }


def per_example(gradients_N: Array, _: int) -> Array:
    """E_x |g_x|."""
    return np.asarray(np.abs(gradients_N).mean(axis=0))


def per_batch(gradients_N: Array, batch: int) -> Array:
    """E_b |mean of g_x in b|."""
    return np.asarray(np.abs(_batch_means(gradients_N, batch)).mean(axis=0))


def cumulative(gradients_N: Array, batch: int) -> Array:
    """sum_b |sum_{b' <= b} mean of g_x in b'|, over the number of examples."""
    running = np.abs(np.cumsum(_batch_means(gradients_N, batch), axis=0))
    return np.asarray(running.sum(axis=0) / len(gradients_N))


def _batch_means(gradients_N: Array, batch: int) -> Array:
    edges = range(0, len(gradients_N), batch)
    return np.stack([gradients_N[edge : edge + batch].mean(axis=0) for edge in edges])


REDUCTIONS: Mapping[str, Callable[[Array, int], Array]] = {
    "example": per_example,
    "batch": per_batch,
    "cumulative": cumulative,
}
