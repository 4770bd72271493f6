"""Predictions of the full model of one task and seed, and of its tickets, pruned and retrained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from lottery.checkpoint import config
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.training import LAST, Progress
from lottery.predictions import Logits, prediction
from lottery.runtime import parallel
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.resume import NO_JOURNAL, Arrays, Journal
from lottery.schemas import Prediction
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.ticket import Key
from lottery.tickets.measurements import Measurement
from lottery.tickets.methods import METHODS
from lottery.tickets.pruner import SearchSettings
from lottery.tickets.pruning import ticket_subnetwork
from lottery.tickets.retraining import Cell, Splits, finetune_cell, predict_splits
from lottery.vocabulary import WHOLE, State


class Outcome(NamedTuple):
    """The logits of a measurement and, if its ticket is kept, the weights that training led to, by name."""

    logits: Logits
    weights: Arrays


Outcomes = dict[Measurement, Outcome]
WEIGHT_PREFIX = "weights "
"""Prefix of the names of weights in a journal."""
PRUNED_JOBS = 4
"""Jobs among which pruned tickets are divided, so that all processes finish at about the same time."""


@dataclass(frozen=True)
class Results:
    """Predictions of all measurements, and the weights of the retrained tickets that are kept."""

    predictions: list[Prediction]
    kept: Mapping[Key, Arrays]


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
) -> Results:
    """Results for all measurements but baselines, in their order; what `journal` holds is not computed again.

    `model` is the folder of the fine-tuned encoder.
    """
    jobs = _jobs(cell, model, tickets, measurements, splits, journal)
    results = parallel.run(jobs, cell.compute, report, preload=[__name__])
    outcomes = {at: outcome for result in results.values() for at, outcome in result.items()}
    predictions = [
        prediction(cell.task, cell.seed, *measurement, split, logits_NC, splits[split].labels_N)
        for measurement in measurements
        if measurement in outcomes
        for split, logits_NC in outcomes[measurement].logits.items()
    ]
    kept = {at.key: outcome.weights for at, outcome in outcomes.items() if outcome.weights}
    return Results(predictions, kept)


def _jobs(
    cell: Cell,
    model: Path,
    tickets: Tickets,
    measurements: Sequence[Measurement],
    splits: Splits,
    journal: Journal,
) -> dict[str, parallel.Job[Outcomes]]:
    """One job for each training, the most expensive first, and a few for all that is pruned."""
    keeps = tickets.settings.retrain.keeps
    jobs: dict[str, parallel.Job[Outcomes]] = {
        measurement.name: partial(
            predict_trained,
            cell=cell,
            subnetwork=tickets.stored[measurement.key],
            measurement=measurement,
            splits=splits,
            keep=measurement.state == "retrained" and keeps(measurement.key, cell.seed),
            journal=journal.of(measurement.name),
        )
        for measurement in measurements
        if measurement.is_trained
    }
    pruned = [measurement for measurement in measurements if measurement.is_pruned]
    for part in range(min(PRUNED_JOBS, len(pruned))):
        jobs[f"pruned {part + 1}"] = partial(
            predict_pruned,
            cell=cell,
            model=model,
            tickets=tickets,
            measurements=pruned[part::PRUNED_JOBS],
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
    keep: bool = False,
    journal: Journal = NO_JOURNAL,
) -> Outcomes:
    """Logits after fine-tuning under the fixed mask of `subnetwork`, from pre-trained or random weights.

    keep: whether the trained weights are part of the outcome.
    """
    scored, state = measurement.scored_on(splits), measurement.state
    outcome = train_and_predict(progress, cell, subnetwork, scored, journal, state, keep)
    return {measurement: outcome}


def train_and_predict(
    progress: Progress,
    cell: Cell,
    subnetwork: Subnetwork,
    splits: Splits,
    journal: Journal = NO_JOURNAL,
    state: State = "retrained",
    keep: bool = False,
) -> Outcome:
    """Fine-tune from the initial weights of `state` under a fixed mask, and predict all splits; once a journal."""

    def trained() -> Arrays:
        encoder, _ = finetune_cell(progress, cell, subnetwork, journal, state)
        tensors = encoder.state_dict() if keep else {}
        weights = {WEIGHT_PREFIX + name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        with arithmetic(cell.compute):
            return {**predict_splits(encoder, splits), **weights}

    arrays = journal.once("trained", trained)
    journal.forget(LAST)
    logits = {name: array for name, array in arrays.items() if not name.startswith(WEIGHT_PREFIX)}
    weights = {name.removeprefix(WEIGHT_PREFIX): arrays[name] for name in arrays.keys() - logits}
    return Outcome(logits, weights)


def predict_pruned(
    progress: Progress,
    cell: Cell,
    model: Path,
    tickets: Tickets,
    measurements: Sequence[Measurement],
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> Outcomes:
    """Logits of the fine-tuned model, whole and pruned to tickets."""
    encoder = checkpoint.load(model, cell.task.classes).to(chosen_device(cell.compute))

    def prune_and_predict(measurement: Measurement) -> Logits:
        subnetwork = tickets.subnetwork(measurement.key, encoder)
        with arithmetic(cell.compute):
            return predict_splits(encoder.pruned(subnetwork), measurement.scored_on(splits))

    outcomes = {}
    for done, measurement in enumerate(measurements, start=1):
        work = partial(prune_and_predict, measurement)
        outcomes[measurement] = Outcome(journal.once(measurement.name, work), {})
        progress(done, len(measurements))
    return outcomes


def trained_tickets(
    cell: Cell, tickets: Tickets, results: Results
) -> Iterator[tuple[Key, Encoder]]:
    """The encoders of the retrained tickets that are kept."""
    whole = config.read(cell.pretrained)
    for key, weights in results.kept.items():
        subnetwork = tickets.stored[key]
        about = whole.keeping(subnetwork) if subnetwork.is_structured else whole
        tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
        yield key, Encoder.of(about, cell.task.classes, tensors)
