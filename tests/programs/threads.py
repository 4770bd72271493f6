"""Differences that another number of threads makes to a finished run: flipped mask bits, moved scores.

    python -m tests.programs.threads 2

Every search is repeated from the recorded fine-tuned model, every fine-tuning from the pre-trained encoder. Scores are
the first metric of the task on dev.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.predictions import measure
from lottery.runtime.compute import arithmetic
from lottery.ticket import FULL
from lottery.tickets import pruning
from lottery.tickets.methods import METHODS
from lottery.tickets.pruning import Search
from lottery.tickets.retraining import finetune_cell, predict_splits
from lottery.verification.run import CellOutputs
from lottery.verification.scored import Identity, identity
from stages.shell import cells, cli
from tests import toy_run

COLUMNS = ("cell", "recorded", "scored again", "trained again", *METHODS)


def differences(outputs: CellOutputs, pretrained: Path) -> Iterator[str]:
    """A row of the table: scores of the full model, then the steps and mask bits of each search that differ."""
    task, run = outputs.task, outputs.run
    recorded = {identity(score): score.value for score in outputs.scores()}
    yield f"{recorded[Identity(FULL, 'finetuned', 'dev', task.metrics[0])]:.4f}"
    yield _score(outputs, checkpoint.load(outputs.model, task.classes))
    cell = cells.cell(task.name, outputs.seed, outputs.data, pretrained)
    yield _score(outputs, finetune_cell(lambda _, __: None, cell)[0])
    tickets, steps = outputs.tickets(), outputs.steps()
    examples = outputs.splits()[run.settings.prune.data]
    for method in METHODS.values():
        folders = outputs.model, pretrained
        search = Search(method, task, outputs.seed, *folders, examples, run.settings, run.compute)
        repeated = pruning.prune(lambda _, __: None, search)
        before = steps.loc[steps["method"] == method.name, "score"].to_numpy()
        after = [step.score for step in repeated.steps]
        moved = (
            f"{sum(a != b for a, b in zip(before, after, strict=True))} of {len(before)} scores"
            if len(before) == len(after)
            else f"{len(after)} steps for {len(before)}"
        )
        mask = tickets[method.good].subnetwork.flat
        flipped = (mask != repeated.tickets[0].subnetwork.flat).sum()
        yield f"{moved}, {flipped:,} bits"


def _score(outputs: CellOutputs, encoder: Encoder) -> str:
    with arithmetic(outputs.run.compute):
        dev = outputs.splits()["dev"]
        logits = predict_splits(encoder.eval(), {"dev": dev})["dev"]
    score = measure(outputs.task, "dev", logits, dev.labels_N)[outputs.task.metrics[0]]
    return f"{score:.4f}"


def main(threads: int) -> None:
    """Repeat searches and trainings of the finished run of this folder; show what differs."""
    torch.set_num_threads(threads)
    table = Table(*COLUMNS)
    for outputs in toy_run.run(Path()).cells:
        table.add_row(str(outputs), *differences(outputs, Path("data/assets/encoder")))
    Console(width=150).print(table)


if __name__ == "__main__":
    cli.run(main)
