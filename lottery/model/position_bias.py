"""Bias of attention for relative positions, as in T5 and MPNet.

Suffixes: S tokens of the longest sentence, H heads of the encoder.
"""

from math import ceil

import torch
from torch import Tensor

from lottery.model.uninitialised import Embedding

BUCKETS = 32
BOUNDS = (*range(1, 9), *(ceil(8 * 2 ** (step / 2)) for step in range(1, 8)))
"""Distances at which a new bucket begins: the first 8 have one each, the others are spaced by their logarithm."""


def bucket(offset: Tensor) -> Tensor:
    """Bucket of the distance to an attended token so many places further on; those before and behind differ."""
    bounds = torch.tensor(BOUNDS, device=offset.device)
    distance = (offset.abs().unsqueeze(-1) >= bounds).sum(-1)
    return distance + (offset > 0).long() * (BUCKETS // 2)


class PositionBias(Embedding):
    """Bias for every bucket of distances and every head, shared by all layers."""

    def of_length(self, length: int) -> Tensor:
        """The bias that is added to the attention scores of every head, [1, H, S, S]."""
        places_S = torch.arange(length, device=self.weight.device)
        buckets_SS = bucket(places_S - places_S.unsqueeze(1))
        bias_SSH: Tensor = self(buckets_SS)
        return bias_SSH.permute(2, 0, 1).unsqueeze(0)
