"""How long an experiment would take on many workers: cells with known times, handed out as the cluster hands them out.

A simulation: it knows neither queues nor failures, and the time to move files is whatever the times contain.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from cluster.dag import Graph
from lottery.errors import UserError


@dataclass(frozen=True)
class Forecast:
    """makespan, work (the sum over cells) and chain (the longest chain of cells) in seconds."""

    workers: int
    makespan: float
    work: float
    chain: float

    @property
    def efficiency(self) -> float:
        """The share of the workers' time that is spent on cells."""
        return self.work / (self.workers * self.makespan) if self.makespan else 1.0


def table(file: Path) -> dict[str, float]:
    """Seconds by pattern of cells, from a CSV with the columns cell and seconds."""
    try:
        read = pd.read_csv(file)
        return dict(zip(read["cell"], map(float, read["seconds"]), strict=True))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{file}: no table with the columns cell and seconds ({error})") from None


def costs(graph: Graph, table: Mapping[str, float]) -> dict[str, float]:
    """The seconds of every cell, from those of patterns (`prune@*`, `prune@mnli-*`): the last that fits counts."""
    found: dict[str, float] = {}
    for name in graph:
        fits = [seconds for pattern, seconds in table.items() if fnmatchcase(name, pattern)]
        if not fits:
            raise UserError(
                f"the table of times has no row for {name}; add one such as `{name},60`"
            )
        found[name] = fits[-1]
    return found


def forecast(graph: Graph, cost: Mapping[str, float], workers: int) -> Forecast:
    """Hand out every cell as soon as a worker is free and its inputs are there, the longest way to go first."""
    ways = graph.ways(cost)
    makespan = max((end for _, end in _ends(graph, cost, ways, workers)), default=0.0)
    return Forecast(
        workers, makespan, sum(cost[name] for name in graph), max(ways.values(), default=0.0)
    )


def _ends(
    graph: Graph, cost: Mapping[str, float], ways: Mapping[str, float], workers: int
) -> Iterator[tuple[str, float]]:
    """Every cell with the second it ends at, in the order of their ends."""
    done, begun = set[str](), set[str]()
    running: list[tuple[float, str]] = []
    now = 0.0
    while len(done) < len(graph):
        waiting = sorted(set(graph.ready(done)) - begun, key=lambda name: (-ways[name], name))
        for name in waiting[: workers - len(running)]:
            begun.add(name)
            heapq.heappush(running, (now + cost[name], name))
        now, ended = heapq.heappop(running)
        done.add(ended)
        yield ended, now
