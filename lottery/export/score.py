"""Score of an exported model on dev, with an interval over examples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from lottery.data.examples import Examples
from lottery.metrics import METRICS
from lottery.predictions import decided_labels
from lottery.seeds import rng
from lottery.tasks import Task

DRAWS = 1000
SHARE_TO_KEEP = 0.98
"""Share of its score that a model must keep with eight bits."""


@dataclass(frozen=True)
class DevScore:
    """A score in the task's first metric, with the bounds of its 95 % interval over examples drawn again."""

    mean: float
    low: float
    high: float


def on_dev(task: Task, logits_NC: NDArray[np.float64], dev: Examples) -> DevScore:
    """The score of logits on dev; its percentile interval says nothing about other seeds."""
    predicted = decided_labels(task, dev.split, logits_NC)
    labels = dev.labels_N.astype(np.float64)
    metric = METRICS[task.metrics[0]]
    drawn = bootstrap(
        (predicted, labels),
        metric,
        n_resamples=DRAWS,
        vectorized=False,
        paired=True,
        method="percentile",
        rng=rng("export", task.name),
    )
    low, high = drawn.confidence_interval
    return DevScore(metric(predicted, labels), float(low), float(high))


def keeps_enough(full: float, quantised: float) -> bool:
    """True if eight bits lose at most 2 % of a score, a fifth of what pruning may lose.

    The 99 % that MLPerf asks for would be one or two examples of a small dev set, which chance decides.
    """
    return quantised >= full - (1 - SHARE_TO_KEEP) * abs(full)
