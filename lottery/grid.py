"""The cells of an experiment: every task with every seed, enumerated from the parameters alone."""

from typing import Annotated

from msgspec import Meta

from lottery.errors import UserError
from lottery.params import SHORT, Parameters
from lottery.tasks import get_task

Seed = Annotated[int, Meta(ge=0, lt=2**32)]


class GridParameters(Parameters, frozen=True):
    """Which tasks and which seeds. The order is the order of every table.

    shares: 1 to as many stage instances as the subnetworks of a cell are dealt to, so that many machines can retrain
    them side by side. No result depends on it.
    """

    tasks: Annotated[tuple[str, ...], Meta(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1)]
    shares: Annotated[tuple[int, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        for name in self.tasks:
            get_task(name)
        for key, values in (("tasks", self.tasks), ("seeds", self.seeds)):
            if doubled := [
                str(value) for value in dict.fromkeys(values) if values.count(value) > 1
            ]:
                raise UserError(f"parameters: grid.{key} holds {', '.join(doubled)} more than once")
        if self.shares != tuple(range(1, len(self.shares) + 1)):
            raise UserError(
                f"parameters: grid.shares = {SHORT.repr(list(self.shares))}: not 1, 2, and so on"
            )

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """Every (task, seed), tasks outermost."""
        return tuple((task, seed) for task in self.tasks for seed in self.seeds)

    @property
    def tables(self) -> tuple[str, ...]:
        """Files of a cell's scores: one for each share, and one for what every seed keeps."""
        return (*(f"{share}.parquet" for share in self.shares), "super.parquet")


def cell_name(task: str, seed: int, share: int = 1, shares: int = 1) -> str:
    """A cell, or a share of it, as logs name it."""
    return f"{task} seed {seed}" + (f", share {share} of {shares}" if shares > 1 else "")
