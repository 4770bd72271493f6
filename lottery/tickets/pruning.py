"""Run pruning methods on one fine-tuned model: good ticket, random and bad controls, trajectory."""

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
    """The parameters of every method's search, from the sections of params.yaml."""
    return SearchSettings(
        prune=section(PruneParameters, tree),
        controls=section(ControlsParameters, tree),
        sections={
            kind: section(kind, tree) for method in METHODS.values() for kind in method.parameters
        },
    )


@dataclass(frozen=True)
class Search:
    """One search: by which method, of the model in the folder `model`, scored on `examples`."""

    method: Method
    task: Task
    seed: int
    model: Path
    examples: Examples
    settings: SearchSettings
    compute: ComputeParameters

    def pruner(self) -> Pruner:
        """The method bound to the model, which is read anew."""
        device = chosen_device(self.compute)
        encoder = checkpoint.load(self.model, self.task.classes).to(device)
        return self.method.pruner().bind(encoder, self.task, self.examples, self.settings)


@dataclass(frozen=True)
class SearchResult:
    """The tickets of a search, the good one first; its steps, and the importance of the full model."""

    tickets: list[Ticket]
    steps: list[StepRecord]
    importance: list[ImportanceRecord]


def prune(
    progress: Callable[[int, int], None], search_of: Search, journal: Journal = NO_JOURNAL
) -> SearchResult:
    """Search, and draw the controls of what survives. What `journal` holds is not assessed again."""
    pruner = search_of.pruner()
    steps = search(pruner, search_of.settings.prune, journal)
    with arithmetic(search_of.compute):
        full = next(steps)
        survivors, record = full.subnetwork, partial(_record, search_of, pruner, full.score)
        trajectory = [record(full, 0)]
        for number, step in enumerate(steps, start=1):
            if step.accepted:
                survivors = step.subnetwork
            trajectory.append(record(step, number))
            progress(number, 0)
    tickets = [*_tickets(search_of, survivors)]
    return SearchResult(tickets, trajectory, _importance_records(search_of, full.importance))


def _tickets(search_of: Search, good: Subnetwork) -> Iterator[Ticket]:
    """The good ticket and its controls, drawn from the weights as they were before the search."""
    pruner = search_of.pruner()
    task, seed = search_of.task.name, search_of.seed
    for key in search_of.method.keys(search_of.settings.controls.draws):
        kept = draw(pruner, key, good, task, seed, search_of.settings.controls)
        yield Ticket(task, seed, *key, kept)


def draw(
    pruner: Pruner, key: Key, good: Subnetwork, task: str, seed: int, controls: ControlsParameters
) -> Subnetwork:
    """The subnetwork of a ticket: the good one itself, or its control, drawn from a random stream of its own."""
    method, kind, number = key
    if kind == "good":
        return good
    if kind == "bad":
        return pruner.bad(good, controls, rng(seed, "bad", task, method))
    return pruner.random(good, controls, rng(seed, "random", task, method, number))


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
    search_of: Search, pruner: Pruner, full_score: float, step: Step, number: int
) -> StepRecord:
    survivors = search_of.method.by_unit(step.subnetwork)
    counts = {unit: subnetwork.size for unit, subnetwork in survivors.items()}
    return StepRecord(
        task=search_of.task.name,
        seed=search_of.seed,
        method=search_of.method.name,
        phase=step.phase,
        step=number,
        heads=counts.get("heads"),
        mlps=counts.get("mlps"),
        weights=counts.get("weights"),
        sparsity=pruner.sparsity(step.subnetwork),
        score=step.score,
        accepted=step.accepted,
        threshold=score_threshold(full_score, search_of.settings.prune),
        full_score=full_score,
    )


def _importance_records(search_of: Search, importance: Importance) -> list[ImportanceRecord]:
    return [
        ImportanceRecord(
            task=search_of.task.name,
            seed=search_of.seed,
            unit=unit,
            layer=place[0],
            index=place[1] if len(place) > 1 else None,
            importance=float(value),
        )
        for unit, values in importance.items()
        for place, value in np.ndenumerate(values)
    ]
