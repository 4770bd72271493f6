"""Five patterns of attention (Kovaleva et al. 2019, arXiv 1908.08593): drawn from their definitions, told by rule.

vertical: every token attends to the same few, mostly [CLS] and [SEP]; diagonal: to itself or a neighbour; mixed
(vertical + diagonal): to both; block: to its own of two segments; heterogeneous: none of these, so the only
one that may depend on what the words mean. A map is [N, N], row i the attention of token i.
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
    """maps: drawn of each pattern, to learn to tell them apart; labelled: a folder of maps to learn from in their
    place; epochs: passes over them; examples: of dev, whose maps are told apart."""

    labelled: Annotated[str, Meta(min_length=1)] | None
    maps: Annotated[int, Meta(ge=10, le=10**6)]
    epochs: Annotated[int, Meta(ge=1, le=1000)]
    examples: Annotated[int, Meta(ge=1, le=10**6)]


class PatternAccuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the held-out maps of a pattern each classifier takes for which."""

    pattern: str
    told: str
    recogniser: int
    rule: int


# Shares of the attention that go into each ingredient, (least, most), before they are scaled to sum to 1.
RECIPES = {
    "heterogeneous": {"content": (0.75, 1.0), "stripes": (0.0, 0.15), "band": (0.0, 0.15)},
    "block": {"segments": (0.7, 1.0), "stripes": (0.0, 0.12), "band": (0.0, 0.12)},
    "diagonal": {"band": (0.5, 0.95), "content": (0.1, 0.4), "stripes": (0.0, 0.08)},
    "vertical": {"stripes": (0.5, 0.95), "content": (0.1, 0.4), "band": (0.0, 0.08)},
    "mixed": {"stripes": (0.3, 0.6), "band": (0.3, 0.6), "content": (0.0, 0.3)},
}


def draw(pattern: str, chance: np.random.Generator) -> Map:
    """A map of the pattern: 8 to 64 tokens, a random recipe, noise; half of them normed, with uneven columns."""
    size = int(chance.integers(8, 65))
    shares = {name: chance.uniform(*span) for name, span in RECIPES[pattern].items()}
    mixed = sum(share * INGREDIENTS[name](size, chance) for name, share in shares.items())
    drawn: Map = mixed * np.exp(chance.normal(0, chance.uniform(0, 0.4), (size, size)))
    drawn /= drawn.sum(axis=1, keepdims=True)
    if chance.random() < 0.5:
        drawn *= np.exp(chance.normal(0, 0.3, size))
    return drawn


def _content(size: int, chance: np.random.Generator) -> Map:
    """Queries that meet keys: low rank, of any sharpness, with no key that everyone prefers."""
    rank = int(chance.integers(2, 9))
    logits = chance.normal(size=(size, rank)) @ chance.normal(size=(rank, size)) / rank**0.5
    logits -= logits.mean(axis=0)
    return _rows(np.exp(chance.uniform(0.3, 2.5) * logits))


def _stripes(size: int, chance: np.random.Generator) -> Map:
    """One to three columns; the first and the last, where [CLS] and [SEP] are, are likelier than others."""
    likely = np.ones(size)
    likely[[0, -1]] = size / 2
    count = int(chance.integers(1, 4))
    columns = np.zeros(size)
    places = chance.choice(size, count, replace=False, p=likely / likely.sum())
    columns[places] = chance.uniform(0.3, 1, count)
    uneven = np.exp(chance.normal(0, 0.3, (size, size)))
    return _rows(columns * uneven)


def _band(size: int, chance: np.random.Generator) -> Map:
    """One to three neighbouring offsets from the diagonal, up to two tokens away."""
    distance = np.arange(size)[None, :] - np.arange(size)[:, None]
    width, offset = int(chance.integers(1, 4)), int(chance.integers(-1, 2))
    near = np.isin(distance, np.arange(width) - width // 2 + offset)
    return _rows(near * chance.uniform(0.3, 1, (size, size)) + 1e-9)


def _segments(size: int, chance: np.random.Generator) -> Map:
    """Two segments, the shorter at least a quarter, each attending to itself."""
    second = np.arange(size) >= chance.uniform(0.25, 0.75) * size
    own = second[:, None] == second[None, :]
    return _rows(own * np.exp(chance.normal(0, 0.3, (size, size))))


INGREDIENTS = {"content": _content, "stripes": _stripes, "band": _band, "segments": _segments}


def _rows(weights: Map) -> Map:
    scaled: Map = weights / weights.sum(axis=1, keepdims=True)
    return scaled


STRONG, WEAK, BLOCKED = 0.36, 0.2, 0.45
"""Excess over even attention, 0 none and 1 all, from which a pattern is there: alone, beside another, of blocks."""


def by_rule(maps_HNN: Map) -> NDArray[np.int64]:
    """The pattern [H] of each map, as its place in PATTERNS, told by how much attention is where.

    Band: within one token. Stripes: in the two columns that get most outside the band. Blocks: within two
    segments, cut where it is most. Each as its share of the attention in excess of an even map's.
    """
    share_HNN = maps_HNN / maps_HNN.sum(axis=(1, 2), keepdims=True)
    band, stripes, blocks = (
        _excess(*found) for found in (_banded(share_HNN), _striped(share_HNN), _blocked(share_HNN))
    )
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
    near: NDArray[np.bool_] = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]) <= 1
    return near


def _banded(share_HNN: Map) -> tuple[Map, float]:
    """The attention within one token of the diagonal, and that of an even map."""
    near = _near(share_HNN.shape[-1])
    return share_HNN[:, near].sum(axis=1), min(float(near.mean()), 0.99)


def _striped(share_HNN: Map) -> tuple[Map, float]:
    """The attention in the two columns that get most from tokens further away, and that of an even map."""
    size = share_HNN.shape[-1]
    column_HN = np.where(_near(size), 0, share_HNN).sum(axis=1)
    return np.sort(column_HN, axis=1)[:, -2:].sum(axis=1), min(2 / size, 0.5)


def _blocked(share_HNN: Map) -> tuple[Map, Map]:
    """The attention within two segments, cut where it exceeds an even map's most, and that of an even map."""
    size = share_HNN.shape[-1]
    cuts = np.arange(max(1, size // 5), max(2, size - size // 5))
    before_HNN = share_HNN.cumsum(axis=1).cumsum(axis=2)
    corner_HC = before_HNN[:, cuts - 1, cuts - 1]
    edges_HC = before_HNN[:, cuts - 1, -1] + before_HNN[:, -1, cuts - 1]
    within_HC = 1 + 2 * corner_HC - edges_HC
    even_C = (cuts**2 + (size - cuts) ** 2) / size**2
    best_H = _excess(within_HC, even_C).argmax(axis=1)
    return within_HC[np.arange(len(best_H)), best_H], even_C[best_H]


def _excess(share: Map, even: Map | float) -> Map:
    found: Map = (share - even) / (1 - even)
    return found
