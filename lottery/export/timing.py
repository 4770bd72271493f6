"""Times of calls in turns, so that other load on the machine meets all of them alike."""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Clock = Callable[[], float]
SHORTEST = 0.02
"""Seconds that a reading should take; a shorter call is repeated."""


@dataclass(frozen=True)
class Times:
    """CPU milliseconds of a call: the median over rounds, and the extremes."""

    ms: float
    fastest: float
    slowest: float


def in_turns(
    calls: Mapping[Key, Callable[[], object]],
    rounds: int,
    report: Callable[[int], None] = lambda _: None,
    clock: Clock = time.process_time,
) -> dict[Key, Times]:
    """Times of all calls, each read once a round; another one begins each round.

    `report` is told how many rounds are done.
    """
    repeats = {key: _repeats(call, clock) for key, call in calls.items()}
    readings: dict[Key, list[float]] = {key: [] for key in calls}
    order = list(calls)
    for turn in range(rounds):
        first = turn % len(order)
        for key in order[first:] + order[:first]:
            readings[key].append(_reading(calls[key], repeats[key], clock))
        report(turn + 1)
    return {
        key: Times(median(seconds), min(seconds), max(seconds)) for key, seconds in readings.items()
    }


def _repeats(call: Callable[[], object], clock: Clock) -> int:
    """Number of calls in a reading; the first one only warms up."""
    call()
    return max(1, round(1000 * SHORTEST / max(_reading(call, 1, clock), 0.001)))


def _reading(call: Callable[[], object], repeats: int, clock: Clock) -> float:
    """Milliseconds of one call, averaged over the repeated ones."""
    start = clock()
    for _ in range(repeats):
        call()
    return 1000 * (clock() - start) / repeats
