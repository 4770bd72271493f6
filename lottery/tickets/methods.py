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
from lottery.tickets.parameters import ImportanceParameters, MagnitudeParameters
from lottery.vocabulary import SUPERS, WHOLE

if TYPE_CHECKING:
    from lottery.tickets.pruner import Pruner

HEADS_AND_MLPS, WEIGHTS = ("heads", "mlps"), ("weights",)


@dataclass(frozen=True)
class Method:
    """A pruning method, as all code but its search needs to know it.

    title: its name in the report. units: what it removes, HEADS_AND_MLPS (whole heads and MLPs) or WEIGHTS (single
    weights, counted together). pruner: imports the class that searches. parameters: sections of params.yaml that only
    this method reads. super_survivors: whether the components that survive with every seed are scored as tickets too.
    """

    name: str
    title: str
    units: tuple[str, ...]
    pruner: Callable[[], "type[Pruner]"]
    parameters: tuple[type[Parameters], ...] = ()
    super_survivors: bool = False

    @property
    def prunes_weights(self) -> bool:
        """Whether it removes single weights, rather than whole heads and MLPs."""
        return self.units == WEIGHTS

    def by_unit(self, subnetwork: Subnetwork) -> Mapping[str, Subnetwork]:
        """The subnetwork by unit: its heads and its MLPs, or all its weights together."""
        if self.prunes_weights:
            return {"weights": subnetwork}
        return {unit: subnetwork.part(unit) for unit in self.units}

    @property
    def good(self) -> Key:
        """Key of the good ticket of a task and seed."""
        return self.name, "good", 0

    def keys(self, draws: int) -> list[Key]:
        """Keys of the good ticket of a task and seed and of its controls: `draws` random tickets and a bad one."""
        random: list[Key] = [(self.name, "random", draw) for draw in range(draws)]
        return [self.good, *random, (self.name, "bad", 0)]

    def super_keys(self) -> list[Key]:
        """Keys of the super-survivors of a task and of their controls, if the method has any."""
        return [(self.name, kind, 0) for kind in SUPERS] if self.super_survivors else []


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
)
METHODS: Mapping[str, Method] = {method.name: method for method in (STRUCTURED, MAGNITUDE)}
"""All methods by name, in the order of tables and figures."""


def method_title(name: str) -> str:
    """The title of a method, empty for the full model."""
    return "" if name == WHOLE else METHODS[name].title


def load_tickets(folder: Path, task: str, seed: int, draws: int) -> list[Ticket]:
    """All good, random and bad tickets of a task and seed; those with the most expensive retraining come first."""
    by_cost = sorted(METHODS.values(), key=lambda method: not method.prunes_weights)
    keys = [key for method in by_cost for key in method.keys(draws)]
    return [Ticket.load(folder, task, seed, key) for key in keys]
