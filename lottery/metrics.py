"""Metrics of GLUE: functions of predictions and labels, both [N], with values in [-1, 1]."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def accuracy(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Share of correct predictions."""
    return float(np.mean(predicted == labels))


def f1(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Harmonic mean of precision and recall of class 1; 0 if neither predictions nor labels have it."""
    true_positives = np.sum((predicted == 1) & (labels == 1))
    positives = np.sum(predicted == 1) + np.sum(labels == 1)
    return float(2 * true_positives / positives) if positives else 0.0


def pearson(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Pearson correlation; NaN if predictions or labels are constant, so that no search accepts the score."""
    # The mean of a constant need not be it, so that their differences would correlate.
    if np.ptp(predicted) == 0 or np.ptp(labels) == 0:
        return float("nan")
    a, b = predicted - predicted.mean(), labels - labels.mean()
    norm = np.sqrt(np.sum(a * a) * np.sum(b * b))
    return float(np.sum(a * b) / norm) if norm > 0 else float("nan")


def spearman(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Spearman correlation: Pearson correlation of the ranks, with the mean rank for ties."""
    return pearson(_ranks(predicted), _ranks(labels))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_ranks: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return mean_ranks[inverse]


def pearson_spearman(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Mean of Pearson and Spearman correlation, which drives the search on STS-B."""
    return (pearson(predicted, labels) + spearman(predicted, labels)) / 2


def matthews(predicted: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Matthews correlation of binary classes, i.e. their Pearson correlation; 0 if either is constant."""
    correlation = pearson(predicted, labels)
    return 0.0 if np.isnan(correlation) else correlation


METRICS: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "f1": f1,
    "matthews": matthews,
    "pearson": pearson,
    "spearman": spearman,
    "pearson_spearman": pearson_spearman,
}

CORRELATIONS = frozenset({"matthews", "pearson", "spearman", "pearson_spearman"})


def lowest(metric: str) -> float:
    """The lowest value of a metric; the highest is 1."""
    return -1.0 if metric in CORRELATIONS else 0.0


def significance_margin(metric: str, examples: int) -> float:
    """Significant margin over the majority baseline for this many examples (one-sided z test, 5 %).

    1.645 standard errors of a guess: 1 / sqrt(N) for a correlation, at most half of that for a share.
    """
    return 1.645 * (1.0 if metric in CORRELATIONS else 0.5) / float(np.sqrt(examples))
