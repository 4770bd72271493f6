"""Dependencies between the jobs of a pipeline. A job is one stage instance, such as `prune@sst2-1337`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class Node:
    """One job, the jobs it needs, and whether it trains or searches, for which a worker may need a GPU.

    cached: whether all its outputs are in DVC's cache and so travel through the remote; other jobs run on the head,
    the machine that the run was started on.
    """

    name: str
    needs: frozenset[str] = frozenset()
    trains: bool = False
    cached: bool = True


class Graph(Mapping[str, Node]):
    """Jobs by name, each after those it needs. Raises ValueError on a cycle."""

    def __init__(self, nodes: Collection[Node]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._nodes = {name: self._nodes[name] for name in self._sorter().static_order()}

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def sorter(self) -> TopologicalSorter[str]:
        """A sorter, prepared to tell which jobs are ready as others are done."""
        sorter = self._sorter()
        sorter.prepare()
        return sorter

    def without(self, done: Collection[str]) -> "Graph":
        """The jobs that are not done."""
        return Graph(
            [
                replace(node, needs=node.needs.difference(done))
                for name, node in self.items()
                if name not in done
            ]
        )

    def dependents(self, name: str) -> frozenset[str]:
        """Jobs that need this one, directly or through others."""
        reached = {name}
        for other, node in self.items():
            if node.needs & reached:
                reached.add(other)
        return frozenset(reached - {name})

    def remote(self) -> "Graph":
        """The jobs that workers can run: cached ones that need no job of the head."""
        nodes: dict[str, Node] = {}
        for name, node in self.items():
            if node.cached and node.needs <= nodes.keys():
                nodes[name] = node
        return Graph(nodes.values())

    def longest_chains(self, costs: Mapping[str, float]) -> dict[str, float]:
        """Cost of the longest chain of jobs that starts with each job."""
        chains = dict.fromkeys(self, 0.0)
        for name in reversed(self._nodes):
            chains[name] += costs[name]
            for need in self[name].needs & chains.keys():
                chains[need] = max(chains[need], chains[name])
        return chains

    def _sorter(self) -> TopologicalSorter[str]:
        # Sorted, as the order of a set differs from process to process.
        return TopologicalSorter({name: sorted(node.needs) for name, node in self._nodes.items()})
