"""Toy data: an encoder with random weights, sentences of random words, random subnetworks."""

from typing import Any

import msgspec
import numpy as np
import torch

from lottery.checkpoint.config import Config
from lottery.data.examples import Examples
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.params import Parameters
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    PruneParameters,
    RetrainParameters,
)
from lottery.tickets.pruner import SearchSettings
from lottery.tickets.search import Step

CONFIG = Config(
    vocab_size=50,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=24,
)


def encoder(seed: int = 0, classes: int = 2, config: Config = CONFIG) -> Encoder:
    """An encoder with weights from N(0, 0.2), norms around 1, so that every part has an effect."""
    encoder, stream = Encoder(config, classes), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in encoder.named_parameters():
            weight.copy_(0.2 * torch.randn(weight.shape, generator=stream))
            if "norm.weight" in name:
                weight.add_(1)
    return encoder.eval()


def sentences(count: int, seed: int = 0, classes: int = 2, longest: int = 12) -> Examples:
    """Sentences of 3 to `longest` random words; labels are the first word's id modulo `classes`."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, longest + 1, count).astype(np.int32)
    ids = rng.integers(1, CONFIG.vocab_size, lengths.sum()).astype(np.int32)
    first = np.cumsum(lengths) - lengths
    positions = np.arange(len(ids)) - np.repeat(first, lengths)
    types = (positions > np.repeat(lengths, lengths) // 2).astype(np.int8)
    labels = (ids[first] % classes if classes > 1 else rng.normal(size=count)).astype(np.float32)
    return Examples("rte", "train", ids, types, lengths, labels)


def tokens(examples: Examples) -> PackedBatch:
    """All examples as one batch."""
    return PackedBatch.pack(examples.ids_T, examples.types_T, examples.lengths_N)


def survivors(steps: list[Step]) -> Subnetwork:
    """The result of a search: the last accepted subnetwork, else the full model."""
    return [steps[0], *(step for step in steps if step.accepted)][-1].subnetwork


def subnetwork(seed: int, config: Config = CONFIG) -> Subnetwork:
    """Random heads and MLPs; one layer has no heads, one no MLP."""
    rng = np.random.default_rng(seed)
    heads, mlps = (rng.random(shape) < 0.6 for shape in config.shapes.values())
    heads[seed % len(heads)] = False
    mlps[(seed + 1) % len(mlps)] = False
    return Subnetwork({"heads": heads, "mlps": mlps})


def weights(seed: int, density: float) -> Subnetwork:
    """Random weights, of which the share `density` is kept."""
    rng = np.random.default_rng(seed)
    prunable = encoder().prunable()
    return Subnetwork({name: rng.random(part.shape) < density for name, part in prunable.items()})


def good_ticket(task: str, seed: int, heads: Kept, mlps: Kept) -> Ticket:
    """The s-pruned good ticket of a task and seed with these masks: heads [L, H], mlps [L]."""
    subnetwork = Subnetwork({"heads": heads, "mlps": mlps})
    return Ticket(task, seed, STRUCTURED.good, subnetwork)


def search_settings(
    controls: ControlsParameters, retrain: RetrainParameters, **changes: Any
) -> SearchSettings:
    """Settings of a search of large steps that goes on to the end, with other values of some keys of `prune`."""
    prune = PruneParameters(
        rate=0.2, threshold=0.5, floor=None, data="select", entry="fresh", curve=1
    )
    sections: dict[type[Parameters], Parameters] = {
        ImportanceParameters: ImportanceParameters(
            reduction="example", batch=8, normalise="surviving", saliency="gate", neurons=False
        ),
        MagnitudeParameters: MagnitudeParameters(
            rate=None, biases=False, until=0.8, saliency="magnitude"
        ),
    }
    return SearchSettings(msgspec.structs.replace(prune, **changes), controls, retrain, sections)


def controls(**changes: Any) -> ControlsParameters:
    """Few controls, with other values of some keys."""
    few = ControlsParameters(
        random_draws=3,
        bad_draws=2,
        matched=(0.5,),
        matched_draws=1,
        random="exact",
        bad="unsurvived",
    )
    return msgspec.structs.replace(few, **changes)
