"""Feed-forward network of a layer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lottery.checkpoint.config import Activation, Config
from lottery.model.uninitialised import Linear


def _gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """GELU; in inference mode in the place of its input, the largest tensor of a pass, which nothing reads again."""
    if torch.compiler.is_compiling() or not torch.is_inference_mode_enabled():
        return F.gelu(x, approximate=approximate)
    return cast(Tensor, torch.ops.aten.gelu_(x, approximate=approximate))


ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": _gelu,
    "gelu_new": partial(_gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(_gelu, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
}
"""Nonlinearities of MLPs by their names in config.json."""


class MLP(nn.Module):
    """Feed-forward network: two projections with a nonlinearity between them, and a gate on each of its neurons."""

    def __init__(self, config: Config, neurons: tuple[int, ...]) -> None:
        super().__init__()
        self.neurons = neurons
        self.activation = ACTIVATIONS[config.hidden_act]
        self.expand = Linear(config.hidden_size, len(neurons))
        self.contract = Linear(len(neurons), config.hidden_size)

    def forward(self, x_QD: Tensor, gates_QF: Tensor | None = None) -> Tensor:
        """Outputs [Q, D] of inputs [Q, D]; each of the F neurons is multiplied by its gate."""
        neurons_QF = self.activation(self.expand(x_QD))
        if gates_QF is not None:
            neurons_QF = neurons_QF * gates_QF
        return cast(Tensor, self.contract(neurons_QF))
