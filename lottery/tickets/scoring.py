"""Predictions of the full model of one task and seed, and of its tickets, pruned and retrained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.training import LAST, Progress
from lottery.predictions import Logits, prediction
from lottery.runtime import parallel
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import Prediction
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.ticket import Key
from lottery.tickets.measurements import Measurement
from lottery.tickets.methods import METHODS
from lottery.tickets.pruner import SearchSettings
from lottery.tickets.pruning import ticket_subnetwork
from lottery.tickets.retraining import Cell, Splits, finetune_cell, predict_splits
from lottery.vocabulary import WHOLE

Predicted = dict[Measurement, Logits]
PARTS = 4
"""Jobs among which pruned tickets are divided, so that all processes finish at about the same time."""


@dataclass(frozen=True)
class Tickets:
    """The subnetworks of a cell: stored ones, and draws that are made from them whenever they are needed."""

    task: Task
    seed: int
    stored: Mapping[Key, Subnetwork]
    examples: Examples
    settings: SearchSettings

    def subnetwork(self, key: Key, encoder: Encoder) -> Subnetwork:
        """The subnetwork of a key; `encoder` is the fine-tuned model, by whose weights some controls are chosen."""
        if key.method == WHOLE:
            return Subnetwork.full(encoder.config.shapes)
        if key in self.stored:
            return self.stored[key]
        bind = METHODS[key.method].pruner().bind
        pruner = bind(encoder, self.task, self.examples, self.settings)
        good = self.stored[key.good]
        controls = self.settings.controls
        return ticket_subnetwork(pruner, key, good, self.task.name, self.seed, controls)


def predict_all(
    cell: Cell,
    model: Path,
    tickets: Tickets,
    measurements: Sequence[Measurement],
    splits: Splits,
    report: parallel.Report,
    journal: Journal = NO_JOURNAL,
) -> list[Prediction]:
    """Predictions for all measurements but baselines, in their order; what `journal` holds is not computed again.

    `model` is the folder of the fine-tuned encoder.
    """
    jobs = _jobs(cell, model, tickets, measurements, splits, journal)
    results = parallel.run(jobs, cell.compute, report, preload=[__name__])
    predicted = {at: logits for result in results.values() for at, logits in result.items()}
    return [
        prediction(cell.task, cell.seed, *measurement, split, logits_NC, splits[split].labels_N)
        for measurement in measurements
        if measurement in predicted
        for split, logits_NC in predicted[measurement].items()
    ]


def _jobs(
    cell: Cell,
    model: Path,
    tickets: Tickets,
    measurements: Sequence[Measurement],
    splits: Splits,
    journal: Journal,
) -> dict[str, parallel.Job[Predicted]]:
    """One job for each training, the most expensive first, and a few for all that is pruned."""
    jobs: dict[str, parallel.Job[Predicted]] = {
        measurement.name: partial(
            predict_trained,
            cell=cell,
            subnetwork=tickets.stored[measurement.key],
            measurement=measurement,
            splits=splits,
            journal=journal.of(measurement.name),
        )
        for measurement in measurements
        if measurement.is_trained
    }
    pruned = [measurement for measurement in measurements if measurement.is_pruned]
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
    return jobs


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
            return predict_splits(encoder, measurement.scored_on(splits))

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
        subnetwork = tickets.subnetwork(measurement.key, encoder)
        with arithmetic(cell.compute):
            return predict_splits(encoder.cut(subnetwork), measurement.scored_on(splits))

    predicted = {}
    for done, measurement in enumerate(measurements, start=1):
        work = partial(prune_and_predict, measurement)
        predicted[measurement] = journal.once(measurement.name, work)
        progress(done, len(measurements))
    return predicted
