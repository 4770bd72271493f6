"""Single neurons as units beside whole heads and MLPs: a subnetwork keeps them only in MLPs that it keeps.

All functions return subnetworks without the part `neurons` as they are.
"""

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
    return _filled(good, control, rng, unsurvived_first=False)


def bad(good: Subnetwork, control: Subnetwork, rng: np.random.Generator) -> Subnetwork:
    """`control`, with as many neurons of its own MLPs as the good ticket has, those that did not survive first."""
    return _filled(good, control, rng, unsurvived_first=True)


def _filled(
    good: Subnetwork, control: Subnetwork, rng: np.random.Generator, *, unsurvived_first: bool
) -> Subnetwork:
    if NEURONS not in good:
        return control
    survived = good[NEURONS]
    available: Kept = np.broadcast_to(control["mlps"][:, None], survived.shape)
    tiers = [available & ~survived, available & survived] if unsurvived_first else [available]
    size = min(int(survived.sum()), int(available.sum()))
    drawn = fill(size, [tier.ravel() for tier in tiers], rng)
    return Subnetwork({**control, NEURONS: drawn.reshape(survived.shape)})
