"""The cells of an experiment: every task with every seed, enumerated from the parameters alone."""

from typing import Annotated

from msgspec import Meta

from lottery.faults import Fault
from lottery.params import Section
from lottery.tasks import task

Seed = Annotated[int, Meta(ge=0, lt=2**32)]


class Grid(Section, frozen=True):
    """Which tasks and which seeds. The order is the order of every table."""

    tasks: Annotated[tuple[str, ...], Meta(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        for name in self.tasks:
            task(name)
        for key, values in (("tasks", self.tasks), ("seeds", self.seeds)):
            if doubled := [
                str(value) for value in dict.fromkeys(values) if values.count(value) > 1
            ]:
                raise Fault(f"parameters: grid.{key} holds {', '.join(doubled)} more than once")

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """Every (task, seed), tasks outermost."""
        return tuple((task, seed) for task in self.tasks for seed in self.seeds)
