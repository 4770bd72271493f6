"""Predictions of an encoder and their scores."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from lottery.data.examples import Batch, Examples, packed
from lottery.metrics import CORRELATIONS, METRICS, significance_margin
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.tasks import Task

# Padded tokens of a batch: on a CPU what fits its caches, on a GPU what fills it (both measured).
BUDGET = {"cpu": 2048, "cuda": 65536}


def predict(encoder: Encoder, examples: Examples) -> NDArray[np.float64]:
    """Logits [N, C] in the order of the examples."""
    logits_NC = np.empty((len(examples), encoder.classes))
    with torch.inference_mode():
        for batch, tokens in packed_batches(examples, encoder.device):
            logits_NC[batch.rows_B] = encoder(tokens).double().cpu().numpy()
    return logits_NC


def packed_batches(examples: Examples, device: torch.device) -> Iterator[tuple[Batch, PackedBatch]]:
    """Length-sorted batches: the examples of each, and their tokens on the device."""
    for batch in packed(examples, BUDGET[device.type]):
        yield batch, PackedBatch.pack(batch.ids_T, batch.types_T, batch.lengths_B, device)


def predicted_labels(task: Task, logits_NC: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predictions [N]: the most likely class, or the single output of a regression."""
    labels_N: NDArray[np.float64] = (
        logits_NC[:, 0] if task.regression else logits_NC.argmax(axis=1).astype(np.float64)
    )
    return labels_N


def search_score(task: Task, logits_NC: NDArray[np.float64], examples: Examples) -> float:
    """Score in the metric that drives a search."""
    return METRICS[task.search](
        predicted_labels(task, logits_NC), examples.labels_N.astype(np.float64)
    )


def measure(task: Task, logits_NC: NDArray[np.float64], examples: Examples) -> dict[str, float]:
    """Score in every metric reported for the task."""
    predicted, labels = predicted_labels(task, logits_NC), examples.labels_N.astype(np.float64)
    return {name: METRICS[name](predicted, labels) for name in task.metrics}


def majority_scores(task: Task, examples: Examples) -> dict[str, float]:
    """Scores of always predicting the most frequent class; for a regression 0, the correlation of a constant."""
    if task.regression:
        return dict.fromkeys(task.metrics, 0.0)
    classes, counts = np.unique(examples.labels_N, return_counts=True)
    logits_NC = np.zeros((len(examples), task.classes))
    logits_NC[:, int(classes[counts.argmax()])] = 1
    return measure(task, logits_NC, examples)


def guess_floor(task: Task, examples: Examples) -> float:
    """The lowest search score that is significantly above guessing: the most frequent class, or no correlation."""
    majority = 0.0
    if task.search not in CORRELATIONS:
        majority = majority_scores(task, examples)[task.search]
    return majority + significance_margin(task.search, len(examples))
