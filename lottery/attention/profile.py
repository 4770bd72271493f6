"""What the heads of an encoder do with real sentences: the patterns they show, and their descriptors.

Suffixes: B examples of a batch, N tokens of a sentence, H heads of a layer, X side of a picture.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lottery.attention.classifier import SIDE, classify, picture_HXX
from lottery.attention.descriptors import HeadProfile, State, descriptors
from lottery.attention.maps import Map, maps
from lottery.attention.patterns import PATTERNS, by_rule
from lottery.data.examples import Batch, Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import packed_batches

Numbers = dict[str, NDArray[np.float64]]


def observe(
    encoder: Encoder,
    examples: Examples,
    recogniser: nn.Sequential,
    owner: tuple[str, int | None, State],
) -> Iterator[HeadProfile]:
    """A record of each head and map of the encoder that `owner` (task, seed, state) names."""
    totals: dict[tuple[int, Map], Numbers] = {}
    for batch, tokens in packed_batches(examples, encoder.device):
        for layer in maps(encoder, tokens):
            for at, separator_N in enumerate(_separators(batch)):
                for name, map_HNN in layer.of(at, len(separator_N)).items():
                    seen = _numbers(map_HNN.cpu(), separator_N, recogniser)
                    so_far = totals.get((layer.layer, name), dict.fromkeys(seen, 0.0))
                    totals[layer.layer, name] = {key: so_far[key] + seen[key] for key in seen}
    heads = [layer.attention.heads for layer in encoder.typed_layers]
    task, seed, state = owner
    for (place, name), sums in totals.items():
        for at, head in enumerate(heads[place]):
            means = {key: float(values[at]) / len(examples) for key, values in sums.items()}
            yield HeadProfile(
                task=task, seed=seed, state=state, weighting=name, layer=place, index=head,
                examples=len(examples), **means,
            )  # fmt: skip


def pictures(encoder: Encoder, example: Examples, name: Map) -> NDArray[np.uint8]:
    """One example's maps as pictures [L, H, X, X], 255 where a map is highest; all 0 where a head is gone."""
    shown_LHXX = np.zeros((*encoder.config.shapes["heads"], SIDE, SIDE), np.uint8)
    for batch, tokens in packed_batches(example, encoder.device):
        for layer in maps(encoder, tokens):
            seen_HXX = picture_HXX(layer.of(0, int(batch.lengths_B[0]))[name])
            shown_LHXX[layer.layer, list(layer.heads)] = (255 * seen_HXX).byte().cpu().numpy()
    return shown_LHXX


def sample(examples: Examples, count: int, chance: np.random.Generator) -> Examples:
    """At most `count` of the examples, in their order."""
    rows = chance.choice(len(examples), min(count, len(examples)), replace=False)
    return examples.take(np.sort(rows))


def typical(examples: Examples) -> Examples:
    """The one example of middle length."""
    order = np.argsort(examples.lengths_N, kind="stable")
    return examples.take(order[len(order) // 2 :][:1])


def _separators(batch: Batch) -> Iterator[NDArray[np.bool_]]:
    """Which tokens [N] of each example are what it ends with, [SEP]."""
    for ids_N in np.split(batch.ids_T, np.cumsum(batch.lengths_B)[:-1]):
        yield ids_N == ids_N[-1]


def _numbers(map_HNN: Tensor, separator_N: NDArray[np.bool_], recogniser: nn.Sequential) -> Numbers:
    """The numbers [H] of a record, of one sentence's maps."""
    exact_HNN = map_HNN.double().numpy()
    seen_H, ruled_H = classify(recogniser, picture_HXX(map_HNN)), by_rule(exact_HNN)
    shares = {name: (seen_H == at).astype(np.float64) for at, name in enumerate(PATTERNS)}
    return shares | {
        "rule": (ruled_H == PATTERNS.index("heterogeneous")).astype(np.float64),
        "agreement": (seen_H == ruled_H).astype(np.float64),
        **descriptors(exact_HNN, separator_N),
    }
