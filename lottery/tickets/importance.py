"""Importance of heads and MLPs: expected absolute gradient of the loss at their gates (paper, eq. 3).

I_head[l, h] = E_x |dL(x) / dxi[l, h]| and I_mlp[l] = E_x |dL(x) / dnu[l]| at the current gates, without dropout.
Suffixes: N examples, B examples of a batch, L layers, H heads of each, C classes.
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
from lottery.tickets.saliency.units import UnitSaliency

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GateGradients:
    """Logits [N, C] of all examples, and the gradients of each at the gates.

    These are heads [N, L, H], mlps [N, L] and, if neurons are pruned, neurons [N, L, width].
    """

    logits_NC: Array
    gradients: Mapping[str, Array]


def gate_gradients(
    encoder: Encoder, examples: Examples, task: Task, kept: Subnetwork
) -> GateGradients:
    """Gradients of each example's loss at the gates, which are 1 for `kept` components and 0 for pruned ones.

    Heads and MLPs that were removed from the encoder have gradient 0.
    """
    logits_NC = np.empty((len(examples), encoder.classes))
    gradients = {part: np.zeros((len(examples), *shape)) for part, shape in kept.shapes.items()}
    gates = {
        part: torch.tensor(array, dtype=torch.float, device=encoder.device)
        for part, array in kept.items()
    }
    weights = [weight for weight in encoder.parameters() if weight.requires_grad]
    encoder.requires_grad_(False)
    for batch, tokens in packed_batches(examples, encoder.device):
        # Shared gates would get the gradient summed over the batch, and the absolute value of each example would be
        # lost. A copy of the gates for every example keeps all of them, in a single backward pass.
        gates_B = {
            part: gate.expand(len(batch.rows_B), *gate.shape).clone().requires_grad_()
            for part, gate in gates.items()
        }
        logits_BC = encoder(tokens, Gates(**gates_B))
        logits_NC[batch.rows_B] = logits_BC.detach().double().cpu().numpy()
        if logits_BC.requires_grad:  # an encoder without heads and MLPs uses no gates
            loss = total_loss(task, logits_BC, torch.from_numpy(batch.labels_B).to(encoder.device))
            gradients_B = torch.autograd.grad(loss, [*gates_B.values()], materialize_grads=True)
            for part, gradient_B in zip(gates_B, gradients_B, strict=True):
                gradients[part][batch.rows_B] = gradient_B.double().cpu().numpy()
    for weight in weights:
        weight.requires_grad_(True)
    return GateGradients(logits_NC, gradients)


def gate(
    encoder: Encoder,
    examples: Examples,
    task: Task,
    kept: Subnetwork,
    parameters: ImportanceParameters,
) -> UnitSaliency:
    """The paper's importance of the units of a subnetwork, from the pass that gives its logits.

    Pruned components are not computed, unless the importance of a head is normalised by that of pruned heads too,
    which then need gradients.
    """
    computed = kept
    if parameters.normalise == "all":
        computed = kept.replace(heads=np.ones_like(kept["heads"]))
    gradients = gate_gradients(encoder.extract(computed), examples, task, kept)
    return UnitSaliency(gradients.logits_NC, importance(gradients, parameters))


def importance(result: GateGradients, parameters: ImportanceParameters) -> dict[str, Array]:
    """Importance of heads [L, H], normalised within each layer, of MLPs [L] and, if pruned, of neurons [L, width]."""
    reduce = REDUCTIONS[parameters.reduction]
    by_part = {part: reduce(array, parameters.batch) for part, array in result.gradients.items()}
    heads_LH = by_part["heads"]
    norm_L1 = np.linalg.norm(heads_LH, axis=1, keepdims=True)
    scaled_LH = np.divide(heads_LH, norm_L1, out=np.zeros_like(heads_LH), where=norm_L1 > 0)
    return {**by_part, "heads": scaled_LH}


def per_example(gradients_N: Array, _: int) -> Array:
    """Mean over examples of |gradient| (the paper)."""
    return np.asarray(np.abs(gradients_N).mean(axis=0))


def per_batch(gradients_N: Array, batch: int) -> Array:
    """Mean over batches of |mean gradient of the batch|."""
    return np.asarray(np.abs(_batch_means(gradients_N, batch)).mean(axis=0))


def cumulative(gradients_N: Array, batch: int) -> Array:
    """Sum over batches of |running sum of the batches' mean gradients|, divided by the number of examples.

    The authors' code: it adds |gradient| after every batch, but never clears the gradients, which accumulate.
    """
    running_sums = np.cumsum(_batch_means(gradients_N, batch), axis=0)
    return np.asarray(np.abs(running_sums).sum(axis=0) / len(gradients_N))


def _batch_means(gradients_N: Array, batch: int) -> Array:
    starts = range(0, len(gradients_N), batch)
    return np.stack([gradients_N[start : start + batch].mean(axis=0) for start in starts])


REDUCTIONS: Mapping[str, Callable[[Array, int], Array]] = {
    "example": per_example,
    "batch": per_batch,
    "cumulative": cumulative,
}
