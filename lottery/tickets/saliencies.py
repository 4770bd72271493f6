"""The saliencies by which searches rank components: one record each.

A new one is a function in `lottery/tickets/saliency/` and a record here. The report reads the records too, so a record
imports its function, and torch with it, only when it is used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lottery.errors import UserError
from lottery.tickets.saliency.short_training import STEPS
from lottery.wording import counted

if TYPE_CHECKING:
    from lottery.tickets.saliency.units import RankUnits
    from lottery.tickets.saliency.weights import Rank

S = TypeVar("S")


@dataclass(frozen=True)
class Saliency:
    """A rule that gives each component its importance.

    words: what it is, for the report. forward, backward: its passes over the data for every step of a search; the
    forward pass of s-pruning gives the score of the step too. units, weights: import the function that ranks heads and
    MLPs, and the one that ranks single weights, if there is one. steps: optimiser steps of a ranking that trains, each
    with a forward and a backward pass over a batch.
    """

    name: str
    title: str
    words: str
    forward: int
    backward: int
    units: "Callable[[], RankUnits]"
    weights: "Callable[[], Rank] | None" = None
    steps: int = 0

    @property
    def cost(self) -> str:
        """Passes over the data, forward + backward, and optimiser steps if it takes any."""
        passes = f"{self.forward} + {self.backward}"
        return f"{passes}, {counted(self.steps, 'step')}" if self.steps else passes

    @classmethod
    def summed(
        cls,
        name: str,
        title: str,
        words: str,
        forward: int,
        backward: int,
        weights: "Callable[[], Rank]",
        steps: int = 0,
    ) -> "Saliency":
        """A saliency of weights, which units add up."""

        def units() -> "RankUnits":
            from lottery.tickets.saliency.units import summed

            return summed(weights())

        return cls(name, title, words, forward, backward, units, weights, steps)


def _gate() -> "RankUnits":
    from lottery.tickets.importance import gate

    return gate


def _taylor() -> "Rank":
    from lottery.tickets.saliency.taylor import taylor

    return taylor


def _fisher() -> "Rank":
    from lottery.tickets.saliency.fisher import empirical_fisher

    return empirical_fisher


def _magnitude() -> "Rank":
    from lottery.tickets.saliency.magnitude import magnitude

    return magnitude


def _wanda() -> "Rank":
    from lottery.tickets.saliency.wanda import wanda

    return wanda


def _movement() -> "Rank":
    from lottery.tickets.saliency.movement import movement

    return movement


def _random() -> "Rank":
    from lottery.tickets.saliency.random import random

    return random


GATE = Saliency(
    name="gate",
    title="gate gradient",
    words="the expected absolute gradient of the loss at a gate (Michel et al. 2019)",
    forward=1,
    backward=1,
    units=_gate,
)
TAYLOR = Saliency.summed(
    name="taylor",
    title="Taylor",
    words="the absolute product of weight and gradient of the mean loss (Molchanov et al. 2019)",
    forward=1,
    backward=1,
    weights=_taylor,
)
FISHER = Saliency.summed(
    name="empirical-fisher",
    title="empirical Fisher",
    words="the mean over examples of the squared product of weight and gradient, the diagonal of the empirical Fisher"
    " information (Theis et al. 2018)",
    forward=1,
    backward=1,
    weights=_fisher,
)
MAGNITUDE = Saliency.summed(
    name="magnitude",
    title="magnitude",
    words="the magnitude of a weight (Han et al. 2015)",
    forward=0,
    backward=0,
    weights=_magnitude,
)
WANDA = Saliency.summed(
    name="wanda",
    title="Wanda",
    words="the magnitude of a weight times the norm of its input (Sun et al. 2024)",
    forward=1,
    backward=0,
    weights=_wanda,
)
MOVEMENT = Saliency.summed(
    name="movement",
    title="movement",
    words="minus the product of weight and gradient, summed over the steps of a short training (Sanh et al. 2020)",
    forward=0,
    backward=0,
    weights=_movement,
    steps=STEPS,
)
RANDOM = Saliency.summed(
    name="random",
    title="random",
    words="a random number for each weight",
    forward=0,
    backward=0,
    weights=_random,
)
SALIENCIES: Mapping[str, Saliency] = {
    saliency.name: saliency
    for saliency in (GATE, TAYLOR, FISHER, MAGNITUDE, WANDA, MOVEMENT, RANDOM)
}
"""All saliencies by name, in the order of tables."""
OF_WEIGHTS: "Mapping[str, Callable[[], Rank]]" = {
    name: saliency.weights for name, saliency in SALIENCIES.items() if saliency.weights
}
"""Of those that are defined for single weights, what imports their function."""


def get_saliency(key: str, name: str, choices: Mapping[str, S]) -> S:
    """The one of `choices` that a parameter names. Raises UserError if it is none of them."""
    if name not in choices:
        names = ", ".join(choices)
        raise UserError(f"parameters: {key} = {name[:80]!r}: expected one of {names}")
    return choices[name]
