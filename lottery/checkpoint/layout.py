"""Names and shapes of the tensors of a BERT, here and in transformers."""

import re
from collections.abc import Iterator

from lottery.checkpoint.config import Config

# (our name, name in transformers): replaced in this order in every tensor name.
NAMES = (
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("layers.", "encoder.layer."),
    ("attention.query", "attention.self.query"),
    ("attention.key", "attention.self.key"),
    ("attention.value", "attention.self.value"),
    ("attention_norm", "attention.output.LayerNorm"),
    ("attention.output.weight", "attention.output.dense.weight"),
    ("attention.output.bias", "attention.output.dense.bias"),
    ("mlp_norm", "output.LayerNorm"),
    ("mlp.expand", "intermediate.dense"),
    ("mlp.contract", "output.dense"),
    ("pooler.", "pooler.dense."),
)
WRAPPERS = ("module.", "_orig_mod.", "bert.")
"""Prefixes that data parallelism, compilation and transformers' task models put before the encoder's names."""


def transformers_name(name: str) -> str:
    """The name in transformers of a tensor of this project."""
    if name.startswith("classifier."):
        return name
    for own, transformers in NAMES:
        name = name.replace(own, transformers)
    return f"bert.{name}"


def own_name(name: str) -> str:
    """The name in this project of a tensor of transformers."""
    # Checkpoints converted from TensorFlow call the parameters of a layer norm gamma and beta.
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    for own, transformers in NAMES:
        name = name.replace(transformers, own)
    return name


def tensor_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of the encoder but its classifier, by its name in this project."""
    return dict(_embeddings(config)) | dict(_layers(config)) | pooler_shapes(config)


def pooler_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of the pooler, which encoders have if they were pre-trained on pairs of sentences."""
    return dict(_linear("pooler", config.hidden_size, config.hidden_size))


def classifier_shapes(config: Config, classes: int) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of a classifier with `classes` outputs."""
    return dict(_linear("classifier", classes, config.hidden_size))


def _embeddings(config: Config) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden = config.hidden_size
    yield "embeddings.words.weight", (config.vocab_size, hidden)
    yield "embeddings.positions.weight", (config.max_position_embeddings, hidden)
    yield "embeddings.types.weight", (config.type_vocab_size, hidden)
    yield from _norm("embeddings.norm", hidden)


def _layers(config: Config) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, wide, survivors = config.hidden_size, config.intermediate_size, config.survivors
    for index, (kept_H, has_mlp) in enumerate(
        zip(survivors["heads"], survivors["mlps"], strict=True)
    ):
        layer, inner = f"layers.{index}", int(kept_H.sum()) * config.head_size
        for projection in ("query", "key", "value"):
            yield from _linear(f"{layer}.attention.{projection}", inner, hidden)
        yield from _linear(f"{layer}.attention.output", hidden, inner)
        yield from _norm(f"{layer}.attention_norm", hidden)
        if has_mlp:
            yield from _linear(f"{layer}.mlp.expand", wide, hidden)
            yield from _linear(f"{layer}.mlp.contract", hidden, wide)
        yield from _norm(f"{layer}.mlp_norm", hidden)


def _linear(name: str, outputs: int, inputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (size,)
    yield f"{name}.bias", (size,)
