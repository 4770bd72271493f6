"""A benchmark run: every implementation in its own process, in turns, so that other load affects all of them."""

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

from benchmarks.measure import Arrays, Reading
from benchmarks.suite import Benchmark, Implementation
from lottery.errors import UserError

NEED_PEERS = ("text_pruner", "torch_pruning", "trainer")
"""Implementations that need the libraries of benchmarks/peers.txt."""

Report = Callable[[str], None]


@dataclass
class Result:
    """Readings of an implementation in every round, and its result in the last."""

    readings: list[Reading] = field(default_factory=list)
    arrays: Arrays = field(default_factory=dict)


def run(
    benchmark: Benchmark, rounds: int, peers: Path, folder: Path, report: Report
) -> Mapping[Implementation, Result]:
    """Run every implementation `rounds` times; those whose libraries are not installed are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    available = [
        one for one in benchmark.implementations if one.module not in NEED_PEERS or peers.is_file()
    ]
    results = {implementation: Result() for implementation in available}
    with ExitStack() as stack:
        processes = {
            implementation: stack.enter_context(_started(implementation, benchmark, peers, folder))
            for implementation in available
        }
        for turn in range(rounds):
            for implementation in _order(available, turn):
                report(f"{benchmark.name}: round {turn + 1} of {rounds}, {implementation}")
                reading = _turn(processes[implementation], implementation, folder)
                results[implementation].readings.append(reading)
        for process in processes.values():
            _pipe(process.stdin).close()
    for implementation, result in results.items():
        with np.load(folder / f"{implementation}.npz") as file:
            result.arrays = dict(file)
    return results


def _order(implementations: list[Implementation], turn: int) -> list[Implementation]:
    """Rotated, so that another implementation begins each round."""
    first = turn % len(implementations)
    return [*implementations[first:], *implementations[:first]]


def _started(
    implementation: Implementation, benchmark: Benchmark, peers: Path, folder: Path
) -> "subprocess.Popen[str]":
    python = str(peers) if implementation.module in NEED_PEERS else sys.executable
    load = msgspec.json.encode(benchmark.load, enc_hook=str).decode()
    with (folder / f"{implementation}.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [python, "-m", "benchmarks.worker", *implementation, load],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        )


def _turn(
    process: "subprocess.Popen[str]", implementation: Implementation, folder: Path
) -> Reading:
    try:
        _pipe(process.stdin).write(f"{folder / f'{implementation}.npz'}\n")
        _pipe(process.stdin).flush()
        return msgspec.json.decode(_pipe(process.stdout).readline(), type=Reading)
    except (BrokenPipeError, msgspec.DecodeError):
        log = folder / f"{implementation}.log"
        raise UserError(f"{implementation} failed: see {log}") from None


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101
    return stream
