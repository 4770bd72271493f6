"""Attention maps of an encoder, one layer at a time.

Row i, column j of a map says how token i attends to token j: raw, the attention weight alpha_ij, or normed,
the norm ||alpha_ij f(x_j)|| with the transformed value vector f(x) = W_O (W_V x + b_V) of the head (Kobayashi
et al. 2020, arXiv 2004.10102).

Suffixes: B examples of a batch, S its longest sentence, T its tokens, N those of one sentence, H heads a
layer holds, K head size, D hidden size.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from lottery.attention.descriptors import Weighting
from lottery.model.attention import Attention, masked
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder


class LayerMaps(NamedTuple):
    """Attention maps [B, H, S, S] of the remaining heads of one layer; the padding has no meaning."""

    layer: int
    heads: tuple[int, ...]
    maps_BHSS: Mapping[Weighting, Tensor]

    def of_sentence(self, example: int, length: int) -> dict[Weighting, Tensor]:
        """The maps [H, N, N] of one sentence of `length` tokens."""
        return {
            weighting: maps[example, :, :length, :length].contiguous()
            for weighting, maps in self.maps_BHSS.items()
        }


@torch.inference_mode()
def maps(encoder: Encoder, batch: PackedBatch) -> Iterator[LayerMaps]:
    """Maps of every layer that has heads, from bottom to top; only one layer's are in memory at a time.

    Unlike in classification, the last layer's maps have rows for all tokens, not for the first only.
    """
    batch = encoder.placed(batch)
    x_TD: Tensor = encoder.embeddings(batch)
    for index, layer in enumerate(encoder.typed_layers):
        if layer.attention.heads:
            raw_BHSS = weights_BHSS(layer.attention, x_TD, batch)
            norm_BHS = transformed_values_BHSD(layer.attention, x_TD, batch).norm(dim=-1)
            normed_BHSS = raw_BHSS * norm_BHS.unsqueeze(2)
            yield LayerMaps(index, layer.attention.heads, {"raw": raw_BHSS, "normed": normed_BHSS})
        x_TD = layer(x_TD, batch, cls_only=False)


def weights_BHSS(attention: Attention, x_TD: Tensor, batch: PackedBatch) -> Tensor:
    """Attention weights alpha: rows of real tokens sum to 1 over the real tokens."""
    query_BHSK = _split_heads(attention.query(x_TD), attention, batch)
    key_BHSK = _split_heads(attention.key(x_TD), attention, batch)
    logits_BHSS = query_BHSK @ key_BHSK.transpose(-1, -2) / attention.head_size**0.5
    weights: Tensor = masked(logits_BHSS, attention.mask(batch)).softmax(-1)
    return weights


def transformed_values_BHSD(attention: Attention, x_TD: Tensor, batch: PackedBatch) -> Tensor:
    """Transformed value vectors f(x) = W_O (W_V x + b_V) of every head.

    The layer's attention output is b_O plus the sum of alpha f(x) over heads and tokens.
    """
    value_BHSK = _split_heads(attention.value(x_TD), attention, batch)
    # Columns of W_O belong to heads: [D, H * K] to one [K, D] per head.
    output_HKD = attention.output.weight.T.unflatten(0, (len(attention.heads), attention.head_size))
    transformed: Tensor = value_BHSK @ output_HKD
    return transformed


def _split_heads(rows_TX: Tensor, attention: Attention, batch: PackedBatch) -> Tensor:
    """The padded view [B, H, S, K] of a projection [T, H * K]."""
    return batch.pad(rows_TX.unflatten(1, (len(attention.heads), attention.head_size)))
