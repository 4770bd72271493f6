"""Attention of one layer, over the heads that are left.

Suffixes: B examples of a batch, S its longest sentence, T its tokens, Q the tokens that attend (T, or B in the last
layer), D hidden size, H heads a layer holds, K head size.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lottery.checkpoint.config import Config
from lottery.model.batch import PackedBatch
from lottery.model.dropout import Dropout
from lottery.model.uninitialised import Linear


class Attention(nn.Module):
    """Multi-head self-attention over the remaining heads; without heads, the output bias."""

    def __init__(self, config: Config, heads: tuple[int, ...]) -> None:
        super().__init__()
        self.heads, self.head_size = heads, config.head_size
        inner = len(heads) * config.head_size
        self.query = Linear(config.hidden_size, inner)
        self.key = Linear(config.hidden_size, inner)
        self.value = Linear(config.hidden_size, inner)
        self.output = Linear(inner, config.hidden_size)
        self.dropout = Dropout(config.attention_probs_dropout_prob)

    def forward(
        self, x_TD: Tensor, x_QD: Tensor, batch: PackedBatch, xi: Tensor | None, cls_only: bool
    ) -> Tensor:
        """Attention of the tokens `x_QD` to all tokens `x_TD` of their sentence, [Q, D]."""
        if not self.heads:
            return self.output.bias.expand_as(x_QD)
        split = (-1, len(self.heads), self.head_size)
        query_QHK = self.query(x_QD).view(split)
        # Projections need no padding, attention does: it works on one row per sentence. If only [CLS] attends,
        # each sentence has one query, and the queries need none.
        context = self._context(
            query_QHK.unsqueeze(2) if cls_only else batch.pad(query_QHK),
            batch.pad(self.key(x_TD).view(split)),
            batch.pad(self.value(x_TD).view(split)),
            self.mask(batch, cls_only),
        )
        context_QHK = context.squeeze(2) if cls_only else batch.unpad(context)
        # A head's gate acts before the output projection, which sums the heads: a head gated to 0 equals a
        # head without its columns of that projection.
        if xi is not None:
            context_QHK = context_QHK * xi
        return cast(Tensor, self.output(context_QHK.flatten(1)))

    def mask(self, batch: PackedBatch, cls_only: bool = False) -> Tensor | None:
        """True where there is attention, None if everywhere; with a position bias, the number to add to a score."""
        bias_BHSS = batch.bias_BHSS
        if bias_BHSS is None:
            return batch.attention_mask_B11S
        bias_BHQS = bias_BHSS[:, :, :1] if cls_only else bias_BHSS
        is_whole = len(self.heads) == bias_BHQS.shape[1]
        return bias_BHQS if is_whole else bias_BHQS[:, list(self.heads)]

    def _context(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Sums of the values [B, H, S, K], weighted by attention, for every query."""
        dropout = self.dropout.p if self.training else 0.0
        # On a CPU, torch has no fused kernel with dropout, and in bfloat16 the backward pass of the one without takes
        # five times as long as that of the plain products.
        fused = query.is_cuda or (dropout == 0 and query.dtype == torch.float32)
        if fused or not query.requires_grad:
            return F.scaled_dot_product_attention(query, key, value, mask, dropout)
        logits = masked((query * self.head_size**-0.5) @ key.transpose(-1, -2), mask)
        return cast(Tensor, self.dropout(logits.softmax(-1))) @ value


def masked(logits: Tensor, mask: Tensor | None) -> Tensor:
    """Attention scores under a mask that `Attention.mask` gives."""
    if mask is None:
        return logits
    return logits.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else logits + mask
