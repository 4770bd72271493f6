"""Configuration of an encoder (config.json): its shape, and the heads and MLPs left after pruning."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from lottery.subnetwork import Subnetwork

Size = Annotated[int, Meta(ge=1, le=2**24)]
Share = Annotated[float, Meta(ge=0, lt=1)]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a Hugging Face BERT config.json that shape the encoder, and two for pruned encoders.

    `kept_heads[l]` lists the surviving heads of layer l, `kept_mlps` the layers that still have an MLP;
    None means all.
    """

    vocab_size: Size
    hidden_size: Size
    num_hidden_layers: Annotated[int, Meta(ge=1, le=1000)]
    num_attention_heads: Size
    intermediate_size: Size
    max_position_embeddings: Size = 512
    type_vocab_size: Size = 2
    layer_norm_eps: Share = 1e-12
    hidden_dropout_prob: Share = 0.1
    attention_probs_dropout_prob: Share = 0.1
    kept_heads: tuple[tuple[int, ...], ...] | None = None
    kept_mlps: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of {self.num_attention_heads} heads"
            )
        layers, heads = range(self.num_hidden_layers), range(self.num_attention_heads)
        kept = [() for _ in layers] if self.kept_heads is None else self.kept_heads
        if len(kept) != len(layers) or any(head not in heads for row in kept for head in row):
            raise ValueError("kept_heads lists layers or heads that the encoder does not have")
        if any(layer not in layers for layer in self.kept_mlps or ()):
            raise ValueError("kept_mlps lists layers that the encoder does not have")

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of a structured subnetwork of the unpruned encoder."""
        layers = self.num_hidden_layers
        return {"heads": (layers, self.num_attention_heads), "mlps": (layers,)}

    @property
    def survivors(self) -> Subnetwork:
        """The heads and MLPs this encoder has."""
        full = Subnetwork.full(self.shapes)
        heads, mlps = full["heads"].copy(), full["mlps"].copy()
        if self.kept_heads is not None:
            for layer, kept in enumerate(self.kept_heads):
                heads[layer] = np.isin(np.arange(self.num_attention_heads), kept)
        if self.kept_mlps is not None:
            mlps = np.isin(np.arange(self.num_hidden_layers), self.kept_mlps)
        return Subnetwork({"heads": heads, "mlps": mlps})

    def keeping(self, subnetwork: Subnetwork) -> "Config":
        """The configuration with the heads and MLPs of `subnetwork` only."""
        return msgspec.structs.replace(
            self,
            kept_heads=tuple(tuple(np.flatnonzero(row).tolist()) for row in subnetwork["heads"]),
            kept_mlps=tuple(np.flatnonzero(subnetwork["mlps"]).tolist()),
        )
