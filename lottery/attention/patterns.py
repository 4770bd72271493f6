"""Five attention patterns (Kovaleva et al. 2019, arXiv 1908.08593): maps drawn from their definitions, and a rule.

vertical: every token attends to the same few tokens, mostly [CLS] and [SEP]; diagonal: to itself or a
neighbour; mixed (vertical + diagonal): to both; block: to the tokens of its own segment, of two; heterogeneous:
none of these, the only pattern that may depend on what the words mean.

Suffixes: N tokens of a sentence, H heads, C places to cut a sentence in two. A map is [N, N], row i the
attention of token i.
"""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from lottery.params import Parameters

Map = NDArray[np.float64]

PATTERNS = ("heterogeneous", "block", "diagonal", "vertical", "mixed")


class AttentionParameters(Parameters, frozen=True):
    """The classifier of attention maps, and the maps that it classifies.

    labelled: a folder of labelled maps to train the classifier on, or null to draw them; maps: maps drawn of each
    pattern; epochs: passes over the maps; examples: sentences of dev whose maps are classified.
    """

    labelled: Annotated[str, Meta(min_length=1)] | None
    maps: Annotated[int, Meta(ge=10, le=10**6)]
    epochs: Annotated[int, Meta(ge=1, le=1000)]
    examples: Annotated[int, Meta(ge=1, le=10**6)]


