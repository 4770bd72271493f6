"""What every contender of a contest is given: an encoder on disk, sentences, and how far to go."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lottery.data import examples as data
from lottery.data.examples import Examples
from lottery.model.parameters import FinetuneParameters
from lottery.tasks import Task, get_task

TASK: Task = get_task("sst2")
THRESHOLD = 0.9


@dataclass(frozen=True)
class Load:
    """folder: the encoder. count: sentences. batch: sentences a batch where a contender has batches. rate:
    share a search cuts per step. until: the sparsity at which an m-search ends. sparsity: share of the heads
    and MLPs that are off from the start."""

    folder: Path
    sentences: Path
    count: int
    batch: int = 64
    rate: float = 0.1
    until: float = 0.8
    sparsity: float = 0.0

    @property
    def examples(self) -> Examples:
        """The first `count` sentences of the file, from its start again where it has fewer."""
        everything = data.load(self.sentences)
        return everything.take(np.arange(self.count, dtype=np.int64) % len(everything))

    @property
    def recipe(self) -> FinetuneParameters:
        """One epoch as the paper trains: rate 2e-5, no warm-up, norm clipped at 1."""
        return FinetuneParameters(
            epochs=1, batch=self.batch, learning_rate=2e-5, warmup=0.0, clip=1.0
        )

    def kept(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Parts of the given shape, the same ones for everybody, less the share `sparsity`."""
        kept = np.ones(int(np.prod(shape)), bool)
        order = np.random.default_rng(0).permutation(kept.size)
        kept[order[: round(self.sparsity * kept.size)]] = False
        return kept.reshape(shape)
