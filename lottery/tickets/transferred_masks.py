"""Train on a task under masks of other tasks, some that belong to no task, and random ones of their sizes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from lottery.model.encoder import Encoder
from lottery.model.training import Progress
from lottery.predictions import Logits, measure
from lottery.runtime import parallel
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.seeds import rng
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Ticket
from lottery.tickets import controls, neurons
from lottery.tickets.magnitude import largest
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.neurons import NEURONS
from lottery.tickets.parameters import MagnitudeParameters
from lottery.tickets.pruner import Pruner, SearchSettings
from lottery.tickets.retraining import Cell, Splits, pretrained
from lottery.tickets.scoring import train_and_predict
from lottery.tickets.transfer import OTHERS, PRETRAINED, TransferParameters, TransferScore


@dataclass(frozen=True)
class Transfer:
    """The inputs of a cell: its data, the good tickets of all tasks with its seed, and parameters.

    good: by task and method.
    """

    cell: Cell
    good: Mapping[tuple[str, str], Subnetwork]
    parameters: TransferParameters
    settings: SearchSettings
    splits: Splits


@dataclass(frozen=True)
class Mask:
    """A mask that is trained, and where it comes from."""

    method: str
    source: str
    kind: Literal["mask", "random"]
    kept: Subnetwork
    sparsity: float


def load_good(
    subnetworks: Path, parameters: TransferParameters, seed: int
) -> dict[tuple[str, str], Subnetwork]:
    """The good tickets of all tasks between which masks are transferred, by task and method."""
    return {
        (task, name): Ticket.load(
            subnetworks / task / str(seed), task, seed, method.good
        ).subnetwork
        for task in parameters.tasks
        for name, method in METHODS.items()
    }


def masks(inputs: Transfer) -> list[Mask]:
    """All masks of a cell: of every method, from every source, each followed by a random one of its size."""
    planned, initial = [], pretrained(inputs.cell)
    for method in METHODS.values():
        pruner = method.pruner().bind(initial, inputs.cell.task, inputs.cell.train, inputs.settings)
        for source in inputs.parameters.sources(method):
            kept = _mask(inputs, method, initial, source)
            random = _random(inputs, method, pruner, kept)
            name, sparsity = method.name, pruner.sparsity
            planned.append(Mask(name, source, "mask", kept, sparsity(kept)))
            planned.append(Mask(name, source, "random", random, sparsity(random)))
    return planned


def _mask(inputs: Transfer, method: Method, initial: Encoder, source: str) -> Subnetwork:
    """The mask of a source: of a task in its own size, of no task in that of the task that is trained on."""
    cell = inputs.cell
    good = inputs.good[cell.task.name, method.name]
    if source == PRETRAINED:
        return largest(initial, good.size, inputs.settings.of(MagnitudeParameters).biases)
    if source == OTHERS:
        others = [
            inputs.good[task, method.name]
            for task in inputs.parameters.tasks
            if task != cell.task.name
        ]
        stream = rng(cell.seed, "transfer other tasks", cell.task.name, method.name)
        return most_frequent(good, others, stream)
    return inputs.good[source, method.name]


def most_frequent(
    good: Subnetwork, others: Sequence[Subnetwork], stream: np.random.Generator
) -> Subnetwork:
    """The components that most of `others` keep, as many as the good ticket keeps of them.

    Heads count against heads and MLPs against MLPs, neurons against those of the MLPs that it has, weights over the
    whole encoder. Chance decides between components that equally many keep.
    """

    def tiers(part: str) -> list[Kept]:
        return _by_count([other[part] for other in others])

    if not good.is_structured:
        flat = controls.fill(good.size, _by_count([other.flat for other in others]), stream)
        return Subnetwork.unflatten(good.shapes, flat)
    parts = {
        part: controls.fill(
            int(kept.sum()), [tier.ravel() for tier in tiers(part)], stream
        ).reshape(kept.shape)
        for part, kept in neurons.without(good).items()
    }
    if NEURONS not in good:
        return Subnetwork(parts)
    return neurons.with_neurons(Subnetwork(parts), good, tiers(NEURONS), stream)


def _by_count(masks: Sequence[Kept]) -> list[Kept]:
    """Tiers: the components that all masks keep, then those that all but one keep, and so on."""
    counts = reduce(np.add, [mask.astype(np.uint8) for mask in masks])
    return [counts == count for count in range(len(masks), -1, -1)]


def _random(inputs: Transfer, method: Method, pruner: Pruner, kept: Subnetwork) -> Subnetwork:
    """A random mask of the size of another one; masks of equal sizes share it."""
    sizes = [str(part.size) for part in method.by_unit(kept).values()]
    cell = inputs.cell
    stream = rng(cell.seed, "transfer random", cell.task.name, method.name, *sizes)
    exact = msgspec.structs.replace(inputs.settings.controls, random="exact")
    return pruner.random(kept, exact, stream)


def scores(
    inputs: Transfer, report: parallel.Report, journal: Journal = NO_JOURNAL
) -> Iterator[TransferScore]:
    """Every metric of every mask on every split; equal masks are trained once, and none that `journal` holds."""
    planned = masks(inputs)
    names = {mask.kept: f"{mask.method} {mask.kind} of {mask.source}" for mask in reversed(planned)}
    jobs = {
        name: partial(train, inputs=inputs, kept=kept, journal=journal.of(name))
        for kept, name in names.items()
    }
    logits = parallel.run(jobs, inputs.cell.compute, report, preload=[__name__])
    for mask in planned:
        yield from _scores(inputs, mask, logits[names[mask.kept]])


def train(
    progress: Progress, inputs: Transfer, kept: Subnetwork, journal: Journal = NO_JOURNAL
) -> Logits:
    """Logits of a mask after training, as `retrain` trains a good ticket."""
    return train_and_predict(progress, inputs.cell, kept, inputs.splits, journal).logits


def _scores(inputs: Transfer, mask: Mask, logits: Logits) -> Iterator[TransferScore]:
    task = inputs.cell.task
    for split, logits_NC in logits.items():
        labels_N = inputs.splits[split].labels_N
        for metric, value in measure(task, split, logits_NC, labels_N).items():
            yield TransferScore(
                task=task.name,
                seed=inputs.cell.seed,
                method=mask.method,
                source=mask.source,
                kind=mask.kind,
                digest=mask.kept.digest,
                sparsity=mask.sparsity,
                split=split,
                metric=metric,
                value=value,
                n=len(labels_N),
            )
