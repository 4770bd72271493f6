"""Measurement of one run: CPU time, wall time, peak memory."""

import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from benchmarks.load import Load

Arrays = dict[str, NDArray[Any]]
Act = Callable[[], Mapping[str, Any]]
"""The measured work; its result, arrays or lists of them, is compared with those of other implementations."""
Prepare = Callable[[Load], Act]
"""Loads model and data, which is not timed, and returns the work."""


class Reading(msgspec.Struct, frozen=True):
    """cpu: CPU seconds of all threads. wall: seconds. peak: MiB above the process without a model."""

    cpu: float
    wall: float
    peak: float


def read(prepare: Prepare, load: Load, empty: float) -> tuple[Reading, Mapping[str, Any]]:
    """Measure one run, with everything loaded anew; `empty` is the memory of the process without a model, in MiB.

    The peak includes loading.
    """
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    act = prepare(load)
    cpu, wall = time.process_time(), time.perf_counter()
    arrays = act()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Reading(cpu, wall, memory("VmHWM") - empty), arrays


def memory(field: str) -> float:
    """Resident memory of this process in MiB: current (VmRSS) or peak (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/self/status has no {field}")
