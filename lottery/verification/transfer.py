"""Checks of transfer: masks are those that tickets and pre-trained weights give, and each has all its scores."""

from collections import Counter
from pathlib import Path

from lottery import records
from lottery.data import examples
from lottery.grid import cell_name
from lottery.model.parameters import FinetuneParameters
from lottery.tasks import get_task
from lottery.tickets import transferred_masks
from lottery.tickets.retraining import Cell
from lottery.tickets.transfer import TransferParameters, TransferScore
from lottery.tickets.transferred_masks import Transfer
from lottery.verification.run import Findings, FinishedRun


def transferred(
    run: FinishedRun, parameters: TransferParameters, recipe: FinetuneParameters
) -> Findings:
    """Each mask of a cell, recomputed, has one score in every metric on dev, and no other mask has any."""
    for task, seed in parameters.cells(run.grid):
        table = records.read_cells(TransferScore, [(task, seed)], run.scores, "transfer.parquet")
        measured = Counter(
            (row.method, row.source, row.kind, row.digest, row.metric)
            for row in records.structs(TransferScore, table)
            if row.split == "dev"
        )
        due = Counter(
            (mask.method, mask.source, mask.kind, mask.kept.digest, metric)
            for mask in transferred_masks.masks(_inputs(run, parameters, recipe, task, seed))
            for metric in get_task(task).metrics
        )
        for key in sorted({*measured, *due}):
            method, source, kind, _, metric = key
            label = f"{cell_name(task, seed)}: {method} {kind} of {source}, {metric}"
            text = f"{label}: {measured[key]} scores of a mask that has {due[key]}"
            yield None if measured[key] == due[key] else text


def _inputs(
    run: FinishedRun,
    parameters: TransferParameters,
    recipe: FinetuneParameters,
    task: str,
    seed: int,
) -> Transfer:
    train = examples.load(Path(run.data, task, str(seed), "train.safetensors"))
    cell = Cell(get_task(task), seed, run.encoder, train, recipe, run.compute)
    good = transferred_masks.load_good(run.subnetworks, parameters, seed)
    return Transfer(cell, good, parameters, run.settings, {})
