"""What another number of threads changes in a finished run: whether masks flip, and how far scores move.

    python -m tests.threads 2

Every search starts again from the fine-tuned model that was recorded, every fine-tuning from the pre-trained
encoder. Scores are the first metric of the task on dev.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.runtime.compute import arithmetic
from lottery.tickets import pruning
from lottery.tickets.methods import METHODS
from lottery.tickets.pruning import Search
from lottery.tickets.retraining import finetune_cell, score_splits
from lottery.verification.run import CellOutputs
from stages.shell import arguments
from tests import toy_run

HEAD = ("cell", "recorded", "scored again", "trained again", *METHODS)


def changed(made: CellOutputs, pretrained: Path) -> Iterator[str]:
    """A row of the table: full models' scores, then of each search the steps and parts that differ."""
    recorded = made.scores().set_index(["kind", "split", "metric"])["value"]
    yield f"{recorded['full', 'dev', made.task.metrics[0]].item():.4f}"
    yield _score(made, checkpoint.load(made.model, made.task.classes))
    cell = arguments.cell(made.task.name, made.seed, made.run.data / made.task.name, pretrained)
    yield _score(made, finetune_cell(lambda _, __: None, cell)[0])
    recorded_tickets, steps = made.tickets(), made.steps()
    for method in METHODS.values():
        judged_by = made.splits()[made.run.settings.prune.data]
        wanted = Search(
            method, made.task, made.seed, made.model, judged_by, made.run.settings, made.run.compute
        )
        found = pruning.prune(lambda _, __: None, wanted)
        before = steps.loc[steps["method"] == method.name, "score"].to_numpy()
        after = [step.score for step in found.steps]
        moved = (
            f"{sum(a != b for a, b in zip(before, after, strict=True))} of {len(before)} scores"
            if len(before) == len(after)
            else f"{len(after)} steps for {len(before)}"
        )
        before_mask = recorded_tickets[method.good].subnetwork.flat
        flipped = (before_mask != found.tickets[0].subnetwork.flat).sum()
        yield f"{moved}, {flipped:,} parts"


def _score(made: CellOutputs, encoder: Encoder) -> str:
    with arithmetic(made.run.compute):
        found = score_splits(encoder.eval(), made.task, {"dev": made.splits()["dev"]})
    return f"{found['dev'][made.task.metrics[0]]:.4f}"


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    table = Table(*HEAD)
    for made in toy_run.run(Path()).cells:
        table.add_row(str(made), *changed(made, Path("data/assets/encoder")))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
