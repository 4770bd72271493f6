"""Configuration of an encoder (config.json): its shape, and the heads and MLPs left after pruning."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lottery.checkpoint.family import Family
from lottery.checkpoint.supported import FAMILIES
from lottery.errors import MALFORMED, UserError
from lottery.subnetwork import Subnetwork

Activation = Literal["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish"]
KEPT = ("kept_heads", "kept_mlps", "kept_neurons")
"""Keys of config.json that only pruned encoders of this project have."""
SUPPORTED: Mapping[str, Any] = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
"""Keys of a config.json that would change what an encoder computes, with the one value that is supported."""

Size = Annotated[int, Meta(ge=1, le=2**24)]
Share = Annotated[float, Meta(ge=0, lt=1)]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a Hugging Face config.json that shape the encoder, under BERT's names, and three of pruned ones.

    A family without sentence types has a `type_vocab_size` of 0; None of `embedding_size`: as wide as the layers, of
    `relative_attention_num_buckets`: no bias for relative positions, of `classifier_dropout`: as in the layers.
    `kept_heads[l]` lists the surviving heads of layer l, `kept_neurons[l]` the neurons of its MLP, `kept_mlps` the
    layers that still have an MLP; None means all.
    """

    model_type: str = "bert"
    vocab_size: Size
    hidden_size: Size
    num_hidden_layers: Annotated[int, Meta(ge=1, le=1000)]
    num_attention_heads: Size
    intermediate_size: Size
    max_position_embeddings: Size = 512
    type_vocab_size: Annotated[int, Meta(ge=0, le=2**24)] = 2
    hidden_act: Activation = "gelu"
    layer_norm_eps: Share = 1e-12
    hidden_dropout_prob: Share = 0.1
    attention_probs_dropout_prob: Share = 0.1
    classifier_dropout: Share | None = None
    embedding_size: Size | None = None
    pad_token_id: Annotated[int, Meta(ge=0, le=2**24)] = 0
    # Fewer than the 32 that transformers computes would not do.
    relative_attention_num_buckets: Annotated[int, Meta(ge=32, le=2**24)] | None = None
    kept_heads: tuple[tuple[int, ...], ...] | None = None
    kept_mlps: tuple[int, ...] | None = None
    kept_neurons: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of {self.num_attention_heads} heads"
            )
        if "type_vocab_size" in self.family.keys and not self.type_vocab_size:
            raise ValueError("type_vocab_size is 0")
        if self.longest < 1:
            raise ValueError(
                f"max_position_embeddings {self.max_position_embeddings} leaves no position after the padding's"
            )
        layers, heads = range(self.num_hidden_layers), range(self.num_attention_heads)
        kept = [() for _ in layers] if self.kept_heads is None else self.kept_heads
        if len(kept) != len(layers) or any(head not in heads for row in kept for head in row):
            raise ValueError("kept_heads lists layers or heads that the encoder does not have")
        if any(layer not in layers for layer in self.kept_mlps or ()):
            raise ValueError("kept_mlps lists layers that the encoder does not have")
        neurons, wide = self.kept_neurons, range(self.intermediate_size)
        if neurons is not None and (
            len(neurons) != len(layers)
            or any(neuron not in wide for row in neurons for neuron in row)
        ):
            raise ValueError("kept_neurons lists layers or neurons that the encoder does not have")

    @property
    def family(self) -> Family:
        """The family of encoders."""
        return FAMILIES[self.model_type]

    @property
    def embedding_width(self) -> int:
        """Width of the embeddings, before they are projected to the hidden size if that is another."""
        return self.embedding_size or self.hidden_size

    @property
    def classification_dropout(self) -> float:
        """Dropout before the classifier."""
        dropout = self.classifier_dropout
        return self.hidden_dropout_prob if dropout is None else dropout

    @property
    def first_position(self) -> int:
        """The position of the first token in the table of positions."""
        return self.pad_token_id + 1 if self.family.counts_from_padding else 0

    @property
    def longest(self) -> int:
        """Number of tokens that the encoder has positions for."""
        return self.max_position_embeddings - self.first_position

    @property
    def head_size(self) -> int:
        """Width of an attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of a structured subnetwork of the unpruned encoder."""
        layers = self.num_hidden_layers
        return {"heads": (layers, self.num_attention_heads), "mlps": (layers,)}

    @property
    def fine_shapes(self) -> dict[str, tuple[int, ...]]:
        """The same for one that prunes single neurons too."""
        return {**self.shapes, "neurons": (self.num_hidden_layers, self.intermediate_size)}

    def neurons(self, layer: int) -> tuple[int, ...]:
        """The neurons that the MLP of a layer has, if there is one."""
        if self.kept_neurons is None:
            return tuple(range(self.intermediate_size))
        return self.kept_neurons[layer]

    @property
    def survivors(self) -> Subnetwork:
        """The heads and MLPs that this encoder has, and the neurons if it lacks some."""
        full = Subnetwork.full(self.shapes)
        heads, mlps = full["heads"].copy(), full["mlps"].copy()
        if self.kept_heads is not None:
            for layer, kept in enumerate(self.kept_heads):
                heads[layer] = np.isin(np.arange(self.num_attention_heads), kept)
        if self.kept_mlps is not None:
            mlps = np.isin(np.arange(self.num_hidden_layers), self.kept_mlps)
        parts = {"heads": heads, "mlps": mlps}
        if self.kept_neurons is not None:
            wide = np.arange(self.intermediate_size)
            parts["neurons"] = np.stack([np.isin(wide, kept) for kept in self.kept_neurons])
        return Subnetwork(parts)

    def has(self, subnetwork: Subnetwork) -> bool:
        """True if this encoder has all that a subnetwork keeps."""
        survivors = self.survivors
        return all(
            (kept <= survivors[part]).all()
            for part, kept in subnetwork.items()
            if part in survivors
        )

    @property
    def is_pruned(self) -> bool:
        """True if it says which heads, MLPs or neurons are left."""
        return any(getattr(self, key) is not None for key in KEPT)

    @property
    def whole(self) -> "Config":
        """The configuration with all heads, MLPs and neurons."""
        return msgspec.structs.replace(self, **dict.fromkeys(KEPT))

    def keeping(self, subnetwork: Subnetwork) -> "Config":
        """The configuration with the heads, MLPs and, if it has this part, neurons of `subnetwork` only."""
        neurons = self.kept_neurons
        if "neurons" in subnetwork:
            neurons = tuple(tuple(np.flatnonzero(row).tolist()) for row in subnetwork["neurons"])
        return msgspec.structs.replace(
            self,
            kept_neurons=neurons,
            kept_heads=tuple(tuple(np.flatnonzero(row).tolist()) for row in subnetwork["heads"]),
            kept_mlps=tuple(np.flatnonzero(subnetwork["mlps"]).tolist()),
        )


