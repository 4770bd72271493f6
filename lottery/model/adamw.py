"""AdamW (Loshchilov and Hutter 2019) by torch's fused step, with a state that can be written down.

The step is called as a function: torch's optimiser class imports a compiler, which takes longer than to
import all the rest of torch.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


class AdamW:
    """AdamW without weight decay over named parameters, every one of which has a gradient."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._parameters = dict(parameters)
        self._first = {name: torch.zeros_like(each) for name, each in parameters.items()}
        self._second = {name: torch.zeros_like(each) for name, each in parameters.items()}
        self._steps = {name: each.new_zeros(()) for name, each in parameters.items()}

    @property
    def state(self) -> dict[str, Tensor]:
        """Parameters, both moments and the count of steps, by name; filling them restores it all."""
        groups: dict[str, Mapping[str, Tensor]] = {
            "parameter": self._parameters,
            "first": self._first,
            "second": self._second,
            "steps": self._steps,
        }
        return {
            f"{group} {name}": tensor.detach()
            for group, tensors in groups.items()
            for name, tensor in tensors.items()
        }

    def clear(self) -> None:
        """Drop all gradients."""
        for each in self._parameters.values():
            each.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move along the gradients at the learning rate `rate`."""
        learning = {name: each for name, each in self._parameters.items() if each.grad is not None}
        adamw(
            list(learning.values()),
            [each.grad for each in learning.values() if each.grad is not None],
            [self._first[name] for name in learning],
            [self._second[name] for name in learning],
            [],
            [self._steps[name] for name in learning],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
