"""Predictions of an encoder and their scores."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from lottery.data.examples import Batch, Examples, packed
from lottery.metrics import CORRELATIONS, METRICS, significance_margin
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.predictions import decided_labels, majority_logits
from lottery.tasks import Task

# Padded tokens of a batch: on a CPU what fits its caches, on a GPU what fills it (both measured).
BATCH_TOKENS = {"cpu": 2048, "cuda": 65536}


def predict(encoder: Encoder, examples: Examples) -> NDArray[np.float64]:
    """Logits [N, C] in the order of the examples."""
    logits_NC = np.empty((len(examples), encoder.classes))
    with torch.inference_mode():
        for batch, tokens in packed_batches(examples, encoder.device):
            logits_NC[batch.rows_B] = encoder(tokens).double().cpu().numpy()
    return logits_NC


def packed_batches(examples: Examples, device: torch.device) -> Iterator[tuple[Batch, PackedBatch]]:
    """Length-sorted batches: the examples of each, and their tokens on the device."""
    for batch in packed(examples, BATCH_TOKENS[device.type]):
        yield batch, PackedBatch.pack(batch.ids_T, batch.types_T, batch.lengths_B, device)


def search_score(task: Task, logits_NC: NDArray[np.float64], examples: Examples) -> float:
    """Score in the metric that drives a search."""
    return METRICS[task.search](
        decided_labels(task, examples.split, logits_NC), examples.labels_N.astype(np.float64)
    )


def guess_floor(task: Task, examples: Examples) -> float:
    """The lowest search score that is significantly above guessing: the most frequent class, or no correlation."""
    majority = 0.0
    if task.search not in CORRELATIONS:
        guess_NC = majority_logits(task, examples.split, examples.labels_N)
        majority = search_score(task, guess_NC, examples)
    return majority + significance_margin(task.search, len(examples))
