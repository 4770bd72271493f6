"""Independent trainings of a cell that share the device: one after another, and side by side.

`python -m benchmarks.gpu.sharing` with a load and a precision is one of them. It trains once for each line that it
reads, after a first training that loads kernels.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import IO

import msgspec
import torch

from benchmarks import project
from benchmarks.gpu import meter
from benchmarks.gpu.records import Sharing
from benchmarks.load import Load
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters

READY = "ready\n"
Process = subprocess.Popen[str]


class ProcessError(Exception):
    """A training ended before it was done, as it does if the memory of the device is too small for all."""


def measured(
    load: Load, encoder: str, compute: ComputeParameters, trainings: int
) -> Iterator[Sharing]:
    """Time the trainings; processes start, load and train once before any time is taken."""
    command = [sys.executable, "-m", "benchmarks.gpu.sharing"]
    texts = [msgspec.json.encode(value, enc_hook=str).decode() for value in (load, compute)]
    apart = together = float("nan")
    used, failure = meter.Utilisation(), None
    with ExitStack() as stack:
        processes = [stack.enter_context(_training(command + texts)) for _ in range(trainings)]
        try:
            _wait(processes)
            apart = sum(_seconds([process]) for process in processes)
            with meter.utilisation(torch.device(load.device)) as used:
                together = _seconds(processes)
        except ProcessError as error:
            failure = str(error)
        for process in processes:
            with suppress(BrokenPipeError):
                process.communicate()  # closes its input, which ends it
    yield Sharing(
        encoder=encoder,
        trainings=trainings,
        one_after_another=apart,
        side_by_side=together,
        used_percent=used.percent,
        failure=failure,
    )


def _training(command: list[str]) -> Process:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _seconds(processes: list[Process]) -> float:
    """Seconds until all have trained once."""
    start = time.perf_counter()
    for process in processes:
        try:
            _pipe(process.stdin).write("\n")
            _pipe(process.stdin).flush()
        except BrokenPipeError:
            raise ProcessError(_ended(process)) from None
    _wait(processes)
    return time.perf_counter() - start


def _wait(processes: list[Process]) -> None:
    """Wait until all say that they are ready; what else they print, such as a compiler's note, is skipped."""
    for process in processes:
        if not any(line.endswith(READY) for line in _pipe(process.stdout)):
            raise ProcessError(_ended(process))


def _pipe(stream: IO[str] | None) -> IO[str]:
    """A stream of a process that was started with pipes."""
    if stream is None:
        raise ProcessError("a training has no pipe")
    return stream


def _ended(process: Process) -> str:
    return f"a training ended with exit code {process.wait()}; its errors are on the terminal"


def _path(_: type[Path], text: str) -> Path:
    return Path(text)


def main(load: str, compute: str) -> None:
    """Train whenever a line comes, and say so."""
    work = msgspec.json.decode(load, type=Load, dec_hook=_path)
    torch.set_num_threads(1)
    with arithmetic(parameters := msgspec.json.decode(compute, type=ComputeParameters)):
        act = project.finetune(work)
        for _ in chain([""], sys.stdin):
            act()
            meter.wait(torch.device(parameters.device))
            sys.stdout.write(READY)
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
