"""Run pruning methods on a fine-tuned model: good ticket, random and bad controls, trajectory."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lottery import records
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.params import section
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import ImportanceRecord, StepRecord
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.parameters import ControlsParameters, PruneParameters
from lottery.tickets.pruner import Pruner, SearchSettings
from lottery.tickets.search import Importance, Step, score_threshold, search


def read_settings(tree: Mapping[str, Any]) -> SearchSettings:
    """Parameters of all methods' searches, from the sections of params.yaml."""
    return SearchSettings(
        prune=section(PruneParameters, tree),
        controls=section(ControlsParameters, tree),
        sections={
            kind: section(kind, tree) for method in METHODS.values() for kind in method.parameters
        },
    )


@dataclass(frozen=True)
class Search:
    """The inputs of one search: a method, the folder of a fine-tuned model, and the examples that drive it."""

    method: Method
    task: Task
    seed: int
    model: Path
    examples: Examples
    settings: SearchSettings
    compute: ComputeParameters

    def pruner(self) -> Pruner:
        """The method, bound to a fresh copy of the model."""
        device = chosen_device(self.compute)
        encoder = checkpoint.load(self.model, self.task.classes).to(device)
        return self.method.pruner().bind(encoder, self.task, self.examples, self.settings)


@dataclass(frozen=True)
class SearchResult:
    """Tickets of a search, the good one first; its steps; importance of the components of the full model."""

    tickets: list[Ticket]
    steps: list[StepRecord]
    importance: list[ImportanceRecord]


def prune(
    progress: Callable[[int, int], None], inputs: Search, journal: Journal = NO_JOURNAL
) -> SearchResult:
    """Search, and draw the controls of the good ticket. Candidates that `journal` holds are not assessed again."""
    pruner = inputs.pruner()
    steps = search(pruner, inputs.settings.prune, journal)
    with arithmetic(inputs.compute):
        full = next(steps)
        record = partial(_record, inputs, pruner, full.score)
        trajectory, good = [record(full, 0)], full.subnetwork
        for number, step in enumerate(steps, start=1):
            if step.accepted:
                good = step.subnetwork
            trajectory.append(record(step, number))
            progress(number, 0)
    tickets = [*_tickets(inputs, good)]
    return SearchResult(tickets, trajectory, _importance_records(inputs, full.importance))


def _tickets(inputs: Search, good: Subnetwork) -> Iterator[Ticket]:
    """The good ticket and its controls."""
    # The search may have zeroed weights in place. Bad tickets can consist of the smallest weights, which have to be
    # those of the model before the search: load it again.
    pruner = inputs.pruner()
    task, seed, parameters = inputs.task.name, inputs.seed, inputs.settings.controls
    for key in inputs.method.keys(parameters.draws):
        yield Ticket(task, seed, *key, ticket_subnetwork(pruner, key, good, task, seed, parameters))


def ticket_subnetwork(
    pruner: Pruner, key: Key, good: Subnetwork, task: str, seed: int, parameters: ControlsParameters
) -> Subnetwork:
    """The subnetwork of a ticket: the good one, or one of its controls. Each control has its own random stream."""
    method, kind, number = key
    if kind == "good":
        return good
    if kind == "bad":
        return pruner.bad(good, parameters, rng(seed, "bad", task, method))
    return pruner.random(good, parameters, rng(seed, "random", task, method, number))


def save(results: Collection[SearchResult], folder: Path) -> None:
    """Write the tickets of a task and seed, and the tables `trajectory` and `importance` of its searches."""
    for result in results:
        for ticket in result.tickets:
            ticket.save(folder)
    steps = [step for result in results for step in result.steps]
    importance = [row for result in results for row in result.importance]
    records.write(StepRecord, steps, folder / "trajectory.parquet")
    records.write(ImportanceRecord, importance, folder / "importance.parquet")


def _record(
    inputs: Search, pruner: Pruner, full_score: float, step: Step, number: int
) -> StepRecord:
    survivors = inputs.method.by_unit(step.subnetwork)
    counts = {unit: subnetwork.size for unit, subnetwork in survivors.items()}
    return StepRecord(
        task=inputs.task.name,
        seed=inputs.seed,
        method=inputs.method.name,
        phase=step.phase,
        step=number,
        heads=counts.get("heads"),
        mlps=counts.get("mlps"),
        weights=counts.get("weights"),
        sparsity=pruner.sparsity(step.subnetwork),
        score=step.score,
        accepted=step.accepted,
        threshold=score_threshold(full_score, inputs.settings.prune),
        full_score=full_score,
    )


def _importance_records(inputs: Search, importance: Importance) -> list[ImportanceRecord]:
    return [
        ImportanceRecord(
            task=inputs.task.name,
            seed=inputs.seed,
            method=inputs.method.name,
            unit=unit,
            layer=position[0],
            index=position[1] if len(position) > 1 else None,
            importance=float(value),
        )
        for unit, values in importance.items()
        if unit in inputs.method.units
        for position, value in np.ndenumerate(values)
    ]
