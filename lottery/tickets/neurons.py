"""Single neurons as units beside whole heads and MLPs: a subnetwork keeps them only in MLPs that it keeps.

All functions but `with_neurons` return subnetworks without the part `neurons` as they are.
"""

from collections.abc import Sequence

import numpy as np

from lottery.subnetwork import Kept, Subnetwork
from lottery.tickets.controls import fill

NEURONS = "neurons"


def of_kept_mlps(subnetwork: Subnetwork) -> Subnetwork:
    """The subnetwork without the neurons of MLPs that it does not keep."""
    if NEURONS not in subnetwork:
        return subnetwork
    return subnetwork.replace(neurons=subnetwork[NEURONS] & subnetwork["mlps"][:, None])


def without(subnetwork: Subnetwork) -> Subnetwork:
    """The heads and MLPs alone."""
    return Subnetwork({part: kept for part, kept in subnetwork.items() if part != NEURONS})


def random(good: Subnetwork, control: Subnetwork, rng: np.random.Generator) -> Subnetwork:
    """`control`, with as many neurons of its own MLPs as the good ticket has."""
    if NEURONS not in good:
        return control
    return with_neurons(control, good, [np.ones_like(good[NEURONS])], rng)


def bad(good: Subnetwork, control: Subnetwork, rng: np.random.Generator) -> Subnetwork:
    """`control`, with as many neurons of its own MLPs as the good ticket has, those that did not survive first."""
    if NEURONS not in good:
        return control
    return with_neurons(control, good, [~good[NEURONS], good[NEURONS]], rng)


def with_neurons(
    control: Subnetwork, good: Subnetwork, tiers: Sequence[Kept], rng: np.random.Generator
) -> Subnetwork:
    """`control`, with as many neurons of its own MLPs as the good ticket has, or all if they have fewer.

    tiers: masks [layers, width], those to keep first first.
    """
    available: Kept = np.broadcast_to(control["mlps"][:, None], good[NEURONS].shape)
    size = min(int(good[NEURONS].sum()), int(available.sum()))
    drawn = fill(size, [(available & tier).ravel() for tier in tiers], rng)
    return Subnetwork({**control, NEURONS: drawn.reshape(available.shape)})
