"""Configuration of an encoder (config.json): its shape, and the heads and MLPs left after pruning."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lottery.errors import UserError
from lottery.subnetwork import Subnetwork

Activation = Literal["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish"]
PRUNED = "pruned-bert"
"""Model type of an encoder that lacks heads or MLPs."""
BERTS = ("bert", PRUNED)
SUPPORTED: Mapping[str, Any] = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
"""Keys of a config.json that would change what an encoder computes, with the one value that is supported."""

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
    hidden_act: Activation = "gelu"
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


def read(folder: Path) -> Config:
    """The configuration of the encoder in `folder`.

    Raises UserError if it is not that of a BERT, or says that something is computed that is not computed here.
    """
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        config = msgspec.convert(raw, Config)
        pruned = {
            int(layer): set(heads) for layer, heads in (raw.get("pruned_heads") or {}).items()
        }
        kept = _without(config, pruned) if pruned else config
    except FileNotFoundError:
        raise UserError(f"{folder}: no checkpoint here (config.json is missing)") from None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: not the configuration of an encoder: {error}") from None
    family = raw.get("model_type")
    if family not in BERTS:
        raise UserError(f"{path}: model_type is {family!r}; only 'bert' encoders are supported")
    for key, allowed in SUPPORTED.items():
        if raw.get(key, allowed) != allowed:
            raise UserError(f"{path}: {key} is {raw[key]!r}; only {allowed!r} is supported")
    return kept


def _without(config: Config, pruned: Mapping[int, set[int]]) -> Config:
    """The configuration without heads that transformers has pruned, by layer."""
    heads = range(config.num_attention_heads)
    kept = (
        tuple(head for head in heads if head not in pruned.get(layer, ()))
        for layer in range(config.num_hidden_layers)
    )
    if any(layer not in range(config.num_hidden_layers) for layer in pruned):
        raise ValueError("pruned_heads names layers that the encoder does not have")
    return msgspec.structs.replace(config, kept_heads=tuple(kept))
