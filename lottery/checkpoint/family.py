"""Description of a family of encoders: in what it differs from the others, here and in transformers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Names = tuple[tuple[str, str], ...]
"""Pairs of what names contain here and in transformers."""
COMMON: Mapping[str, str] = {
    key: key
    for key in (
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
        "hidden_act",
        "layer_norm_eps",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "classifier_dropout",
    )
}
"""Keys of config.json that most families have."""
EMBEDDINGS: Names = (
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
)
LAYERS: Names = (
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
)
"""Names of the tensors of BERT's layers, which most families have taken over."""


@dataclass(frozen=True)
class Head:
    """Dense layer, nonlinearity and classifier, on the first token.

    names: how the names of its tensors begin, here and in transformers, where it is outside the encoder. dense: what
    its dense layer, `pooler` here, is called. drops_input: whether there is dropout before the dense layer, too.
    """

    names: Names
    dense: str
    activation: Literal["tanh", "relu", "gelu"]
    drops_input: bool


SEPARATE = Head(
    names=(("pooler.", "classifier.dense."), ("classifier.", "classifier.out_proj.")),
    dense="the dense layer of a classification head",
    activation="tanh",
    drops_input=True,
)
"""The head of families whose encoders are pre-trained without one."""


@dataclass(frozen=True)
class Family:
    """Family of encoders.

    model_type: its name in config.json. classes: how the names of its classes in transformers begin. prefix: what
    stands there before the names of an encoder's tensors. names: parts of tensors' names here and there. keys: keys of
    config.json by the names that they have in `Config`. values: defaults of these keys, where they differ from BERT's.
    counts_from_padding: whether the first position is the one after the padding token's id. drops_attention: whether
    there is dropout on the output of attention.
    """

    model_type: str
    classes: str
    prefix: str
    head: Head
    names: Names = EMBEDDINGS + LAYERS
    keys: Mapping[str, str] = field(default_factory=lambda: COMMON)
    values: Mapping[str, Any] = field(default_factory=dict)
    counts_from_padding: bool = False
    drops_attention: bool = True

    @property
    def pruned_type(self) -> str:
        """Model type of an encoder of this family that lacks heads or MLPs."""
        return f"pruned-{self.model_type}"