def stated(config: Config) -> dict[str, Any]:
    """The contents of a config.json, in the words of the family, from which `read` gives `config` again."""
    values, family = msgspec.to_builtins(config), config.family
    keys = {theirs: values[ours] for ours, theirs in family.keys.items()}
    kept = {key: values[key] for key in KEPT}
    if config.kept_neurons is None:
        del kept["kept_neurons"]
    return {key: value for key, value in keys.items() if value is not None} | kept


def parse(raw: Mapping[str, Any], family: Family) -> Config:
    """The configuration that a config.json of this family states. Raises ValueError if it is malformed."""
    keys = {ours: raw[theirs] for ours, theirs in family.keys.items() if theirs in raw}
    kept = {key: raw[key] for key in KEPT if key in raw}
    try:
        config = msgspec.convert(
            {"model_type": family.model_type, **family.values, **keys, **kept}, Config
        )
    except ValueError as error:
        raise ValueError(_in_words_of(family, str(error))) from None
    pruned = {int(layer): set(heads) for layer, heads in (raw.get("pruned_heads") or {}).items()}
    return _without(config, pruned) if pruned else config


def read(folder: Path) -> Config:
    """The configuration of the encoder in `folder`.

    Raises UserError if its family is not supported, or if it says that something is computed that is not computed here.
    """
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        family = _family(path, raw.get("model_type"))
        for key, allowed in SUPPORTED.items():
            if raw.get(key, allowed) != allowed:
                raise UserError(f"{path}: {key} is {raw[key]!r}; only {allowed!r} is supported")
        return parse(raw, family)
    except FileNotFoundError:
        raise UserError(f"{folder}: no checkpoint here (config.json is missing)") from None
    except MALFORMED as error:
        raise UserError(f"{path}: not the configuration of an encoder: {error}") from None


def _family(path: Path, model_type: object) -> Family:
    for family in FAMILIES.values():
        if model_type in (family.model_type, family.pruned_type):
            return family
    names = ", ".join(FAMILIES)
    raise UserError(f"{path}: model_type is {model_type!r}; supported families are: {names}")


def _in_words_of(family: Family, text: str) -> str:
    """The text with the names that this family has for keys."""
    for ours, theirs in family.keys.items():
        text = text.replace(ours, theirs)
    return text


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
