"""Layers without initial values.

Every tensor of an encoder comes from a checkpoint. Drawing initial values first would take longer than loading it; on
the meta device it would import torch's compiler, which takes a second.
"""

from torch import nn


class Linear(nn.Linear):
    """Linear projection without initial values."""

    def reset_parameters(self) -> None:
        pass


class Embedding(nn.Embedding):
    """Embedding table without initial values."""

    def reset_parameters(self) -> None:
        pass
