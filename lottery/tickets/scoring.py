"""Predictions of the tickets of one task and seed, pruned and retrained, of the full model and of baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.training import LAST, Progress
from lottery.runtime import parallel
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import Prediction
from lottery.subnetwork import Subnetwork
from lottery.ticket import Key
from lottery.tickets.baselines import BASELINES
from lottery.tickets.measurements import Measurement
from lottery.tickets.methods import METHODS
from lottery.tickets.pruner import SearchSettings
from lottery.tickets.pruning import ticket_subnetwork
from lottery.tickets.retraining import Cell, Logits, Splits, finetune_cell, predict_splits
from lottery.vocabulary import WHOLE

Predicted = Mapping[Measurement, Logits]
PARTS = 4
"""Jobs among which pruned tickets are divided, so that all processes finish at about the same time."""


@dataclass(frozen=True)
class Tickets:
    """The subnetworks of a cell: stored ones, and draws that are made whenever they are needed."""

    stored: Mapping[Key, Subnetwork]
    settings: SearchSettings

    def subnetwork(self, cell: Cell, encoder: Encoder, key: Key) -> Subnetwork:
        """The subnetwork of a key; `encoder` is the fine-tuned model, by whose weights some controls are chosen."""
        if key.method == WHOLE:
            return Subnetwork.full(encoder.config.shapes)
        if key in self.stored:
            return self.stored[key]
        # Draws need no examples: those are for searches.
        bind = METHODS[key.method].pruner().bind
        pruner = bind(encoder, cell.task, cell.train, self.settings)
        good = self.stored[key._replace(kind="good", draw=0)]
        parameters = self.settings.controls
        return ticket_subnetwork(pruner, key, good, cell.task.name, cell.seed, parameters)


def predict_all(
    cell: Cell,
    model: Path,
    tickets: Tickets,
    measurements: Sequence[Measurement],
    splits: Splits,
    report: parallel.Report,
    journal: Journal = NO_JOURNAL,
) -> list[Prediction]:
    """Predictions for all measurements, in their order. Those that `journal` holds are not computed again.

    `model` is the folder of the fine-tuned encoder.
    """
    trained = [measurement for measurement in measurements if measurement.trains]
    pruned = [measurement for measurement in measurements if measurement.prunes]
    jobs: dict[str, parallel.Job[Predicted]] = {
        measurement.name: partial(
            predict_trained,
            cell=cell,
            subnetwork=tickets.stored[measurement.key],
            measurement=measurement,
            splits=splits,
            journal=journal.of(measurement.name),
        )
        for measurement in trained
    }
    for part in range(min(PARTS, len(pruned))):
        jobs[f"pruned {part + 1}"] = partial(
            predict_pruned,
            cell=cell,
            model=model,
            tickets=tickets,
            measurements=pruned[part::PARTS],
            splits=splits,
            journal=journal.of("pruned"),
        )
    results = parallel.run(jobs, cell.compute, report, preload=[__name__])
    predicted = {at: logits for result in results.values() for at, logits in result.items()}
    for measurement in measurements:
        if measurement.kind in BASELINES:
            scored = measurement.of(splits)
            predicted[measurement] = BASELINES[measurement.kind](cell.task, cell.train, scored)
    return [
        _prediction(cell, measurement, split, logits_NC, splits[split].labels_N)
        for measurement in measurements
        for split, logits_NC in predicted[measurement].items()
    ]


def predict_trained(
    progress: Progress,
    cell: Cell,
    subnetwork: Subnetwork,
    measurement: Measurement,
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> Predicted:
    """Logits after fine-tuning under the fixed mask of `subnetwork`, from pre-trained or random weights."""

    def train_and_predict() -> Logits:
        encoder, _ = finetune_cell(progress, cell, subnetwork, journal, measurement.state)
        with arithmetic(cell.compute):
            return predict_splits(encoder, measurement.of(splits))

    logits = journal.once("logits", train_and_predict)
    journal.forget(LAST)
    return {measurement: logits}


def predict_pruned(
    progress: Progress,
    cell: Cell,
    model: Path,
    tickets: Tickets,
    measurements: Sequence[Measurement],
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> Predicted:
    """Logits of the fine-tuned model, whole and pruned to tickets."""
    encoder = checkpoint.load(model, cell.task.classes).to(chosen_device(cell.compute))

    def prune_and_predict(measurement: Measurement) -> Logits:
        subnetwork = tickets.subnetwork(cell, encoder, measurement.key)
        with arithmetic(cell.compute):
            return predict_splits(encoder.cut(subnetwork), measurement.of(splits))

    predicted = {}
    for done, measurement in enumerate(measurements, start=1):
        work = partial(prune_and_predict, measurement)
        predicted[measurement] = journal.once(measurement.name, work)
        progress(done, len(measurements))
    return predicted


def _prediction(
    cell: Cell, measurement: Measurement, split: str, logits_NC: NDArray[Any], labels_N: NDArray[Any]
) -> Prediction:
    return Prediction(
        task=cell.task.name,
        seed=cell.seed,
        **measurement.key._asdict(),
        state=measurement.state,
        split=split,
        logits=logits_NC.astype(np.float16).ravel(),
        labels=labels_N,
    )
