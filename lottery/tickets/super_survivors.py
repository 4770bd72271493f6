"""Super-survivors: the components that survive with every seed of a task (paper, section 5), and their controls."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lottery.seeds import rng
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Key, Ticket
from lottery.tickets import controls
from lottery.tickets.neurons import of_kept_mlps
from lottery.vocabulary import Kind

Draw = Callable[[Sequence[Kept], np.random.Generator], Kept]
"""From the masks [n] of the good tickets to that of a control."""
DRAWS: dict[Kind, Draw] = {
    "super": lambda masks, _: controls.super_survivors(masks),
    "super-random": controls.super_random,
    "super-bad": controls.super_bad,
}


def super_subnetworks(good: Sequence[Ticket], keys: Iterable[Key]) -> dict[Key, Subnetwork]:
    """The super-survivors and the controls that `keys` name, from the good tickets of a task with all seeds.

    The controls are as large: `super-bad` is drawn from components that survive with no seed first, `super-random` from
    those that survive with some. Each has its own random stream, the same for all seeds.
    """
    task, shapes = good[0].task, good[0].subnetwork.shapes
    kept = {part: [ticket.subnetwork[part].ravel() for ticket in good] for part in shapes}
    subnetworks = {}
    for key in keys:
        draw, stream = DRAWS[key.kind], rng(key.kind, task, key.method, key.draw)
        parts = {part: draw(masks, stream).reshape(shapes[part]) for part, masks in kept.items()}
        subnetworks[key] = of_kept_mlps(Subnetwork(parts))
    return subnetworks
