"""Time, memory and utilisation of work on a device."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean, median
from typing import TypeVar

import torch

T = TypeVar("T")
QUERY = ("--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=100")


@dataclass
class Utilisation:
    """Mean utilisation in percent; None until it is read, and where nvidia-smi is missing."""

    percent: float | None = None
    _readings: list[float] = field(default_factory=list)

    def read(self, text: str) -> None:
        """Take the output of nvidia-smi: a number a line, of the first card."""
        self._readings += [float(line) for line in text.split() if line.isdigit()]
        self.percent = mean(self._readings) if self._readings else None


@contextmanager
def utilisation(device: torch.device) -> Iterator[Utilisation]:
    """Watch the GPU; the result has its number when the block ends."""
    reading, program = Utilisation(), shutil.which("nvidia-smi")
    if device.type == "cpu" or program is None:
        yield reading
        return
    # nvidia-smi counts all cards of the machine, torch those that CUDA_VISIBLE_DEVICES leaves.
    command = [program, f"--id=GPU-{torch.cuda.get_device_properties(device).uuid}", *QUERY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield reading
        finally:
            process.terminate()
            reading.read(process.communicate()[0])


def seconds(act: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median time of some runs."""
    return median(once(act, device)[0] for _ in range(repeats))


def once(act: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """Time and result of one run."""
    wait(device)
    start = time.perf_counter()
    result = act()
    wait(device)
    return time.perf_counter() - start, result


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def forget_peak(device: torch.device) -> None:
    """Start to measure peak memory."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_mib(device: torch.device) -> float | None:
    """Most memory that torch had allocated since then, in MiB."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None
