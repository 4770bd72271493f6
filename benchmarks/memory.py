"""Memory of long trainings and scorings: `python -m benchmarks.memory` with an encoder, sentences, a work and a
precision is one of them.

Compilers of kernels and allocators keep something for every new shape; a process that computes for an hour shows it.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import cycle, islice, product
from pathlib import Path

import msgspec
import torch

from benchmarks import measure
from benchmarks.encoders import Encoders
from benchmarks.load import TASK
from lottery.data import examples as data
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import packed_batches
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import finetune
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters

WORK = "memory"
MARKS = (20, 100, 300, 1000)
"""Steps after which memory is read."""
BATCH = 4
"""Sentences of a training step; a batch of a scoring has 2,048 tokens."""
MOST = 1.15
"""Memory after the last mark may be so many times that after the first."""


class MemoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """Resident MiB of a process after each of `MARKS` steps."""

    encoder: str
    work: str
    precision: str
    mib: tuple[float, ...]

    @property
    def growth(self) -> float:
        """Memory at the end relative to that after the first mark."""
        return self.mib[-1] / self.mib[0]


def measured(encoders: Encoders) -> Iterator[MemoryRow]:
    """Memory of both works, in both precisions, with a small and a large encoder, each in a process of its own."""
    folders = {"minilm": encoders.minilm(), "base": encoders.base()}
    for encoder, work, precision in product(folders, FUNCTIONS, ("bfloat16", "float32")):
        command = [sys.executable, "-m", "benchmarks.memory", str(folders[encoder])]
        done = subprocess.run(
            [*command, str(encoders.sentences), work, precision],
            check=True,
            capture_output=True,
            text=True,
        )
        mib = tuple(float(number) for number in done.stdout.split())
        yield MemoryRow(encoder=encoder, work=work, precision=precision, mib=mib)


def _train(encoder: Encoder, examples: Examples, step: Callable[[], None]) -> None:
    epochs = -(-MARKS[-1] * BATCH // len(examples))
    recipe = FinetuneParameters(
        epochs=epochs, batch=BATCH, learning_rate=1e-5, warmup=0.1, clip=1.0
    )
    finetune(encoder, examples, TASK, recipe, 1, progress=lambda done, total: step())


def _score(encoder: Encoder, examples: Examples, step: Callable[[], None]) -> None:
    with torch.inference_mode():
        for _, tokens in islice(cycle(packed_batches(examples, encoder.device)), MARKS[-1]):
            encoder(tokens)
            step()


FUNCTIONS = {"training": _train, "scoring": _score}


def main(folder: str, sentences: str, work: str, precision: str) -> None:
    """Do the work and print the memory at each mark."""
    torch.set_num_threads(1)
    compute = msgspec.convert(
        {"threads": 1, "alone": 1, "device": "cpu", "precision": precision}, ComputeParameters
    )
    steps = iter(range(1, 10**6))

    def step() -> None:
        if next(steps) in MARKS:
            sys.stdout.write(f"{measure.memory('VmRSS')}\n")

    encoder = checkpoint.load(Path(folder), TASK.classes)
    with arithmetic(compute):
        FUNCTIONS[work](encoder, data.load(Path(sentences)), step)


if __name__ == "__main__":
    main(*sys.argv[1:])
