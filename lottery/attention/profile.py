"""Attention profiles of the heads of an encoder: patterns and descriptors of their maps of real sentences.

Suffixes: B examples of a batch, N tokens of a sentence, L layers, H heads of a layer, X side of a picture.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lottery.attention.classifier import SIDE, classify, to_pictures
from lottery.attention.descriptors import HeadProfile, State, Weighting, descriptors
from lottery.attention.maps import maps
from lottery.attention.patterns import PATTERNS, classify_by_rule
from lottery.data.examples import Batch, Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import packed_batches

Statistics = dict[str, NDArray[np.float64]]
"""Name of a field of `HeadProfile` -> its values [H] for the heads of a layer."""


def observe(
    encoder: Encoder,
    examples: Examples,
    classifier: nn.Sequential,
    identity: tuple[str, int | None, State],
) -> Iterator[HeadProfile]:
    """Profile every head of the encoder, raw and normed; `identity` is its task, seed and state."""
    sums: dict[tuple[int, Weighting], Statistics] = {}
    for batch, tokens in packed_batches(examples, encoder.device):
        for layer in maps(encoder, tokens):
            for index, separator_N in enumerate(_separators(batch)):
                for weighting, map_HNN in layer.of_sentence(index, len(separator_N)).items():
                    statistics = _statistics(map_HNN.cpu(), separator_N, classifier)
                    total = sums.get((layer.layer, weighting), dict.fromkeys(statistics, 0.0))
                    sums[layer.layer, weighting] = {
                        name: total[name] + statistics[name] for name in statistics
                    }
    heads = [layer.attention.heads for layer in encoder.typed_layers]
    task, seed, state = identity
    for (layer_index, weighting), total in sums.items():
        for row, head in enumerate(heads[layer_index]):
            means = {name: float(values[row]) / len(examples) for name, values in total.items()}
            yield HeadProfile(
                task=task, seed=seed, state=state, weighting=weighting, layer=layer_index, index=head,
                examples=len(examples), **means,
            )  # fmt: skip


def pictures(encoder: Encoder, example: Examples, weighting: Weighting) -> NDArray[np.uint8]:
    """Maps of one example as pictures [L, H, X, X], 255 at a map's maximum; all 0 for removed heads."""
    picture_LHXX = np.zeros((*encoder.config.shapes["heads"], SIDE, SIDE), np.uint8)
    for batch, tokens in packed_batches(example, encoder.device):
        for layer in maps(encoder, tokens):
            map_HNN = layer.of_sentence(0, int(batch.lengths_B[0]))[weighting]
            picture_HXX = (255 * to_pictures(map_HNN)).byte().cpu().numpy()
            picture_LHXX[layer.layer, list(layer.heads)] = picture_HXX
    return picture_LHXX


def sample(examples: Examples, count: int, rng: np.random.Generator) -> Examples:
    """At most `count` random examples, in their order."""
    rows = rng.choice(len(examples), min(count, len(examples)), replace=False)
    return examples.take(np.sort(rows))


def typical(examples: Examples) -> Examples:
    """The one example of median length."""
    order = np.argsort(examples.lengths_N, kind="stable")
    return examples.take(order[len(order) // 2 :][:1])


def _separators(batch: Batch) -> Iterator[NDArray[np.bool_]]:
    """Mask [N] of each example's [SEP] tokens; [SEP] is the token that ends it."""
    for ids_N in np.split(batch.ids_T, np.cumsum(batch.lengths_B)[:-1]):
        yield ids_N == ids_N[-1]


def _statistics(
    map_HNN: Tensor, separator_N: NDArray[np.bool_], classifier: nn.Sequential
) -> Statistics:
    """The fields of a profile for the maps of one sentence."""
    float64_HNN = map_HNN.double().numpy()
    by_network_H = classify(classifier, to_pictures(map_HNN))
    by_rule_H = classify_by_rule(float64_HNN)
    shares = {
        name: (by_network_H == index).astype(np.float64) for index, name in enumerate(PATTERNS)
    }
    return shares | {
        "rule": (by_rule_H == PATTERNS.index("heterogeneous")).astype(np.float64),
        "agreement": (by_network_H == by_rule_H).astype(np.float64),
        **descriptors(float64_HNN, separator_N),
    }
