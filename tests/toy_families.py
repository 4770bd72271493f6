"""Small random checkpoints of every family of encoders, made by transformers, and sentences for them."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from lottery.checkpoint.supported import FAMILIES
from lottery.data.examples import Examples
from lottery.export.ready import padded
from lottery.model import checkpoint
from lottery.model.encoder import Encoder

VOCABULARY, LONGEST = 60, 40
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": LONGEST + 2,
    "embedding_size": 16,
}
TYPES = {"roberta": 1, "xlm-roberta": 1, "camembert": 1}


def classifier(model_type: str, classes: int = 3, **changes: Any) -> PreTrainedModel:
    """A random classifier of transformers, in which every weight has an effect."""
    return _random(AutoModelForSequenceClassification, model_type, num_labels=classes, **changes)


def language_model(model_type: str, **changes: Any) -> PreTrainedModel:
    """A random masked language model of transformers, which has no classification head."""
    return _random(AutoModelForMaskedLM, model_type, **changes)


def encoder(model_type: str, folder: Path, classes: int = 3) -> tuple[Encoder, PreTrainedModel]:
    """A random encoder as it is read here, and the model of transformers that it is read from."""
    oracle = classifier(model_type, classes)
    oracle.save_pretrained(folder)
    return checkpoint.load(folder, classes), oracle


def _random(maker: Any, model_type: str, **changes: Any) -> PreTrainedModel:
    keys = FAMILIES[model_type].keys
    sizes = SIZES | {"type_vocab_size": TYPES.get(model_type, 2)}
    stated = {keys[own]: size for own, size in sizes.items() if own in keys}
    torch.manual_seed(1)
    model = maker.from_config(AutoConfig.for_model(model_type, **stated | changes))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            one = "norm" in name.lower() and name.endswith("weight")
            weight.normal_(1.0 if one else 0.0, 0.2)
    return cast(PreTrainedModel, model.eval())


def sentences(encoder: Encoder, count: int = 9, seed: int = 0) -> Examples:
    """Pairs of random tokens, among them that of padding, of 3 to all tokens that there are positions for."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, encoder.config.longest + 1, count).astype(np.int32)
    lengths[0] = encoder.config.longest
    ids = rng.integers(0, VOCABULARY, lengths.sum()).astype(np.int32)
    places = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    second = places > np.repeat(lengths, lengths) // 2
    types = (second & (encoder.config.type_vocab_size > 1)).astype(np.int8)
    labels = rng.integers(0, 2, count).astype(np.float32)
    return Examples("rte", "train", ids, types, lengths, labels)


def logits(oracle: PreTrainedModel, examples: Examples) -> Tensor:
    """Outputs of transformers for a padded batch."""
    inputs = {name: torch.from_numpy(array) for name, array in padded(examples).items()}
    has_types = getattr(oracle.config, "type_vocab_size", 0)
    if not has_types:
        del inputs["token_type_ids"]
    with torch.inference_mode():
        computed: Tensor = oracle(**inputs).logits
    return computed
