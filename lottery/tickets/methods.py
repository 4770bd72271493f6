"""The pruning methods: one record each.

Code that needs "every method" iterates over METHODS; a new method is a module with a Pruner, and a record here.
Tables and the report read the records too, so a record imports its Pruner, and torch with it, only when it is used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lottery.params import Parameters
from lottery.subnetwork import Subnetwork
from lottery.ticket import Key, Ticket
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    RetrainParameters,
)
from lottery.vocabulary import WHOLE, Kind

if TYPE_CHECKING:
    from lottery.tickets.pruner import Pruner

BESIDE_GOOD: tuple[Kind, ...] = ("random", "bad")
HEADS_AND_MLPS, WEIGHTS = ("heads", "mlps"), ("weights",)


@dataclass(frozen=True)
class Method:
    """A pruning method, as all code but its search needs to know it.

    title: its name in the report. units: what it removes, HEADS_AND_MLPS (whole heads and MLPs) or WEIGHTS (single
    weights, counted together). pruner: imports the class that searches. parameters: sections of params.yaml that only
    this method reads. super_survivors: whether the components that survive with every seed are scored as tickets too.
    has_pretrained: whether the largest weights of the pre-trained encoder, as many, are a ticket too.
    """

    name: str
    title: str
    units: tuple[str, ...]
    pruner: Callable[[], "type[Pruner]"]
    parameters: tuple[type[Parameters], ...] = ()
    super_survivors: bool = False
    has_pretrained: bool = False

    @property
    def prunes_weights(self) -> bool:
        """True if it removes single weights, rather than whole heads and MLPs."""
        return self.units == WEIGHTS

    def by_unit(self, subnetwork: Subnetwork) -> Mapping[str, Subnetwork]:
        """The subnetwork by unit: its heads, its MLPs and perhaps their neurons, or all its weights together."""
        if self.prunes_weights:
            return {"weights": subnetwork}
        return {unit: subnetwork.part(unit) for unit in subnetwork}

    @property
    def good(self) -> Key:
        """Key of the good ticket of a task and seed."""
        return Key(self.name, "good")

    def stored(self, controls: ControlsParameters, retrain: RetrainParameters) -> list[Key]:
        """Keys of a cell's tickets that are files: good ones, the controls that are retrained, pre-trained ones."""
        pretrained: list[Kind] = ["pretrained"] if self.has_pretrained else []
        return [
            self.good,
            *(Key(self.name, "random", draw) for draw in range(retrain.draws)),
            *(Key(self.name, "bad", draw) for draw in range(retrain.draws)),
            *(
                Key(self.name, kind, matched=sparsity)
                for sparsity in controls.matched
                for kind in ("good", *pretrained)
            ),
        ]

    def drawn(self, controls: ControlsParameters, retrain: RetrainParameters) -> list[Key]:
        """Keys of the controls that are scored as pruned only, and drawn where they are scored."""
        random, bad = (
            range(retrain.draws, draws) for draws in (controls.random_draws, controls.bad_draws)
        )
        return [
            *(Key(self.name, "random", draw) for draw in random),
            *(Key(self.name, "bad", draw) for draw in bad),
            *(
                Key(self.name, kind, draw, sparsity)
                for sparsity in controls.matched
                for kind in BESIDE_GOOD
                for draw in range(controls.matched_draws)
            ),
        ]

    def super_keys(self, controls: ControlsParameters) -> list[Key]:
        """Keys of the super-survivors of a task and of their controls, if the method has any."""
        if not self.super_survivors:
            return []
        draws = range(controls.matched_draws)
        kinds: tuple[Kind, ...] = ("super-random", "super-bad")
        return [
            Key(self.name, "super"),
            *(Key(self.name, kind, draw) for kind in kinds for draw in draws),
        ]


def _structured() -> "type[Pruner]":
    from lottery.tickets.structured import Structured

    return Structured


def _magnitude() -> "type[Pruner]":
    from lottery.tickets.magnitude import Magnitude

    return Magnitude


STRUCTURED = Method(
    name="structured",
    title="s-pruning",
    units=HEADS_AND_MLPS,
    pruner=_structured,
    parameters=(ImportanceParameters,),
    super_survivors=True,
)
MAGNITUDE = Method(
    name="magnitude",
    title="m-pruning",
    units=WEIGHTS,
    pruner=_magnitude,
    parameters=(MagnitudeParameters,),
    has_pretrained=True,
)
METHODS: Mapping[str, Method] = {method.name: method for method in (STRUCTURED, MAGNITUDE)}
"""All methods by name, in the order of tables and figures."""


def method_title(name: str) -> str:
    """The title of a method, empty for the full model."""
    return "" if name == WHOLE else METHODS[name].title


def load_tickets(
    folder: Path, task: str, seed: int, controls: ControlsParameters, retrain: RetrainParameters
) -> list[Ticket]:
    """All stored tickets of a task and seed; those with the most expensive retraining come first."""
    by_cost = sorted(METHODS.values(), key=lambda method: not method.prunes_weights)
    keys = [key for method in by_cost for key in method.stored(controls, retrain)]
    return [Ticket.load(folder, task, seed, key) for key in keys]
