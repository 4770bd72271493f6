"""Linear mode connectivity: its parameters, the tickets that are trained twice, and scores between the trainings."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lottery.errors import UserError
from lottery.grid import GridParameters, Seed
from lottery.params import Parameters
from lottery.ticket import FULL, Key
from lottery.tickets.methods import METHODS
from lottery.vocabulary import Kind


class ConnectivityParameters(Parameters, frozen=True):
    """Two trainings of a ticket with two orders of the data, and the line between them: off where `tasks` is empty.

    tasks, seeds: its cells, which are some of the grid's. kinds: the tickets that are trained, the first draw of random
    and bad ones. points: the number of evenly spaced points of a line, both ends among them.
    """

    tasks: tuple[str, ...]
    seeds: tuple[Seed, ...]
    kinds: Annotated[tuple[Literal["full", "good", "random", "bad"], ...], Meta(min_length=1)]
    points: Annotated[int, Meta(ge=3, le=1001)]

    def __post_init__(self) -> None:
        if len(set(self.kinds)) < len(self.kinds):
            raise UserError(
                f"parameters: connectivity.kinds: {', '.join(self.kinds)}: a kind is repeated"
            )

    def cells(self, grid: GridParameters) -> tuple[tuple[str, int], ...]:
        """Every (task, seed) whose tickets are trained twice, in the order of the grid."""
        return grid.cells_of(self.tasks, self.seeds)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The tickets of a cell that are trained twice, the most expensive first."""
        full = (FULL,) if "full" in self.kinds else ()
        by_cost = sorted(METHODS.values(), key=lambda method: not method.prunes_weights)
        kinds = [kind for kind in self.kinds if kind != "full"]
        return (*full, *(Key(method.name, kind) for method in by_cost for kind in kinds))

    @property
    def positions(self) -> tuple[float, ...]:
        """The points of a line: 0 is the first training, which is that of `retrain`, and 1 the second."""
        return tuple(number / (self.points - 1) for number in range(self.points))


class ConnectivityScore(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on dev of the encoder at one `position` of the line between two trainings of a ticket."""

    task: str
    seed: int
    method: str
    kind: Kind
    position: float
    split: str
    metric: str
    value: float
    n: int
