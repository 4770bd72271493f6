"""Transfer of masks between tasks: its parameters, where the masks of a task come from, and their records."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.params import Parameters
from lottery.tickets.methods import Method

OTHERS, PRETRAINED = "other tasks", "pre-trained weights"
"""Sources that are no single task. No task has a name with a space."""


class TransferParameters(Parameters, frozen=True):
    """Training on a task under masks of other tasks, and under some that belong to no task: off where `tasks` is empty.

    tasks: the tasks between which masks are transferred, each to each, with all seeds of the grid.
    """

    tasks: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.tasks) == 1 or len(set(self.tasks)) < len(self.tasks):
            raise UserError(
                f"parameters: transfer.tasks: {', '.join(self.tasks)}: expected none, or several different tasks"
            )

    def cells(self, grid: GridParameters) -> tuple[tuple[str, int], ...]:
        """Every (task, seed) on which masks are trained, in the order of the grid."""
        return grid.cells_of(self.tasks, grid.seeds)

    def sources(self, method: Method) -> Sequence[str]:
        """The origins of a method's masks: tasks, the one that is trained on among them, and no task."""
        return (*self.tasks, OTHERS, *((PRETRAINED,) if method.has_pretrained else ()))


class TransferScore(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on one split of a task, of the pre-trained encoder trained under a mask of `source`.

    `kind` is `mask`, or `random` for a random mask of its size. `digest` identifies the mask.
    """

    task: str
    seed: int
    method: str
    source: str
    kind: Literal["mask", "random"]
    digest: str
    sparsity: float
    split: str
    metric: str
    value: float
    n: int
