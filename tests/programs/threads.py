"""Differences that another number of threads makes to a finished run: flipped mask bits, moved scores.

    python -m tests.programs.threads 2

Every search is repeated from the recorded fine-tuned model, every fine-tuning from the pre-trained encoder. Scores are
the first metric of the task on dev.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.tickets import methods
from lottery.tickets.methods import Search
from lottery.tickets.retraining import finetune_cell, score_splits
from lottery.verification.run import CellOutputs
from stages.shell import arguments
from tests import toy_run

COLUMNS = ("cell", "recorded", "scored again", "trained again", *methods.CRITERIA)


def differences(cell: CellOutputs, pretrained: Path) -> Iterator[str]:
    """A row of the table: scores of the full model, then the steps and mask bits of each search that differ."""
    recorded = cell.scores().set_index(["kind", "split", "metric"])["value"]
    yield f"{recorded['full', 'dev', cell.task.metrics[0]].item():.4f}"
    yield _score(cell, checkpoint.load(cell.model, cell.task.classes))
    trainee = arguments.cell(cell.task.name, cell.seed, cell.run.data / cell.task.name, pretrained)
    yield _score(cell, finetune_cell(lambda _, __: None, trainee)[0])
    recorded_masks, steps = cell.subnetworks(), cell.steps()
    for method in methods.CRITERIA:
        judged_by = cell.splits()[cell.run.how.rule.data]
        search = Search(
            method, cell.task, cell.seed, cell.model, judged_by, cell.run.how, cell.run.compute
        )
        repeated = methods.prune(lambda _, __: None, search)
        before = steps.loc[steps["method"] == method, "score"].to_numpy()
        after = [step.score for step in repeated.steps]
        moved = (
            f"{sum(a != b for a, b in zip(before, after, strict=True))} of {len(before)} scores"
            if len(before) == len(after)
            else f"{len(after)} steps for {len(before)}"
        )
        good = repeated.subnetworks["good", 0]
        flipped = (recorded_masks[method, "good", 0].flat != good.flat).sum()
        yield f"{moved}, {flipped:,} bits"


def _score(cell: CellOutputs, encoder: Encoder) -> str:
    with cell.run.compute.arithmetic:
        scores = score_splits(encoder.eval(), cell.task, {"dev": cell.splits()["dev"]})
    return f"{scores['dev'][cell.task.metrics[0]]:.4f}"


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    table = Table(*COLUMNS)
    for cell in toy_run.run(Path()).cells:
        table.add_row(str(cell), *differences(cell, Path("data/assets/encoder")))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
