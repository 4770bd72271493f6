"""Predictions of tickets, and the scores that follow from them."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lottery.metrics import METRICS
from lottery.schemas import Prediction, Score
from lottery.tasks import Task, get_task
from lottery.ticket import Key
from lottery.vocabulary import State

Floats = NDArray[np.float64]
Logits = Mapping[str, NDArray[np.floating]]
"""Logits [N, C] by split."""


def predicted_labels(task: Task, logits_NC: Floats) -> Floats:
    """Predictions [N]: the most likely class, or the single output of a regression."""
    labels_N: Floats = (
        logits_NC[:, 0] if task.regression else logits_NC.argmax(axis=1).astype(np.float64)
    )
    return labels_N


def decided_labels(task: Task, split: str, logits_NC: Floats) -> Floats:
    """Predictions [N] as the labels of a split: the most likely class first, then the label it counts as there."""
    predicted_N = predicted_labels(task, logits_NC)
    if task.regression:
        return predicted_N
    return np.array(task.label_of_class(split), np.float64)[predicted_N.astype(np.intp)]


def measure(
    task: Task, split: str, logits_NC: NDArray[np.floating], labels_N: NDArray[np.floating]
) -> dict[str, float]:
    """Score on a split in every metric reported for the task."""
    predicted = decided_labels(task, split, logits_NC.astype(np.float64))
    labels = labels_N.astype(np.float64)
    return {name: METRICS[name](predicted, labels) for name in task.metrics}


def majority_logits(task: Task, split: str, labels_N: NDArray[np.floating]) -> Floats:
    """Logits [N, C] of a class that counts as the most frequent label of a split; for a regression, a constant."""
    logits_NC = np.zeros((len(labels_N), task.classes))
    if not task.regression:
        labels, counts = np.unique(labels_N, return_counts=True)
        logits_NC[:, task.label_of_class(split).index(int(labels[counts.argmax()]))] = 1
    return logits_NC


def prediction(
    task: Task,
    seed: int,
    key: Key,
    state: State,
    split: str,
    logits_NC: NDArray[np.floating],
    labels_N: NDArray[np.float32],
) -> Prediction:
    """The record of logits, which it rounds to float16."""
    return Prediction(
        task=task.name,
        seed=seed,
        **key._asdict(),
        state=state,
        split=split,
        logits=logits_NC.astype(np.float16).ravel(),
        labels=labels_N,
    )


def scores(predictions: Iterable[Prediction]) -> Iterator[Score]:
    """All scores of the predictions, in their order."""
    for prediction in predictions:
        task = get_task(prediction.task)
        logits_NC = prediction.logits.reshape(-1, task.classes)
        values = measure(task, prediction.split, logits_NC, prediction.labels)
        for metric, value in values.items():
            yield Score(
                task=prediction.task,
                seed=prediction.seed,
                method=prediction.method,
                kind=prediction.kind,
                draw=prediction.draw,
                matched=prediction.matched,
                state=prediction.state,
                split=prediction.split,
                metric=metric,
                # The correlation of a constant is undefined; as a guess, the majority class has 0.
                value=0.0 if prediction.kind == "majority" and np.isnan(value) else value,
                n=len(prediction.labels),
            )
