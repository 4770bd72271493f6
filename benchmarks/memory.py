"""Memory of long trainings and scorings; `python -m benchmarks.memory ENCODER SENTENCES WORK PRECISION STEPS` runs one.

Compilers of kernels and allocators keep something for every new shape; a process that computes for an hour shows it.
Weights and words do not matter, so both are random.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle, islice, product
from pathlib import Path

import msgspec
import numpy as np
import torch

from benchmarks import measure
from benchmarks.encoders import Encoders
from benchmarks.load import TASK
from lottery.data import examples as data
from lottery.data.examples import Examples, packed
from lottery.model import checkpoint
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import finetune
from lottery.runtime.compute import arithmetic
from lottery.runtime.memory import tune_allocator
from lottery.runtime.parameters import ComputeParameters

WORK = "memory"
SIZES = ("minilm", "base")
PRECISIONS = ("bfloat16", "float32")
MARKS = (20, 100, 300, 1000)
"""Steps after which memory is read."""
BATCH = 4
"""Sentences of a training step."""
TOKENS = 512
"""Padded tokens of a batch of scoring: a quarter of what stages take, so that 1,000 batches are minutes."""
SENTENCES, LONGEST = 1000, 64
SCORED = 250
"""Sentences that are scored, again and again: 19 batches, so that every shape has occurred at the first mark."""
MOST = 1.15
"""Memory after the last mark may be so many times that after the first."""


class MemoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """Resident MiB of a process after those of `MARKS` steps that it reached, and why it ended before the last."""

    encoder: str
    work: str
    precision: str
    mib: tuple[float, ...]
    failure: str | None = None

    @property
    def growth(self) -> float:
        """Memory at the end relative to that after the first mark; not a number without two marks."""
        return self.mib[-1] / self.mib[0] if len(self.mib) > 1 else float("nan")

    @property
    def verdict(self) -> str:
        """Reached, missed, or why there is neither."""
        if self.failure or len(self.mib) < 2:
            return self.failure or "not measured: memory was read once at most"
        return "reached" if self.growth <= MOST else "missed"


def measured(encoders: Encoders, sizes: Sequence[str], steps: int) -> Iterator[MemoryRow]:
    """Memory of both works, in both precisions, with encoders of some sizes, each in a process as `repro` starts it."""
    sentences = encoders.noise(SENTENCES, LONGEST)
    tune_allocator()
    for size, work, precision in product(sizes, FUNCTIONS, PRECISIONS):
        folder = encoders.random(size)
        command = [sys.executable, "-m", "benchmarks.memory", str(folder), str(sentences)]
        mib, failure = _run([*command, work, precision, str(steps)])
        yield MemoryRow(encoder=size, work=work, precision=precision, mib=mib, failure=failure)


def _run(command: list[str]) -> tuple[tuple[float, ...], str | None]:
    """The output of a process, and in a line why it failed; None if it did not."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    mib = tuple(map(float, done.stdout.split()))
    failure: str | None = None
    if done.returncode < 0:
        failure = f"killed by signal {-done.returncode}; 9 is often the kernel's, out of memory"
    elif done.returncode:
        failure = (done.stderr.splitlines() or [f"exit code {done.returncode}"])[-1]
    return mib, failure


def _train(encoder: Encoder, examples: Examples, steps: int, step: Callable[[], None]) -> None:
    epochs = -(-steps * BATCH // len(examples))
    recipe = FinetuneParameters(
        epochs=epochs, batch=BATCH, learning_rate=1e-5, warmup=0.1, clip=1.0
    )
    span = slice(steps)
    finetune(encoder, examples, TASK, recipe, 1, progress=lambda *_: step(), span=span)


def _score(encoder: Encoder, examples: Examples, steps: int, step: Callable[[], None]) -> None:
    batches = list(packed(examples.take(np.arange(SCORED)), TOKENS))
    with torch.inference_mode():
        for batch in islice(cycle(batches), steps):
            encoder(PackedBatch.pack(batch.ids_T, batch.types_T, batch.lengths_B))
            step()


FUNCTIONS = {"training": _train, "scoring": _score}


def main(folder: str, sentences: str, work: str, precision: str, steps: str) -> None:
    """Do the work and print the memory at each mark."""
    torch.set_num_threads(1)
    compute = msgspec.convert(
        {"threads": 1, "alone": 1, "device": "cpu", "precision": precision}, ComputeParameters
    )
    numbers, marks = count(1), [mark for mark in MARKS if mark <= int(steps)]

    def step() -> None:
        if next(numbers) in marks:
            sys.stdout.write(f"{measure.memory('VmRSS')}\n")
            sys.stdout.flush()

    encoder = checkpoint.load(Path(folder), TASK.classes)
    with arithmetic(compute):
        FUNCTIONS[work](encoder, data.load(Path(sentences)), int(steps), step)


if __name__ == "__main__":
    main(*sys.argv[1:])
