"""Where heads look, and how much they take from there: the attention maps of an encoder, a layer at a time.

A map says in row i, column j how token i attends to token j: raw, as the weight alpha_ij, or normed, as the
length of what is handed over, ||alpha_ij f(x_j)|| with f(x) = W_O (W_V x + b_V) of the head (Kobayashi et al.
2020, arXiv 2004.10102).

Suffixes: B examples of a batch, S its longest sentence, T its real tokens, N those of one sentence, H heads a
layer holds, K head size, D hidden size.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lottery.model.batch import PackedBatch
from lottery.model.encoder import Attention, Encoder

Map = Literal["raw", "normed"]


class Maps(NamedTuple):
    """The maps [B, H, S, S] of one layer's heads, which `heads` names; what pads is without meaning."""

    layer: int
    heads: tuple[int, ...]
    maps_BHSS: Mapping[Map, Tensor]

    def of(self, example: int, length: int) -> dict[Map, Tensor]:
        """The maps [H, N, N] of one sentence of `length` tokens."""
        return {
            name: maps[example, :, :length, :length].contiguous()
            for name, maps in self.maps_BHSS.items()
        }


@torch.inference_mode()
def maps(encoder: Encoder, tokens: PackedBatch) -> Iterator[Maps]:
    """Every layer's maps of a batch, bottom up; a layer without heads has none. One layer is held at a time.

    The last layer is asked for every token here, although the classifier reads [CLS] alone.
    """
    x_TD: Tensor = encoder.embeddings(tokens)
    for index, layer in enumerate(encoder.typed_layers):
        if layer.attention.heads:
            raw = weights_BHSS(layer.attention, x_TD, tokens)
            length_BHS = transformed_values_BHSD(layer.attention, x_TD, tokens).norm(dim=-1)
            normed = raw * length_BHS.unsqueeze(2)
            yield Maps(index, layer.attention.heads, {"raw": raw, "normed": normed})
        x_TD = layer(x_TD, tokens, None, first_only=False)


def weights_BHSS(attention: Attention, x_TD: Tensor, tokens: PackedBatch) -> Tensor:
    """Attention weights alpha: rows of real tokens sum to 1 over the real tokens."""
    query_BHSK = _split(attention.query(x_TD), attention, tokens)
    key_BHSK = _split(attention.key(x_TD), attention, tokens)
    logits_BHSS = query_BHSK @ key_BHSK.transpose(-1, -2) / attention.head_size**0.5
    if tokens.attendable_B11S is not None:
        logits_BHSS = logits_BHSS.masked_fill(~tokens.attendable_B11S, -torch.inf)
    weights: Tensor = logits_BHSS.softmax(-1)
    return weights


def transformed_values_BHSD(attention: Attention, x_TD: Tensor, tokens: PackedBatch) -> Tensor:
    """What each token has to hand over through each head, f(x); the sum of alpha f(x) and b_O is the output."""
    value_BHSK = _split(attention.value(x_TD), attention, tokens)
    output_HKD = attention.output.weight.T.unflatten(0, (len(attention.heads), attention.head_size))
    handed: Tensor = value_BHSK @ output_HKD
    return handed


def _split(rows_TX: Tensor, attention: Attention, tokens: PackedBatch) -> Tensor:
    return tokens.grid_BHSK(rows_TX.unflatten(1, (len(attention.heads), attention.head_size)))
