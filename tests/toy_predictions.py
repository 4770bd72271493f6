"""Predictions of tickets that were never trained: about as many are right as tickets of their kind get right."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lottery.schemas import Prediction
from lottery.seeds import rng
from lottery.tasks import get_task as task_called
from lottery.ticket import Key
from lottery.tickets.measurements import Measurement
from lottery.tickets.methods import METHODS
from lottery.vocabulary import WHOLE

LEVELS = {
    False: {
        "pruned": {"good": 0.90, "random": 0.35, "bad": 0.15, "super-random": 0.2},
        "retrained": {"good": 0.95, "random": 0.85, "bad": 0.70},
    },
    True: {
        "pruned": {"good": 0.91, "random": 0.05, "bad": 0.02},
        "retrained": {"good": 0.99, "random": 0.50, "bad": 0.25},
    },
}
"""Share of the way from the majority class to the full model, by whether weights are pruned, state and kind."""


def predictions(
    name: str,
    full: float,
    planned: Sequence[Measurement],
    seed: int,
    generator: np.random.Generator,
) -> Iterator[Prediction]:
    """Predictions of all planned measurements of a cell whose full model has this score."""
    task = task_called(name)
    majority = 0.0 if task.metrics[0] in ("pearson", "matthews") else 0.5
    splits = {"dev": 600, "select": 200} | ({"dev-mismatched": 550} if name == "mnli" else {})
    for split, n in splits.items():
        labels = rng(name, split, "labels").permutation(np.arange(n) % 2).astype(np.float32)
        if task.regression:
            labels = rng(name, split, "labels").normal(size=n).astype(np.float32)
        for value in _values(planned, split, majority, full, generator):
            score = value.pop("value")
            logits = predicted_logits(labels, score, task.classes, generator)
            if value["kind"] == "majority":
                logits = np.tile(np.eye(1, task.classes), (n, 1))
            yield Prediction(
                task=name,
                seed=seed,
                split=split,
                logits=logits.astype(np.float16).ravel(),
                labels=labels,
                **value,
            )


def _values(
    planned: Sequence[Measurement],
    split: str,
    majority: float,
    full: float,
    generator: np.random.Generator,
) -> Iterator[dict[str, Any]]:
    for measurement in planned:
        key, state = measurement.key, measurement.state
        if split in measurement.scored_on({split: None}):
            level = _level(key, state) + generator.normal(0, 0.03)
            level = {"full": 1.0, "majority": 0.0}.get(key.kind, level)
            value = majority + (full - majority) * level
            yield key._asdict() | {"state": state, "value": value}


def _level(key: Key, state: str) -> float:
    """Share of the way from the majority class to the full model."""
    if key.method == WHOLE or state == "reinitialised":
        return 0.4
    kind = "good" if key.kind == "pretrained" else key.kind
    return LEVELS[METHODS[key.method].prunes_weights][state].get(kind, 0.6)


def predicted_logits(
    labels: NDArray[np.float32], score: float, classes: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Logits [N, classes] of which about this share is right, or whose correlation with the labels is about this."""
    if classes == 1:
        noise = generator.normal(size=len(labels))
        mixed: NDArray[np.float64] = score * labels + np.sqrt(1 - score**2) * noise
        return mixed[:, None]
    right = generator.permutation(np.arange(len(labels)) < round(score * len(labels)))
    told = np.where(right, labels, (labels + 1) % classes).astype(int)
    logits: NDArray[np.float64] = np.eye(classes)[told]
    return logits
