"""The interface of a pruning method, bound to a fine-tuned model and to the data that drive its search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import numpy as np

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.params import Parameters
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.tickets.parameters import ControlsParameters, PruneParameters
from lottery.tickets.search import Criterion

P = TypeVar("P", bound=Parameters)
Counts = Mapping[str, int]
"""Components by unit: heads and MLPs, or weights."""


@dataclass(frozen=True)
class SearchSettings:
    """The parameters of searches: those of all methods, and the sections that single methods read."""

    prune: PruneParameters
    controls: ControlsParameters
    sections: Mapping[type[Parameters], Parameters]

    def of(self, kind: type[P]) -> P:
        """A section that a method declares in its record."""
        return cast(P, self.sections[kind])


class Pruner(Criterion, Protocol):
    """A pruning method at work on one fine-tuned model: its search, and the controls of what survives.

    A new method implements this and has a record in `lottery.tickets.methods`.
    """

    @classmethod
    def bind(
        cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings
    ) -> "Pruner":
        """The method on `encoder`, which its search may use up, with `examples` to score candidates."""
        ...

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        """How many components one step of `phase` removes, where `kept` of `total` are left."""
        ...

    def random(
        self, good: Subnetwork, controls: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """A random control of the good ticket."""
        ...

    def bad(
        self, good: Subnetwork, controls: ControlsParameters, rng: np.random.Generator
    ) -> Subnetwork:
        """The bad control of the good ticket: what did not survive."""
        ...

    def sparsity(self, subnetwork: Subnetwork) -> float:
        """Share of all prunable encoder weights that the subnetwork removes, in [0, 1]."""
        ...

    def violation(self, good: Subnetwork) -> str | None:
        """What is wrong with a good ticket of this method, as far as the weights show it; None if nothing is."""
        ...
