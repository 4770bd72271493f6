"""The grid of the experiment: a cell for every task and seed."""

from collections import Counter
from collections.abc import Collection
from typing import Annotated

from msgspec import Meta

from lottery.errors import UserError
from lottery.params import SHORT, Parameters
from lottery.tasks import get_task

Seed = Annotated[int, Meta(ge=0, lt=2**32)]


class GridParameters(Parameters, frozen=True):
    """Tasks and seeds, in the order of every table.

    shares: 1, 2, ... up to the number of stage instances among which the tickets of a cell are divided, so that many
    machines can retrain them in parallel; dvc.yaml makes an instance of each. No result depends on it.
    """

    tasks: Annotated[tuple[str, ...], Meta(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1)]
    shares: Annotated[tuple[int, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        for task in self.tasks:
            get_task(task)
        for key, values in (("tasks", self.tasks), ("seeds", self.seeds)):
            repeated = [str(value) for value, count in Counter(values).items() if count > 1]
            if repeated:
                raise UserError(
                    f"parameters: grid.{key}: {', '.join(repeated)} given more than once"
                )
        if self.shares != tuple(range(1, len(self.shares) + 1)):
            shares = SHORT.repr(list(self.shares))
            raise UserError(f"parameters: grid.shares = {shares}: expected 1, 2, and so on")

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """Every (task, seed), task by task."""
        return tuple((task, seed) for task in self.tasks for seed in self.seeds)

    def cells_of(
        self, tasks: Collection[str], seeds: Collection[int]
    ) -> tuple[tuple[str, int], ...]:
        """The cells of some tasks and seeds, in the order of the grid."""
        return tuple((task, seed) for task, seed in self.cells if task in tasks and seed in seeds)

    @property
    def score_files(self) -> tuple[str, ...]:
        """File names of a cell's scores: one per share, and one of its super-survivors."""
        return (*(f"{share}.parquet" for share in self.shares), "super.parquet")


def cell_name(task: str, seed: int, share: int = 1, shares: int = 1) -> str:
    """A cell, or a share of its tickets, as logs name it."""
    return f"{task} seed {seed}" + (f", share {share} of {shares}" if shares > 1 else "")
