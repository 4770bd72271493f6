"""Both prunings of one fine-tuned model: what survives, what it is held against, and the way there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lottery import records
from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.runtime.compute import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import ImportanceRecord, Method, StepRecord
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.tickets.controls import ControlsParameters
from lottery.tickets.importance import ImportanceParameters
from lottery.tickets.magnitude import Magnitude, MagnitudeParameters
from lottery.tickets.search import (
    Importance,
    PruneParameters,
    Pruner,
    Step,
    score_threshold,
    search,
)
from lottery.tickets.structured import Structured


@dataclass(frozen=True)
class Setting:
    """Everything a search depends on besides the model and the data."""

    rule: PruneParameters
    scoring: ImportanceParameters
    weights: MagnitudeParameters
    controls: ControlsParameters


@dataclass(frozen=True)
class Pruned:
    """The outcome of a search: (kind, draw) -> subnetwork, the steps, and the importance of the full model."""

    subnetworks: Mapping[tuple[str, int], Subnetwork]
    steps: list[StepRecord]
    importance: list[ImportanceRecord]


def save(found: Mapping[Method, Pruned], task: Task, seed: int, folder: Path) -> None:
    """The subnetworks of a cell, one file each in a folder for each method, and both tables of records."""
    for method, pruned in found.items():
        (folder / method).mkdir()
        identity: dict[str, str | int] = {"task": task.name, "seed": seed, "method": method}
        for (kind, draw), subnetwork in pruned.subnetworks.items():
            file = f"random-{draw}" if kind == "random" else kind
            path = folder / method / f"{file}.safetensors"
            subnetwork.save(path, **identity, kind=kind, draw=draw)
    steps = [step for pruned in found.values() for step in pruned.steps]
    scores = [row for pruned in found.values() for row in pruned.importance]
    records.write(StepRecord, steps, folder / "trajectory.parquet")
    records.write(ImportanceRecord, scores, folder / "importance.parquet")


def structured(encoder: Encoder, task: Task, examples: Examples, how: Setting) -> Pruner:
    return Structured(encoder, task, examples, how.rule.rate, how.scoring)


def magnitude(encoder: Encoder, task: Task, examples: Examples, how: Setting) -> Pruner:
    rate = how.rule.rate if how.weights.rate is None else how.weights.rate
    return Magnitude(encoder, task, examples, rate, how.weights)


CRITERIA: Mapping[Method, Callable[[Encoder, Task, Examples, Setting], Pruner]] = {
    "structured": structured,
    "magnitude": magnitude,
}


@dataclass(frozen=True)
class Search:
    """One search: which method, from the model in the folder `model`, judged by `examples`."""

    method: Method
    task: Task
    seed: int
    model: Path
    examples: Examples
    how: Setting
    compute: ComputeParameters

    def criterion(self) -> Pruner:
        """The method bound to the model, read anew."""
        encoder = checkpoint.load(self.model, self.task.classes).to(self.compute.chosen)
        return CRITERIA[self.method](encoder, self.task, self.examples, self.how)


def prune(
    progress: Callable[[int, int], None], wanted: Search, journal: Journal = NO_JOURNAL
) -> Pruned:
    """Search, and draw the contrasts of what survives; what `journal` remembers is not assessed again."""
    criterion = wanted.criterion()
    steps = search(criterion, wanted.how.rule, journal)
    with wanted.compute.arithmetic:
        full = next(steps)
        survivors, record = full.subnetwork, partial(_record, wanted, criterion, full.score)
        records = [record(full, 0)]
        for number, step in enumerate(steps, start=1):
            if step.accepted:
                survivors = step.subnetwork
            records.append(record(step, number))
            progress(number, 0)
    importance = _importance_records(wanted, full.importance)
    return Pruned({("good", 0): survivors, **_controls(wanted, survivors)}, records, importance)


def _controls(wanted: Search, good: Subnetwork) -> dict[tuple[str, int], Subnetwork]:
    """Random and bad, from the weights as they were before the search."""
    criterion, controls = wanted.criterion(), wanted.how.controls
    name = (wanted.task.name, wanted.method)
    found = {
        ("random", draw): criterion.random(good, controls, rng(wanted.seed, "random", *name, draw))
        for draw in range(controls.draws)
    }
    found["bad", 0] = criterion.bad(good, controls, rng(wanted.seed, "bad", *name))
    return found


def _record(
    wanted: Search, criterion: Pruner, full_score: float, step: Step, number: int
) -> StepRecord:
    return StepRecord(
        task=wanted.task.name,
        seed=wanted.seed,
        method=wanted.method,
        phase=step.phase,
        step=number,
        heads=_count(step.subnetwork, "heads"),
        mlps=_count(step.subnetwork, "mlps"),
        weights=None if "heads" in step.subnetwork else step.subnetwork.size,
        sparsity=criterion.sparsity(step.subnetwork),
        score=step.score,
        accepted=step.accepted,
        threshold=score_threshold(full_score, wanted.how.rule),
        full_score=full_score,
    )


def _count(subnetwork: Subnetwork, part: str) -> int | None:
    return int(subnetwork[part].sum()) if part in subnetwork else None


def _importance_records(wanted: Search, found: Importance) -> list[ImportanceRecord]:
    return [
        ImportanceRecord(
            task=wanted.task.name,
            seed=wanted.seed,
            unit=unit,
            layer=place[0],
            index=place[1] if len(place) > 1 else None,
            importance=float(value),
        )
        for unit, values in found.items()
        for place, value in np.ndenumerate(values)
    ]
