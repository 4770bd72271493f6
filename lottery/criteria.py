"""Both prunings of one fine-tuned model: what survives, what it is held against, and the way there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lottery import checkpoint, records
from lottery.encoder import Encoder
from lottery.examples import Examples
from lottery.importance import Scoring
from lottery.magnitude import Magnitude, Weights
from lottery.parallel import Compute
from lottery.pruning import Criterion, Importance, Prune, Step, bar, good, search
from lottery.sampling import Sampling
from lottery.scores import ImportanceRecord, Method, StepRecord
from lottery.seeds import rng
from lottery.structured import Structured
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task


@dataclass(frozen=True)
class Setting:
    """Everything a search depends on besides the model and the data."""

    rule: Prune
    scoring: Scoring
    weights: Weights
    sampling: Sampling


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


def structured(encoder: Encoder, task: Task, examples: Examples, how: Setting) -> Criterion:
    return Structured(encoder, task, examples, how.rule.rate, how.scoring)


def magnitude(encoder: Encoder, task: Task, examples: Examples, how: Setting) -> Criterion:
    rate = how.rule.rate if how.weights.rate is None else how.weights.rate
    return Magnitude(encoder, task, examples, rate, how.weights)


CRITERIA: Mapping[Method, Callable[[Encoder, Task, Examples, Setting], Criterion]] = {
    "structured": structured,
    "magnitude": magnitude,
}


def prune(
    progress: Callable[[int, int], None],
    method: Method,
    model: Path,
    task: Task,
    seed: int,
    examples: Examples,
    how: Setting,
    compute: Compute,
) -> Pruned:
    """Search the fine-tuned model in `model` and draw the contrasts of what survives."""
    encoder = checkpoint.load(model, task.classes).to(compute.chosen)
    criterion = CRITERIA[method](encoder, task, examples, how)
    steps = []
    for step in search(criterion, how.rule):
        steps.append(step)
        progress(len(steps), 0)
    survivors = good(steps)
    found = {("good", 0): survivors}
    for draw in range(how.sampling.draws):
        stream = rng(seed, "random", task.name, method, draw)
        found["random", draw] = criterion.random(survivors, how.sampling, stream)
    found["bad", 0] = criterion.bad(survivors, how.sampling, rng(seed, "bad", task.name, method))
    return Pruned(
        found,
        _step_records(steps, criterion, task, seed, method, how.rule),
        _importance_records(steps[0].importance, task, seed),
    )


def _step_records(
    steps: list[Step], criterion: Criterion, task: Task, seed: int, method: Method, rule: Prune
) -> list[StepRecord]:
    full_score = steps[0].score
    return [
        StepRecord(
            task=task.name,
            seed=seed,
            method=method,
            phase=step.phase,
            step=number,
            heads=_count(step.subnetwork, "heads"),
            mlps=_count(step.subnetwork, "mlps"),
            weights=None if "heads" in step.subnetwork else step.subnetwork.size,
            sparsity=criterion.sparsity(step.subnetwork),
            score=step.score,
            accepted=step.accepted,
            threshold=bar(full_score, rule),
            full_score=full_score,
        )
        for number, step in enumerate(steps)
    ]


def _count(subnetwork: Subnetwork, part: str) -> int | None:
    return int(subnetwork[part].sum()) if part in subnetwork else None


def _importance_records(found: Importance, task: Task, seed: int) -> list[ImportanceRecord]:
    return [
        ImportanceRecord(
            task=task.name,
            seed=seed,
            unit=unit,
            layer=place[0],
            index=place[1] if len(place) > 1 else None,
            importance=float(value),
        )
        for unit, values in found.items()
        for place, value in np.ndenumerate(values)
    ]
