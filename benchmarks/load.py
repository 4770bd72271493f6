"""Input of a benchmark, the same for every implementation: encoder, sentences, size of the work."""

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
    """The input of a benchmark.

    folder: the encoder. count: sentences. batch: sentences per batch, for implementations with batches. rate: fraction
    pruned per step of a search. until: sparsity at which an m-search ends. sparsity: fraction of the heads and MLPs
    that are pruned from the start. device: of models and batches.
    """

    folder: Path
    sentences: Path
    count: int
    batch: int = 64
    rate: float = 0.1
    until: float = 0.8
    sparsity: float = 0.0
    device: str = "cpu"

    @property
    def examples(self) -> Examples:
        """The first `count` sentences of the file, repeated if it has fewer."""
        examples = data.load(self.sentences)
        return examples.take(np.arange(self.count, dtype=np.int64) % len(examples))

    @property
    def recipe(self) -> FinetuneParameters:
        """One epoch with the paper's hyper-parameters: learning rate 2e-5, no warm-up, gradient norm clipped at 1."""
        return FinetuneParameters(
            epochs=1, batch=self.batch, learning_rate=2e-5, warmup=0.0, clip=1.0
        )

    def kept(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """A mask with the fraction `sparsity` pruned, the same for every implementation."""
        kept = np.ones(int(np.prod(shape)), bool)
        order = np.random.default_rng(0).permutation(kept.size)
        kept[order[: round(self.sparsity * kept.size)]] = False
        return kept.reshape(shape)
