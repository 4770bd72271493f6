"""A contest: every contender in its own process, taking turns, so that a busy machine is busy for all."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from benchmarks.contests import Contest, Side
from benchmarks.measure import Arrays, Reading
from lottery.errors import UserError

PEERS = ("text_pruner", "torch_pruning", "trainer")
"""Contenders that need what benchmarks/peers.txt names."""

Told = Callable[[str], None]


@dataclass
class Result:
    """What a contender needed in each round, and what it brought in the last."""

    readings: list[Reading] = field(default_factory=list)
    arrays: Arrays = field(default_factory=dict)


def race(
    contest: Contest, rounds: int, peers: Path, folder: Path, told: Told
) -> Mapping[Side, Result]:
    """`rounds` turns of everybody, the order going round; peers that are not installed stay away."""
    folder.mkdir(parents=True, exist_ok=True)
    sides = [side for side in contest.sides if side.module not in PEERS or peers.is_file()]
    results = {side: Result() for side in sides}
    with ExitStack() as stack:
        running = {
            side: stack.enter_context(_started(side, contest, peers, folder)) for side in sides
        }
        for turn in range(rounds):
            for side in _order(list(running), turn):
                told(f"{contest.name}: round {turn + 1} of {rounds}, {side.module} {side.work}")
                out = folder / f"{side.module}-{side.work}.npz"
                results[side].readings.append(_turn(running[side], side, out, folder))
        for process in running.values():
            _pipe(process.stdin).close()
    for side in sides:
        with np.load(folder / f"{side.module}-{side.work}.npz") as file:
            results[side].arrays = dict(file)
    return results


def _order(sides: list[Side], turn: int) -> list[Side]:
    """Another one begins each time."""
    first = turn % len(sides)
    return [*sides[first:], *sides[:first]]


def _started(side: Side, contest: Contest, peers: Path, folder: Path) -> "subprocess.Popen[str]":
    python = str(peers) if side.module in PEERS else sys.executable
    load = msgspec.json.encode(contest.load, enc_hook=str).decode()
    with _log(side, folder).open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [python, "-m", "benchmarks.side", *side, load],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        )


def _turn(process: "subprocess.Popen[str]", side: Side, out: Path, folder: Path) -> Reading:
    try:
        _pipe(process.stdin).write(f"{out}\n")
        _pipe(process.stdin).flush()
        return msgspec.json.decode(_pipe(process.stdout).readline(), type=Reading)
    except (BrokenPipeError, msgspec.DecodeError):
        raise UserError(
            f"{side.module} {side.work} ended early: see {_log(side, folder)}"
        ) from None


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101
    return stream


def _log(side: Side, folder: Path) -> Path:
    return folder / f"{side.module}-{side.work}.log"
