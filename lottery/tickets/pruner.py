"""Interface of a pruning method, bound to a fine-tuned model and to the data that drive its search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import numpy as np

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.params import Parameters
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.tickets.parameters import (
    ControlsParameters,
    PruneParameters,
    RetrainParameters,
)
from lottery.tickets.search import Criterion

P = TypeVar("P", bound=Parameters)
Counts = Mapping[str, int]
"""Number of components by unit: heads and MLPs, or weights."""


@dataclass(frozen=True)
class SearchSettings:
    """Parameters of searches: the sections that all methods share, and those that a single method declares."""

    prune: PruneParameters
    controls: ControlsParameters
    retrain: RetrainParameters
    sections: Mapping[type[Parameters], Parameters]

    def of(self, kind: type[P]) -> P:
        """The section of a type that a method declares in its record."""
        return cast(P, self.sections[kind])


class Pruner(Criterion, Protocol):
    """A pruning method on one fine-tuned model: what its search needs, and the controls of its good ticket.

    A new method implements this, and gets a record in `lottery.tickets.methods`.
    """

    @classmethod
    def bind(
        cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings
    ) -> "Pruner":
        """Bind the method to `encoder`, whose weights the search may change, and to the examples that drive it."""
        ...

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        """For verification: the components that one step of `phase` prunes if `kept` of `total` are left."""
        ...

    def random(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A random control of the good ticket."""
        ...

    def bad(
        self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """The bad control of the good ticket: components that did not survive first, or the smallest weights."""
        ...

    def violation(self, good: Subnetwork) -> str | None:
        """For verification: how a good ticket contradicts the method, judged by weights alone; None if it does not."""
        ...
