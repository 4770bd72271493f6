"""One run, measured: CPU seconds, seconds, and the most memory it took."""

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
"""The work itself; what comes back, arrays or lists of them, is compared with what the others bring."""
Contender = Callable[[Load], Act]
"""Everything up to the work: the model on its place, the data in the form that is wanted."""


class Reading(msgspec.Struct, frozen=True):
    """cpu: CPU seconds of all threads. wall: seconds. peak: MiB above the process before it had a model."""

    cpu: float
    wall: float
    peak: float


def read(contender: Contender, load: Load, empty: float) -> tuple[Reading, Mapping[str, Any]]:
    """One run of a contender with everything loaded anew; `empty` is the process's size without a model.

    The peak counts the model, its preparation and the work.
    """
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    act = contender(load)
    cpu, wall = time.process_time(), time.perf_counter()
    arrays = act()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Reading(cpu, wall, memory("VmHWM") - empty), arrays


def memory(field: str) -> float:
    """MiB of this process that are in memory: now (VmRSS), or at most (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(f"this system does not tell {field}")
