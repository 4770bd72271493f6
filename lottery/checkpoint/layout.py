"""Names and shapes of the tensors of an encoder, here and in transformers."""

import re
from collections.abc import Iterator

from lottery.checkpoint.config import Config
from lottery.checkpoint.family import Family

WRAPPERS = ("module.", "_orig_mod.")
"""Prefixes that data parallelism and compilation put before all names, in either order if there are both."""


def transformers_name(name: str, family: Family) -> str:
    """The name in transformers of a tensor of this project."""
    for ours, theirs in family.head.names:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    for ours, theirs in family.names:
        name = name.replace(ours, theirs)
    return family.prefix + name


def own_name(name: str, family: Family) -> str:
    """The name in this project of a tensor of transformers."""
    # Checkpoints converted from TensorFlow call the parameters of a layer norm gamma and beta.
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
    while name.startswith(WRAPPERS):
        name = name.split(".", 1)[1]
    name = name.removeprefix(family.prefix)
    for ours, theirs in family.head.names:
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    for ours, theirs in family.names:
        name = name.replace(theirs, ours)
    return name


def tensor_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of the encoder but its classifier, by its name in this project."""
    return dict(_embeddings(config)) | dict(_layers(config)) | pooler_shapes(config)


def pooler_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of the pooler, the head's dense layer; not every encoder was pre-trained with one."""
    return dict(_linear("pooler", config.hidden_size, config.hidden_size))


def classifier_shapes(config: Config, classes: int) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of a classifier with `classes` outputs."""
    return dict(_linear("classifier", classes, config.hidden_size))


def _embeddings(config: Config) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, width = config.hidden_size, config.embedding_width
    yield "embeddings.words.weight", (config.vocab_size, width)
    yield "embeddings.positions.weight", (config.max_position_embeddings, width)
    if config.type_vocab_size:
        yield "embeddings.types.weight", (config.type_vocab_size, width)
    yield from _norm("embeddings.norm", width)
    if width != hidden:
        yield from _linear("embeddings.projection", hidden, width)
    if config.relative_attention_num_buckets:
        buckets, heads = config.relative_attention_num_buckets, config.num_attention_heads
        yield "position_bias.weight", (buckets, heads)


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
