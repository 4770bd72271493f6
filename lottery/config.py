"""The shape of an encoder, as its config.json tells it, and what is left of it after pruning."""

import msgspec
import numpy as np

from lottery.subnetwork import Subnetwork


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a Hugging Face BERT config.json that shape the encoder, and what is left of it.

    `kept_heads[l]` lists the surviving heads of layer l, `kept_mlps` the layers that still have an MLP;
    None means all.
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    kept_heads: tuple[tuple[int, ...], ...] | None = None
    kept_mlps: tuple[int, ...] | None = None

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of a structured subnetwork of the whole encoder."""
        layers = self.num_hidden_layers
        return {"heads": (layers, self.num_attention_heads), "mlps": (layers,)}

    @property
    def survivors(self) -> Subnetwork:
        """The heads and MLPs this encoder holds."""
        everything = Subnetwork.full(self.shapes)
        heads, mlps = everything["heads"].copy(), everything["mlps"].copy()
        if self.kept_heads is not None:
            for layer, kept in enumerate(self.kept_heads):
                heads[layer] = np.isin(np.arange(self.num_attention_heads), kept)
        if self.kept_mlps is not None:
            mlps = np.isin(np.arange(self.num_hidden_layers), self.kept_mlps)
        return Subnetwork({"heads": heads, "mlps": mlps})

    def keeping(self, subnetwork: Subnetwork) -> "Config":
        """The same encoder with only the heads and MLPs of `subnetwork`."""
        return msgspec.structs.replace(
            self,
            kept_heads=tuple(tuple(np.flatnonzero(row).tolist()) for row in subnetwork["heads"]),
            kept_mlps=tuple(np.flatnonzero(subnetwork["mlps"]).tolist()),
        )
