"""Run pruning methods on a fine-tuned model: good tickets, the controls that are stored, trajectory."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lottery import records
from lottery.data.examples import Examples
from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.model.evaluation import guess_floor
from lottery.params import section
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import ImportanceRecord, StepRecord
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.ticket import Key, Ticket
from lottery.tickets.magnitude import largest
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.parameters import (
    ControlsParameters,
    MagnitudeParameters,
    PruneParameters,
    RetrainParameters,
)
from lottery.tickets.pruner import Pruner, SearchSettings
from lottery.tickets.search import HALVES, Importance, Step, half_of, score_threshold, search


def read_settings(tree: Mapping[str, Any]) -> SearchSettings:
    """Parameters of all methods' searches, from the sections of params.yaml."""
    return SearchSettings(
        prune=section(PruneParameters, tree),
        controls=section(ControlsParameters, tree),
        retrain=section(RetrainParameters, tree),
        sections={
            kind: section(kind, tree) for method in METHODS.values() for kind in method.parameters
        },
    )


def score_floor(rule: PruneParameters, task: Task, examples: Examples) -> float | None:
    """The absolute score that a search on these examples must keep; None if there is none."""
    return guess_floor(task, examples) if rule.floor == "guess" else rule.floor


@dataclass(frozen=True)
class Search:
    """The inputs of one search: a method, the fine-tuned model of a cell, and the examples that drive it.

    model, pretrained: folders of the fine-tuned and of the pre-trained encoder.
    """

    method: Method
    task: Task
    seed: int
    model: Path
    pretrained: Path
    examples: Examples
    settings: SearchSettings
    compute: ComputeParameters

    def pruner(self) -> Pruner:
        """The method, bound to a fresh copy of the fine-tuned model."""
        encoder = checkpoint.load(self.model, self.task.classes).to(chosen_device(self.compute))
        return self.method.pruner().bind(encoder, self.task, self.examples, self.settings)

    def pretrained_ticket(self, size: int) -> Subnetwork:
        """The `size` largest pre-trained weights, whatever the search ranks by."""
        # With whatever classifier: weights of it are not pruned.
        encoder = checkpoint.load(self.pretrained, self.task.classes, seed=0)
        return largest(encoder, size, self.settings.of(MagnitudeParameters).biases)


@dataclass(frozen=True)
class SearchResult:
    """Tickets of a search, the good one first; its steps; importance of the components of the full model."""

    tickets: list[Ticket]
    steps: list[StepRecord]
    importance: list[ImportanceRecord]


def prune(
    progress: Callable[[int, int], None], inputs: Search, journal: Journal = NO_JOURNAL
) -> SearchResult:
    """Search, and draw the tickets that are stored. Candidates that `journal` holds are not assessed again.

    Raises UserError if the first phase ends before a matched sparsity.
    """
    pruner, rule, matched = inputs.pruner(), inputs.settings.prune, inputs.settings.controls.matched
    floor = score_floor(rule, inputs.task, inputs.examples)
    steps, first_phase = search(pruner, rule, floor, journal), next(iter(pruner.phases))
    with arithmetic(inputs.compute):
        full = deepest = next(steps)
        threshold = score_threshold(full.score, rule, floor)
        trajectory = [_record(inputs, full, 0, threshold, full.score)]
        good: dict[float | None, Step] = dict.fromkeys((None, *matched), full)
        for number, step in enumerate(steps, start=1):
            if step.accepted:
                good[None] = step
            if step.phase == first_phase:
                deepest = step
                good |= {sparsity: _nearest(sparsity, good[sparsity], step) for sparsity in matched}
            trajectory.append(_record(inputs, step, number, threshold, full.score))
            progress(number, 0)
    _require_matched(inputs, deepest.sparsity)
    tickets = [*_tickets(inputs, {size: step.subnetwork for size, step in good.items()})]
    return SearchResult(tickets, trajectory, _importance_records(inputs, full.importance))


def _nearest(sparsity: float, *steps: Step) -> Step:
    return min(steps, key=lambda step: abs(step.sparsity - sparsity))


def _require_matched(inputs: Search, deepest: float) -> None:
    """Raise UserError if the first phase did not get as far as a matched sparsity."""
    for sparsity in inputs.settings.controls.matched:
        if deepest < sparsity:
            raise UserError(
                f"parameters: controls.matched: {sparsity:g}, but {inputs.method.title} of this encoder ends at a"
                f" sparsity of {deepest:.3f}; choose a lower one"
            )


def _tickets(inputs: Search, good: Mapping[float | None, Subnetwork]) -> Iterator[Ticket]:
    """The good tickets, by matched sparsity, and all others that are stored."""
    # The search may have zeroed weights in place. Bad tickets can consist of the smallest weights, which have to be
    # those of the model before the search: load it again.
    pruner, settings = inputs.pruner(), inputs.settings
    for key in inputs.method.stored(settings.controls, settings.retrain):
        kept = stored_subnetwork(inputs, pruner, key, good[key.matched])
        yield Ticket(inputs.task.name, inputs.seed, key, kept)


def stored_subnetwork(inputs: Search, pruner: Pruner, key: Key, good: Subnetwork) -> Subnetwork:
    """The subnetwork of a ticket that is stored, from the good one of its size."""
    if key.kind == "pretrained":
        return inputs.pretrained_ticket(good.size)
    return ticket_subnetwork(
        pruner, key, good, inputs.task.name, inputs.seed, inputs.settings.controls
    )


def ticket_subnetwork(
    pruner: Pruner, key: Key, good: Subnetwork, task: str, seed: int, parameters: ControlsParameters
) -> Subnetwork:
    """The subnetwork of a good, random or bad ticket. Each control has its own random stream."""
    if key.kind == "good":
        return good
    size = [] if key.matched is None else [str(key.matched)]
    if key.kind == "random":
        stream = rng(seed, "random", task, key.method, key.draw, *size)
        return pruner.random(good, parameters, stream)
    # The first bad ticket has no number in the name of its stream.
    number = [key.draw] if key.draw else []
    return pruner.bad(good, parameters, rng(seed, "bad", task, key.method, *number, *size))


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
    inputs: Search, step: Step, number: int, threshold: float, full_score: float
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
        neurons=counts.get("neurons"),
        weights=counts.get("weights"),
        sparsity=step.sparsity,
        score=step.score,
        accepted=step.accepted,
        threshold=threshold,
        full_score=full_score,
    )


def _by_half(
    importance: Importance, unit: str, position: tuple[int, ...]
) -> dict[str, float | None]:
    """The importance of a component by either half of the examples, if it was computed."""
    halves = {half.replace(" ", "_"): importance.get(half_of(unit, half)) for half in HALVES}
    return {
        name: None if values is None else float(values[position]) for name, values in halves.items()
    }


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
            **_by_half(importance, unit, position),
        )
        for unit, values in importance.items()
        if unit in inputs.method.units
        for position, value in np.ndenumerate(values)
    ]
