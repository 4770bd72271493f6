"""Random weights, as BERT has them before it is pre-trained."""

import torch
from torch import Tensor

from lottery.model.encoder import Encoder
from lottery.seeds import entropy

RANGE = 0.02
"""Standard deviation of BERT's initial weights."""


def classifier(classes: int, hidden_size: int, seed: int) -> dict[str, Tensor]:
    """A new classifier, which a pre-trained checkpoint does not have."""
    normal = torch.randn(classes, hidden_size, generator=torch.Generator().manual_seed(seed))
    return {"classifier.weight": RANGE * normal, "classifier.bias": torch.zeros(classes)}


def pooler(hidden_size: int, seed: int) -> dict[str, Tensor]:
    """A new pooler, for a checkpoint that was pre-trained without one."""
    stream = torch.Generator().manual_seed(entropy(seed, "pooler"))
    normal = torch.randn(hidden_size, hidden_size, generator=stream)
    return {"pooler.weight": RANGE * normal, "pooler.bias": torch.zeros(hidden_size)}


def reinitialise(encoder: Encoder, seed: int) -> Encoder:
    """Replace all weights but the classifier's, in place: normal ones, biases of 0, norms of scale 1."""
    stream = torch.Generator().manual_seed(seed)
    for name, weight in encoder.state_dict().items():
        if name.startswith("classifier."):
            continue
        if name.endswith("bias"):
            weight.zero_()
        elif name.endswith("norm.weight"):
            weight.fill_(1)
        else:
            weight.copy_(RANGE * torch.randn(weight.shape, generator=stream))
    return encoder
