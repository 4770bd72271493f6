"""Simulation of an experiment on many workers: jobs of known duration, handed out as the cluster does it.

It models neither queues nor failures; transfers of files count only as far as the durations include them.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from cluster.dag import Graph
from lottery.errors import MALFORMED, UserError


@dataclass(frozen=True)
class Forecast:
    """Seconds of the whole run (makespan), of all jobs (work) and of the longest chain of jobs."""

    workers: int
    makespan: float
    work: float
    chain: float

    @property
    def efficiency(self) -> float:
        """Fraction of the workers' time spent on jobs."""
        return self.work / (self.workers * self.makespan) if self.makespan else 1.0


def read_times(file: Path) -> dict[str, float]:
    """Seconds by job or pattern, from the columns cell and seconds of a CSV. Raises UserError if it is wrong."""
    try:
        table = pd.read_csv(file)
        times = dict(zip(table["cell"], map(float, table["seconds"]), strict=True))
    except MALFORMED as error:
        raise UserError(f"{file}: no table with the columns cell and seconds ({error})") from None
    for cell, seconds in times.items():
        if not (isinstance(cell, str) and 0 <= seconds < math.inf):
            raise UserError(
                f"{file}: {cell!r} takes {seconds} s; expected a job's name, and a time"
            )
    return times


def costs(graph: Graph, times: Mapping[str, float]) -> dict[str, float]:
    """Seconds of every job: those of the last pattern that it matches. Raises UserError if none does."""
    seconds_by_job: dict[str, float] = {}
    for name in graph:
        matches = [seconds for pattern, seconds in times.items() if fnmatchcase(name, pattern)]
        if not matches:
            raise UserError(
                f"the table of times has no row for {name}; add one such as `{name},60`"
            )
        seconds_by_job[name] = matches[-1]
    return seconds_by_job


def forecast(graph: Graph, costs: Mapping[str, float], workers: int) -> Forecast:
    """List scheduling: a free worker takes the ready job that starts the longest chain."""
    chains = graph.longest_chains(costs)
    makespan = max(_ends(graph, costs, chains, workers), default=0.0)
    work = sum(costs[name] for name in graph)
    return Forecast(workers, makespan, work, max(chains.values(), default=0.0))


def _ends(
    graph: Graph, costs: Mapping[str, float], chains: Mapping[str, float], workers: int
) -> Iterator[float]:
    """The second at which each job ends."""
    sorter = graph.sorter()
    ready: list[tuple[float, str]] = []
    running: list[tuple[float, str]] = []
    now = 0.0
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, (-chains[name], name))
        while ready and len(running) < workers:
            _, name = heapq.heappop(ready)
            heapq.heappush(running, (now + costs[name], name))
        now, name = heapq.heappop(running)
        sorter.done(name)
        yield now
