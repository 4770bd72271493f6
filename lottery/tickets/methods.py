"""The pruning methods: one record each.

Whoever needs "every method" goes through METHODS; a new method is a module with a Pruner and a record here.
Tables and the report read the records too, which is why a record imports its Pruner, and with it torch, late.
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

COMPONENTS, WEIGHTS = ("heads", "mlps"), ("weights",)


@dataclass(frozen=True)
class Method:
    """A way of pruning, as everything but its search needs to know it.

    title: its name in the report. units: what it removes, COMPONENTS (whole heads and MLPs) or WEIGHTS (single
    weights, counted together). pruner: imports the class that searches. parameters: sections of params.yaml that only
    this method reads. super_survivors: whether the components that survive with every seed are tickets too.
    """

    name: str
    title: str
    units: tuple[str, ...]
    pruner: Callable[[], "type[Pruner]"]
    parameters: tuple[type[Parameters], ...] = ()
    super_survivors: bool = False

    @property
    def prunes_weights(self) -> bool:
        """Whether single weights are removed, rather than whole heads and MLPs."""
        return self.units == WEIGHTS

    def by_unit(self, subnetwork: Subnetwork) -> Mapping[str, Subnetwork]:
        """The subnetwork unit by unit: its heads and its MLPs, or all its weights together."""
        if self.prunes_weights:
            return {"weights": subnetwork}
        return {unit: subnetwork.part(unit) for unit in self.units}

    @property
    def good(self) -> Key:
        """The good ticket of a task and seed."""
        return self.name, "good", 0

    def keys(self, draws: int) -> list[Key]:
        """The good ticket of a task and seed, and its controls: `draws` random ones and a bad one."""
        random: list[Key] = [(self.name, "random", draw) for draw in range(draws)]
        return [self.good, *random, (self.name, "bad", 0)]

    def super_keys(self) -> list[Key]:
        """The super-survivors of a task and their controls, where the method has any."""
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
    units=COMPONENTS,
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
"""Every method, in the order of tables and figures."""


def method_title(name: str) -> str:
    """How the report calls a method; nothing for the full model."""
    return "" if name == WHOLE else METHODS[name].title


def load_tickets(folder: Path, task: str, seed: int, draws: int) -> list[Ticket]:
    """Every good, random and bad ticket of a task and seed; those with the costliest retraining come first."""
    by_cost = sorted(METHODS.values(), key=lambda method: not method.prunes_weights)
    keys = [key for method in by_cost for key in method.keys(draws)]
    return [Ticket.load(folder, task, seed, key) for key in keys]
