"""AdamW (Loshchilov and Hutter 2019) without weight decay, with a state that can be saved.

It calls the fused step of torch as a function: importing torch's optimiser classes imports its compiler, which
takes longer than importing the rest of torch.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


class AdamW:
    """AdamW without weight decay over named parameters; a step leaves out those without a gradient."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._parameters = dict(parameters)
        self._first = {name: torch.zeros_like(weight) for name, weight in parameters.items()}
        self._second = {name: torch.zeros_like(weight) for name, weight in parameters.items()}
        self._steps = {name: weight.new_zeros(()) for name, weight in parameters.items()}

    @property
    def state(self) -> dict[str, Tensor]:
        """Parameters, both moments and step counts by name; copying into these tensors restores a state."""
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

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self._parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float, clip: float = torch.inf) -> None:
        """Update every parameter that has a gradient, with all gradients scaled to a joint norm of `clip` at most."""
        gradients = {
            name: parameter.grad
            for name, parameter in self._parameters.items()
            if parameter.grad is not None
        }
        norm = nn.utils.get_total_norm(list(gradients.values()))
        adamw(
            [self._parameters[name] for name in gradients],
            list(gradients.values()),
            [self._first[name] for name in gradients],
            [self._second[name] for name in gradients],
            [],
            [self._steps[name] for name in gradients],
            # As torch's clip_grad_norm_, which would read and write all gradients once more.
            grad_scale=((norm + 1e-6) / clip).clamp(min=1),
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=learning_rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
