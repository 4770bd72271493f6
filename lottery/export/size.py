"""Size and work of a trained model."""

from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lottery.data.examples import Examples
from lottery.export.portable import zero_filled
from lottery.export.ready import tokens
from lottery.export.trained import TrainedModel
from lottery.model.encoder import Encoder


@dataclass(frozen=True)
class Size:
    """Parameters of a model, and multiply-adds for one example.

    prunable: weights of the full model that pruning may remove; left: those of them that are not removed. Where single
    weights are pruned, `parameters` and `multiply_adds` include the zeros.
    """

    parameters: int
    prunable: int
    left: int
    multiply_adds: int


def size(model: TrainedModel, example: Examples) -> Size:
    """The size of a model, and its work for an example."""
    encoder = model.encoder
    prunable = sum(weight.numel() for weight in zero_filled(encoder).prunable().values())
    return Size(
        parameters=sum(weight.numel() for weight in encoder.parameters()),
        prunable=prunable,
        left=round(prunable * (1 - sparsity(model))),
        multiply_adds=multiply_adds(encoder, example),
    )


def sparsity(model: TrainedModel) -> float:
    """Share of the prunable weights that the model lacks, or has as zeros."""
    if model.is_masked:
        return 1 - model.subnetwork.density
    left, total = (
        sum(weight.numel() for weight in encoder.prunable().values())
        for encoder in (model.encoder, zero_filled(model.encoder))
    )
    return 1 - left / total


def multiply_adds(encoder: Encoder, examples: Examples) -> int:
    """Multiply-adds of all matrix products of a batch; the last layer computes [CLS] only."""
    # Of the kernels for attention, torch counts the one that is written out as two products.
    with (
        torch.inference_mode(),
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
    ):
        encoder(tokens(examples))
    return int(counter.get_total_flops()) // 2
