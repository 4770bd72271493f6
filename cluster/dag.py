"""The pipeline as cells that need each other: what is ready, what stands behind what, how long the way still is."""

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Node:
    """One instance of a stage, by the name DVC has for it (`prune@sst2-1337`).

    takes: what it needs of a worker's resources. carried: its outputs travel through DVC's remote; a cell that
    writes some output past the cache runs where the report is wanted.
    """

    name: str
    needs: frozenset[str] = frozenset()
    takes: Mapping[str, float] = field(default_factory=dict)
    carried: bool = True

    @property
    def stage(self) -> str:
        """The stage that this is a cell of."""
        return self.name.partition("@")[0]


class Graph(Mapping[str, Node]):
    """Cells by name, each after those it needs."""

    def __init__(self, cells: Collection[Node]) -> None:
        left = {cell.name: cell for cell in cells}
        self._cells: dict[str, Node] = {}
        while left:
            free = [name for name, cell in left.items() if not cell.needs & left.keys()]
            if not free:
                raise ValueError(f"cells that wait for each other: {', '.join(left)}")
            self._cells |= {name: left.pop(name) for name in free}

    def __getitem__(self, name: str) -> Node:
        return self._cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def ready(self, done: Set[str]) -> list[str]:
        """What is not done although all that it needs is."""
        return [name for name, cell in self.items() if name not in done and cell.needs <= done]

    def behind(self, name: str) -> frozenset[str]:
        """Everything that needs this cell, directly or through others."""
        found = {name}
        for other, cell in self.items():
            if cell.needs & found:
                found.add(other)
        return frozenset(found - {name})

    def away(self) -> "Graph":
        """The cells that can run anywhere: carried, with nothing before them that is not."""
        kept: dict[str, Node] = {}
        for name, cell in self.items():
            if cell.carried and cell.needs <= kept.keys():
                kept[name] = cell
        return Graph(list(kept.values()))

    def ways(self, cost: Mapping[str, float]) -> dict[str, float]:
        """The cost of the longest chain that starts with each cell, itself included."""
        ways = dict.fromkeys(self, 0.0)
        for name in reversed(self._cells):
            ways[name] += cost[name]
            for need in self[name].needs & ways.keys():
                ways[need] = max(ways[need], ways[name])
        return ways
