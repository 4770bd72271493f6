"""Scores on the line between two trainings of a ticket, from one start with two orders of the data.

Frankle et al. (ICML 2020) train a network twice with different SGD noise and ask whether the error rises on the
straight line between the two results (their instability analysis). Here the noise is the order of the data.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lottery.checkpoint import config
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.training import LAST, Progress
from lottery.predictions import measure
from lottery.runtime import parallel
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.resume import NO_JOURNAL, Arrays, Journal
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.ticket import FULL, Key, Ticket
from lottery.tickets.connectivity import ConnectivityParameters, ConnectivityScore
from lottery.tickets.retraining import Cell, finetune_cell, predict_splits

Weights = Mapping[str, Tensor]
ORDERS = 2
WEIGHTS, LINE = "weights", "line"
"""Entries of a journal: the result of one training, and the logits of a whole line."""


@dataclass(frozen=True)
class Connectivity:
    """The inputs of a cell: tickets, and trainings of the first order that exist already.

    subnetworks: of all tickets but the full model. model: the folder of the fine-tuned full model. kept: that of the
    retrained tickets whose weights were kept, <share>/<method>/.
    """

    cell: Cell
    subnetworks: Mapping[Key, Subnetwork]
    model: Path
    kept: Path
    parameters: ConnectivityParameters
    dev: Examples

    def trained(self, key: Key) -> Path | None:
        """The folder of the encoder that an earlier stage trained with the first order; None if none was kept."""
        if key == FULL:
            return self.model
        if key.kind != "good":
            return None
        return next(iter(sorted(self.kept.glob(f"*/{key.method}"))), None)


def load_subnetworks(
    folder: Path, task: str, seed: int, parameters: ConnectivityParameters
) -> dict[Key, Subnetwork]:
    """The tickets of a cell that are trained twice, from their folder; the full model is no file."""
    return {
        key: Ticket.load(folder, task, seed, key).subnetwork
        for key in parameters.keys
        if key != FULL
    }


def reordered(cell: Cell) -> Cell:
    """The cell with its training examples in another order, of which every epoch's shuffling makes other batches."""
    stream = rng(cell.seed, "connectivity order", cell.task.name)
    return replace(cell, train=cell.train.take(stream.permutation(len(cell.train))))


def interpolated(first: Weights, second: Weights, position: float) -> dict[str, Tensor]:
    """All weights on the line from `first`, at 0, to `second`, at 1; exact at both ends, and where they are equal."""
    return {name: torch.lerp(weight, second[name], position) for name, weight in first.items()}


def scores(
    inputs: Connectivity, report: parallel.Report, journal: Journal = NO_JOURNAL
) -> Iterator[ConnectivityScore]:
    """Every metric at every point of every ticket's line; a line that `journal` holds is not computed again."""
    jobs = {
        key.name: partial(line, inputs=inputs, key=key, journal=journal.of(key.name))
        for key in inputs.parameters.keys
    }
    lines = parallel.run(jobs, inputs.cell.compute, report, preload=[__name__])
    for key in inputs.parameters.keys:
        yield from _scores(inputs, key, lines[key.name])


def line(
    progress: Progress, inputs: Connectivity, key: Key, journal: Journal = NO_JOURNAL
) -> Arrays:
    """Logits [N, C] on dev by the position on the line between two trainings of a ticket."""

    def compute() -> Arrays:
        first, second = (
            _trained(partial(_part, progress, order), inputs, key, order, journal)
            for order in range(ORDERS)
        )
        return {
            str(position): _predict(inputs, key, interpolated(first, second, position))
            for position in inputs.parameters.positions
        }

    logits = journal.once(LINE, compute)
    for order in range(ORDERS):
        journal.of(str(order)).forget(WEIGHTS)
    return logits


def _part(progress: Progress, order: int, done: int, total: int) -> None:
    """The progress of one training of a line, as part of both."""
    progress(order * total + done, ORDERS * total)


def _trained(
    progress: Progress, inputs: Connectivity, key: Key, order: int, journal: Journal
) -> Weights:
    """The weights after training with one order of the data: read if an earlier stage kept them, else trained."""
    folder = inputs.trained(key) if order == 0 else None
    if folder is not None:
        return checkpoint.load(folder, inputs.cell.task.classes).state_dict()
    notes = journal.of(str(order))
    entry = notes.recall(WEIGHTS)
    if entry is not None:
        return {name: torch.from_numpy(array) for name, array in entry[1].items()}
    started = time.monotonic()
    cell = reordered(inputs.cell) if order else inputs.cell
    encoder, _ = finetune_cell(progress, cell, inputs.subnetworks.get(key), notes)
    weights = {name: tensor.cpu() for name, tensor in encoder.state_dict().items()}
    if time.monotonic() - started > notes.patience:
        notes.note(WEIGHTS, None, {name: tensor.numpy() for name, tensor in weights.items()})
    notes.forget(LAST)
    return weights


def _predict(inputs: Connectivity, key: Key, weights: Weights) -> np.ndarray:
    """Logits [N, C] on dev of the encoder with these weights, rounded as those of every ticket."""
    cell, kept = inputs.cell, inputs.subnetworks.get(key)
    about = config.read(cell.pretrained)
    if kept is not None and kept.is_structured:
        about = about.keeping(kept)
    encoder = Encoder.of(about, cell.task.classes, weights).eval().to(chosen_device(cell.compute))
    with arithmetic(cell.compute):
        return np.asarray(predict_splits(encoder, {"dev": inputs.dev})["dev"])


def _scores(inputs: Connectivity, key: Key, logits: Arrays) -> Iterator[ConnectivityScore]:
    task, labels_N = inputs.cell.task, inputs.dev.labels_N
    for position in inputs.parameters.positions:
        for metric, value in measure(task, "dev", logits[str(position)], labels_N).items():
            yield ConnectivityScore(
                task=task.name,
                seed=inputs.cell.seed,
                method=key.method,
                kind=key.kind,
                position=position,
                split="dev",
                metric=metric,
                value=value,
                n=len(labels_N),
            )
