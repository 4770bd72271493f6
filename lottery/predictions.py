"""Predictions of tickets, and the scores that follow from them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lottery.metrics import METRICS
from lottery.schemas import Prediction, Score
from lottery.tasks import Task, get_task

Floats = NDArray[np.float64]


def predicted_labels(task: Task, logits_NC: Floats) -> Floats:
    """Predictions [N]: the most likely class, or the single output of a regression."""
    labels_N: Floats = (
        logits_NC[:, 0] if task.regression else logits_NC.argmax(axis=1).astype(np.float64)
    )
    return labels_N


def measure(
    task: Task, logits_NC: NDArray[np.floating], labels_N: NDArray[np.floating]
) -> dict[str, float]:
    """Score in every metric reported for the task."""
    predicted = predicted_labels(task, logits_NC.astype(np.float64))
    labels = labels_N.astype(np.float64)
    return {name: METRICS[name](predicted, labels) for name in task.metrics}


def scores(predictions: Iterable[Prediction]) -> Iterator[Score]:
    """All scores of the predictions, in their order."""
    for prediction in predictions:
        task = get_task(prediction.task)
        logits_NC = prediction.logits.reshape(-1, task.classes)
        for metric, value in measure(task, logits_NC, prediction.labels).items():
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
