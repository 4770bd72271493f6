"""GLUE's metrics: functions of predictions and labels, both of shape [N], to a float in [-1, 1]."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def accuracy(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Share of equal entries."""
    return float(np.mean(predicted == labels))


def f1(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Harmonic mean of precision and recall of class 1; 0 where nothing is, or is called, class 1."""
    hits = np.sum((predicted == 1) & (labels == 1))
    called, real = np.sum(predicted == 1), np.sum(labels == 1)
    return float(2 * hits / (called + real)) if called + real else 0.0


def pearson(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Pearson correlation; NaN where either side is constant, which no search may accept."""
    a, b = predicted - predicted.mean(), labels - labels.mean()
    norm = np.sqrt(np.sum(a * a) * np.sum(b * b))
    return float(np.sum(a * b) / norm) if norm > 0 else float("nan")


def spearman(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Pearson correlation of the ranks, ties sharing their mean rank."""
    return pearson(_ranks(predicted), _ranks(labels))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle: NDArray[np.float64] = np.cumsum(count) - (count - 1) / 2
    return middle[place]


def pearson_spearman(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """The mean of both correlations: what drives the search on STS-B."""
    return (pearson(predicted, labels) + spearman(predicted, labels)) / 2


def matthews(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Matthews correlation of two classes: their Pearson correlation, 0 where a side is constant."""
    value = pearson(predicted, labels)
    return 0.0 if np.isnan(value) else value


METRICS: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "f1": f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
    "pearson_spearman": pearson_spearman,
}

CORRELATIONS = frozenset({"matthews", "pearson", "spearman", "pearson_spearman"})


def significance_margin(metric: str, examples: int) -> float:
    """How far above a blind guess a score on so many examples is no accident (one-sided, 5 %).

    1.64 standard errors of a guess: 1 / sqrt N for a correlation, at most half of it for a share.
    """
    return 1.645 * (1.0 if metric in CORRELATIONS else 0.5) / float(np.sqrt(examples))
