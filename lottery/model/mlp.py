"""Feed-forward network of a layer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from lottery.checkpoint.config import Activation, Config
from lottery.model.uninitialised import Linear

ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
}
"""Nonlinearities of MLPs by their names in config.json."""


class MLP(nn.Module):
    """Feed-forward network: two projections with a nonlinearity between them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.hidden_act]
        self.expand = Linear(config.hidden_size, config.intermediate_size)
        self.contract = Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x_QD: Tensor) -> Tensor:
        return cast(Tensor, self.contract(self.activation(self.expand(x_QD))))
