"""The Multi-Bootstrap: seeds and examples are drawn again together (Sellam et al., ICLR 2022).

A corrected score varies over seeds and over the examples of dev. Within a task, seeds are drawn with replacement, and
with them one set of examples for all tickets and seeds; the full model and the majority class are scored on these
examples too. Suffixes: S seeds, N examples, B bootstrap draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.metrics import CORRELATIONS
from lottery.seeds import rng
from lottery.tasks import Task, get_task

DRAWS = 1000
FEWEST_SEEDS = 5
"""With fewer seeds a bootstrap over them is too narrow; a t interval is used instead."""
IDENTITY = ["method", "kind", "state", "matched"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Resampled:
    """Corrected scores [B] of each cell of a kind of ticket, on examples that were drawn again, and drawn seeds."""

    shares: Mapping[tuple[str, int], Array]

    def example_std(self) -> Mapping[str, float]:
        """Standard deviation over draws of examples of a task's mean over its seeds."""
        return {task: float(np.mean(of_task, axis=0).std()) for task, of_task in self._by_task().items()}

    def interval(self, names: str) -> tuple[float, float] | None:
        """Percentile interval of 95 % of the mean over tasks; None if a task has fewer than FEWEST_SEEDS seeds."""
        by_task = self._by_task()
        if min(map(len, by_task.values())) < FEWEST_SEEDS:
            return None
        means = [_over_seeds(of_task, rng("bootstrap", task)) for task, of_task in by_task.items()]
        low, high = np.quantile(np.mean(means, axis=0), (0.025, 0.975))
        return float(low), float(high)

    def _by_task(self) -> dict[str, Array]:
        tasks = dict.fromkeys(task for task, _ in self.shares)
        return {
            task: np.array([draws for (name, _), draws in self.shares.items() if name == task])
            for task in tasks
        }


def _over_seeds(shares_SB: Array, random: np.random.Generator) -> Array:
    """Mean [B] over as many seeds drawn with replacement."""
    count, draws = shares_SB.shape
    chosen_SB = random.integers(0, count, (count, draws))
    means_B: Array = np.take_along_axis(shares_SB, chosen_SB, axis=0).mean(axis=0)
    return means_B
