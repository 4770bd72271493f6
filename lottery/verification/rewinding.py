"""Checks of iterative magnitude pruning with rewinding: masks of its rounds, and which scores there are."""

from collections import Counter
from pathlib import Path

from lottery import records, subnetwork
from lottery.grid import cell_name
from lottery.model import checkpoint
from lottery.schemas import RewindScore
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.rewinding import smallest_removed
from lottery.tickets.rewinding_controls import planned
from lottery.tickets.rewound import REWOUND
from lottery.verification.run import Findings, FinishedRun


def rewound(run: FinishedRun, parameters: RewindParameters, masks: Path, biases: bool) -> Findings:
    """Masks have the size of their round and are nested, the first by the fine-tuned model; no score is missing."""
    for task, seed in parameters.cells(run.grid):
        label, previous = f"{cell_name(task, seed)}: rewinding", None
        for number in range(parameters.rounds + 1):
            path = masks / task / str(seed) / f"{number}.safetensors"
            kept, identity = subnetwork.load(path)
            same = identity == {"task": task, "seed": seed, "round": number}
            yield None if same else f"{path}: holds the mask {identity}"
            due = kept.total - round(number * parameters.rate * kept.total)
            text = f"{label}, round {number} keeps {kept.size} weights, expected {due}"
            yield None if kept.size == due else text
            if previous is not None:
                nested = kept.shapes == previous.shapes and kept <= previous
                yield None if nested else f"{label}, round {number} keeps what was pruned before"
            if number == 1:
                yield _first(run, task, seed, parameters.rate, biases, kept)
            previous = kept
        yield from _scores(run, task, seed, parameters, label)


def _first(
    run: FinishedRun, task: str, seed: int, rate: float, biases: bool, kept: Subnetwork
) -> str | None:
    """Faults of the mask of the first round, which follows from the fine-tuned model."""
    encoder = checkpoint.load(run.models / task / str(seed), get_task(task).classes)
    due = smallest_removed(encoder, rate, biases)
    return None if due == kept else f"{cell_name(task, seed)}: the mask of round 1 is another"


def _scores(
    run: FinishedRun, task: str, seed: int, parameters: RewindParameters, label: str
) -> Findings:
    """Each round and each control has one score in every metric on dev."""
    table = records.read_cells(RewindScore, [(task, seed)], run.scores, "rewind.parquet")
    rows = records.structs(RewindScore, table)
    measured = Counter(
        (row.control, row.draw, round(row.sparsity / parameters.rate), row.metric)
        for row in rows
        if row.split == "dev"
    )
    trained = [(REWOUND, 0, number) for number in range(parameters.rounds + 1)]
    due = Counter(
        (*key, metric)
        for key in (*trained, *planned(parameters))
        for metric in get_task(task).metrics
    )
    for key in sorted({*measured, *due}):
        text = f"{label}: {measured[key]} scores of {key}, expected {due[key]}"
        yield None if measured[key] == due[key] else text
