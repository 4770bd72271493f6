"""Fine-tune the pre-trained encoder on one task with one seed.

python -m stages.finetune sst2 1337 data/sst2/1337 data/assets/encoder models/sst2/1337
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.grid import cell_name
from lottery.model import checkpoint
from lottery.runtime import parallel
from lottery.tickets.retraining import finetune_cell
from stages.shell import arguments, cells, cli
from stages.shell.resume import journal


def main(
    task: arguments.Task,
    seed: arguments.Seed,
    data: arguments.Data,
    pretrained: arguments.Pretrained,
    out: Annotated[Path, Argument(help="Folder for the fine-tuned encoder.")],
) -> None:
    """Fine-tune the pre-trained encoder on one task with one seed."""
    cell = cells.cell(task, seed, data, pretrained)
    about = f"{len(cell.train)} training examples, {cell.recipe.epochs} epoch(s)"
    with (
        cli.stage("finetune", cell_name(task, seed), about) as stage,
        journal(__file__, out, data, pretrained) as notes,
        cli.fresh(out) as draft,
    ):
        job = {"training": partial(finetune_cell, cell=cell, journal=notes)}
        encoder, losses = parallel.run(job, cell.compute, stage.report)["training"]
        checkpoint.save(encoder, draft)
        (draft / "losses.json").write_text(json.dumps({"mean loss per epoch": losses}) + "\n")
        stage.result = f"mean loss of the last epoch {losses[-1]:.3f}"


if __name__ == "__main__":
    cli.run(main)
