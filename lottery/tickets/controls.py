"""Controls of a good ticket: random and bad subnetworks of its size (paper, section 4).

A mask [n] marks the components that survive in one group, which has n components, G of them in the good ticket. A
tier is a mask of components that are equally preferred.
"""

from collections.abc import Callable, Sequence

import numpy as np

from lottery.subnetwork import Kept, Subnetwork

Draw = Callable[[Kept], Kept]
"""From the mask [n] of a good ticket to that of its control."""


def by_part(good: Subnetwork, draw: Draw) -> Subnetwork:
    """A control with every part drawn separately: heads for heads, MLPs for MLPs."""
    return Subnetwork({part: draw(kept.ravel()).reshape(kept.shape) for part, kept in good.items()})


def pooled(good: Subnetwork, draw: Draw) -> Subnetwork:
    """A control drawn from all parts as one group: weights, whichever matrix they are in."""
    return Subnetwork.unflatten(good.shapes, draw(good.flat))


def exact(kept: Kept, rng: np.random.Generator) -> Kept:
    """A random mask of the size of `kept`."""
    return fill(int(kept.sum()), [np.ones_like(kept)], rng)


def bernoulli(kept: Kept, rng: np.random.Generator) -> Kept:
    """A random mask with the size of `kept` on average: each component survives with probability G / n."""
    mask: Kept = rng.random(kept.size) < kept.mean()
    return mask


def unsurvived(kept: Kept, rng: np.random.Generator) -> Kept:
    """A mask of the size of `kept`, of pruned components first.

    Only n - G components were pruned. If more than half survive, these are too few for G, and the mask has to share
    the remaining 2G - n with `kept`; otherwise it shares none.
    """
    return fill(int(kept.sum()), [~kept, kept], rng)


def super_survivors(masks: Sequence[Kept]) -> Kept:
    """The components that survive with every seed."""
    return np.asarray(np.logical_and.reduce(masks), bool)


def super_bad(masks: Sequence[Kept], rng: np.random.Generator) -> Kept:
    """As many components as super-survivors: first those that survive with no seed, then with some, then with all."""
    always, sometimes, never = _by_survival(masks)
    return fill(int(always.sum()), [never, sometimes, always], rng)


def super_random(masks: Sequence[Kept], rng: np.random.Generator) -> Kept:
    """As many components as super-survivors, first those that survive with some seeds but not all."""
    always, sometimes, _ = _by_survival(masks)
    return fill(int(always.sum()), [sometimes, ~sometimes], rng)


def _by_survival(masks: Sequence[Kept]) -> tuple[Kept, Kept, Kept]:
    """Masks [n] of the components that survive with every seed, with some but not all, and with none."""
    always, never = super_survivors(masks), ~np.logical_or.reduce(masks)
    return always, ~always & ~never, never


def fill(size: int, tiers: Sequence[Kept], rng: np.random.Generator) -> Kept:
    """A mask of exactly `size` components: whole tiers [n] in order, and a random sample of the last one needed.

    Tiers are disjoint. Raises ValueError if they have fewer than `size` components in total.
    """
    mask = np.zeros_like(tiers[0])
    missing = size
    for tier in tiers:
        available = int(tier.sum())
        drawn = min(missing, available)
        mask[tier] = sample(available, drawn, rng)
        missing -= drawn
    if missing:
        raise ValueError(f"the tiers hold {missing} components too few")
    return mask


def sample(size: int, count: int, rng: np.random.Generator) -> Kept:
    """A random mask [size] of exactly `count` components, all such masks equally likely.

    Components are chosen independently, and chance then adds those that are missing or removes those too many: of
    millions of weights, only some thousand have to be drawn one by one.
    """
    chosen: Kept = rng.random(size, dtype=np.float32) < count / max(1, size)
    excess = int(chosen.sum()) - count
    candidates = np.flatnonzero(chosen if excess > 0 else ~chosen)
    chosen[rng.choice(candidates, abs(excess), replace=False)] = excess < 0
    return chosen
