"""Contrast subnetworks: what a good one is held against (paper, section 4)."""

from collections.abc import Callable, Sequence

import numpy as np

from lottery.subnetwork import Kept, Subnetwork

Draw = Callable[[Kept], Kept]
"""From the survivors of one group of components [n] to those of its contrast [n]."""


def by_part(good: Subnetwork, draw: Draw) -> Subnetwork:
    """The contrast of each part on its own: heads for heads, MLPs for MLPs."""
    return Subnetwork({part: draw(kept.ravel()).reshape(kept.shape) for part, kept in good.items()})


def pooled(good: Subnetwork, draw: Draw) -> Subnetwork:
    """The contrast of all parts as one group: weights, wherever they lie."""
    return Subnetwork.unflatten(good.shapes, draw(good.flat))


def exact(kept: Kept, rng: np.random.Generator) -> Kept:
    """As many survivors as `kept`, uniformly."""
    return fill(int(kept.sum()), [np.ones_like(kept)], rng)


def bernoulli(kept: Kept, rng: np.random.Generator) -> Kept:
    """Each component with probability G/n: the size of `kept` in expectation."""
    kept_by_chance: Kept = rng.random(kept.size) < kept.mean()
    return kept_by_chance


def unsurviving(kept: Kept, rng: np.random.Generator) -> Kept:
    """As many survivors as `kept`, from what was pruned first: they share max(0, 2G - n)."""
    return fill(int(kept.sum()), [~kept, kept], rng)


def super_survivors(seeds: Sequence[Kept]) -> Kept:
    """What survives with every seed."""
    return np.asarray(np.logical_and.reduce(seeds), bool)


def super_bad(seeds: Sequence[Kept], rng: np.random.Generator) -> Kept:
    """As many as the super-survivors: what no seed keeps first, then what only some keep."""
    always, never = super_survivors(seeds), ~np.logical_or.reduce(seeds)
    return fill(int(always.sum()), [never, ~never & ~always, always], rng)


def super_random(seeds: Sequence[Kept], rng: np.random.Generator) -> Kept:
    """As many as the super-survivors, from what only some seeds keep first."""
    always, never = super_survivors(seeds), ~np.logical_or.reduce(seeds)
    middle = ~never & ~always
    return fill(int(always.sum()), [middle, ~middle], rng)


def fill(size: int, tiers: Sequence[Kept], rng: np.random.Generator) -> Kept:
    """Exactly `size` components: whole tiers [n] in turn, a uniform sample of the one that overflows.

    Tiers are disjoint; ValueError where together they hold too few.
    """
    chosen = np.zeros_like(tiers[0])
    for tier in tiers:
        available = int(tier.sum())
        lots = np.arange(available) < size
        if size < available:
            rng.shuffle(lots)
        chosen[tier] = lots
        size -= int(lots.sum())
    if size:
        raise ValueError(f"the tiers hold {size} components too few")
    return chosen