class PatternAccuracy(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the confusion matrices: how many held-out maps of `pattern` are classified as `told`.

    recogniser: by the trained classifier; rule: by the rule.
    """

    pattern: str
    told: str
    recogniser: int
    rule: int


# Range of each component's share of the attention, before the shares are scaled to sum to 1.
SHARES = {
    "heterogeneous": {"content": (0.75, 1.0), "stripes": (0.0, 0.15), "band": (0.0, 0.15)},
    "block": {"segments": (0.7, 1.0), "stripes": (0.0, 0.12), "band": (0.0, 0.12)},
    "diagonal": {"band": (0.5, 0.95), "content": (0.1, 0.4), "stripes": (0.0, 0.08)},
    "vertical": {"stripes": (0.5, 0.95), "content": (0.1, 0.4), "band": (0.0, 0.08)},
    "mixed": {"stripes": (0.3, 0.6), "band": (0.3, 0.6), "content": (0.0, 0.3)},
}


def draw(pattern: str, rng: np.random.Generator) -> Map:
    """A random map of the pattern, of 8 to 64 tokens, with noise; half of them are scaled column by column.

    Normed maps differ from raw ones by such a factor per column, the norm of the transformed value vector.
    """
    size = int(rng.integers(8, 65))
    shares = {name: rng.uniform(*limits) for name, limits in SHARES[pattern].items()}
    mixture = sum(share * COMPONENTS[name](size, rng) for name, share in shares.items())
    map_NN: Map = mixture * np.exp(rng.normal(0, rng.uniform(0, 0.4), (size, size)))
    map_NN /= map_NN.sum(axis=1, keepdims=True)
    if rng.random() < 0.5:
        map_NN *= np.exp(rng.normal(0, 0.3, size))
    return map_NN


def _content(size: int, rng: np.random.Generator) -> Map:
    """Softmax of low-rank logits, from flat to sharp; no key is preferred by all queries."""
    rank = int(rng.integers(2, 9))
    logits = rng.normal(size=(size, rank)) @ rng.normal(size=(rank, size)) / rank**0.5
    logits -= logits.mean(axis=0)
    return _normalised(np.exp(rng.uniform(0.3, 2.5) * logits))


def _stripes(size: int, rng: np.random.Generator) -> Map:
    """One to three columns; the first and the last, where [CLS] and [SEP] are, are the most likely."""
    likelihood = np.ones(size)
    likelihood[[0, -1]] = size / 2
    count = int(rng.integers(1, 4))
    columns = np.zeros(size)
    places = rng.choice(size, count, replace=False, p=likelihood / likelihood.sum())
    columns[places] = rng.uniform(0.3, 1, count)
    noise = np.exp(rng.normal(0, 0.3, (size, size)))
    return _normalised(columns * noise)


def _band(size: int, rng: np.random.Generator) -> Map:
    """One to three adjacent diagonals, at most two tokens from the main one."""
    distance = np.arange(size)[None, :] - np.arange(size)[:, None]
    width, offset = int(rng.integers(1, 4)), int(rng.integers(-1, 2))
    band = np.isin(distance, np.arange(width) - width // 2 + offset)
    return _normalised(band * rng.uniform(0.3, 1, (size, size)) + 1e-9)


def _segments(size: int, rng: np.random.Generator) -> Map:
    """Two segments, the shorter at least a quarter of the tokens, each attending to itself."""
    second = np.arange(size) >= rng.uniform(0.25, 0.75) * size
    same = second[:, None] == second[None, :]
    return _normalised(same * np.exp(rng.normal(0, 0.3, (size, size))))


COMPONENTS = {"content": _content, "stripes": _stripes, "band": _band, "segments": _segments}


def _normalised(weights: Map) -> Map:
    """Rows scaled to sum to 1."""
    scaled: Map = weights / weights.sum(axis=1, keepdims=True)
    return scaled


STRONG, WEAK, BLOCKED = 0.36, 0.2, 0.45
"""Thresholds on the excess over uniform attention: of a band or stripes alone, of both together, of blocks."""


def classify_by_rule(maps_HNN: Map) -> NDArray[np.int64]:
    """The pattern [H] of each map, as an index into PATTERNS, from where its attention lies.

    Band: within one token of the diagonal. Stripes: in the two columns with the most attention outside the
    band. Blocks: within two segments, cut where that is most. Each is measured as the excess over the same
    share of a uniform map, from 0 (none) to 1 (all attention).
    """
    share_HNN = maps_HNN / maps_HNN.sum(axis=(1, 2), keepdims=True)
    band = _excess(*_band_share(share_HNN))
    stripes = _excess(*_stripes_share(share_HNN))
    blocks = _excess(*_blocks_share(share_HNN))
    return np.select(
        [
            (band > WEAK) & (stripes > WEAK) & (band + stripes > STRONG),
            (band > STRONG) & (band >= stripes),
            stripes > STRONG,
            blocks > BLOCKED,
        ],
        [PATTERNS.index(name) for name in ("mixed", "diagonal", "vertical", "block")],
        PATTERNS.index("heterogeneous"),
    )


def _near(size: int) -> NDArray[np.bool_]:
    """Mask [N, N] of the pairs of tokens that are at most one apart."""
    near: NDArray[np.bool_] = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]) <= 1
    return near


def _band_share(share_HNN: Map) -> tuple[Map, float]:
    """Share of attention within one token of the diagonal, and that of a uniform map."""
    near = _near(share_HNN.shape[-1])
    return share_HNN[:, near].sum(axis=1), min(float(near.mean()), 0.99)


def _stripes_share(share_HNN: Map) -> tuple[Map, float]:
    """Share of attention in the two columns with the most from tokens outside the band, and that of a uniform map."""
    size = share_HNN.shape[-1]
    column_HN = np.where(_near(size), 0, share_HNN).sum(axis=1)
    return np.sort(column_HN, axis=1)[:, -2:].sum(axis=1), min(2 / size, 0.5)


def _blocks_share(share_HNN: Map) -> tuple[Map, Map]:
    """Share of attention within two segments, cut where its excess is highest, and that of a uniform map."""
    size = share_HNN.shape[-1]
    cuts_C = np.arange(max(1, size // 5), max(2, size - size // 5))
    # With cumulative sums every cut costs two look-ups: within both = all - (first to any + any to first) + 2 * first.
    cumulative_HNN = share_HNN.cumsum(axis=1).cumsum(axis=2)
    first_HC = cumulative_HNN[:, cuts_C - 1, cuts_C - 1]
    edges_HC = cumulative_HNN[:, cuts_C - 1, -1] + cumulative_HNN[:, -1, cuts_C - 1]
    within_HC = 1 + 2 * first_HC - edges_HC
    uniform_C = (cuts_C**2 + (size - cuts_C) ** 2) / size**2
    best_H = _excess(within_HC, uniform_C).argmax(axis=1)
    return within_HC[np.arange(len(best_H)), best_H], uniform_C[best_H]


def _excess(share: Map, uniform: Map | float) -> Map:
    """Share of attention in excess of that of a uniform map: 0 if equal, 1 if it is all."""
    excess: Map = (share - uniform) / (1 - uniform)
    return excess
