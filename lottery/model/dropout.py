"""Dropout; on a CPU from 16 random bits for each entry, a fifth of the time of torch's own."""

import torch
from torch import Tensor, nn

CHANCES = 2**16


class Dropout(nn.Dropout):
    """Dropout whose probability is rounded to a multiple of 2^-16 on a CPU; the expectation is kept exactly."""

    def forward(self, x: Tensor) -> Tensor:
        dropped = round(self.p * CHANCES)
        if x.is_cuda or not self.training or not 0 < dropped < CHANCES:
            return super().forward(x)
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        kept = bits.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - CHANCES // 2
        return x * kept * (CHANCES / (CHANCES - dropped))
